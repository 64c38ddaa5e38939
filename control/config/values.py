"""Readers: each turns the text or the TOML value that was set for an option into the value that the option holds."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from .ice_server import IceServer
from .origin import ANY_ORIGIN, read_origin

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Address = tuple[str, int]
"""A host (IP address without brackets, or `localhost`) and a port, 0-65535."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MIN_SECRET_BYTES = 32  # of HS256 (RFC 7518 section 3.2)
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Reader(Generic[T_co]):
    """Reads the values of an option. `read` raises ValueError, perhaps with a detail, for a value that is not allowed.

    `allowed` names the allowed values, as words that follow "expected". `many`: the value is a list.
    """

    allowed: str
    read: Callable[[object], T_co]
    many: bool = False


def whole_number(low: int, high: int) -> Reader[int]:
    """A whole number from `low` to `high`."""

    def read(value: object) -> int:
        number = _integer(value)
        if number is None or not low <= number <= high:
            raise ValueError
        return number

    return Reader(f"a whole number from {low} to {high}", read)


def number(low: float, high: float, what: str = "a number") -> Reader[float]:
    """A number from `low` to `high`, called `what` in messages."""

    def read(value: object) -> float:
        try:
            found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        except (ValueError, OverflowError):
            found = None
        if found is None or not low <= found <= high:
            raise ValueError
        return found

    return Reader(f"{what} from {low:g} to {high:g}", read)


def seconds(low: float, high: float) -> Reader[float]:
    """A duration from `low` to `high` seconds."""
    return number(low, high, "a number of seconds")


def one_of(names: Sequence[str]) -> Reader[str]:
    """One of `names`, in upper or lower case."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value.lower() not in names:
            raise ValueError
        return value.lower()

    return Reader("one of " + ", ".join(names), read)


def list_of(reader: Reader[T]) -> Reader[tuple[T, ...]]:
    """A list: a TOML array, the occurrences of a command-line option, or text with commas."""

    def read(value: object) -> tuple[T, ...]:
        return tuple(reader.read(part) for part in _parts(value))

    return Reader(reader.allowed, read, many=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    ip = _ip(host)
    return host == "localhost" if ip is None else ip.is_loopback


def show_address(address: Address) -> str:
    """HOST:PORT, with the brackets that an IPv6 address needs."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def show_value(value: object) -> str:
    """The value of an option as a user would write it; `none` for an empty one."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int):
        return show_address(value)
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None or value == () else str(value)


def _parts(value: object) -> list[object]:
    """The items of a list in any of its spellings."""
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    parts = [part for item in items for part in (item.split(",") if isinstance(item, str) else [item])]
    return [part.strip() if isinstance(part, str) else part for part in parts]


def _read_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _TRUTH[str(value).strip().lower()]
    except KeyError:
        raise ValueError from None


def _read_file(value: object) -> Path:
    if not isinstance(value, str) or not value or not Path(value).is_file():
        raise ValueError
    return Path(value)


def _read_tcp_addresses(value: object) -> tuple[Address, ...]:
    return () if value in ("none", ["none"]) else tuple(_read_udp_address(part) for part in _parts(value))


def _read_udp_address(value: object) -> Address:
    return _read_address(value, set())


def _read_http_address(value: object) -> Address:
    return _read_address(value, {"localhost"})


def _read_address(value: object, names: set[str]) -> Address:
    host, colon, port_text = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    port = _integer(port_text)
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    ip = _ip(bare)
    known = bare.lower() in names if ip is None else (ip.version == 6) == bracketed
    if not colon or port is None or not 0 <= port <= 65535 or not known:
        raise ValueError
    return (bare.lower() if ip is None else str(ip), port)


def _read_public_address(value: object) -> str:
    ip = _ip(value) if isinstance(value, str) else None
    if ip is None or ip.is_unspecified or ip.is_multicast:
        raise ValueError
    return str(ip)


def _read_ice_server(value: object) -> IceServer:
    entry = {"url": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not all(isinstance(text, str) for text in entry.values()):
        raise ValueError
    try:
        return IceServer(**entry)
    except TypeError:
        raise ValueError from None


def _read_network(value: object) -> Network:
    return ipaddress.ip_network(value if isinstance(value, str) else "")


def _read_origin(value: object) -> str:
    return ANY_ORIGIN if value == ANY_ORIGIN else read_origin(value if isinstance(value, str) else "")


def _read_signing_keys(value: object) -> Mapping[str, str]:
    pairs: list[tuple[object, object]]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        texts = [part if isinstance(part, str) else "" for part in _parts(value)]
        pairs = [(key_id, secret) for key_id, _, secret in (text.partition(":") for text in texts)]
    keys: dict[str, str] = {}
    for key_id, secret in pairs:
        if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id) or key_id in keys:
            raise ValueError
        if not isinstance(secret, str) or len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError
        keys[key_id] = secret
    if not keys:
        raise ValueError
    return keys


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, or None. Refuses zones, and IPv4-mapped addresses: two spellings of one address hide a conflict."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if isinstance(ip, ipaddress.IPv6Address) and (ip.scope_id or ip.ipv4_mapped) else ip


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


FLAG = Reader("true or false", _read_flag)
EXISTING_FILE = Reader("the path of a file that exists", _read_file)
HTTP_ADDRESS = Reader(
    "HOST:PORT, as in 127.0.0.1:8080, localhost:8080 or [::1]:8080, with a port from 0 (any free one) to 65535",
    _read_http_address,
)
UDP_ADDRESS = Reader(
    "IP:PORT, as in 127.0.0.1:7800 or [::1]:7800, with a port from 0 (any free one) to 65535", _read_udp_address
)
TCP_ADDRESSES = Reader(f"none, or {UDP_ADDRESS.allowed}", _read_tcp_addresses, many=True)
PUBLIC_ADDRESS = Reader("IP addresses that clients can reach, as in 203.0.113.7 or 2001:db8::7", _read_public_address)
ICE_SERVER = Reader(
    "a stun: URL, or in a TOML file a table { url = ..., username = ..., credential = ... }", _read_ice_server
)
NETWORK = Reader("IP addresses or networks, as in 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32", _read_network)
ORIGIN = Reader("origins, as in https://player.example or http://10.0.0.5:8080, or * for all", _read_origin)
SIGNING_KEYS = Reader(
    "at least one KID:SECRET, with commas between several, or in a TOML file a table { KID = SECRET }: each KID once, "
    f"with 1 to 64 letters, digits and . _ -; each SECRET with at least {MIN_SECRET_BYTES} bytes, in the first form "
    "without commas",
    _read_signing_keys,
    many=True,
)
