"""What the test peers measure in a direct call, without the server: tells its faults from the machine's."""

from __future__ import annotations

import pytest

from ci.support.browser import Browser
from ci.support.peers import Viewer
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_direct_call_is_live_and_in_sync(browser: Browser) -> None:
    toned, beeping = [Viewer(await browser.open()) for _ in range(2)]
    await toned.call("loopback", {"sound": 440})
    await beeping.call("loopback", {"sound": "beeps"})
    for viewer in (toned, beeping):
        await viewer.wait_until_live()
    # The beeps are 0 to 60 ms late on an idle machine, and later for a while where it is busy.
    await until(lambda: beeping.watch(3), lambda seen: seen.is_in_sync, timeout_s=20)
    seen = await toned.watch(2)
    seen.check_picture()
    seen.check_tone(440)
