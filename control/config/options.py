"""Every option of the server, each declared once.

The flags, the environment variables, the TOML keys, the help and the tables in docs/configuration.md follow from these
declarations. After a change run `python ci/support/option_tables.py`, which rewrites the tables.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

from . import values as read
from .ice_server import IceServer
from .option import option, options_of
from .values import Address, Network

MAX_WORKERS = 64
DEFAULT_UDP_PORT = 7800


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How HTTP is served."""

    http: Address = option(read.HTTP_ADDRESS, "HOST:PORT", "address that serves HTTP", default=("127.0.0.1", 8080))
    tls_cert: Path | None = option(
        read.EXISTING_FILE, "FILE", "certificate chain in PEM: serve HTTPS; needs --tls-key", default=None
    )
    tls_key: Path | None = option(
        read.EXISTING_FILE, "FILE", "private key of the certificate, in PEM without a pass phrase", default=None
    )
    ice_servers: tuple[IceServer, ...] = option(
        read.list_of(read.ICE_SERVER),
        "URL",
        "STUN server that clients are to use; a TURN server, with its credentials, goes in the TOML file",
        default=(),
    )
    max_body_bytes: int = option(
        read.whole_number(4096, 1 << 24), "N", "largest body of an HTTP request, in bytes", default=64 * 1024
    )
    max_header_bytes: int = option(
        read.whole_number(1024, 1 << 16), "N", "longest header line of an HTTP request, in bytes", default=8190
    )
    max_headers_bytes: int = option(
        read.whole_number(4096, 1 << 20), "N", "most bytes of all headers of an HTTP request", default=32 * 1024
    )
    headers_timeout_s: float = option(
        read.seconds(1, 600),
        "SECONDS",
        "close an HTTP connection whose TLS handshake or request headers take longer",
        default=10.0,
    )
    max_connections: int = option(
        read.whole_number(1, 1_000_000),
        "N",
        "most HTTP connections at a time, and never more than half of the file descriptors",
        default=10_000,
    )
    max_connections_per_address: int = option(
        read.whole_number(1, 1_000_000),
        "N",
        "most HTTP connections of one client address at a time; trusted proxies have no such bound",
        default=1_000,
    )

    def tls_context(self) -> ssl.SSLContext | None:
        """The TLS context of HTTPS, or None for plain HTTP. Raises OSError (ssl.SSLError is one)."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls_cert, self.tls_key, password="")  # never ask for one on the terminal
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """Access to the server, and its rates."""

    keys: Mapping[str, str] = option(
        read.SIGNING_KEYS,
        "KID:SECRET",
        "keys that sign tokens; with keys, every client needs a token. Other users of the machine can read a command "
        "line: prefer the file or the environment",
        default_factory=dict,
        default_text="none: loopback only",
        secret=True,
    )
    insecure: bool = option(
        read.FLAG, "", "allow addresses other than loopback without keys: anyone may publish and watch", default=False
    )
    allow_origin: tuple[str, ...] = option(
        read.list_of(read.ORIGIN),
        "ORIGIN",
        "origins whose web pages may use a server without keys, besides its own pages under an IP address or localhost",
        default=(),
    )
    trusted_proxies: tuple[Network, ...] = option(
        read.list_of(read.NETWORK),
        "NETWORK",
        "reverse proxies whose X-Forwarded-For names the client, and X-Forwarded-Host the host it asked for",
        default=(),
    )
    joins_per_s: float = option(
        read.number(0.01, 100_000),
        "N",
        "sessions that one client address may open each second; up to ten seconds' worth at once",
        default=200.0,
    )
    failed_auths_per_min: float = option(
        read.number(0.01, 100_000),
        "N",
        "wrong tokens that one client address may send each minute before it has to wait",
        default=60.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomOptions:
    """How many sessions and rooms the server takes on."""

    max_sessions: int = option(read.whole_number(1, 1_000_000), "N", "most sessions at a time", default=10_000)
    max_sessions_per_room: int = option(
        read.whole_number(1, 1_000_000), "N", "most sessions in a room at a time", default=10_000
    )
    max_rooms: int = option(read.whole_number(1, 1_000_000), "N", "most rooms at a time", default=1_000)
    max_unconnected_per_client: int = option(
        read.whole_number(1, 1_000_000),
        "N",
        "most sessions of one client address, and of one token's subject, whose media connection is not up yet",
        default=256,
    )
    max_media_per_session: int = option(
        read.whole_number(1, 256),
        "N",
        "most media sections in an offer, and so most producers and consumers of a session",
        default=16,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions:
    """Where media is received."""

    udp: tuple[Address, ...] = option(
        read.list_of(read.UDP_ADDRESS),
        "IP:PORT",
        "address that receives media over UDP; worker i uses port + i",
        default_text=f"port {DEFAULT_UDP_PORT} on loopback, or on all interfaces with --keys or --insecure",
    )
    tcp: tuple[Address, ...] = option(
        read.TCP_ADDRESSES,
        "IP:PORT",
        "address that receives media over TCP, for networks that block UDP; worker i uses port + i",
        default_text="the same as --udp",
    )
    announce: tuple[str, ...] = option(
        read.list_of(read.PUBLIC_ADDRESS),
        "IP[,IP]",
        "public addresses to offer to clients instead of the machine's own",
        default=(),
        default_text="the machine's own, without link-local ones",
    )
    workers: int = option(
        read.whole_number(1, MAX_WORKERS), "N", "threads that forward media", default_text="one for each core"
    )

    def worker_udp(self, worker: int) -> tuple[Address, ...]:
        """The UDP addresses of worker `worker` (from 0). Port 0, any free port, stays 0 for each worker."""
        return _shifted(self.udp, worker)

    def worker_tcp(self, worker: int) -> tuple[Address, ...]:
        """The addresses at which worker `worker` accepts TCP connections."""
        return _shifted(self.tcp, worker)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOptions:
    """How workers forward media."""

    crypto: str = option(
        read.one_of(("auto", "ipsec-mb", "libcrypto")),
        "NAME",
        "library that encrypts media; auto takes the fastest that is installed",
        default="auto",
    )
    packets_per_worker: int = option(
        read.whole_number(4096, 1 << 20),
        "N",
        "packets that each worker keeps for retransmission and fast start, about 2 kB each",
        default=16384,
    )
    instant_join_s: float = option(
        read.seconds(0, 10),
        "SECONDS",
        "start new viewers at a cached keyframe no older than this; 0 requests a new keyframe for each viewer",
        default=3.0,
    )
    coalesce_us: int = option(
        read.whole_number(0, 5000),
        "N",
        "hold media for at most this many microseconds, and at most the duration of the last flush, to send more "
        "packets in one system call",
        default=0,
    )
    max_publish_bps: int = option(
        read.whole_number(100_000, 1_000_000_000),
        "N",
        "bit rate in bits per second that one session may publish, twice that for a second; a publisher without "
        "transport-wide feedback learns of it by REMB, packets over it are dropped and counted",
        default=20_000_000,
    )
    max_ssrcs_per_session: int = option(
        read.whole_number(4, 4096),
        "N",
        "most SSRCs that a worker accepts from one peer; packets of further ones are dropped",
        default=64,
    )
    consent_timeout_s: float = option(
        read.seconds(5, 600), "SECONDS", "close a session after this time without an authenticated packet", default=30.0
    )
    connect_timeout_s: float = option(
        read.seconds(5, 600), "SECONDS", "close a session that has not connected after this time", default=30.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """How the process runs and stops."""

    log_level: str = option(
        read.one_of(("debug", "info", "warning", "error")),
        "LEVEL",
        "least severe messages that are logged",
        default="info",
    )
    drain_timeout_s: float = option(
        read.seconds(0, 86_400), "SECONDS", "time that sessions have to leave when the server stops", default=10.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options, read and checked."""

    http: HttpOptions
    access: AccessOptions
    rooms: RoomOptions
    listen: ListenOptions
    media: MediaOptions
    process: ProcessOptions


SECTIONS: Mapping[str, type] = get_type_hints(Config)
OPTIONS = tuple(declared for section in SECTIONS.values() for declared in options_of(section))
BY_KEY = {declared.key: declared for declared in OPTIONS}


def _shifted(addresses: tuple[Address, ...], by: int) -> tuple[Address, ...]:
    return tuple((host, port + by if port else 0) for host, port in addresses)
