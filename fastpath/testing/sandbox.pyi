from dataclasses import dataclass

from ..messages import Command, Path, Punt, Result, TransportChange

@dataclass(frozen=True)
class Handed:
    """What one core hands to another: a packet, a sender report or a wish for a keyframe, as the core wrote it."""

    worker: int
    kind: int
    head: bytes
    body: bytes

class Sandbox:
    """One worker's core. What it sends, punts, hands over and tells is kept until it is taken.

    `now_us` is microseconds of the caller's clock, from 1, and never goes back. A round is any number of submit(),
    receive() and hand(), then one flush().
    """

    def __init__(
        self,
        *,
        pool_packets: int = 1024,
        max_transports: int = 4096,
        max_ssrcs: int = 64,
        instant_join_us: int = 3_000_000,
        coalesce_us: int = 0,
        max_gso_segments: int = 128,
        hash_seed: int = 1,
    ) -> None: ...
    def submit(self, command: Command, now_us: int) -> Result:
        """Carries out a command at once. Raises as border.encode() does."""

    def receive(self, path: Path, data: bytes, now_us: int) -> None:
        """A datagram that came over `path`."""

    def hand(self, record: Handed, now_us: int) -> None:
        """A record that another sandbox handed to this one."""

    def flush(self, now_us: int) -> None:
        """Ends a round."""

    def spent(self, us: int) -> None:
        """Says how long the last round took that forwarded media."""

    def next_us(self) -> int | None:
        """When flush() is to be called though nothing has come; None for never."""

    def take_sent(self) -> list[tuple[Path, bytes]]:
        """The datagrams sent since the last call, GSO messages cut up."""

    def take_punts(self) -> list[Punt]: ...
    def take_handed(self) -> list[Handed]: ...
    def take_changes(self) -> list[TransportChange]: ...
    def counters(self) -> dict[str, int]:
        """Every counter of the core by name."""
