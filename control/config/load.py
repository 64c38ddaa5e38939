"""Loads the configuration: finds each value, checks it, and checks which values go together."""

from __future__ import annotations

import difflib
import os
import socket
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .option import ENVIRONMENT_PREFIX, Option, options_of
from .options import BY_KEY, DEFAULT_UDP_PORT, MAX_WORKERS, OPTIONS, SECTIONS, Config
from .values import Address, is_loopback, show_address


class ConfigError(Exception):
    """The server refuses to start with a value. The text names the option, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that was set, and where: the flag, the variable, or the key and its file."""

    value: object
    origin: str
    secret: bool = False

    def refuse(self, expected: str) -> ConfigError:
        shown = "the value" if self.secret else _shown(self.value)
        return ConfigError(f"{self.origin}: {shown} is not allowed; expected {expected}")


def load(command_line: Mapping[str, object], environment: Mapping[str, str]) -> Config:
    """The configuration: command line over environment over the TOML file over defaults. Raises ConfigError.

    `command_line` maps the keys of OPTIONS, and `config` (the TOML file), to values; None and "" mean not set.
    """
    given = _gather(command_line, environment)
    values = {key: _read(BY_KEY[key], item) for key, item in given.items()}
    values.setdefault("workers", min(MAX_WORKERS, len(os.sched_getaffinity(0))))
    values.setdefault("udp", _default_udp(exposed=bool(values.get("insecure") or values.get("keys"))))
    values.setdefault("tcp", values["udp"])
    config = Config(**{name: _section(section, values) for name, section in SECTIONS.items()})
    listen = config.listen
    if not listen.udp:
        raise given["udp"].refuse("at least one IP:PORT")
    _check_ports(listen.udp, listen.workers, given.get("udp", _Given(listen.udp, "udp (default)")))
    _check_ports(listen.tcp, listen.workers, given.get("tcp", _Given(listen.tcp, "tcp (default)")))
    _check_tls(config, given)
    _check_exposure(config, given)
    return config


def _section(section: type, values: Mapping[str, Any]) -> Any:
    return section(**{option.key: values[option.key] for option in options_of(section) if option.key in values})


def load_keys(command_line: Mapping[str, object], environment: Mapping[str, str]) -> Mapping[str, str]:
    """The signing keys by their ids, from the same sources as `load`. Raises ConfigError."""
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
        return option.reader.read(given.value)
    except ValueError as error:
        detail = f" ({error})" if str(error) else ""
        raise given.refuse(option.reader.allowed + detail) from None


def _shown(value: object) -> str:
    """`value` for a message, which may be logged: without the credentials of TURN servers."""
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
    """Refuses addresses at which two of `span` workers would need the same port."""
    taken: set[Address] = set()
    for host, port in addresses:
        if port + span - 1 > 65535:
            raise _Given(show_address((host, port)), given.origin).refuse(
                f"a port of at most {65536 - span}, because {span} workers use {span} consecutive ports from it on"
            )
        wanted = {(host, port + i) for i in range(span)} if port else {(host, 0)}
        if taken & wanted:
            raise _Given(show_address((host, port)), given.origin).refuse(
                f"a port at least {span} away from the others on this host, because each of {span} workers uses one"
            )
        taken |= wanted


def _check_tls(config: Config, given: Mapping[str, _Given]) -> None:
    """Refuses a certificate without its key, a key without its certificate, and a pair that cannot be loaded."""
    for present, absent in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if present in given and absent not in given:
            raise given[present].refuse(f"{BY_KEY[absent].flag} with it")
    try:
        config.http.tls_context()
    except OSError as error:
        problem = error.strerror or str(error)
        raise given["tls_cert"].refuse(
            f"a PEM certificate chain whose key, without a pass phrase, is in {config.http.tls_key} ({problem})"
        ) from error


def _check_exposure(config: Config, given: Mapping[str, _Given]) -> None:
    """Without keys and without --insecure, refuses addresses that other machines can reach."""
    if config.access.keys or config.access.insecure:
        return
    for key, addresses in (("http", (config.http.http,)), ("udp", config.listen.udp), ("tcp", config.listen.tcp)):
        for address in addresses:
            if not is_loopback(address[0]):
                raise _Given(show_address(address), given[key].origin).refuse(
                    "a loopback address, as in 127.0.0.1 or [::1], because anyone who can reach the server may publish "
                    "and watch; --keys or --insecure allows any address"
                )
