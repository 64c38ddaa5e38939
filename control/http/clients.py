"""Finds the client address of a request, for limits: the peer of the connection, or the one that a proxy reports."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from aiohttp import hdrs, web

from ..config.values import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IPV6_HOST_BITS = 64  # a /64 network usually belongs to one customer


def client_of(request: web.Request, trusted_proxies: Sequence[Network]) -> str:
    """The client's address, or its /64 network with IPv6.

    `X-Forwarded-For` counts only behind a trusted proxy: its last address that is not a trusted proxy. What a client
    wrote into the header itself stands before that.
    """
    client = _address(request.remote or "")
    forwarded = [part.strip() for part in ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, [])).split(",")]
    while client is not None and forwarded and _is_in(client, trusted_proxies):
        before = _address(forwarded.pop())
        if before is None:
            break
        client = before
    return _key(client)


def is_from(request: web.Request, networks: Sequence[Network]) -> bool:
    """Whether the peer of the connection, a proxy perhaps, is in one of these networks."""
    return bool(networks) and is_in(request.remote or "", networks)


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of these networks."""
    parsed = _address(address)
    return parsed is not None and _is_in(parsed, networks)


def address_key(address: str) -> str:
    """The key of an address in limits: the address itself, or its /64 network with IPv6."""
    return _key(_address(address))


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _key(address: Address | None) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 128 - _IPV6_HOST_BITS), strict=False))
    return str(address)


@lru_cache(4096)  # many clients share an address, such as a proxy's
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
