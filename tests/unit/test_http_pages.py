"""The pages and their files as HTTP: types, caching, policy, and errors for people and for programs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from ci.support.no_rooms import NoRooms
from fanwire.control.http.api import create_app
from fanwire.control.http.assets import assets

Client = TestClient[Any, Any]


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app(NoRooms()))) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/publish/main-stage", "/watch/main-stage?publisher=ann"])
async def test_a_page_runs_nothing_but_our_own_files_and_tells_nobody_its_address(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"https?://|<style|style=|onclick", await response.text())


async def test_every_file_that_the_pages_name_is_there_with_its_right_type(client: Client) -> None:
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    named = {
        name
        for asset in assets().values()
        for name in re.findall(r"(?:/assets/|from \"\./)([\w-]+\.(?:js|css|svg))", asset.body.decode())
    }
    assert {"client.js", "style.css", "icons.svg", "ticker.js"} <= named
    for name in named:
        response = await client.get(f"/assets/{name}")
        assert response.status == 200
        assert response.content_type == types[name.rpartition(".")[2]]


async def test_every_icon_that_the_pages_use_is_drawn() -> None:
    sources = {name: asset.body.decode() for name, asset in assets().items()}
    drawn = set(re.findall(r'symbol id="([\w-]+)"', sources["icons.svg"]))
    used = {icon for source in sources.values() for icon in re.findall(r"icons\.svg#([\w-]+)", source)}
    assert used
    assert used <= drawn


async def test_a_file_is_kept_by_the_browser_until_it_changes(client: Client) -> None:
    first = await client.get("/assets/style.css")
    assert first.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": f'"old", {first.headers["ETag"]}'}
    again = await client.get("/assets/style.css", headers=known)
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = await client.get("/assets/client.js", headers=known)
    assert other.status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/assets/none.js", "/assets/..%2Fapi.py", "/assets/%2e%2e/x", "/watch/"])
async def test_what_is_not_there_is_a_problem(client: Client, path: str) -> None:
    url = client.make_url("/").origin().join(URL(path, encoded=True))
    response = await client.session.get(url)
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert (await response.json())["detail"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_person_gets_a_problem_as_a_page_without_what_the_address_smuggles_in(client: Client) -> None:
    url = client.make_url("/").origin().join(URL("/watch/%3Cscript%3Ealert(1)%3C%2Fscript%3E", encoded=True))
    response = await client.session.get(url, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (response.status, response.content_type) == (400, "text/html")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    text = await response.text()
    assert "The room name is not allowed" in text
    assert "alert" not in text
    assert "{" not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/watch/main-stage", "/assets/style.css"])
async def test_pages_can_only_be_read(client: Client, method: str, path: str) -> None:
    response = await client.request(method, path)
    assert (response.status, response.content_type) == (405, "application/problem+json")
    assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD"}
