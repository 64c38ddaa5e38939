"""Counts the packets that many sockets receive, without the GIL, for load tests and benchmarks."""

from socket import socket
from typing import Self, TypedDict, type_check_only

@type_check_only
class Tally(TypedDict):
    packets: int
    bytes: int  # of UDP payload
    rtp: int  # packets by their first bytes (RFC 7983); the five kinds sum to all packets
    rtcp: int
    stun: int
    dtls: int
    unknown: int
    overflow: int  # packets dropped by the kernel at a full socket buffer; not counted above
    strays: int  # RTP beyond the SSRCs tracked per socket, or too short for an SSRC
    first_rtp_us: int  # CLOCK_MONOTONIC at the read of the first RTP packet; 0: none
    first_marked_us: int  # same for the first RTP packet with the marker bit, the end of a frame
    streams: dict[int, tuple[int, int]]  # by SSRC: packets, and packets not numbered one above the previous one

class PacketCounter:
    """A thread, within its `with` block, that reads up to `capacity` sockets and counts their packets.

    Python gets the datagrams that are neither RTP nor RTCP, and all datagrams of sockets added with `keep`. Leaving
    closes the sockets. All methods must be called on one Python thread.
    """

    def __init__(self, capacity: int) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def add(self, sock: socket, *, keep: bool = False) -> int:
        """Takes ownership of this UDP socket and reads it from now on. Returns its number in this counter."""

    def rest(self, index: int) -> None:
        """Stops reading this socket; datagrams then fill its buffer. Raises ValueError if it is not read."""

    def fileno(self) -> int:
        """A file descriptor that is readable while datagrams are kept for Python."""

    def read(self) -> list[tuple[int, bytes]]:
        """Returns the datagrams kept since the last call, each with the number of its socket."""

    @property
    def lost(self) -> int:
        """Datagrams that were counted but not kept, because the buffer was full."""

    def tally(self, index: int) -> Tally:
        """Returns the tally of one socket so far."""
