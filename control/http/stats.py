"""A session's statistics under the names of the W3C's webrtc-stats, from the server's view."""

from __future__ import annotations

import time
from typing import Any

from ..media.engine import Kind, StreamStatistics, TransportState, TransportStatistics
from ..session.session import Session

Stats = dict[str, Any]

_ICE_STATES = {
    TransportState.NEW: "new",
    TransportState.CHECKED: "connected",
    TransportState.KEYED: "connected",
    TransportState.CLOSED: "closed",
}
_DTLS_STATES = {
    TransportState.NEW: "new",
    TransportState.CHECKED: "connecting",
    TransportState.KEYED: "connected",
    TransportState.CLOSED: "closed",
}


def report(session: Session, statistics: TransportStatistics) -> list[Stats]:
    """The objects of the transport, its path, and each stream in both directions. Times are in seconds."""
    found = [_transport(session, statistics), *_path(session, statistics)]
    for stream in statistics.streams:
        found += _outbound(stream) if stream.outbound else [_inbound(stream)]
    timestamp = time.time() * 1000
    return [{**stats, "timestamp": timestamp} for stats in found]


def _transport(session: Session, statistics: TransportStatistics) -> Stats:
    stats: Stats = {
        "type": "transport",
        "id": "transport",
        "iceState": _ICE_STATES[statistics.state],
        "dtlsState": _DTLS_STATES[statistics.state],
        "iceRole": "controlled",
    }
    if session.path is not None:
        stats["selectedCandidatePairId"] = "candidate-pair"
    if session.srtp_profile is not None:
        stats["srtpCipher"] = session.srtp_profile.name
    return stats


def _path(session: Session, statistics: TransportStatistics) -> list[Stats]:
    if session.path is None:
        return []
    pair: Stats = {
        "type": "candidate-pair",
        "id": "candidate-pair",
        "transportId": "transport",
        "localCandidateId": "local-candidate",
        "remoteCandidateId": "remote-candidate",
        "state": "succeeded",
    }
    if statistics.rtt_us:
        pair["currentRoundTripTime"] = statistics.rtt_us / 1e6
    if statistics.remb_bps:
        pair["availableOutgoingBitrate"] = statistics.remb_bps
    ends = {"local-candidate": session.path.local, "remote-candidate": session.path.remote}
    candidates: list[Stats] = [
        {
            "type": end,
            "id": end,
            "transportId": "transport",
            "address": ip,
            "port": port,
            "protocol": session.path.protocol,
        }
        for end, (ip, port) in ends.items()
    ]
    return [pair, *candidates]


def _inbound(stream: StreamStatistics) -> Stats:
    """The object of a stream that the peer sends: one for each encoding."""
    stats = _stream("inbound-rtp", stream) | {
        "packetsReceived": stream.packets,
        "bytesReceived": stream.bytes,
        "retransmittedPacketsReceived": stream.repaired_packets,
        "packetsLost": stream.lost,
        "jitter": _jitter_s(stream),
        "nackCount": stream.nacks,
    }
    if stream.kind is Kind.VIDEO:
        stats |= {
            "pliCount": stream.plis,
            "keyFramesReceived": stream.keyframes,
            "framesReceived": stream.frames,
            "freezeCount": stream.freezes,
            "totalFreezesDuration": stream.frozen_us / 1e6,
        }
        if stream.width:
            stats |= {"frameWidth": stream.width, "frameHeight": stream.height}
    return stats


def _outbound(stream: StreamStatistics) -> list[Stats]:
    """The objects of a stream that the server sends, and of the peer's reports on it."""
    sent = _stream("outbound-rtp", stream)
    remote_id = f"remote-{sent['id']}"
    sent |= {
        "packetsSent": stream.packets,
        "bytesSent": stream.bytes,
        "retransmittedPacketsSent": stream.repaired_packets,
        "nackCount": stream.nacks,
        "remoteId": remote_id,
    }
    if stream.kind is Kind.VIDEO:
        sent["pliCount"] = stream.plis
    remote: Stats = {
        "type": "remote-inbound-rtp",
        "id": remote_id,
        "kind": sent["kind"],
        "ssrc": stream.ssrc,
        "localId": sent["id"],
        "transportId": "transport",
        "packetsLost": stream.lost,
        "fractionLost": stream.fraction_lost,
        "jitter": _jitter_s(stream),
    }
    if stream.rtt_us:
        remote["roundTripTime"] = stream.rtt_us / 1e6
    return [sent, remote]


def _stream(kind_of_stats: str, stream: StreamStatistics) -> Stats:
    encoding = f"-{stream.encoding}" if stream.encoding is not None and not stream.outbound else ""
    stats: Stats = {
        "type": kind_of_stats,
        "id": f"{kind_of_stats}-{stream.id}{encoding}",
        "transportId": "transport",
        "kind": stream.kind.name.lower(),
        "ssrc": stream.ssrc,
        "mimeType": f"{stream.kind.name.lower()}/{stream.codec.name}",
    }
    if stream.encoding is not None:
        stats["encodingIndex"] = stream.encoding
    return stats


def _jitter_s(stream: StreamStatistics) -> float:
    return stream.jitter_ticks / stream.clock_rate_hz if stream.clock_rate_hz else 0.0
