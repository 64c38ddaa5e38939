"""The benchmarks at their smallest: each runs, says what it should, and what it forwards is right."""

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from xml.etree import ElementTree

import pytest

from bench import check, layers, report, runs
from bench.bounds import BOUNDS
from bench.figures import Figures
from bench.idle import IdleFigures
from bench.joins import JoinsFigures
from bench.layers import LayersFigures
from bench.live import LiveFigures
from bench.nack import NackFigures
from bench.tables import TABLES
from bench.viewers import ViewersFigures

ROOT = Path(__file__).resolve().parents[2]
FANOUT = ("--subscribers=20", "--trials=2", "--packets=400", "--verify-subscribers=3")


def run(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"bench.{name}", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def figures(name: str, *options: str) -> dict[str, Any]:
    done = run(name, "--json", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("profile", ["gcm128", "cm80"])
def test_fanout_loses_nothing_decrypts_and_tells_all_it_measures(profile: str) -> None:
    found = figures("fanout", "--k=4", f"--profile={profile}", *FANOUT)
    assert found["subscribers"] == 20
    assert found["k"] == 4
    assert found["packets_sent"] == found["packets_expected"] == 2 * 400
    assert found["loss"] == 0
    assert found["floor_packets_per_message"] == 4
    assert 3 < found["packets_per_message"] <= 4  # the RTCP in between is not in runs
    for measured in ("cpu_ns_per_packet", "floor_ns_per_packet", "ratio_to_floor", "packets_per_cpu_second"):
        assert found[measured] > 0
    parts = found["user_ns_per_packet"] + found["system_ns_per_packet"]
    assert parts == pytest.approx(found["cpu_ns_per_packet"])
    verified = found["verified"]
    assert verified["packets_received"] == verified["packets_expected"] == 3 * 800
    assert verified["packets_compared"] == 3 * 8


def test_two_workers_share_one_stream_and_are_compared_with_one() -> None:
    found = figures("fanout", "--k=4", "--workers=2", *FANOUT)
    assert found["packets_sent"] == found["packets_expected"] == 2 * 400
    assert found["verified"]["packets_received"] == 3 * 800
    assert found["ratio_to_one_worker"] > 0


@pytest.mark.parametrize("media", ["video", "audio"])
def test_live_media_arrives_whole_and_its_latency_is_told(media: str) -> None:
    found = figures("fanout", f"--live={media}", "--subscribers=10", "--seconds=1")
    assert found["packets_sent"] == found["packets_expected"] == 10 * found["sampled_expected"] // 10
    assert found["sampled_received"] == found["sampled_expected"] > 0
    for where in ("in_server_ms", "end_to_end_ms"):
        assert 0 < found[where]["p50"] <= found[where]["p99"] <= found[where]["largest"]
        assert found[where]["count"] == found["packets_sent"]


def test_every_packet_asked_for_is_repaired_once() -> None:
    found = figures("nack", "--viewers=20", "--loss=0.1", "--trials=2")
    assert found["repaired"] == found["asked"] > 100
    assert found["asked_twice"] > 50
    assert found["repaired_twice"] == 0
    assert found["ratio"] > 0


def test_what_is_sent_of_layers_is_what_subscribers_chose() -> None:
    found = figures("layers", "--subscribers=20", "--k=4", "--trials=3", "--packets=1600")
    sent = {name: cost["sent"] for name, cost in found["cases"].items()}
    bursts = 4 * 20  # passes, one of them to warm up, of as many bursts
    # Half take a burst in two. Of the encodings all take one, and every fourth subscriber both while it switches.
    assert sent == {
        "plain": bursts * 80, "vp8_temporal": bursts * 60, "simulcast": bursts * 80 + 4 * 20,
        "vp9_svc": bursts * 60, "av1_svc": bursts * 60,
    }  # fmt: skip
    assert all(cost["ratio"] > 0 for cost in found["cases"].values())


def test_quiet_viewers_lose_nothing() -> None:
    found = figures("idle", "--viewers=50", "--rooms=5", "--seconds=1")
    assert found["packets_sent"] == found["packets_expected"] == 50 * 20
    assert found["feedback_taken"] == found["feedback_sent"] == 50 * (20 + 2)
    assert found["checks_taken"] == found["checks_sent"] == 40  # the others are not due yet
    assert 0 < found["core_share"] < 1


def test_the_whole_server_is_measured_with_viewers_that_watch() -> None:
    found = figures("viewers", "--viewers=3", "--burst=4", "--seconds=1", "--settle=0")
    assert found["packets_sent"] == found["packets_expected"] > 0
    assert 1 < found["packets_per_message"] <= 4
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["p99"]


def test_joins_are_measured_and_what_those_who_watch_feel_of_them() -> None:
    found = figures("joins", "--joins=20", "--storm=20", "--viewers=3", "--crowd=10", "--crowd-s=1")
    assert 0.1 < found["cpu_ms_per_join"] < 100
    for when in ("latency_ms", "storm_latency_ms"):
        assert 0 < found[when]["p50"] <= found[when]["p99"]
    assert found["p99_ratio"] > 0
    for flowing in ("fast_start", "without"):
        new = found[flowing]["newcomers"]
        assert new["first_lag_ms"]["count"] == new["live_s"]["count"] == 10
        assert new["lost"] == found[flowing]["packets_refused"] == 0


def test_fanout_prints_the_same_for_people() -> None:
    done = run("fanout", *FANOUT)
    assert done.returncode == 0, done.stderr
    for line in ("CPU per forwarded packet", "ratio to the floor", "memory per subscriber", "decrypted and compared"):
        assert line in done.stdout


@pytest.mark.parametrize(
    ("name", "option", "said"),
    [
        ("fanout", "--k=60", "--k goes from 1 to"),
        ("fanout", "--workers=20", "--workers goes from 1 to 16"),
        ("nack", "--loss=0.9", "--loss goes up to 0.15"),
        ("layers", "--k=5", "--k goes from 4 to 16, in steps of 4"),
        ("idle", "--rooms=20000", "--rooms goes from 1 to the number of viewers"),
        ("viewers", "--burst=0", "--burst goes from 1 to 40"),
        ("check", "--only=nothing of the kind", "no bound has"),
    ],
)
def test_what_cannot_be_measured_is_refused(name: str, option: str, said: str) -> None:
    done = run(name, option)
    assert done.returncode == 2
    assert said in done.stderr


FIGURES: dict[str, type] = {
    "fanout": Figures,
    "fanout --live": LiveFigures,
    "idle": IdleFigures,
    "joins": JoinsFigures,
    "layers": LayersFigures,
    "nack": NackFigures,
    "viewers": ViewersFigures,
}


def made_up(kind: Any, number: float) -> Any:
    """A value of a field's type in which every number is this one."""
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        hints = get_type_hints(kind)
        hints.pop("options", None)
        return {name: made_up(hint, number) for name, hint in hints.items()}
    if kind is str:
        return "made up"
    if kind in (int, float, float | None):
        return number
    if get_origin(kind) is tuple:
        return [made_up(part, number) for part in get_args(kind)]
    assert kind == dict[str, layers.Cost]
    return {case.name: made_up(layers.Cost, number) for case in (layers.PLAIN, *layers.CASES)}


def measured_as(number: float) -> Callable[[runs.Run], Any]:
    """Stands for running a benchmark: its figures, by the names that it has, are all this number."""
    return lambda run: made_up(FIGURES[f"{run.name} --live" if "--live" in run.options else run.name], number)


def test_a_figure_that_a_benchmark_does_not_have_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_measured", measured_as(1))
    assert runs.NACK.figure("ratio") == 1
    for run, misspelt in (
        (runs.NACK, "ration"),
        (runs.LAYERS, "cases.vp10.ratio"),
        (runs.LIVE_200, "in_server_ms.p42"),
    ):
        with pytest.raises(KeyError):
            run.figure(misspelt)


def not_measured(run: runs.Run) -> runs.NotMeasured:
    return runs.NotMeasured("why")


@pytest.mark.parametrize(
    ("measured", "passes", "reasons"),
    [(measured_as(0), True, 0), (measured_as(1e9), False, 0), (not_measured, False, len(BOUNDS))],
    ids=["low", "high", "not measured"],
)
def test_check_passes_what_keeps_within_every_bound(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    measured: Callable[[runs.Run], Any],
    passes: bool,
    reasons: int,
) -> None:
    monkeypatch.setattr(runs, "_measured", measured)
    assert check.main([]) == (0 if passes else 1)
    told = capsys.readouterr().out
    assert told.count("pass  ") == (len(BOUNDS) if passes else 0)
    assert told.count("FAIL  ") == (0 if passes else len(BOUNDS))
    assert told.count(": why") == reasons


def test_report_fills_every_table_and_draws_every_plot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runs, "_measured", measured_as(1234))
    page = tmp_path / "performance.md"
    page.write_text((ROOT / "docs/performance.md").read_text())
    assert report.main([f"--docs={tmp_path}"]) == 0
    text = page.read_text()
    for table in TABLES:
        for run in table.runs:
            assert f"| `{run.command}` | 1" in text
    for name in re.findall(r"\(plots/(\S+)\)", text):
        ElementTree.parse(tmp_path / "plots" / name)
    assert len(list((tmp_path / "plots").iterdir())) == len(re.findall(r"\(plots/", text)) == 3
