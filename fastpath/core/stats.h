/* Statistics of one transport and of its streams, as one snapshot. */
#ifndef FW_CORE_STATS_H
#define FW_CORE_STATS_H

#include "../state/core.h"

/* Statistics of one transport, and of what is on it; names follow the W3C's WebRTC statistics. */
typedef struct {
    uint64_t id;
    uint32_t state;
    uint32_t rtt_us; /* to the viewer, 0 while unknown */
    uint64_t remb_bps;
    uint32_t stream_count;
    uint32_t reserved;
} fw_transport_stats_t;

typedef struct {
    uint64_t id;   /* of the producer or consumer */
    uint64_t packets;
    uint64_t bytes; /* of payload for what is sent, of packets for what is received */
    uint64_t repaired_packets; /* retransmissions sent or received */
    int64_t lost;   /* packets: as received here, or as the viewer reports */
    uint64_t frames;           /* of received video: those that a decoder could have shown, see stream/frames.h */
    uint64_t frozen_us;
    uint64_t still_us;         /* since the last of them */
    uint64_t longest_still_us; /* between two of them, or since the last */
    int64_t capture_delay_us;  /* from abs-capture-time, counted from 1900, to the worker's clock; 0 where unknown */
    uint32_t ssrc;
    uint32_t jitter_ticks;
    uint32_t clock_hz;
    uint32_t rtt_us;
    uint32_t nacks;
    uint32_t plis;
    uint32_t keyframes;
    uint32_t freezes;
    uint32_t recovered; /* of the packets that are `lost`: retransmission has brought them */
    uint16_t width;
    uint16_t height;
    uint8_t outbound; /* 1 for a consumer */
    uint8_t kind;
    uint8_t encoding; /* of a producer; of a consumer, the one that flows, or 0xff */
    uint8_t fraction_lost; /* 1/256, of the viewer's last report */
    uint8_t codec;
    uint8_t target; /* of a consumer, the encoding that it is to get, or 0xff */
    uint8_t spatial; /* of a consumer, the highest layers that flow, FW_LAYERS_ALL where none is left out; of a producer, */
    uint8_t temporal; /* those that there are, FW_NO_LAYER where packets name none */
    uint8_t target_spatial; /* of a consumer, the highest that are to flow */
    uint8_t target_temporal;
    fw_size_t sizes[FW_SPATIALS]; /* of a producer's spatial layers, where the stream tells them */
} fw_stream_stats_t;

#define FW_STATS_STREAMS 256
#define FW_NO_LAYER 0xff

/* FW_READ_STATS: fills `out`, and at most FW_STATS_STREAMS of `streams`. False where the id is stale. */
bool fw_core_stats(const fw_core_t *core, uint64_t transport_id, fw_transport_stats_t *out, fw_stream_stats_t *streams);

#endif
