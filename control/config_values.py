"""Turns what a person wrote for an option, as text or as a TOML value, into the value that the option holds.

Each reader raises ValueError with what is allowed, as words that follow "expected".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from .http.ice_servers import IceServer

T = TypeVar("T")
Reader = Callable[[object], T]
Address = tuple[str, int]
"""A host (IP address without brackets, or `localhost`) and a port, 0-65535."""

LOG_LEVELS = ("debug", "info", "warning", "error")
_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def whole_number(low: int, high: int) -> Reader[int]:
    """A reader of whole numbers from `low` to `high`."""

    def read(value: object) -> int:
        number = _integer(value)
        if number is None or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return read


def seconds(low: float, high: float) -> Reader[float]:
    """A reader of durations from `low` to `high` seconds."""

    def read(value: object) -> float:
        try:
            number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            raise ValueError(f"a number of seconds from {low:g} to {high:g}")
        return number

    return read


def flag(value: object) -> bool:
    """True or false, in one of the usual spellings."""
    if isinstance(value, bool):
        return value
    try:
        return _TRUTH[str(value).strip().lower()]
    except KeyError:
        raise ValueError("true or false") from None


def log_level(value: object) -> str:
    """One of LOG_LEVELS."""
    if isinstance(value, str) and value.lower() in LOG_LEVELS:
        return value.lower()
    raise ValueError("one of " + ", ".join(LOG_LEVELS))


def existing_file(value: object) -> Path:
    """The path of a file that exists."""
    if isinstance(value, str) and value and Path(value).is_file():
        return Path(value)
    raise ValueError("the path of a file that exists")


def http_address(value: object) -> Address:
    """HOST:PORT to listen on with TCP."""
    return _address(value, {"localhost"}, "HOST:PORT, as in 127.0.0.1:8080, localhost:8080 or [::1]:8080")


def udp_address(value: object) -> Address:
    """HOST:PORT to receive media on. Not a host name: candidates hold addresses."""
    return _address(value, set(), "IP:PORT, as in 127.0.0.1:7800 or [::1]:7800")


def public_address(value: object) -> str:
    """An IP address that peers can send to."""
    ip = _ip(value) if isinstance(value, str) else None
    if ip is None or ip.is_unspecified or ip.is_multicast:
        raise ValueError("IP addresses that clients can reach, as in 203.0.113.7 or 2001:db8::7")
    return str(ip)


def ice_server(value: object) -> IceServer:
    """A URL (RFC 7064, RFC 7065), or in TOML a table that can hold a TURN server's credentials as well."""
    allowed = "a stun: URL, or in a TOML file a table { url = ..., username = ..., credential = ... }"
    entry = {"url": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not all(isinstance(text, str) for text in entry.values()):
        raise ValueError(allowed)
    try:
        return IceServer(**entry)
    except TypeError:
        raise ValueError(allowed) from None
    except ValueError as error:
        raise ValueError(f"{allowed} ({error})") from None


def list_of(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """A reader of lists: a TOML array, the occurrences of a command-line option, or text with commas."""

    def read_list(value: object) -> tuple[T, ...]:
        items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        parts = [part for item in items for part in (item.split(",") if isinstance(item, str) else [item])]
        return tuple(read(part.strip() if isinstance(part, str) else part) for part in parts)

    return read_list


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    ip = _ip(host)
    return host == "localhost" if ip is None else ip.is_loopback


def show_address(address: Address) -> str:
    """HOST:PORT, with the brackets that an IPv6 address needs."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(value: object, names: set[str], allowed: str) -> Address:
    host, colon, port_text = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    port = _integer(port_text)
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    ip = _ip(bare)
    known = bare.lower() in names if ip is None else (ip.version == 6) == bracketed
    if not colon or port is None or not 0 <= port <= 65535 or not known:
        raise ValueError(allowed + "; ports go from 0, which means any free one, to 65535")
    return (bare.lower() if ip is None else str(ip), port)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address without a zone. An IPv4 address in IPv6's clothes is none: two spellings would hide a clash."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if isinstance(ip, ipaddress.IPv6Address) and (ip.scope_id or ip.ipv4_mapped) else ip


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
