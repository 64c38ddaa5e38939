"""The server's options: what there is to set, where each value came from, and which values go together."""

from __future__ import annotations

import difflib
import os
import socket
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import config_values as reader
from .config_values import Address, show_address
from .http.ice_servers import IceServer

MAX_WORKERS = 64
DEFAULT_UDP_PORT = 7800
ENVIRONMENT_PREFIX = "FANWIRE_"


class ConfigError(Exception):
    """A value that the server refuses to start with. Its text names the option, the value and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options, read and checked. The help texts of OPTIONS say what each one means."""

    udp: tuple[Address, ...]
    workers: int
    http: Address = ("127.0.0.1", 8080)
    announce: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False
    log_level: str = "info"
    ice_servers: tuple[IceServer, ...] = ()
    consent_timeout_s: float = 30.0
    connect_timeout_s: float = 30.0
    packets_per_worker: int = 16384
    max_body_bytes: int = 64 * 1024

    def worker_udp(self, worker: int) -> tuple[Address, ...]:
        """The addresses that worker `worker` (from 0) binds. Port 0, any free port, is each worker's own."""
        return tuple((host, port + worker if port else 0) for host, port in self.udp)

    def tls_context(self) -> ssl.SSLContext | None:
        """What HTTPS is served with, or None for plain HTTP. Raises OSError (ssl.SSLError is one)."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls_cert, self.tls_key, password="")  # never ask for one on the terminal
        return context


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `--key` on the command line, FANWIRE_KEY in the environment, `key` in the TOML file."""

    key: str
    read: reader.Reader[object]
    metavar: str
    help: str
    repeatable: bool = False

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
        reader.whole_number(1024, 1 << 20),
        "N",
        "packets that each worker keeps for its viewers, about 2 kB each (default 16384)",
    ),
    Option("max_body_bytes", reader.whole_number(4096, 1 << 24), "N", "longest HTTP request body (default 65536)"),
)
_OPTIONS = {option.key: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that somebody set, and the words for where."""

    value: object
    origin: str

    def refuse(self, expected: str) -> ConfigError:
        return ConfigError(f"{self.origin}: {_shown(self.value)} is not allowed; expected {expected}")


def load(command_line: Mapping[str, object], environment: Mapping[str, str]) -> Config:
    """The configuration: command line over environment over the TOML file over defaults. Raises ConfigError.

    `command_line` maps keys of OPTIONS, and `config` (the TOML file), to what was given; None and "" mean not given.
    """
    given = {item.key: value for item, value in _file_values(command_line, environment)}
    given |= {
        option.key: _Given(environment[option.variable], f"{option.variable} (environment)")
        for option in OPTIONS
        if environment.get(option.variable)
    }
    given |= {
        option.key: _Given(command_line[option.key], option.flag)
        for option in OPTIONS
        if command_line.get(option.key) not in (None, "")
    }
    values = {key: _read(_OPTIONS[key], item) for key, item in given.items()}
    values.setdefault("workers", min(MAX_WORKERS, len(os.sched_getaffinity(0))))
    values.setdefault("udp", _default_udp(insecure=values.get("insecure", False)))
    config = Config(**values)
    _check_ports(config, given)
    _check_tls(config, given)
    _check_exposure(config, given, has_keys=False)
    return config


def _file_values(command_line: Mapping[str, object], environment: Mapping[str, str]) -> Iterator[tuple[Option, _Given]]:
    variable = ENVIRONMENT_PREFIX + "CONFIG"
    path = command_line.get("config") or environment.get(variable)
    if not path:
        return
    origin = "--config" if command_line.get("config") else f"{variable} (environment)"
    try:
        table = tomllib.loads(Path(str(path)).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{origin}: cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # of TOML or of UTF-8
        raise ConfigError(f"{origin}: {path} is not a TOML file: {error}") from error
    for key, value in table.items():
        option = _OPTIONS.get(key)
        if option is None:
            close = difflib.get_close_matches(key, _OPTIONS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "expected " + ", ".join(_OPTIONS)
            raise ConfigError(f"{key} in {path}: there is no such option; {hint}")
        yield option, _Given(value, f"{key} in {path}")


def _read(option: Option, given: _Given) -> Any:
    try:
        return option.read(given.value)
    except ValueError as error:
        raise given.refuse(str(error)) from None


def _shown(value: object) -> str:
    """`value` for a message that may end up in a log: without its secrets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {'...' if k == 'credential' else repr(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ",".join(_shown(item) for item in value)
    return str(value) or "''"


def _default_udp(*, insecure: bool) -> tuple[Address, ...]:
    hosts = ["0.0.0.0" if insecure else "127.0.0.1"]
    if _has_ipv6():
        hosts.append("::" if insecure else "::1")
    return tuple((host, DEFAULT_UDP_PORT) for host in hosts)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _check_ports(config: Config, given: Mapping[str, _Given]) -> None:
    """Every worker has a port of its own on every UDP host."""
    span = config.workers
    udp = given.get("udp", _Given(config.udp, "udp (default)"))
    if not config.udp:
        raise udp.refuse("at least one IP:PORT")
    taken: set[Address] = set()
    for host, port in config.udp:
        if port + span - 1 > 65535:
            raise _Given(show_address((host, port)), udp.origin).refuse(
                f"a port of at most {65536 - span}, for {span} workers use as many ports from there on"
            )
        wanted = {(host, port + i) for i in range(span)} if port else {(host, 0)}
        if taken & wanted:
            raise _Given(show_address((host, port)), udp.origin).refuse(
                f"a port at least {span} away from the others on this host, for each of {span} workers uses one"
            )
        taken |= wanted


def _check_tls(config: Config, given: Mapping[str, _Given]) -> None:
    """A certificate comes with its key, and they can be used."""
    for present, absent in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if present in given and absent not in given:
            raise given[present].refuse(f"{_OPTIONS[absent].flag} with it")
    try:
        config.tls_context()
    except OSError as error:
        problem = error.strerror or str(error)
        raise given["tls_cert"].refuse(
            f"a PEM certificate chain whose key, without a pass phrase, is in {config.tls_key} ({problem})"
        ) from error


def _check_exposure(config: Config, given: Mapping[str, _Given], *, has_keys: bool) -> None:
    """Nobody but this machine can reach a server that lets anyone in, unless that is what was asked for."""
    if has_keys or config.insecure:
        return
    for key, addresses in (("http", (config.http,)), ("udp", config.udp)):
        for address in addresses:
            if not reader.is_loopback(address[0]):
                raise _Given(show_address(address), given[key].origin).refuse(
                    "a loopback address, as in 127.0.0.1 or [::1], because anyone who reaches the server may publish "
                    "and watch; with --insecure any address is allowed"
                )
