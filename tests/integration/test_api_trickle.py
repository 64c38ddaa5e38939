"""Trickle ICE over WHIP: the server is ICE-lite (RFC 8445 section 2.5), so it checks a fragment and uses none of it."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from yarl import URL

from ci.support import offers
from ci.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

FRAGMENT = "application/trickle-ice-sdpfrag"
LINGER_S = 0.5  # a full ICE agent would send its first check within 50 ms (RFC 8445 section 14)


async def test_trickled_candidates_are_accepted_and_never_checked(server: Server, room: str) -> None:
    offer = offers.text("aiortc-publish")
    credentials = [line for line in offer.split("\r\n") if line.startswith(("a=ice-ufrag", "a=ice-pwd"))][:2]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as candidate:
        candidate.bind(("127.0.0.1", 0))
        candidate.setblocking(False)
        host, port = candidate.getsockname()
        lines = [*credentials, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0"]
        lines += [f"a=candidate:1 1 udp 2130706431 {host} {port} typ host", "a=end-of-candidates", ""]
        async with aiohttp.ClientSession() as http:
            joined = await http.post(server.whip(room), data=offer, headers={"Content-Type": "application/sdp"})
            assert "a=ice-lite\r\n" in await joined.text()
            resource = joined.url.join(URL(joined.headers["Location"]))
            headers = {"Content-Type": FRAGMENT, "If-Match": joined.headers["ETag"]}
            async with http.patch(resource, data="\r\n".join(lines), headers=headers) as response:
                assert (response.status, await response.read()) == (204, b"")
            async with http.patch(resource, data="a=ice-ufrag:E\r\n", headers=headers) as response:
                assert response.status == 400
                assert (await response.json())["type"].endswith("malformed-sdp")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await asyncio.get_running_loop().sock_recv(candidate, 1500)
            assert (await http.delete(resource)).status == 200
