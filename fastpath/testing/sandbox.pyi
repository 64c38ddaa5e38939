from dataclasses import dataclass

from ..messages import Command, Path, Punt, Result, TransportChange

@dataclass(frozen=True)
class Relayed:
    """A record of one core for another: a packet, a sender report or a keyframe request, as the core wrote it."""

    worker: int
    kind: int
    head: bytes
    body: bytes

class Sandbox:
    """One worker's core. What it sends, punts, relays and reports is kept until it is taken.

    `now_us` is microseconds of the caller's clock, from 1, and never goes back. A round is any number of submit(),
    receive() and receive_relayed(), then one flush().
    """

    def __init__(self, **options: int) -> None:
        """Takes the fields of a CoreConfig. The pool is small and the hash seed fixed where nothing else is asked."""

    def submit(self, command: Command, now_us: int) -> Result:
        """Carries out a command at once. Raises as border.encode() does."""

    def receive(self, path: Path, data: bytes, now_us: int) -> None:
        """A datagram that came over `path`."""

    def receive_relayed(self, record: Relayed, now_us: int) -> None:
        """Receives a record that another sandbox relayed."""

    def flush(self, now_us: int) -> None:
        """Ends a round."""

    def note_round(self, us: int) -> None:
        """Says how long the last round took that forwarded media."""

    def next_us(self) -> int | None:
        """When flush() is to be called though nothing has come; None for never."""

    def take_sent(self) -> list[tuple[Path, bytes]]:
        """The datagrams sent since the last call, GSO messages cut up."""

    def take_punts(self) -> list[Punt]: ...
    def take_relayed(self) -> list[Relayed]: ...
    def take_changes(self) -> list[TransportChange]: ...
    def counters(self) -> dict[str, int]:
        """Every counter of the core by name."""
