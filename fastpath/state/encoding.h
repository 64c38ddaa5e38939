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
#include "../stream/h264_layers.h"
#include "../stream/liveness.h"
#include "../stream/stats.h"
#include "../stream/tsmap.h"
#include "command.h"
#include "types.h"

/* The first packet of a stream is numbered one turn up, so that those just before it stay above zero. */
#define FW_FIRST_TURN 0x10000U

/* One encoding (RID) of a producer, as it comes in. */
typedef struct {
    fw_producer_t *producer;
    uint64_t highest_seq64; /* 0 before the first packet of the SSRC in use */
    uint64_t turns_seq64;   /* added to that packet's 16 bits */
    fw_liveness_t liveness;
    uint64_t rtx_highest_seq64;
    uint64_t sync_point_seq64; /* first packet of the newest keyframe, 0 for none */
    uint64_t sync_point_us;    /* its arrival */
    uint32_t sync_point_timestamp;
    uint32_t sync_point_bytes; /* of the whole keyframe, as far as it has come */
    fw_clock_point_t sr; /* the newest sender report */
    fw_receive_stats_t stats;
    fw_receive_stats_t rtx_stats;
    fw_frames_t frames; /* of video */
    int64_t capture_delay_us; /* from the newest frame's abs-capture-time, since 1900, to its arrival; 0 for none */
    fw_nack_t nack;
    fw_cache_t cache;
    uint32_t ssrc;     /* 0 while not known */
    uint32_t rtx_ssrc;
    uint32_t rate_bytes; /* received in the current second, and in the one before */
    uint32_t rate_before;
    uint32_t nacks_sent;
    uint32_t recovered; /* retransmissions that filled a gap */
    uint32_t keyframes;
    uint16_t width; /* of the last keyframe, 0 where unknown */
    uint16_t height;
    fw_size_t sizes[FW_SPATIALS]; /* of its spatial layers, where the stream tells them */
    fw_highest_layers_t highest_layers; /* the highest layers that come, or that its descriptor says are active */
    bool alone;     /* its spatial layers do not refer to each other */
    bool by_descriptor; /* nothing but dependency descriptors tells a viewer of its spatial layers */
    uint8_t index;
    uint8_t rid_len;
    char rid[FW_RID_BYTES];
    fw_dependency_state_t dependency; /* of a stream with dependency descriptors */
    fw_h264_layers_t h264_layers;           /* of H.264 without */
    fw_packet_t *last;        /* VP9: a copy of the newest, which is not taken in before it is known whether it ends its picture */
} fw_encoding_t;

/* Whether that number, less than the cache's size below the highest, has come. */
static inline bool fw_encoding_seen(const fw_encoding_t *e, uint64_t seq64) {
    return fw_cache_is(&e->cache, seq64, FW_CACHE_CAME);
}

/* Whether that number came with nothing to forward. */
static inline bool fw_encoding_came_empty(const fw_encoding_t *e, uint64_t seq64) {
    return fw_encoding_seen(e, seq64) && fw_cache_get(&e->cache, seq64) == FW_CACHE_NONE;
}

/* Whether there is nothing to forward under that number, less than the cache's size below the highest, nor hope for it. */
static inline bool fw_encoding_is_hole(const fw_encoding_t *e, uint64_t seq64) {
    return fw_encoding_came_empty(e, seq64) || (seq64 <= e->nack.given_up && !fw_encoding_seen(e, seq64));
}

/* The encoding's packet of that number, if it is still kept, else NULL. */
fw_packet_t *fw_encoding_cached(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64);

#endif
