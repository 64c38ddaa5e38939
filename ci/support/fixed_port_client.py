"""An aiortc publisher on a UDP port of its choice: `python -m ci.support.fixed_port_client URL PORT`.

Prints "connected" once it is connected, and publishes until it is killed, without DELETE.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import aioice.ice
from aiortc import RTCPeerConnection, RTCSessionDescription

from .aiortc_peer import BarcodeTrack


def fix_port(port: int) -> None:
    """Makes aioice gather one candidate: 127.0.0.1 with this port."""
    loop = asyncio.get_running_loop()
    create = loop.create_datagram_endpoint

    async def create_at_port(factory: Any, local_addr: tuple[str, int]) -> Any:
        return await create(factory, local_addr=(local_addr[0], port))

    loop.create_datagram_endpoint = create_at_port  # type: ignore[method-assign, assignment]
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


async def publish(url: str, port: int) -> None:
    """Publishes video for ever."""
    fix_port(port)
    connection = RTCPeerConnection()
    connection.addTransceiver(BarcodeTrack(), direction="sendonly")
    connected = asyncio.Event()

    @connection.on("connectionstatechange")
    def note() -> None:
        if connection.connectionState == "connected":
            connected.set()

    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Content-Type": "application/sdp"}
    sdp = connection.localDescription.sdp
    async with aiohttp.request("POST", url, data=sdp, headers=headers, raise_for_status=True) as response:
        answer = await response.text()
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await connected.wait()
    print("connected", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(publish(sys.argv[1], int(sys.argv[2])))
