"""What can be set: each option's names, how its value is read, and the words that explain it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from . import config_values as reader

MAX_WORKERS = 64
Crypto = Literal["auto", "ipsec-mb", "libcrypto"]
DEFAULT_UDP_PORT = 7800
ENVIRONMENT_PREFIX = "FANWIRE_"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `--key` on the command line, FANWIRE_KEY in the environment, `key` in the TOML file."""

    key: str
    read: reader.Reader[object]
    metavar: str
    help: str
    repeatable: bool = False
    secret: bool = False  # never shown, not even when it is refused

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return ENVIRONMENT_PREFIX + self.key.upper()


OPTIONS = (
    Option("http", reader.http_address, "HOST:PORT", "where to serve HTTP (default 127.0.0.1:8080)"),
    Option(
        "udp",
        reader.list_of(reader.udp_address),
        "IP:PORT",
        f"where to receive media; worker i uses port + i (default port {DEFAULT_UDP_PORT} of every interface allowed)",
        repeatable=True,
    ),
    Option(
        "tcp",
        reader.tcp_addresses,
        "IP:PORT",
        "where to receive media over TCP, for clients whose network blocks UDP; worker i uses port + i; none: nowhere "
        "(default as --udp)",
        repeatable=True,
    ),
    Option("workers", reader.whole_number(1, MAX_WORKERS), "N", "threads that forward media (default: one per core)"),
    Option(
        "announce",
        reader.list_of(reader.public_address),
        "IP[,IP]",
        "public addresses to tell clients of, instead of the machine's own",
        repeatable=True,
    ),
    Option("tls_cert", reader.existing_file, "FILE", "certificate chain in PEM: serve HTTPS"),
    Option("tls_key", reader.existing_file, "FILE", "private key of the certificate, in PEM"),
    Option("insecure", reader.flag, "", "let anyone in from anywhere: allow addresses that are not loopback"),
    Option(
        "keys",
        reader.signing_keys,
        "KID:SECRET",
        "keys that sign tokens: nobody gets in without one (better in the file or the environment than here)",
        repeatable=True,
        secret=True,
    ),
    Option("log_level", reader.log_level, "LEVEL", f"{', '.join(reader.LOG_LEVELS)} (default info)"),
    Option(
        "ice_servers",
        reader.list_of(reader.ice_server),
        "URL",
        "STUN server to tell clients of; TURN, with its credentials, goes in the TOML file",
        repeatable=True,
    ),
    Option("consent_timeout_s", reader.seconds(5, 600), "SECONDS", "close a session silent for so long (default 30)"),
    Option("connect_timeout_s", reader.seconds(5, 600), "SECONDS", "close a session not up by then (default 30)"),
    Option(
        "packets_per_worker",
        reader.whole_number(4096, 1 << 20),
        "N",
        "packets that each worker keeps for its viewers, about 2 kB each (default 16384)",
    ),
    Option(
        "crypto",
        reader.one_of(get_args(Crypto)),
        "NAME",
        f"what encrypts media: {', '.join(get_args(Crypto))} (default auto)",
    ),
    Option(
        "instant_join_s",
        reader.seconds(0, 10),
        "SECONDS",
        "start new viewers at a keyframe no older than this; 0 asks for a new one each time (default 3)",
    ),
    Option(
        "coalesce_us",
        reader.whole_number(0, 5000),
        "N",
        "microseconds that media may wait for more to go with, and no longer than forwarding takes (default 0)",
    ),
    Option(
        "publish_bps",
        reader.whole_number(100_000, 1_000_000_000),
        "N",
        "bits a second that a publisher without transport-wide feedback is told it may send (default 10000000)",
    ),
    Option("max_body_bytes", reader.whole_number(4096, 1 << 24), "N", "longest HTTP request body (default 65536)"),
    Option("max_header_bytes", reader.whole_number(1024, 1 << 16), "N", "longest HTTP header line (default 8190)"),
    Option("max_sessions", reader.whole_number(1, 1_000_000), "N", "most sessions at a time (default 10000)"),
    Option("max_sessions_per_room", reader.whole_number(1, 1_000_000), "N", "most of them in a room (default 10000)"),
    Option("max_rooms", reader.whole_number(1, 1_000_000), "N", "most rooms at a time (default 1000)"),
    Option(
        "max_media_per_session",
        reader.whole_number(1, 256),
        "N",
        "most media sections in an offer, and so streams of a session each way (default 16)",
    ),
    Option("max_ssrcs_per_session", reader.whole_number(4, 4096), "N", "most streams taken from one peer (default 64)"),
    Option(
        "joins_per_s",
        reader.number(0.01, 100_000),
        "N",
        "sessions that one address may open each second; ten seconds' worth at once (default 200)",
    ),
    Option(
        "failed_auths_per_min",
        reader.number(0.01, 100_000),
        "N",
        "wrong tokens that one address may send each minute; then it has to wait (default 60)",
    ),
    Option(
        "trusted_proxies",
        reader.list_of(reader.network),
        "NETWORK",
        "reverse proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8 (default: none)",
        repeatable=True,
    ),
    Option("drain_timeout_s", reader.seconds(0, 86_400), "SECONDS", "time to leave when the server stops (default 10)"),
)
BY_KEY = {option.key: option for option in OPTIONS}
