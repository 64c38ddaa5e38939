# cython: language_level=3
"""Puts the commands of messages.py into the core's structs, and the core's structs into the events of messages.py."""

import socket

from .messages import (
    AddConsumer,
    AddCopy,
    AddProducer,
    AddSource,
    AddTarget,
    BindConsumer,
    CheckPath,
    CloseReason,
    CloseTransport,
    Codec,
    FeedPacket,
    FeedReport,
    Kind,
    OpenTransport,
    Path,
    ReadStatistics,
    RemoveConsumer,
    RemoveProducer,
    RemoveTarget,
    RestartIce,
    Result,
    SendDatagram,
    SetConsent,
    SetKeys,
    SetLayers,
    StreamStatistics,
    TransportChange,
    TransportState,
    TransportStatistics,
)

from libc.string cimport memcpy, memset

from .core cimport *


def encode(command, uint32_t ticket):
    """The record for one command: (bytes of its struct, bytes that follow it).

    Raises ValueError where a value does not fit, TypeError for what is not a command.
    """
    cdef fw_command_t out
    memset(&out, 0, sizeof(out))
    out.ticket = ticket
    tail = b""
    try:
        tail = _ENCODERS[type(command)](command, <size_t>&out) or b""
    except KeyError:
        raise TypeError(f"not a command: {command!r}") from None
    return (<const uint8_t *>&out)[:sizeof(out)], tail


cdef uint8_t put_text(char *out, Py_ssize_t room, str text, str what) except? 255:
    data = text.encode()
    if len(data) > room:
        raise ValueError(f"{what} is longer than {room} bytes: {text!r}")
    memcpy(out, <const char *>data, len(data))
    return len(data)


cdef uint8_t feedback_bits(object pt):
    return (
        (FW_FB_NACK if pt.nack else 0)
        | (FW_FB_PLI if pt.pli else 0)
        | (FW_FB_FIR if pt.fir else 0)
        | (FW_FB_TRANSPORT_CC if pt.transport_cc else 0)
        | (FW_FB_REMB if pt.remb else 0)
    )


cdef int put_media(fw_media_t *out, object spec) except -1:
    if len(spec.payload_types) > FW_FORMATS:
        raise ValueError(f"more than {FW_FORMATS} payload types of one medium")
    out.kind = spec.kind
    out.format_count = len(spec.payload_types)
    out.reduced_size = spec.reduced_size_rtcp
    out.mid_len = put_text(out.mid, FW_MID_BYTES, spec.mid, "mid")
    for i, pt in enumerate(spec.payload_types):
        out.formats[i].clock_hz = pt.clock_rate_hz
        out.formats[i].pt = pt.pt
        out.formats[i].rtx_pt = FW_NO_PT if pt.rtx_pt is None else pt.rtx_pt
        out.formats[i].codec = pt.codec
        out.formats[i].feedback = feedback_bits(pt)
    for extension, number in spec.extensions.items():
        out.ext_ids[<int>extension] = number
    return 0


def _open_transport(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    _restart_ice(command, address)
    out.kind = FW_OPEN_TRANSPORT
    out.u.ice.consent_us = command.consent_us
    out.u.ice.connect_us = command.connect_us
    out.u.ice.publish_bps = command.publish_bps
    out.u.ice.sctp_records_per_s = command.sctp_records_per_s
    out.u.ice.sctp_bytes_per_s = command.sctp_bytes_per_s
    out.u.ice.rtcp_ssrc = command.rtcp_ssrc
    out.u.ice.first_transport_cc = command.first_transport_cc


def _restart_ice(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_RESTART_ICE
    out.id = getattr(command, "transport", 0)
    out.u.ice.ufrag_len = put_text(out.u.ice.ufrag, FW_UFRAG_BYTES, command.ufrag, "ufrag")
    out.u.ice.pwd_len = put_text(out.u.ice.pwd, FW_PWD_BYTES, command.pwd, "pwd")
    if len(command.peer_ufrag.encode()) <= FW_UFRAG_BYTES and len(command.peer_pwd.encode()) <= FW_PWD_BYTES:
        out.u.ice.peer_ufrag_len = put_text(out.u.ice.peer_ufrag, FW_UFRAG_BYTES, command.peer_ufrag, "peer_ufrag")
        out.u.ice.peer_pwd_len = put_text(out.u.ice.peer_pwd, FW_PWD_BYTES, command.peer_pwd, "peer_pwd")


def _check_path(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    cdef fw_path_t *path = &out.u.check.path
    host, number = command.remote
    cdef bytes ip = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    out.kind = FW_CHECK_PATH
    out.id = command.transport
    out.u.check.ufrag_len = put_text(out.u.check.ufrag, FW_UFRAG_BYTES, command.ufrag, "ufrag")
    out.u.check.pwd_len = put_text(out.u.check.pwd, FW_PWD_BYTES, command.pwd, "pwd")
    out.u.check.tie_breaker = command.tie_breaker
    memcpy(path.remote.ip, <const char *>ip, len(ip))
    path.family = path.remote.family = 6 if len(ip) == 16 else 4
    path.remote.port = number
    path.serial = command.port


def _set_keys(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    cdef bytes local = command.local
    cdef bytes remote = command.remote
    length = command.profile.key_bytes + command.profile.salt_bytes
    if len(local) != length or len(remote) != length:
        raise ValueError(f"{command.profile.name} takes {length} bytes of key and salt each way")
    out.kind = FW_SET_KEYS
    out.id = command.transport
    out.u.keys.profile = command.profile
    memcpy(out.u.keys.local, <const char *>local, length)
    memcpy(out.u.keys.remote, <const char *>remote, length)


def _set_consent(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_SET_CONSENT
    out.id = command.transport
    out.u.consent.consent_us = command.consent_us


def _send_datagram(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_SEND_DATAGRAM
    out.id = command.transport
    return command.data


def _close_transport(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_CLOSE_TRANSPORT
    out.id = command.transport


def _add_producer(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    spec = command.spec
    if not 1 <= len(spec.encodings) <= FW_ENCODINGS:
        raise ValueError(f"a producer has 1 to {FW_ENCODINGS} encodings, not {len(spec.encodings)}")
    out.kind = FW_ADD_PRODUCER
    put_media(&out.u.producer.media, spec)
    out.u.producer.encoding_count = len(spec.encodings)
    for i, encoding in enumerate(spec.encodings):
        out.u.producer.encodings[i].rid_len = put_text(out.u.producer.encodings[i].rid, FW_RID_BYTES, encoding.rid, "rid")
        if isinstance(command, AddProducer):
            out.u.producer.encodings[i].ssrc = encoding.ssrc
            out.u.producer.encodings[i].rtx_ssrc = encoding.rtx_ssrc
    if isinstance(command, AddProducer):
        out.id = command.transport
    elif isinstance(command, AddSource):
        out.u.producer.home_id = 1  # it is a copy like others, but nobody's
        out.u.producer.home_worker = FW_NO_WORKER
    else:
        out.u.producer.home_id = command.home_id
        out.u.producer.home_worker = command.home_worker


def _feed_packet(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_FEED_PACKET
    out.id = command.producer
    return command.packet


def _feed_report(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_FEED_REPORT
    out.id = command.producer
    out.u.report.ntp = command.ntp
    out.u.report.timestamp = command.timestamp


def _remove_producer(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_REMOVE_PRODUCER
    out.id = command.producer


def _target(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_ADD_RELAY_TARGET if isinstance(command, AddTarget) else FW_REMOVE_RELAY_TARGET
    out.id = command.producer
    out.u.relay_target.copy_id = command.copy
    out.u.relay_target.worker = command.worker


def _add_consumer(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    spec = command.spec
    out.kind = FW_ADD_CONSUMER
    out.id = command.transport
    put_media(&out.u.consumer.media, spec)
    out.u.consumer.ssrc = spec.ssrc
    out.u.consumer.rtx_ssrc = spec.rtx_ssrc
    out.u.consumer.first_timestamp = command.first_timestamp
    out.u.consumer.first_seq16 = command.first_seq16
    out.u.consumer.first_rtx_seq16 = command.first_rtx_seq16
    out.u.consumer.mixed_extensions = spec.mixed_extensions
    out.u.consumer.cname_len = put_text(out.u.consumer.cname, FW_CNAME_BYTES, spec.cname, "cname")


def _bind_consumer(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_BIND_CONSUMER
    out.id = command.consumer
    out.u.bind.producer_id = command.producer
    out.u.bind.same_clock = command.same_clock
    memset(out.u.bind.formats, FW_NO_PT, FW_FORMATS)
    for i, mapped in enumerate(command.formats[:FW_FORMATS]):
        if mapped is not None:
            out.u.bind.formats[i] = mapped


def _set_layers(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_SET_LAYERS
    out.id = command.consumer
    out.u.layers.encoding = FW_HIGHEST if command.encoding is None else command.encoding
    out.u.layers.spatial = FW_HIGHEST if command.spatial is None else command.spatial
    out.u.layers.temporal = FW_HIGHEST if command.temporal is None else command.temporal


def _remove_consumer(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_REMOVE_CONSUMER
    out.id = command.consumer


def _read_statistics(command, size_t address):
    cdef fw_command_t *out = <fw_command_t *>address
    out.kind = FW_READ_STATS
    out.id = command.transport


_ENCODERS = {
    OpenTransport: _open_transport,
    RestartIce: _restart_ice,
    CheckPath: _check_path,
    SetKeys: _set_keys,
    SetConsent: _set_consent,
    SendDatagram: _send_datagram,
    CloseTransport: _close_transport,
    AddProducer: _add_producer,
    AddCopy: _add_producer,
    AddSource: _add_producer,
    FeedPacket: _feed_packet,
    FeedReport: _feed_report,
    RemoveProducer: _remove_producer,
    AddTarget: _target,
    RemoveTarget: _target,
    AddConsumer: _add_consumer,
    BindConsumer: _bind_consumer,
    SetLayers: _set_layers,
    RemoveConsumer: _remove_consumer,
    ReadStatistics: _read_statistics,
}


def decode_result(const uint8_t[::1] record):
    """The Result in a record: the core's fw_result_t, then perhaps statistics."""
    cdef fw_result_t result
    memcpy(&result, &record[0], sizeof(result))
    statistics = None
    if record.shape[0] > <Py_ssize_t>sizeof(result):
        statistics = decode_statistics(record[sizeof(result):])
    return Result(result.ticket, result.id, result.error, statistics)


def decode_statistics(const uint8_t[::1] record):
    """The TransportStatistics in a record: fw_transport_stats_t, then its streams."""
    cdef fw_transport_stats_t transport
    cdef fw_stream_stats_t s
    cdef Py_ssize_t i
    memcpy(&transport, &record[0], sizeof(transport))
    streams = []
    for i in range(<Py_ssize_t>transport.stream_count):
        memcpy(&s, &record[sizeof(transport) + i * sizeof(s)], sizeof(s))
        streams.append(
            StreamStatistics(
                id=s.id,
                outbound=s.outbound != 0,
                kind=Kind(s.kind),
                codec=Codec(s.codec),
                encoding=None if s.encoding == 0xFF else s.encoding,
                target=None if s.target == 0xFF else s.target,
                spatial=None if s.spatial == FW_NO_LAYER else s.spatial,
                temporal=None if s.temporal == FW_NO_LAYER else s.temporal,
                target_spatial=s.target_spatial,
                target_temporal=s.target_temporal,
                sizes=tuple([(size.width, size.height) for size in s.sizes if size.width]),
                ssrc=s.ssrc,
                packets=s.packets,
                bytes=s.bytes,
                repaired_packets=s.repaired_packets,
                recovered_packets=s.recovered,
                lost=s.lost,
                fraction_lost=s.fraction_lost / 256,
                jitter_ticks=s.jitter_ticks,
                clock_rate_hz=s.clock_hz,
                rtt_us=s.rtt_us,
                nacks=s.nacks,
                plis=s.plis,
                keyframes=s.keyframes,
                width=s.width,
                height=s.height,
                frames=s.frames,
                freezes=s.freezes,
                frozen_us=s.frozen_us,
                still_us=s.still_us,
                longest_still_us=s.longest_still_us,
                capture_delay_us=s.capture_delay_us or None,
            )
        )
    return TransportStatistics(
        transport.id, TransportState(transport.state), transport.rtt_us, transport.remb_bps, tuple(streams)
    )


cdef str ip_text(const uint8_t *ip, uint8_t family):
    if family == 6:
        return socket.inet_ntop(socket.AF_INET6, ip[:16])
    return socket.inet_ntop(socket.AF_INET, ip[:4])


def decode_change(const uint8_t[::1] record, local_port):
    """The TransportChange in an fw_transport_change_t; `local_port(socket, port)` tells the number of a worker's socket, or of
    its own port where that is not 0."""
    cdef fw_transport_change_t change
    memcpy(&change, &record[0], sizeof(change))
    path = None
    if change.path.family != 0:
        path = Path(
            (ip_text(change.path.remote.ip, change.path.family), change.path.remote.port),
            (ip_text(change.path.local_ip, change.path.family), local_port(change.path.socket, 0 if change.path.stream else change.path.serial)),
            "tcp" if change.path.stream else "udp",
        )
    kinds = frozenset(kind for kind in Kind if change.kinds_with_media >> kind & 1)
    return TransportChange(change.id, TransportState(change.state), CloseReason(change.reason), path, kinds)


def counter_names():
    """The names of the core's counters, in the order of its block."""
    return tuple(fw_counter_names[i].decode() for i in range(FW_COUNTER_COUNT))
