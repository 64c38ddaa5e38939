/* Statistics of one transport and of its streams, as one snapshot. Names follow the W3C's WebRTC statistics. */
#ifndef FW_CORE_STATS_H
#define FW_CORE_STATS_H

#include "../state/core.h"

#define FW_STATISTICS_STREAMS 256 /* of one snapshot; later streams are left out */
#define FW_NO_LAYER 0xff

#define FW_SIZE_FIELDS(X, S)      \
    X(S, NUMBER, uint16_t, width) \
    X(S, NUMBER, uint16_t, height)

#define FW_TRANSPORT_STATISTICS_FIELDS(X, S)                               \
    X(S, NUMBER, uint64_t, id)                                             \
    X(S, NUMBER, uint32_t, state)    /* fw_transport_state_t */            \
    X(S, NUMBER, uint32_t, rtt_us)   /* to the viewer, 0 while unknown */  \
    X(S, NUMBER, uint64_t, remb_bps) /* the peer's estimate, 0 for none */ \
    X(S, HIDDEN, uint64_t, stream_count)
FW_STRUCT(fw_transport_statistics_t, FW_TRANSPORT_STATISTICS_FIELDS);

/* One encoding of a producer (inbound), or one consumer (outbound). */
#define FW_STREAM_STATISTICS_FIELDS(X, S)                                                                                \
    X(S, NUMBER, uint64_t, id) /* of the producer or consumer */                                                         \
    X(S, NUMBER, uint64_t, packets)                                                                                      \
    X(S, NUMBER, uint64_t, bytes)              /* outbound: of payload; inbound: of packets */                           \
    X(S, NUMBER, uint64_t, repaired_packets)   /* retransmissions sent or received */                                    \
    X(S, NUMBER, int64_t, lost)                /* packets; outbound: as the viewer reports */                            \
    X(S, NUMBER, uint64_t, frames)             /* inbound video: decodable frames, see stream/frames.h */                \
    X(S, NUMBER, uint64_t, frozen_us)                                                                                    \
    X(S, NUMBER, uint64_t, still_us)           /* since the last frame */                                                \
    X(S, NUMBER, uint64_t, longest_still_us)   /* between two frames, or since the last */                               \
    X(S, OPTIONAL, int64_t, capture_delay_us, 0) /* from abs-capture-time, counted from 1900, to the worker's clock */   \
    X(S, NUMBER, uint32_t, ssrc)                                                                                         \
    X(S, NUMBER, uint32_t, jitter_ticks)                                                                                 \
    X(S, NUMBER, uint32_t, clock_rate_hz)                                                                                \
    X(S, NUMBER, uint32_t, rtt_us)                                                                                       \
    X(S, NUMBER, uint32_t, nacks)                                                                                        \
    X(S, NUMBER, uint32_t, plis)                                                                                         \
    X(S, NUMBER, uint32_t, keyframes)                                                                                    \
    X(S, NUMBER, uint32_t, freezes)            /* of more than half a second */                                          \
    X(S, NUMBER, uint32_t, recovered_packets)  /* inbound: those of `lost` that a retransmission has brought */          \
    X(S, NUMBER, uint16_t, width)                                                                                        \
    X(S, NUMBER, uint16_t, height)                                                                                       \
    X(S, NUMBER, uint8_t, outbound)            /* 1 for a consumer */                                                    \
    X(S, NUMBER, uint8_t, kind)                                                                                          \
    X(S, NUMBER, uint8_t, codec)                                                                                         \
    X(S, FRACTION, uint8_t, fraction_lost)     /* of the viewer's last report */                                         \
    X(S, OPTIONAL, uint8_t, encoding, FW_HIGHEST) /* inbound: its index; outbound: the one that flows */                 \
    X(S, OPTIONAL, uint8_t, target, FW_HIGHEST)   /* outbound: the encoding that is to flow */                           \
    X(S, OPTIONAL, uint8_t, spatial, FW_NO_LAYER) /* outbound: highest layers that flow, FW_LAYERS_ALL for no limit; */  \
    X(S, OPTIONAL, uint8_t, temporal, FW_NO_LAYER) /* inbound: highest that come, FW_NO_LAYER where packets name none */ \
    X(S, NUMBER, uint8_t, target_spatial)      /* outbound: the highest layers that are to flow */                       \
    X(S, NUMBER, uint8_t, target_temporal)                                                                               \
    X(S, LIST, fw_size_t, sizes, FW_SPATIALS)  /* inbound: of the spatial layers whose size the stream names */
FW_STRUCT(fw_stream_statistics_t, FW_STREAM_STATISTICS_FIELDS);

typedef struct {
    fw_transport_statistics_t transport;
    fw_stream_statistics_t streams[FW_STATISTICS_STREAMS];
} fw_statistics_t;

/* Answers FW_READ_STATISTICS, whose result is followed by the first `bytes` bytes of `out`; none where the id is stale. */
fw_result_t fw_statistics_read(const fw_core_t *core, const fw_command_t *command, fw_statistics_t *out, size_t *bytes);

#endif
