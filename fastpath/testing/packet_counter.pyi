"""Counts what many sockets receive, without the GIL: for load tests and benchmarks."""

from socket import socket
from typing import Self, TypedDict, type_check_only

@type_check_only
class Tally(TypedDict):
    packets: int
    bytes: int  # of UDP payload
    rtp: int  # packets by what their first bytes say; the five are all packets
    rtcp: int
    stun: int
    dtls: int
    unknown: int
    overflow: int  # what the kernel dropped because the socket's buffer was full; not among the packets
    strays: int  # RTP of more SSRCs than are followed, or too short to have one
    first_rtp_us: int  # CLOCK_MONOTONIC when the first RTP was read, 0 for none
    first_marked_us: int  # the same of the first RTP with a marker, as the last packet of a frame has
    streams: dict[int, tuple[int, int]]  # by SSRC: packets, and those whose number did not follow the one before

class PacketCounter:
    """A thread, from entering to leaving, that reads up to `capacity` sockets and counts what arrives.

    Python gets the datagrams that are neither RTP nor RTCP, and all of the sockets that are kept. Leaving closes the
    sockets. All methods are for one thread of Python.
    """

    def __init__(self, capacity: int) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def add(self, sock: socket, *, keep: bool = False) -> int:
        """Reads this UDP socket from now on, and owns it. The number by which it is known here."""

    def rest(self, index: int) -> None:
        """Reads this socket no more; what comes fills its buffer. ValueError where it is not read."""

    def fileno(self) -> int:
        """Readable when there is something to read."""

    def read(self) -> list[tuple[int, bytes]]:
        """The datagrams kept since the last time, each with the number of its socket."""

    @property
    def lost(self) -> int:
        """Datagrams that were counted, and should have been kept, when there was no room."""

    def tally(self, index: int) -> Tally:
        """What has come to one socket so far."""
