"""The configuration: where each value comes from, and which values go together."""

from __future__ import annotations

import difflib
import os
import socket
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .config_options import BY_KEY, DEFAULT_UDP_PORT, ENVIRONMENT_PREFIX, MAX_WORKERS, OPTIONS, Crypto, Option
from .config_values import Address, Network, is_loopback, show_address
from .http.ice_servers import IceServer


class ConfigError(Exception):
    """A value that the server refuses to start with. Its text names the option, the value and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options, read and checked. The help texts of OPTIONS say what each one means."""

    udp: tuple[Address, ...]
    workers: int
    tcp: tuple[Address, ...] = ()
    http: Address = ("127.0.0.1", 8080)
    announce: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    log_level: str = "info"
    ice_servers: tuple[IceServer, ...] = ()
    consent_timeout_s: float = 30.0
    connect_timeout_s: float = 30.0
    packets_per_worker: int = 16384
    instant_join_s: float = 3.0
    coalesce_us: int = 0
    crypto: Crypto = "auto"
    publish_bps: int = 10_000_000
    max_body_bytes: int = 64 * 1024
    max_header_bytes: int = 8190
    max_sessions: int = 10_000
    max_sessions_per_room: int = 10_000
    max_rooms: int = 1_000
    max_media_per_session: int = 16
    max_ssrcs_per_session: int = 64
    joins_per_s: float = 200.0
    failed_auths_per_min: float = 60.0
    trusted_proxies: tuple[Network, ...] = ()
    drain_timeout_s: float = 10.0

    def worker_udp(self, worker: int) -> tuple[Address, ...]:
        """The addresses that worker `worker` (from 0) binds. Port 0, any free port, is each worker's own."""
        return _shifted(self.udp, worker)

    def worker_tcp(self, worker: int) -> tuple[Address, ...]:
        """The addresses at which that worker accepts connections."""
        return _shifted(self.tcp, worker)

    def tls_context(self) -> ssl.SSLContext | None:
        """What HTTPS is served with, or None for plain HTTP. Raises OSError (ssl.SSLError is one)."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls_cert, self.tls_key, password="")  # never ask for one on the terminal
        return context


def _shifted(addresses: tuple[Address, ...], by: int) -> tuple[Address, ...]:
    return tuple((host, port + by if port else 0) for host, port in addresses)


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that somebody set, and the words for where."""

    value: object
    origin: str
    secret: bool = False

    def refuse(self, expected: str) -> ConfigError:
        shown = "the value" if self.secret else _shown(self.value)
        return ConfigError(f"{self.origin}: {shown} is not allowed; expected {expected}")


def load(command_line: Mapping[str, object], environment: Mapping[str, str]) -> Config:
    """The configuration: command line over environment over the TOML file over defaults. Raises ConfigError.

    `command_line` maps keys of OPTIONS, and `config` (the TOML file), to what was given; None and "" mean not given.
    """
    given = _gather(command_line, environment)
    values = {key: _read(BY_KEY[key], item) for key, item in given.items()}
    values.setdefault("workers", min(MAX_WORKERS, len(os.sched_getaffinity(0))))
    values.setdefault("udp", _default_udp(exposed=bool(values.get("insecure") or values.get("keys"))))
    values.setdefault("tcp", values["udp"])
    config = Config(**values)
    if not config.udp:
        raise given["udp"].refuse("at least one IP:PORT")
    _check_ports(config.udp, config.workers, given.get("udp", _Given(config.udp, "udp (default)")))
    _check_ports(config.tcp, config.workers, given.get("tcp", _Given(config.tcp, "tcp (default)")))
    _check_tls(config, given)
    _check_exposure(config, given)
    return config


def load_keys(command_line: Mapping[str, object], environment: Mapping[str, str]) -> Mapping[str, str]:
    """The keys alone, by their ids, from where `load` finds them. Raises ConfigError."""
    given = _gather(command_line, environment)
    keys: Mapping[str, str] = _read(BY_KEY["keys"], given["keys"]) if "keys" in given else {}
    return keys


def _gather(command_line: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, _Given]:
    given = {item.key: value for item, value in _file_values(command_line, environment)}
    given |= {
        option.key: _Given(environment[option.variable], f"{option.variable} (environment)", option.secret)
        for option in OPTIONS
        if environment.get(option.variable)
    }
    given |= {
        option.key: _Given(command_line[option.key], option.flag, option.secret)
        for option in OPTIONS
        if command_line.get(option.key) not in (None, "")
    }
    return given


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
        option = BY_KEY.get(key)
        if option is None:
            close = difflib.get_close_matches(key, BY_KEY, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "expected " + ", ".join(BY_KEY)
            raise ConfigError(f"{key} in {path}: there is no such option; {hint}")
        yield option, _Given(value, f"{key} in {path}", option.secret)


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


def _default_udp(*, exposed: bool) -> tuple[Address, ...]:
    hosts = ["0.0.0.0" if exposed else "127.0.0.1"]
    if _has_ipv6():
        hosts.append("::" if exposed else "::1")
    return tuple((host, DEFAULT_UDP_PORT) for host in hosts)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _check_ports(addresses: tuple[Address, ...], span: int, given: _Given) -> None:
    """Every one of `span` workers has a port of its own on every host."""
    taken: set[Address] = set()
    for host, port in addresses:
        if port + span - 1 > 65535:
            raise _Given(show_address((host, port)), given.origin).refuse(
                f"a port of at most {65536 - span}, for {span} workers use as many ports from there on"
            )
        wanted = {(host, port + i) for i in range(span)} if port else {(host, 0)}
        if taken & wanted:
            raise _Given(show_address((host, port)), given.origin).refuse(
                f"a port at least {span} away from the others on this host, for each of {span} workers uses one"
            )
        taken |= wanted


def _check_tls(config: Config, given: Mapping[str, _Given]) -> None:
    """A certificate comes with its key, and they can be used."""
    for present, absent in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if present in given and absent not in given:
            raise given[present].refuse(f"{BY_KEY[absent].flag} with it")
    try:
        config.tls_context()
    except OSError as error:
        problem = error.strerror or str(error)
        raise given["tls_cert"].refuse(
            f"a PEM certificate chain whose key, without a pass phrase, is in {config.tls_key} ({problem})"
        ) from error


def _check_exposure(config: Config, given: Mapping[str, _Given]) -> None:
    """Nobody but this machine can reach a server that lets anyone in, unless that is what was asked for."""
    if config.keys or config.insecure:
        return
    for key, addresses in (("http", (config.http,)), ("udp", config.udp), ("tcp", config.tcp)):
        for address in addresses:
            if not is_loopback(address[0]):
                raise _Given(show_address(address), given[key].origin).refuse(
                    "a loopback address, as in 127.0.0.1 or [::1], because anyone who reaches the server may publish "
                    "and watch; with --keys, or with --insecure, any address is allowed"
                )
