"""The credentials and host candidates of an ICE-lite agent (RFC 8445)."""

from __future__ import annotations

import ipaddress
import math
import secrets
import socket
import time
from collections.abc import Callable, Sequence

import ifaddr

# Written as two hexadecimal digits per byte, because some peers reject "+" and "/". RFC 8445 section 5.3 asks for at
# least 24 and 128 bits.
_UFRAG_BYTES = 4
_PASSWORD_BYTES = 16

# UDP candidates have a higher priority than TCP ones, because TCP delays media (RFC 6544 section 4.2).
_HOST_TYPE_PREFERENCE = 126
_TCP_TYPE_PREFERENCE = 90
_TCP_PASSIVE_PREFERENCE = 4
_RTP_COMPONENT = 1

_CACHED_S = 5.0
_Bound = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]


def new_credentials() -> tuple[str, str]:
    """A new ufrag of 8 and password of 32 characters (RFC 8445 section 5.3)."""
    drawn = secrets.token_hex(_UFRAG_BYTES + _PASSWORD_BYTES)
    return drawn[: 2 * _UFRAG_BYTES], drawn[2 * _UFRAG_BYTES :]


def host_candidates(udp: Sequence[tuple[str, int]], tcp: Sequence[tuple[str, int]] = ()) -> tuple[str, ...]:
    """A "candidate:..." line for each (IP, port), by falling priority (RFC 8839 section 5.1).

    TCP candidates are passive: the peer connects (RFC 6544).
    """
    foundations: dict[tuple[str, str], int] = {}

    def line(protocol: str, address: tuple[str, int], type_preference: int, local_preference: int) -> str:
        foundation = foundations.setdefault((protocol, address[0]), len(foundations) + 1)
        priority = (type_preference << 24) + (local_preference << 8) + (256 - _RTP_COMPONENT)  # RFC 8445, 5.1.2.1
        return f"candidate:{foundation} {_RTP_COMPONENT} {protocol} {priority} {address[0]} {address[1]} typ host"

    # The local preferences of several addresses must differ.
    udp_lines = [line("udp", address, _HOST_TYPE_PREFERENCE, 0xFFFF - index) for index, address in enumerate(udp)]
    tcp_first = (_TCP_PASSIVE_PREFERENCE << 13) + 0x1FFF
    tcp_lines = [line("tcp", address, _TCP_TYPE_PREFERENCE, tcp_first - index) for index, address in enumerate(tcp)]
    return (*udp_lines, *(f"{text} tcptype passive" for text in tcp_lines))


def candidate_addresses(bound: Sequence[tuple[str, int]], announce: Sequence[str] = ()) -> list[tuple[str, int]]:
    """The distinct (IP, port) at which peers reach the sockets bound to `bound`.

    A wildcard stands for all local addresses of its family, or for loopback if there are no others. The public IPs in
    `announce` replace all addresses, each with every bound port of its family. Raises ValueError if none is left.
    """
    if announce:
        found = [(ip, port) for ip in announce for host, port in bound if _version(ip) == _version(host)]
    else:
        found = _expand(bound, local_addresses()) or _expand(bound, local_addresses(loopback=True))
    if not found:
        sockets = ", ".join(f"{host} port {port}" for host, port in bound)
        raise ValueError(f"no address to offer: bound to {sockets}, announcing {', '.join(announce) or 'nothing'}")
    return list(dict.fromkeys(found))


class HostCandidates:
    """The candidates of workers, cached for 5 s: addresses may change, and listing them takes a large part of a join.

    `announce` is that of candidate_addresses.
    """

    def __init__(self, announce: Sequence[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._announce = announce
        self._clock = clock
        self._known: dict[_Bound, tuple[float, tuple[str, ...]]] = {}

    def of(self, udp: Sequence[tuple[str, int]], tcp: Sequence[tuple[str, int]]) -> tuple[str, ...]:
        """The host_candidates of these bound addresses. Raises ValueError if none is left."""
        bound = tuple(udp), tuple(tcp)
        found_s, candidates = self._known.get(bound, (-math.inf, ()))
        if self._clock() - found_s > _CACHED_S:
            over_udp, over_tcp = (candidate_addresses(part, self._announce) if part else [] for part in bound)
            candidates = host_candidates(over_udp, over_tcp)
            self._known[bound] = self._clock(), candidates
        return candidates


def local_addresses(*, loopback: bool = False) -> list[str]:
    """The usable IPv4 and IPv6 addresses of this machine, without link-local ones."""
    texts = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    addresses = [ipaddress.ip_address(text) for text in texts]
    return [
        str(address)
        for address in addresses
        if not address.is_link_local and (loopback or not address.is_loopback) and _is_up(address)
    ]


def _expand(bound: Sequence[tuple[str, int]], local: Sequence[str]) -> list[tuple[str, int]]:
    found = []
    for host, port in bound:
        wildcard = ipaddress.ip_address(host).is_unspecified
        found += [(ip, port) for ip in local if _version(ip) == _version(host)] if wildcard else [(host, port)]
    return found


def _is_up(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address can be bound: not on an interface that is down, nor during duplicate address detection."""
    family = socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _version(ip: str) -> int:
    return ipaddress.ip_address(ip).version
