"""The OpenAPI document and the running server say the same."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import ClientSession, web

from ci.support import offers
from ci.support.crowd import Crowd
from ci.support.server import Server
from fanwire.control.http.api import add_node_routes, create_app
from fanwire.control.http.openapi import document
from fanwire.control.http.tokens import mint
from fanwire.control.media.engine import Backend
from fanwire.control.rooms.rooms import Rooms

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOOKS = Path(__file__).parents[2] / "ci" / "support" / "schemathesis_hooks.py"
KEY = "k" * 32
OPTIONS = (f"--keys=main:{KEY}", "--failed-auths-per-min=100000", "--joins-per-s=10000")

# Where sessions are asked for, there are some. No schema can say what a good offer is.
CONFIG = """
[generation]
max-examples = 15

[checks]
missing_required_header.expected-statuses = [401, 404, 428]

[parameters]
"path.room" = "demo"

[[operations]]
include-path-regex = "^/whip/"
parameters = {{ "path.session" = "{0}" }}
checks = {{ positive_data_acceptance = {{ enabled = false }} }}

[[operations]]
include-path-regex = "^/whep/"
parameters = {{ "path.session" = "{1}" }}
checks = {{ positive_data_acceptance = {{ enabled = false }} }}

[[operations]]
include-path-regex = "^/api/v1/sessions/"
parameters = {{ "path.session" = "{2}" }}
checks = {{ positive_data_acceptance = {{ enabled = false }} }}
"""


@pytest.mark.timeout(180)
async def test_the_server_answers_as_its_openapi_document_says(tmp_path: Path) -> None:
    grants = {"admin": True, "publish": True, "subscribe": True}
    token = mint({"main": KEY}, "schemathesis", room="*", grants=grants, ttl_s=600)
    authorization = {"Authorization": f"Bearer {token}"}
    async with (
        Server(*OPTIONS) as server,
        Crowd(token=token) as crowd,
        ClientSession(headers=authorization, raise_for_status=True) as client,
    ):
        await crowd.publish(server.whip("demo"), rate_bps=100_000)
        sessions = []
        headers = {"Content-Type": "application/sdp"}
        for url, offer in (
            (server.whip("demo"), "aiortc-publish"),
            (server.whep("demo"), "aiortc-subscribe"),
            (server.whep("demo"), "aiortc-subscribe"),
        ):
            async with client.post(url, data=offers.text(offer), headers=headers) as response:
                sessions.append(response.headers["Location"].rpartition("/")[2])
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.format(*sessions))
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", config, "run", f"{server.url}/api/openapi.json", "--seed=1", "--no-color"),
            *("--header", f"Authorization: Bearer {token}", "--exclude-operation-id=drain"),
            cwd=tmp_path,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_everything_served_but_the_pages_is_documented() -> None:
    app: web.Application = create_app(rooms := Rooms(SimpleNamespace(engine=None)))  # type: ignore[arg-type]
    add_node_routes(app, rooms, list, Backend("none", "", ""))
    served = {
        (method, resource.canonical)
        for resource in app.router.resources()
        for method in (route.method.lower() for route in resource)
        if method not in {"options", "head"}
    }
    pages = {("get", path) for path in ("/", "/{page}/{room}", "/assets/{name}")}
    documented = {
        (method, path) for path, item in document()["paths"].items() for method in item if method != "parameters"
    }
    assert served - pages == documented
