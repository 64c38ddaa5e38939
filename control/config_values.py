"""Turns what a person wrote for an option, as text or as a TOML value, into the value that the option holds.

Each reader raises ValueError with what is allowed, as words that follow "expected".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .http.ice_servers import IceServer

T = TypeVar("T")
Reader = Callable[[object], T]
Address = tuple[str, int]
"""A host (IP address without brackets, or `localhost`) and a port, 0-65535."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MIN_SECRET_BYTES = 32  # of HS256 (RFC 7518 section 3.2)
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

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
    return number(low, high, "a number of seconds")


def number(low: float, high: float, what: str = "a number") -> Reader[float]:
    """A reader of numbers from `low` to `high`, called `what`."""

    def read(value: object) -> float:
        try:
            found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            found = None
        if found is None or not low <= found <= high:
            raise ValueError(f"{what} from {low:g} to {high:g}")
        return found

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


def one_of(names: Sequence[str]) -> Reader[str]:
    """One of these."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise ValueError("one of " + ", ".join(names))

    return read


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


def tcp_addresses(value: object) -> tuple[Address, ...]:
    """Where to accept media over TCP; `none`, or an empty TOML array, for nowhere."""
    if value in ("none", ["none"]):
        return ()
    try:
        return list_of(udp_address)(value)
    except ValueError as error:
        raise ValueError(f"none, or {error}") from None


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


def network(value: object) -> Network:
    """An IP network, or one address as a network of its own."""
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("IP addresses or networks, as in 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32") from None


def signing_keys(value: object) -> Mapping[str, str]:
    """Secrets by key id: a TOML table, or KID:SECRET with commas between several."""
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        texts = list_of(lambda item: item if isinstance(item, str) else "")(value)
        pairs = [(key_id, secret) for key_id, _, secret in (text.partition(":") for text in texts)]
    for key_id, secret in pairs:
        if not _KEY_ID.fullmatch(key_id) or not isinstance(secret, str) or len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(
                "KID:SECRET, with commas between several, or in a TOML file a table { KID = SECRET }: a KID of 1 to "
                f"64 letters, digits and . _ -, a SECRET of at least {MIN_SECRET_BYTES} bytes, in the first form "
                "without commas"
            )
    if not pairs or len(dict(pairs)) < len(pairs):
        raise ValueError("at least one key, and each KID once")
    return dict(pairs)


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
