"""Fixtures that tests share: a server, a browser, and a room of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import hypothesis
import pytest
import pytest_asyncio

from ci.support.browser import Browser
from ci.support.server import Server

# Wall time of a shared machine is not what a property is about.
hypothesis.settings.register_profile("fanwire", deadline=None)
hypothesis.settings.load_profile("fanwire")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that need a browser, for `-m "not browser"`."""
    for item in items:
        if isinstance(item, pytest.Function) and "shared_browser" in item.fixturenames:
            item.add_marker("browser")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[Server]:
    """The real server, with two workers: a publisher and its first viewer meet different ones."""
    async with Server(workers=2) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests: starting it takes longer than some of them."""
    async with Browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: Browser) -> AsyncIterator[Browser]:
    """The browser, whose pages are closed after the test."""
    yield shared_browser
    await shared_browser.close_pages()


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room that no other test uses, named after the test."""
    name: str = request.node.name
    return "".join(c if c.isalnum() else "-" for c in name).strip("-")[:60]
