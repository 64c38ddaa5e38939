/* One encoding (RID) of a producer, as it is received. Written by ingress/, but for the fields named as another folder's. */
#ifndef FW_STATE_ENCODING_H
#define FW_STATE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../base/pool.h"
#include "../stream/cache.h"
#include "../stream/dependency_state.h"
#include "../stream/frames.h"
#include "../stream/highest_layers.h"
#include "../stream/layers.h"
#include "../stream/nack.h"
#include "../stream/parameter_sets.h"
#include "../stream/h264_layers.h"
#include "../stream/liveness.h"
#include "../stream/stats.h"
#include "../stream/tsmap.h"
#include "command.h"
#include "types.h"

/* Parameter sets of an encoding, and the packet that consumers get them in. */
typedef struct {
    fw_parameter_sets_t sets;
    fw_sets_codec_t codec;
    uint64_t seq64; /* of the newest packet that brought some */
} fw_encoding_sets_t;

/* seq64 of the first packet of a stream is its seq16 plus this, so that reordered packets before it have positive numbers. */
#define FW_FIRST_TURN 0x10000U

typedef struct {
    fw_producer_t *producer;
    uint64_t highest_seq64; /* 0 before the first packet of the SSRC in use */
    uint64_t turns_seq64;   /* upper bits of its seq64: the packet's seq16 is added to it */
    fw_liveness_t liveness;
    uint64_t rtx_highest_seq64;
    uint64_t rtx_heard_us; /* arrival of the newest retransmission */
    uint64_t sync_point_seq64; /* first packet of the newest keyframe, 0 for none */
    uint64_t sync_point_us;    /* its arrival */
    uint32_t sync_point_timestamp;
    uint32_t sync_point_bytes; /* received of that keyframe */
    fw_clock_point_t sr;    /* newest sender report, as received */
    fw_clock_point_t clock; /* a point of the clock that viewers are told: see ingress/sender_report.h */
    uint64_t clock_began_us; /* when it was first set by arrival */
    uint64_t clock_set_us;   /* when it was last set by arrival */
    uint64_t earliest_us; /* arrival and timestamp of the least delayed packet since clock_set_us; 0 for none */
    uint32_t earliest_timestamp;
    uint32_t clock_hz; /* RTP clock rate of the newest packet, 0 before the first */
    bool clock_by_arrival;
    fw_receive_stats_t stats;
    fw_receive_stats_t rtx_stats;
    fw_frames_t frames; /* video only */
    int64_t capture_delay_us; /* arrival of the newest frame less its abs-capture-time, which counts from 1900; 0 where unknown */
    fw_nack_t nack;
    fw_cache_t cache;
    uint32_t ssrc;     /* 0 while not known */
    uint32_t rtx_ssrc;
    uint32_t rate_bytes;  /* received in the current second */
    uint32_t rate_before; /* received in the second before */
    uint32_t nacks_sent;
    uint32_t recovered; /* retransmissions that filled a gap */
    uint32_t keyframes;
    uint16_t width; /* of the newest keyframe in pixels, 0 where unknown */
    uint16_t height;
    fw_size_t sizes[FW_SPATIALS]; /* of its spatial layers, where the stream states them */
    fw_highest_layers_t highest_layers; /* highest layers received, or active by the dependency descriptor */
    bool independent_layers; /* simulcast in one SSRC: its spatial layers are decoded independently */
    bool by_descriptor; /* only dependency descriptors signal its spatial layers to a viewer */
    uint8_t index;
    uint8_t rid_len;
    char rid[FW_RID_BYTES];
    fw_dependency_state_t dependency; /* of a stream with dependency descriptors */
    uint64_t reread_us; /* when the descriptors behind a late structure were last read again */
    fw_h264_layers_t h264_layers;     /* of H.264 without them */
    fw_packet_t *held_back;           /* VP9: copy of the newest packet, held back until the end of its picture is known */
    fw_encoding_sets_t *sets; /* NULL before the first; written by ingress/parameter_sets.c */
} fw_encoding_t;

/* Whether a packet with that number was received. `seq64` is less than cache.size below the highest. */
static inline bool fw_encoding_seen(const fw_encoding_t *e, uint64_t seq64) {
    return fw_cache_is(&e->cache, seq64, FW_CACHE_CAME);
}

/* Whether it was received without a payload to forward (padding). */
static inline bool fw_encoding_came_empty(const fw_encoding_t *e, uint64_t seq64) {
    return fw_encoding_seen(e, seq64) && fw_cache_get(&e->cache, seq64) == FW_CACHE_NONE;
}

/* Whether the number will never have a payload to forward: padding, or given up as lost. `seq64` as above. */
static inline bool fw_encoding_is_hole(const fw_encoding_t *e, uint64_t seq64) {
    return fw_encoding_came_empty(e, seq64) || (seq64 <= e->nack.given_up && !fw_encoding_seen(e, seq64));
}

/* The cached packet of the encoding with that number, or NULL. */
fw_packet_t *fw_encoding_cached(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64);

#endif
