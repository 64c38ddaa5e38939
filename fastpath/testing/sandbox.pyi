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
    """One worker's core. Keeps its datagrams, punts, relayed records and reports until they are taken.

    `now_us` is microseconds of the caller's clock, from 1, and never goes back. A round is any number of submit(),
    receive() and receive_relayed(), then one flush().
    """

    def __init__(self, **options: int) -> None:
        """Takes the fields of a CoreConfig. Defaults: a small pool and a fixed hash seed."""

    def submit(self, command: Command, now_us: int) -> Result:
        """Executes a command at once. Raises as border.encode() does."""

    def receive(self, path: Path, data: bytes, now_us: int) -> None:
        """Receives a datagram over `path`."""

    def receive_relayed(self, record: Relayed, now_us: int) -> None:
        """Receives a record that another sandbox relayed."""

    def flush(self, now_us: int) -> None:
        """Ends a round."""

    def note_round(self, us: int) -> None:
        """Sets the duration of the last round that forwarded media, in µs."""

    def next_us(self) -> int | None:
        """Returns the time of the next flush() without input; None: never."""

    def take_sent(self) -> list[tuple[Path, bytes]]:
        """Returns the datagrams sent since the last call; GSO messages are split."""

    def take_punts(self) -> list[Punt]: ...
    def take_relayed(self) -> list[Relayed]: ...
    def take_changes(self) -> list[TransportChange]: ...
    def counters(self) -> dict[str, int]:
        """Every counter of the core by name."""
