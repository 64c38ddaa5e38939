"""`fanwire load` against the real server: it reports what there was, and Chromium can watch what it publishes."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ci.support.browser import Browser
from ci.support.peers import Viewer
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

FANWIRE = Path(sys.executable).with_name("fanwire")

PICTURE = """() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [64, 36];
    const context = canvas.getContext("2d");
    context.drawImage(document.querySelector("video"), 0, 0, 64, 36);
    return [...new Uint32Array(context.getImageData(0, 0, 64, 36).data.buffer)];
}"""


async def load(url: str, *options: str, status: int = 0, report: Path | None = None) -> tuple[str, Any]:
    """The output of a load test, and its JSON report."""
    more = [f"--json={report}"] if report else []
    process = await asyncio.create_subprocess_exec(
        FANWIRE, "load", url, "--source=127.0.0.1", *options, *more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed = (await process.communicate())[0].decode()
    assert process.returncode == status, printed
    return printed, json.loads(await asyncio.to_thread(report.read_text)) if report else None


async def test_fifty_viewers_of_a_publisher_miss_nothing(server: Server, room: str, tmp_path: Path) -> None:
    printed, report = await load(
        server.whep(room), "--viewers=50", "--publishers=1", "--workers=2", "--duration=6",
        report=tmp_path / "report.json",
    )  # fmt: skip
    assert "viewers: 50 of 50 joined" in printed
    assert report["viewers"]["joined"] == 50
    received = report["received"]
    assert received["lost"] == 0
    # A busy machine shows fewer pictures: then the report says so.
    assert received["freezes"] > 0 or received["longest_still_s"] <= 0.5
    assert received["viewers_without_media"] == 0
    assert 50 * 30 < received["frames"] <= 50 * 30 * 8
    assert report["sent"]["packets"] > 0
    assert report["latency_ms"]["samples"] > 50
    assert -1 < report["latency_ms"]["p50"] < report["latency_ms"]["p99"] < 6000
    assert report["viewers"]["ended_early"] == {}
    assert report["dropped_here"] == 0


async def test_each_publisher_has_a_room_and_its_share_of_viewers(server: Server, room: str, tmp_path: Path) -> None:
    _, report = await load(
        server.whep(f"{room}-{{n}}"),
        "--viewers=4",
        "--publishers=2",
        "--duration=3",
        report=tmp_path / "report.json",
    )
    assert report["publishers"]["joined"] == 2
    assert report["received"]["viewers_without_media"] == 0
    assert report["received"]["lost"] == 0


async def test_those_who_may_not_come_in_are_told_of_and_make_the_test_fail(room: str, tmp_path: Path) -> None:
    async with Server("--keys=one:0123456789abcdef0123456789abcdef") as server:
        printed, report = await load(
            server.whep(room), "--viewers=3", "--duration=1", "--token=wrong", status=1, report=tmp_path / "r.json"
        )
    assert "viewers: 0 of 3 joined" in printed
    ((why, count),) = report["viewers"]["failed"].items()
    assert why.startswith("HTTP 401 Unauthorized: ")
    assert count == 3


async def test_a_viewer_that_the_server_sends_away_is_told_of(server: Server, room: str, tmp_path: Path) -> None:
    loading = asyncio.create_task(
        load(server.whep(room), "--viewers=2", "--publishers=1", "--duration=6", report=tmp_path / "report.json")
    )
    await until_sessions(server, room, 3)
    async with aiohttp.ClientSession(raise_for_status=True) as client:
        async with client.get(f"{server.url}/api/v1/sessions", params={"room": room}) as response:
            sessions = (await response.json())["sessions"]
        viewer = next(session["id"] for session in sessions if session["kind"] == "subscribe")
        await client.delete(f"{server.url}/api/v1/sessions/{viewer}")
    printed, report = await loading
    assert "ended early: 1 x the server ended the session" in printed
    assert report["viewers"]["joined"] == 2
    assert sum(report["viewers"]["ended_early"].values()) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--viewers=0"], "--viewers and --publishers"),
        (["--publishers=2"], "needs {n} in the URL"),
        (["--rate=0"], "--rate"),
        (["--source=here"], "--source"),
        (["--whip=ftp://127.0.0.1/"], "http://"),
    ],
)
async def test_options_that_make_no_sense_are_refused(options: list[str], said: str) -> None:
    printed, _ = await load("http://127.0.0.1:1/whep/room", *options, status=2)
    assert said in printed


async def test_chromium_sees_and_hears_what_load_publishes(server: Server, browser: Browser, room: str) -> None:
    loading = asyncio.create_task(load(server.whep(room), "--viewers=1", "--publishers=1", "--duration=14"))
    await until_sessions(server, room, 2)
    viewer = await Viewer.join(browser, server.whep(room))
    await viewer.first_picture_ms()
    pictures = [await viewer.page.evaluate(PICTURE)]
    seen = await viewer.watch(4)
    pictures.append(await viewer.page.evaluate(PICTURE))
    assert len(seen.frames) > 4 * 20
    assert {(frame.width, frame.height) for frame in seen.frames} == {(640, 360)}
    assert max(after.shown_ms - before.shown_ms for before, after in pairwise(seen.frames)) < 500
    assert pictures[0] != pictures[1]
    assert min(len(set(picture)) for picture in pictures) > 20  # of colours: it is no black square
    seen.check_tone(440)
    printed, _ = await loading
    assert "viewers: 1 of 1 joined" in printed


async def until_sessions(server: Server, room: str, wanted: int) -> None:
    """Waits for so many sessions that have connected."""
    async with aiohttp.ClientSession() as client:

        async def sessions() -> int:
            async with client.get(f"{server.url}/api/v1/sessions", params={"room": room}) as response:
                return sum(session["state"] == "keyed" for session in (await response.json())["sessions"])

        await until(sessions, lambda count: count >= wanted, timeout_s=60)
