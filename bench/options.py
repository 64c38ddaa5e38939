"""The options of bench.fanout."""

from __future__ import annotations

from dataclasses import dataclass

from fanwire.fastpath.messages import SrtpProfile

from .command import backend_option, option
from .media import HEADER_BYTES, LEAST_PAYLOAD_BYTES, Audio, Video
from .peers import LONGEST_BURST_BYTES
from .scene import SceneSpec

PROFILES = {
    "gcm128": SrtpProfile.AEAD_AES_128_GCM,
    "gcm256": SrtpProfile.AEAD_AES_256_GCM,
    "cm80": SrtpProfile.AES128_CM_SHA1_80,
}
LIVE = {"video": Video, "audio": Audio}
FEW_TRIALS = 20
LARGEST_PAYLOAD_BYTES = 1400
LEAST_BPS, MOST_BPS = 100_000, 50_000_000
LONGEST_COALESCE_US = 5000
LONGEST_S = 60
MOST_SUBSCRIBERS = 60_000  # addresses from 127.1.0.1 on
MOST_WORKERS = 16
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Options:
    """Parameters of the measurement."""

    subscribers: int = option(1000, "how many, each with an address of its own in 127/8")
    k: int = option(8, "packets per subscriber and flush: the publisher sends so many at once, then waits")
    payload_bytes: int = option(1200, "RTP payload of each packet")
    profile: str = option("gcm128", "SRTP profile", PROFILES)
    backend: str = backend_option()
    workers: int = option(1, "threads that share the subscribers; where there are several, one alone has passes too")
    coalesce_us: int = option(0, "how long media may wait in a worker for more to go with")
    trials: int = option(FEW_TRIALS, "a pass of the workers and one of the floor is one; fewer say little")
    packets: int = option(100_000, "packets forwarded in a pass, about")
    verify_subscribers: int = option(20, "subscribers of the pass that receives and decrypts")
    live: str | None = option(
        None,
        "in real time instead: video at --bps in bursts as Chromium's pacer makes them, or 50 packets of audio a "
        "second with 100 bytes each; tells latency, and takes no floor",
        LIVE,
    )
    bps: int = option(3_000_000, "bit rate of live video")
    seconds: int = option(10, "how long live media lasts")

    @property
    def bursts(self) -> int:
        """Of one pass."""
        return max(1, self.packets // (self.subscribers * self.k))

    def scene_spec(self, *, crowd: int, workers: int) -> SceneSpec:
        """The scene that is set up for them."""
        stream = LIVE[self.live] if self.live else Video
        return SceneSpec(
            crowd, self.k, self.payload_bytes, PROFILES[self.profile], workers, stream, coalesce_us=self.coalesce_us
        )

    def problem(self) -> str | None:
        """The reason why these options cannot be measured, for the user, or None."""
        bounds = {
            "subscribers": (1, MOST_SUBSCRIBERS),
            "verify_subscribers": (1, MOST_SUBSCRIBERS),
            "workers": (1, min(MOST_WORKERS, self.subscribers)),
            "coalesce_us": (0, LONGEST_COALESCE_US),
            "trials": (1, None),
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
