"""The C tests of fastpath/net, built and run under the sanitizers, those of UDP on a network link of their own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/unit/c"
MEMORY, THREADS = "address,undefined", "thread"
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]


def run(*command: str | Path) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240)
    assert done.returncode == 0, f"{Path(command[0]).name} exited with {done.returncode}:\n{done.stdout}"


def build(name: str, sanitizer: str, folder: Path) -> Path:
    program = folder / name
    compiler = [os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-pthread", *WARNINGS]
    checks = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]
    sources = [HERE / f"{name}.c", *sorted((ROOT / "fastpath/net").glob("*.c"))]
    run(*compiler, *checks, "-I", ROOT / "fastpath", *sources, "-o", program)
    return program


def fixed_addresses() -> list[str]:
    """A prefix for thread sanitizers, which on many kernels cannot live with random addresses; empty if forbidden."""
    prefix = ["setarch", "--addr-no-randomize"]
    allowed = shutil.which(prefix[0]) and subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return prefix if allowed else []


@pytest.mark.parametrize("sanitizer", [MEMORY, THREADS])
@pytest.mark.parametrize("name", ["test_net_ring", "test_net_latest_cells", "test_net_wake"])
def test_threads_pass_records_states_and_wake_ups_without_loss_or_race(
    name: str, sanitizer: str, tmp_path: Path
) -> None:
    prefix = fixed_addresses() if sanitizer == THREADS else []
    run(*prefix, build(name, sanitizer, tmp_path))


def test_a_histogram_counts_every_value_in_the_bucket_that_encloses_it(tmp_path: Path) -> None:
    run(build("test_net_histogram", MEMORY, tmp_path))


def test_udp_batches_arrive_whole_and_every_refusal_is_counted(tmp_path: Path) -> None:
    program = build("test_net_udp", MEMORY, tmp_path)
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    run("unshare", *as_root, "--net", "--mount", HERE / "net_link.sh", program)


def test_tcp_connections_carry_whole_frames_and_strangers_are_bounded(tmp_path: Path) -> None:
    run(build("test_net_tcp", MEMORY, tmp_path))


def test_ports_tell_whose_datagram_it_is_and_send_from_the_right_one(tmp_path: Path) -> None:
    run(build("test_net_ports", MEMORY, tmp_path))
