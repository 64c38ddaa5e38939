"""What bench.fanout is asked to measure, and its command line."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from fanwire.fastpath.messages import SrtpProfile

from .media import HEADER_BYTES, LEAST_PAYLOAD_BYTES
from .peers import LONGEST_BURST_BYTES

PROFILES = {
    "gcm128": SrtpProfile.AEAD_AES_128_GCM,
    "gcm256": SrtpProfile.AEAD_AES_256_GCM,
    "cm80": SrtpProfile.AES128_CM_SHA1_80,
}
FEW_ROUNDS = 20
LARGEST_PAYLOAD_BYTES = 1400
MOST_SUBSCRIBERS = 60_000  # addresses from 127.1.0.1 on
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure; the help of the command line says what each means."""

    subscribers: int = 1000
    k: int = 8
    payload_bytes: int = 1200
    profile: str = "gcm128"
    rounds: int = FEW_ROUNDS
    packets: int = 100_000
    verify_subscribers: int = 20

    @property
    def srtp(self) -> SrtpProfile:
        return PROFILES[self.profile]

    @property
    def bursts(self) -> int:
        """Of one pass."""
        return max(1, self.packets // (self.subscribers * self.k))

    def problem(self) -> str | None:
        """Why this cannot be measured, in words for the user, or None."""
        if not all(1 <= count <= MOST_SUBSCRIBERS for count in (self.subscribers, self.verify_subscribers)):
            return f"--subscribers and --verify-subscribers go from 1 to {MOST_SUBSCRIBERS}"
        if self.rounds < 1:
            return "--rounds goes from 1"
        if not LEAST_PAYLOAD_BYTES <= self.payload_bytes <= LARGEST_PAYLOAD_BYTES:
            return f"--payload-bytes goes from {LEAST_PAYLOAD_BYTES} to {LARGEST_PAYLOAD_BYTES}"
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
    number("rounds", f"rounds of one pass of the worker and one of the floor; under {FEW_ROUNDS} says little")
    number("packets", "packets forwarded in a pass, about")
    number("verify_subscribers", "subscribers of the pass that receives and decrypts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    found = vars(parser.parse_args(arguments))
    options = Options(**{field.name: found[field.name] for field in dataclasses.fields(Options)})
    if problem := options.problem():
        parser.error(problem)
    return options, found["json"]
