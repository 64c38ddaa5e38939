/* A producer: incoming media, its encodings, its consumers, and the workers that have a copy of it. */
#ifndef FW_STATE_PRODUCER_H
#define FW_STATE_PRODUCER_H

#include "../base/token_bucket.h"
#include "../stream/keyframes.h"
#include "encoding.h"

#define FW_MAX_RELAY_TARGETS 64 /* workers with a copy of one producer */

/* Another worker that has a copy of the producer, and the id of that copy. */
typedef struct {
    uint64_t copy_id;
    uint32_t worker;
} fw_relay_target_t;

/* A consumer bound to a producer. Its transport is stored too, so that both can be prefetched without reading the consumer. */
typedef struct {
    fw_consumer_t *consumer;
    fw_transport_t *transport;
} fw_follower_t;

struct fw_producer {
    uint64_t id;
    fw_transport_t *transport; /* NULL for the copy of another worker's producer */
    fw_producer_t *next_on_transport;
    fw_follower_t *followers;
    uint32_t follower_count;
    uint32_t follower_capacity;
    uint64_t home_id;     /* of a copy: the id of the original on its worker; else 0 */
    uint32_t home_worker; /* of a copy */
    fw_media_t media;
    uint8_t ext_kinds[256];  /* by id: fw_extension_t, or FW_EXTENSIONS */
    uint8_t pt_formats[128]; /* by payload type: format, | 0x80 for its RTX, or FW_NO_PT */
    fw_encoding_t *encodings[FW_ENCODINGS];
    uint8_t encoding_count;
    int8_t best; /* the highest live encoding, FW_ENCODING_NONE before the first packet */
    uint8_t live; /* bit i: encoding i is live */
    uint64_t ranked_us;
    bool has_media; /* a viewer could decode it: a keyframe has come, or a packet of sound */
    fw_keyframes_t keyframes;
    fw_token_bucket_t share; /* in slots of the pool; written by ingress/police.c */
    uint32_t pli_count;
    uint8_t fir_seq;
    uint8_t relay_target_count;
    fw_relay_target_t relay_targets[FW_MAX_RELAY_TARGETS];
    fw_packet_t *batch_first; /* packets of this producer in the batch, linked by `next` */
    fw_packet_t *batch_last;
    fw_packet_t *relay_next; /* the first of them that is not relayed yet */
    fw_producer_t *next_touched;
    fw_consumer_t *fast_start_last; /* its last consumer in the ring of fast starts, or NULL */
};

/* Whether any of its formats has negotiated one of these kinds of feedback (FW_FB_*, or-ed). */
bool fw_producer_supports(const fw_producer_t *p, uint8_t feedback);

#endif
