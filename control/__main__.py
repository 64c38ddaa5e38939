"""The command line: `fanwire serve`, `fanwire doctor`, `fanwire token`, `fanwire load`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from .config.load import ConfigError, load, load_keys
from .config.option import ENVIRONMENT_PREFIX
from .config.options import BY_KEY, OPTIONS
from .startup import StartupError

_GRANTS = {
    "publish": "permit publishing",
    "subscribe": "permit watching",
    "admin": "permit the administration API",
    "metrics": "permit reading the metrics",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit status: 0 success, 1 failure, 2 wrong usage or configuration, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except ConfigError as error:
        print(f"fanwire: {error}", file=sys.stderr)
        return 2
    except StartupError as error:
        print(f"fanwire: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fanwire", description="A WebRTC server.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fanwire {version('fanwire')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_token(commands)
    _add_doctor(commands)
    _add_load(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server.",
        epilog=f"Each option may also be set in the environment, as {ENVIRONMENT_PREFIX}HTTP and so on, or in a TOML "
        "file, as http and so on. The command line overrides the environment, which overrides the file. "
        "A list has commas on the command line and in the environment, and is an array in TOML.",
        allow_abbrev=False,
    )
    serve.set_defaults(run=_serve)
    serve.add_argument("--config", metavar="FILE", help="TOML file with options")
    for option in OPTIONS:
        text = f"{option.help} (default: {option.default})"
        if not option.metavar:
            serve.add_argument(option.flag, dest=option.key, action="store_const", const=True, help=text)
        else:
            action = "append" if option.reader.many else "store"
            serve.add_argument(option.flag, dest=option.key, action=action, metavar=option.metavar, help=text)


def _add_token(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = commands.add_parser(
        "token",
        help="make a token",
        description="Make a token for a client that publishes, watches or administers, and print it.",
        allow_abbrev=False,
    )
    token.set_defaults(run=_token)
    token.add_argument("--config", metavar="FILE", help="TOML file with the server's options, its keys among them")
    token.add_argument("--keys", action="append", metavar=BY_KEY["keys"].metavar, help="the server's keys")
    token.add_argument("--key-id", metavar="KID", help="the key to sign with (default: the first)")
    token.add_argument("--room", help="the room that the token is valid for; * for every room")
    token.add_argument("--identity", default=secrets.token_urlsafe(9), help="name of the bearer (default: random)")
    token.add_argument("--ttl", type=int, default=3600, metavar="SECONDS", help="lifetime of the token (default 3600)")
    for grant, text in _GRANTS.items():
        token.add_argument(f"--{grant}", action="store_true", help=text)


def _token(options: argparse.Namespace) -> int:
    keys = load_keys(vars(options), os.environ)
    from .http.tokens import TokenError, mint

    grants = {grant: getattr(options, grant) for grant in _GRANTS}
    try:
        token = mint(keys, options.identity, key_id=options.key_id, room=options.room, grants=grants, ttl_s=options.ttl)
    except TokenError as error:
        print(f"fanwire: {error}", file=sys.stderr)
        return 2
    print(token)
    return 0


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="examine this machine",
        description="Examine this machine and advise on settings that would make the server faster.",
        allow_abbrev=False,
    )
    doctor.set_defaults(run=_doctor)
    doctor.add_argument("--json", action="store_true", help="print the report as JSON")


def _doctor(options: argparse.Namespace) -> int:
    from .doctor import examine

    report = asyncio.run(examine())
    print(report.as_json() if options.json else report.as_text())
    return 0 if report.can_start else 1


def _add_load(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    load = commands.add_parser(
        "load",
        help="load-test a server",
        description="Connect viewers and publishers to a WHEP and WHIP server, and report the media that they receive.",
        epilog="{n} in a URL stands for the number of a publisher, from 0; viewers are spread over these rooms.",
        allow_abbrev=False,
    )
    load.set_defaults(run=_load)
    load.add_argument("url", metavar="URL", help="WHEP endpoint, as in https://example.com/whep/room")
    load.add_argument("--whip", metavar="URL", help="WHIP endpoint (default: URL with /whip/ instead of /whep/)")
    load.add_argument("--viewers", type=int, default=1, metavar="N", help="number of viewers (default 1)")
    load.add_argument("--publishers", type=int, default=0, metavar="M", help="number of publishers (default 0)")
    load.add_argument("--rate", type=float, default=50.0, metavar="N", help="joins a second (default 50)")
    seconds = "time after the last join that all clients stay (default 30)"
    load.add_argument("--duration", dest="duration_s", type=float, default=30.0, metavar="S", help=seconds)
    load.add_argument("--token", metavar="TOKEN", help="bearer token for the server")
    load.add_argument("--workers", type=int, default=1, metavar="N", help="threads for media (default 1)")
    load.add_argument("--source", default="0.0.0.0", metavar="IP", help="local address to send from; :: for IPv6")
    load.add_argument("--publish-file", type=Path, metavar="FILE", help="publish this instead of a test pattern")
    load.add_argument("--json", type=Path, metavar="FILE", help="write the report to a file")


def _load(options: argparse.Namespace) -> int:
    from .load.clip import ClipError
    from .load.run import LoadOptions, OptionsError, run_load

    values = {name: value for name, value in vars(options).items() if name != "run"}
    try:
        return asyncio.run(run_load(LoadOptions(**values)))
    except (OptionsError, ClipError) as error:
        print(f"fanwire: {error}", file=sys.stderr)
        return 2


def _serve(options: argparse.Namespace) -> int:
    config = load(vars(options), os.environ)
    logging.basicConfig(
        level=config.process.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    import uvloop

    from .app import serve  # imported late: the check of the options should not load the server

    uvloop.run(serve(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
