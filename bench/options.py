"""What bench.fanout is asked to measure, and its command line."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from fanwire.fastpath.messages import SrtpProfile

from . import backend
from .media import HEADER_BYTES, LEAST_PAYLOAD_BYTES, Audio, Video
from .peers import LONGEST_BURST_BYTES
from .stage import Scene

PROFILES = {
    "gcm128": SrtpProfile.AEAD_AES_128_GCM,
    "gcm256": SrtpProfile.AEAD_AES_256_GCM,
    "cm80": SrtpProfile.AES128_CM_SHA1_80,
}
LIVE = {"video": Video, "audio": Audio}
FEW_ROUNDS = 20
LARGEST_PAYLOAD_BYTES = 1400
LEAST_BPS, MOST_BPS = 100_000, 50_000_000
LONGEST_S = 60
MOST_SUBSCRIBERS = 60_000  # addresses from 127.1.0.1 on
MOST_WORKERS = 16
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure; the help of the command line says what each means."""

    subscribers: int = 1000
    k: int = 8
    payload_bytes: int = 1200
    profile: str = "gcm128"
    backend: str = "auto"
    workers: int = 1
    rounds: int = FEW_ROUNDS
    packets: int = 100_000
    verify_subscribers: int = 20
    live: str | None = None
    bps: int = 3_000_000
    seconds: int = 10

    @property
    def bursts(self) -> int:
        """Of one pass."""
        return max(1, self.packets // (self.subscribers * self.k))

    def scene(self, *, crowd: int, workers: int) -> Scene:
        """What is set up to measure it."""
        stream = LIVE[self.live] if self.live else Video
        return Scene(crowd, self.k, self.payload_bytes, PROFILES[self.profile], workers, stream)

    def problem(self) -> str | None:
        """Why this cannot be measured, in words for the user, or None."""
        bounds = {
            "subscribers": (1, MOST_SUBSCRIBERS),
            "verify_subscribers": (1, MOST_SUBSCRIBERS),
            "workers": (1, min(MOST_WORKERS, self.subscribers)),
            "rounds": (1, None),
            "payload_bytes": (LEAST_PAYLOAD_BYTES, LARGEST_PAYLOAD_BYTES),
            "bps": (LEAST_BPS, MOST_BPS),
            "seconds": (1, LONGEST_S),
        }
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if value < least or (most is not None and value > most):
                upper = "" if most is None else f" to {most}"
                return f"--{name.replace('_', '-')} goes from {least}{upper}"
        most = LONGEST_BURST_BYTES // (self.payload_bytes + HEADER_BYTES + TAG_BYTES)
        if not 1 <= self.k <= most:
            return f"--k goes from 1 to {most} with payloads of that size: a burst comes in as one GSO message"
        return None


def parse(description: str, arguments: Sequence[str] | None) -> tuple[Options, bool]:
    """The options, and whether JSON is wanted. Ends the process where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.fanout", description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    default = Options()

    def number(name: str, what: str) -> None:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(default, name), help=what)

    number("subscribers", "how many, each with an address of its own in 127/8")
    number("k", "packets per subscriber and flush: the publisher sends so many at once, then waits")
    number("payload_bytes", "RTP payload of each packet")
    parser.add_argument("--profile", choices=PROFILES, default=default.profile, help="SRTP profile")
    parser.add_argument("--backend", choices=backend.NAMES, default=default.backend, help="what encrypts")
    number("workers", "worker threads that share the subscribers; where there are several, one alone has passes too")
    number("rounds", f"rounds of one pass of the worker and one of the floor; under {FEW_ROUNDS} says little")
    number("packets", "packets forwarded in a pass, about")
    number("verify_subscribers", "subscribers of the pass that receives and decrypts")
    parser.add_argument(
        "--live",
        choices=LIVE,
        help="in real time instead: video at --bps in bursts as Chromium's pacer makes them, or 50 packets of audio "
        "a second with 100 bytes each; tells latency, and takes no floor",
    )
    number("bps", "bit rate of live video")
    number("seconds", "how long live media lasts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    found = vars(parser.parse_args(arguments))
    options = Options(**{field.name: found[field.name] for field in dataclasses.fields(Options)})
    if problem := options.problem():
        parser.error(problem)
    return options, found["json"]
