"""Measures the cost of retransmission when all viewers send NACKs at once: `python -m bench.nack --help`."""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pylibsrtp

from fanwire.fastpath.testing.probes import RtcpWriter
from fanwire.fastpath.testing.replay import Replay

from .command import backend_option, option, run
from .options import PROFILES
from .printing import Row, as_text
from .scene import Scene, SceneSpec, open_scene
from .usage import machine, stay_aside

DESCRIPTION = """A storm: every viewer loses packets of its own and asks for them by NACK, all at once. What a repaired
packet costs the worker's thread, NACK and all, is compared with what it cost to send it in the first place, in flushes
of as many packets as a NACK names on average. Then each NACK comes twice. Exit status 1: a packet was not repaired, or
was repaired twice."""
PAYLOAD_BYTES = 1200
MOST_VIEWERS, MOST_WINDOW = 20_000, 500
MOST_REPAIRS = 100  # of one viewer and trial


@dataclass(frozen=True, slots=True)
class Options:
    """Parameters of the measurement."""

    viewers: int = option(1000, "how many")
    loss: float = option(0.02, "share of packets that each misses, 0 to 0.15: repairs are a fifth at most")
    window: int = option(100, "packets between a viewer's NACKs")
    profile: str = option("gcm128", "SRTP profile", PROFILES)
    backend: str = backend_option()
    trials: int = option(20, "a window sent, then the storm, is one")

    @property
    def k(self) -> int:
        """Packets that a NACK names on average."""
        return max(1, round(self.window * self.loss / (1 - (1 - self.loss) ** self.window)))

    @property
    def bursts(self) -> int:
        """Of a window."""
        return self.window // self.k

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        if not 1 <= self.viewers <= MOST_VIEWERS:
            return f"--viewers goes from 1 to {MOST_VIEWERS}"
        if not 10 <= self.window <= MOST_WINDOW:
            return f"--window goes from 10 to {MOST_WINDOW}"
        if not 0 < self.loss <= 0.15 or self.window * self.loss > MOST_REPAIRS / 2:
            return (
                f"--loss goes up to 0.15 (repairs are a fifth at most), and to {MOST_REPAIRS // 2} packets of a window"
            )
        return None if self.trials >= 1 else "--trials goes from 1"


@dataclass(frozen=True, slots=True)
class NackFigures:
    """Times are medians over the trials, in ns of the worker thread's CPU time."""

    machine: str
    options: Options
    backend_used: str
    send_ns_per_packet: float
    send_k: int
    repair_ns_per_packet: float
    ratio: float  # the median of the trials' own ratios
    nacks: int
    asked: int
    repaired: int
    asked_twice: int
    repaired_twice: int

    @property
    def failed(self) -> bool:
        """Whether a packet was not retransmitted, or retransmitted twice."""
        return self.repaired != self.asked or self.repaired_twice > 0

    def text(self) -> str:
        """The figures as text."""
        o = self.options
        rows: list[Row] = [
            ("CPU per packet sent", f"{self.send_ns_per_packet:.0f} ns", f"{self.send_k} packets a flush"),
            ("CPU per packet repaired", f"{self.repair_ns_per_packet:.0f} ns", "with the NACK that asked for it"),
            ("ratio", f"{self.ratio:.2f}", ""),
            ("repaired", f"{self.repaired}", f"of {self.asked}, asked for by {self.nacks} NACKs"),
            ("repaired twice", f"{self.repaired_twice}", f"of {self.asked_twice} asked for twice within an RTT"),
        ]
        head = f"{o.viewers} viewers, {o.loss:.1%} loss in windows of {o.window} packets, {o.profile}, "
        return as_text(self.machine, f"{head}{self.backend_used}, {o.trials} trials", rows)


class Storm:
    """The viewers of a scene and the packets that they report as lost."""

    def __init__(self, scene: Scene, options: Options, seed: int) -> None:
        self._scene = scene
        self._options = options
        self._random = random.Random(seed)
        self._sessions: list[pylibsrtp.Session] = [peer.encrypter() for peer in scene.subscribers]

    def nacks(self, copies: int = 1) -> tuple[list[tuple[int, bytes, bytes]], int]:
        """A NACK of each viewer that misses packets of the last window, `copies` times; and how many packets."""
        datagrams: list[tuple[int, bytes, bytes]] = []
        asked = 0
        for i, peer in enumerate(self._scene.subscribers):
            end = self._scene.first_seqs[i] + self._scene.published
            lost = [seq & 0xFFFF for seq in range(end - self._options.window, end) if self._is_lost()]
            if not lost:
                continue
            asked += len(lost)
            writer = RtcpWriter()
            writer.nack(1, peer.ssrc, lost)
            datagrams += [(0, peer.ip, self._sessions[i].protect_rtcp(bytes(writer))) for _ in range(copies)]
        return datagrams, asked

    def _is_lost(self) -> bool:
        return self._random.random() < self._options.loss

    def blow(self, datagrams: Sequence[tuple[int, bytes, bytes]], repairs: int) -> tuple[int, int]:
        """Sends the NACKs at once. CPU ns of the worker until all is repaired, and the packets repaired."""
        workers = self._scene.workers
        before, cpu = workers.counters(), workers.cpu()
        load = Replay(self._scene.subscribers[0].sock, self._scene.home.address, datagrams)
        load.start()
        load.join()
        workers.wait("rtcp_in", before["rtcp_in"] + len(datagrams))
        workers.wait("rtx_out", before["rtx_out"] + repairs)
        workers.settle()
        return workers.cpu().since(cpu).total_ns, workers.count("rtx_out") - before["rtx_out"]


def measure(options: Options, library: str) -> NackFigures:
    """Takes about one second per trial with 1000 viewers."""
    spec = SceneSpec(options.viewers, options.k, PAYLOAD_BYTES, PROFILES[options.profile], one_port=True)
    sends: list[float] = []
    repairs: list[float] = []
    nacks = asked = repaired = 0
    with open_scene(spec) as scene:
        scene.subscribers[0].read_no_more()  # they share a socket
        stay_aside()
        storm = Storm(scene, options, seed=1)
        for turn in range(options.trials + 1):
            sent = _send(scene, options.bursts)
            datagrams, missing = storm.nacks()
            ns, made = storm.blow(datagrams, missing)
            if turn == 0 or missing == 0:  # the first is to warm up
                continue
            sends.append(sent)
            repairs.append(ns / max(1, made))
            nacks, asked, repaired = nacks + len(datagrams), asked + missing, repaired + made
        _send(scene, options.bursts)
        datagrams, asked_twice = storm.nacks(copies=2)
        _, made = storm.blow(datagrams, asked_twice)
    return NackFigures(
        machine=machine(),
        options=options,
        backend_used=library,
        send_ns_per_packet=statistics.median(sends),
        send_k=options.k,
        repair_ns_per_packet=statistics.median(repairs),
        ratio=statistics.median(repair / send for repair, send in zip(repairs, sends, strict=True)),
        nacks=nacks,
        asked=asked,
        repaired=repaired,
        asked_twice=asked_twice,
        repaired_twice=made - asked_twice,
    )


def _send(scene: Scene, bursts: int) -> float:
    """CPU ns of the worker per packet forwarded."""
    sent, cpu = scene.workers.count("rtp_out"), scene.workers.cpu()
    for _ in range(bursts):
        scene.forward()
    scene.workers.settle()
    return scene.workers.cpu().since(cpu).total_ns / (scene.workers.count("rtp_out") - sent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    return run("bench.nack", DESCRIPTION, Options, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
