"""What an ICE-lite agent tells its peer: credentials and host candidates (RFC 8445)."""

from __future__ import annotations

import ipaddress
import math
import secrets
import socket
import time
from collections.abc import Callable, Sequence

import ifaddr

# In hexadecimal digits, two a byte, without the "+" and "/" that some peers do not expect (RFC 8445 section 5.3: 24 and
# 128 bits).
_UFRAG_BYTES = 4
_PASSWORD_BYTES = 16

# What cannot be sent over UDP can over TCP, late: so any UDP candidate goes before (RFC 6544 section 4.2).
_HOST_TYPE_PREFERENCE = 126
_TCP_TYPE_PREFERENCE = 90
_TCP_PASSIVE_PREFERENCE = 4
_RTP_COMPONENT = 1

_KEPT_S = 5.0
_Bound = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]


def new_credentials() -> tuple[str, str]:
    """Return a fresh ufrag of 8 and password of 32 characters (RFC 8445 section 5.3)."""
    drawn = secrets.token_hex(_UFRAG_BYTES + _PASSWORD_BYTES)
    return drawn[: 2 * _UFRAG_BYTES], drawn[2 * _UFRAG_BYTES :]


def host_candidates(udp: Sequence[tuple[str, int]], tcp: Sequence[tuple[str, int]] = ()) -> tuple[str, ...]:
    """Return "candidate:..." for each (IP, port), the most preferred one first (RFC 8839 section 5.1).

    Those of TCP are passive: the peer connects (RFC 6544).
    """
    foundations: dict[tuple[str, str], int] = {}

    def line(protocol: str, address: tuple[str, int], type_preference: int, local_preference: int) -> str:
        foundation = foundations.setdefault((protocol, address[0]), len(foundations) + 1)
        priority = (type_preference << 24) + (local_preference << 8) + (256 - _RTP_COMPONENT)  # RFC 8445, 5.1.2.1
        return f"candidate:{foundation} {_RTP_COMPONENT} {protocol} {priority} {address[0]} {address[1]} typ host"

    # Among several addresses the local preference has to differ.
    udp_lines = [line("udp", address, _HOST_TYPE_PREFERENCE, 0xFFFF - index) for index, address in enumerate(udp)]
    tcp_first = (_TCP_PASSIVE_PREFERENCE << 13) + 0x1FFF
    tcp_lines = [line("tcp", address, _TCP_TYPE_PREFERENCE, tcp_first - index) for index, address in enumerate(tcp)]
    return (*udp_lines, *(f"{text} tcptype passive" for text in tcp_lines))


def candidate_addresses(bound: Sequence[tuple[str, int]], announce: Sequence[str] = ()) -> list[tuple[str, int]]:
    """Return the (IP, port) at which peers reach the sockets bound to `bound`, each of them once.

    A wildcard stands for all local addresses of its family: those of the loopback only if there are no others. If
    `announce` names public IPs, these replace all: each with every bound port of its family. Raises ValueError if
    nothing is left.
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
    """The candidates of what workers have bound. They are kept for a few seconds: an address may come or go, and asking
    the system for all of them costs a good part of a join. `announce` as for candidate_addresses."""

    def __init__(self, announce: Sequence[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._announce = announce
        self._clock = clock
        self._known: dict[_Bound, tuple[float, tuple[str, ...]]] = {}

    def of(self, udp: Sequence[tuple[str, int]], tcp: Sequence[tuple[str, int]]) -> tuple[str, ...]:
        """As host_candidates. Raises ValueError if no address is left."""
        bound = tuple(udp), tuple(tcp)
        found_s, candidates = self._known.get(bound, (-math.inf, ()))
        if self._clock() - found_s > _KEPT_S:
            over_udp, over_tcp = (candidate_addresses(part, self._announce) if part else [] for part in bound)
            candidates = host_candidates(over_udp, over_tcp)
            self._known[bound] = self._clock(), candidates
        return candidates


def local_addresses(*, loopback: bool = False) -> list[str]:
    """Return the IPv4 and IPv6 addresses of this machine that can be used now, link-local ones excepted."""
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
    """An interface that is down keeps its addresses, and a new IPv6 address is tried first: they cannot be bound."""
    family = socket.AF_INET6 if isinstance(address, ipaddress.IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _version(ip: str) -> int:
    return ipaddress.ip_address(ip).version
