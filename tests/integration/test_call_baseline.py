"""What the test peers measure in a direct call, without the server: tells its faults from the machine's."""

from __future__ import annotations

import pytest

from support.browser import Browser
from support.peers import Viewer

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("sound", [440, "beeps"])
async def test_a_direct_call_is_live_and_in_sync(browser: Browser, sound: int | str) -> None:
    viewer = Viewer(await browser.open())
    await viewer.call("loopback", {"sound": sound})
    await viewer.wait_until_live()
    await viewer.watch(1)
    seen = await viewer.watch(4)
    seen.check_picture()
    if sound == "beeps":
        assert len(seen.skews_ms) >= 3
        assert max(map(abs, seen.skews_ms)) < 80  # 7 to 40 ms on an idle machine
    else:
        seen.check_tone(440)
