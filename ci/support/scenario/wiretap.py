"""Records all datagrams of the cores and checks their invariants."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from fanwire.fastpath.messages import SrtpProfile
from fanwire.fastpath.testing import probes


def extend(highest: int, seq16: int) -> int:
    """The number nearest to `highest` whose low 16 bits are `seq16` (RFC 3711 section 3.3.1)."""
    distance = (seq16 - highest) & 0xFFFF
    return highest + (distance - 0x10000 if distance >= 0x8000 else distance)


@dataclass
class Sent:
    """One SSRC under one key: the protected packets and the RTP timestamps by extended sequence number."""

    highest: int = -1
    packets: dict[int, bytes] = field(default_factory=dict)
    timestamps: dict[int, int] = field(default_factory=dict)

    def holes(self) -> list[int]:
        """Missing numbers."""
        return [] if not self.packets else [n for n in range(min(self.packets), self.highest) if n not in self.packets]


class Wiretap:
    """Everything sent, by the key that protects it. Fails at once if two packets share a nonce."""

    def __init__(self) -> None:
        self.streams: defaultdict[tuple[bytes, int], Sent] = defaultdict(Sent)
        self.compounds: dict[tuple[bytes, int, int], bytes] = {}
        self.repair_ssrcs: set[int] = set()  # RTX: its timestamps are those of the retransmitted packets
        self.missing: set[tuple[bytes, int, int]] = set()  # media that never reached a core: (key, SSRC, number)

    def see(self, key: bytes, profile: SrtpProfile, data: bytes) -> None:
        kind = probes.demux(data)
        if kind == "rtp":
            self._see_rtp(key, data)
        elif kind == "rtcp":
            self._see_rtcp(key, profile, data)

    def _see_rtp(self, key: bytes, data: bytes) -> None:
        header = probes.rtp_header(data)
        assert header is not None
        sent = self.streams[key, header["ssrc"]]
        number = header["seq16"] if sent.highest < 0 else extend(sent.highest, header["seq16"])
        assert sent.packets.setdefault(number, data) == data, f"nonce reused: SSRC {header['ssrc']:#x} number {number}"
        sent.timestamps.setdefault(number, header["timestamp"])
        sent.highest = max(sent.highest, number)

    def _see_rtcp(self, key: bytes, profile: SrtpProfile, data: bytes) -> None:
        # The index is the last word (RFC 7714 section 9.2), or before the tag of 10 bytes (RFC 3711 section 3.4).
        end = len(data) - (10 if profile is SrtpProfile.AES128_CM_SHA1_80 else 0)
        index = int.from_bytes(data[end - 4 : end], "big") & 0x7FFFFFFF
        nonce = (key, int.from_bytes(data[4:8], "big"), index)
        assert self.compounds.setdefault(nonce, data) == data, f"RTCP nonce reused: {nonce}"

    def check(self) -> None:
        """At the end: sequence numbers without gaps, except one for each packet that never reached a core, and
        timestamps that never go back."""
        holes = {ssrc: sent.holes() for (_, ssrc), sent in self.streams.items() if sent.holes()}
        assert all(len(missing) <= len(self.missing) for missing in holes.values()), holes
        for (_, ssrc), sent in self.streams.items():
            if ssrc in self.repair_ssrcs:
                continue
            times = [sent.timestamps[number] for number in sorted(sent.timestamps)]
            steps = [(after - before) & 0xFFFFFFFF for before, after in itertools.pairwise(times)]
            assert all(step < 0x80000000 for step in steps), f"timestamps of {ssrc:#x} go back"
