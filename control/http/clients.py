"""Who sent a request, for limits on addresses: the peer of the connection, or what a trusted proxy says of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from aiohttp import hdrs, web

from ..config.values import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IPV6_HOST_BITS = 64  # one customer, as a rule


def client_of(request: web.Request, trusted_proxies: Sequence[Network]) -> str:
    """The client's address, or its /64 network with IPv6.

    `X-Forwarded-For` counts only behind a trusted proxy: its last address that is not a trusted proxy. What a client
    wrote into the header itself stands before that.
    """
    client = _address(request.remote or "")
    forwarded = [part.strip() for part in ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, [])).split(",")]
    while client is not None and forwarded and any(client in network for network in trusted_proxies):
        before = _address(forwarded.pop())
        if before is None:
            break
        client = before
    if isinstance(client, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((client, 128 - _IPV6_HOST_BITS), strict=False))
    return str(client)


@lru_cache(4096)  # many clients share an address, above all that of a proxy
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
