"""The command line: `fanwire serve`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from .config import ENVIRONMENT_PREFIX, OPTIONS, ConfigError, load
from .startup import StartupError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 well, 1 could not start, 2 wrong usage or configuration, 130 interrupted."""
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
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server.",
        epilog=f"Each option may also be set in the environment, as {ENVIRONMENT_PREFIX}HTTP and so on, or in a TOML "
        "file, as http and so on. The command line goes before the environment, and that before the file. "
        "What may be repeated is a list with commas in the environment, and an array in TOML.",
        allow_abbrev=False,
    )
    serve.set_defaults(run=_serve)
    serve.add_argument("--config", metavar="FILE", help="TOML file with options")
    for option in OPTIONS:
        if not option.metavar:
            serve.add_argument(option.flag, dest=option.key, action="store_const", const=True, help=option.help)
        else:
            action = "append" if option.repeatable else "store"
            serve.add_argument(option.flag, dest=option.key, action=action, metavar=option.metavar, help=option.help)


def _serve(options: argparse.Namespace) -> int:
    config = load(vars(options), os.environ)
    logging.basicConfig(
        level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    from .app import serve  # late: a wrong option is refused without loading the server

    asyncio.run(serve(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
