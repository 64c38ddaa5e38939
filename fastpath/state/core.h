/* The state of one core: its tables, its queues of work and its configuration.
 *
 * One core belongs to the thread of one worker. Time is an argument: `now_us`, microseconds of one monotonic clock, from 1.
 */
#ifndef FW_STATE_CORE_H
#define FW_STATE_CORE_H

#include "../base/counters.h"
#include "../base/load.h"
#include "../base/map.h"
#include "../base/outbox.h"
#include "../base/pool.h"
#include "../base/record.h"
#include "../base/slots.h"
#include "../base/timers.h"
#include "callbacks.h"
#include "consumer.h"
#include "media_set.h"
#include "producer.h"
#include "transport.h"

#define FW_CORE_SECRET_BYTES 16

#define FW_CORE_CONFIG_FIELDS(X, S)                                                                                                  \
    X(S, NUMBER, uint32_t, pool_packets)     /* at least 1024 */                                                                     \
    X(S, NUMBER, uint32_t, max_transports)                                                                                           \
    X(S, NUMBER, uint32_t, max_ssrcs)        /* inbound SSRCs of one transport */                                                    \
    X(S, NUMBER, uint32_t, instant_join_us)  /* a new consumer starts at a cached keyframe no older than this; 0: never */           \
    X(S, NUMBER, uint32_t, coalesce_us)      /* upper bound of the time for which a batch is held, see state/batch.h; 0: not held */ \
    X(S, NUMBER, uint16_t, max_gso_segments) /* 1 to 128; 1: no GSO */                                                               \
    X(S, NUMBER, uint64_t, ntp_at_zero)      /* NTP time (32.32 s) of now_us = 0 */                                                  \
    X(S, NUMBER, uint64_t, hash_seed)        /* random, so that peers cannot choose keys that collide */                             \
    X(S, BYTES, secret, FW_CORE_SECRET_BYTES) /* random: the transactions of outgoing STUN requests are derived from it */
FW_STRUCT(fw_core_config_t, FW_CORE_CONFIG_FIELDS);

/* Consumers in fast start, in a ring: see select/fast_start_list.h. */
typedef struct {
    fw_consumer_t *turn; /* the next to be sent packets, NULL for an empty ring */
    uint32_t count;
    uint64_t packets_per_s; /* that those which have begun take of the worker */
    uint64_t due_us;        /* deadline of the next packets, UINT64_MAX where all wait for packets to arrive */
} fw_fast_start_list_t;

struct fw_core {
    fw_core_config_t config;
    fw_callbacks_t callbacks;
    fw_counters_t counters;
    uint64_t now_us;
    fw_crypto_t *crypto;
    fw_pool_t pool;
    fw_outbox_t outbox;
    fw_timers_t timers;
    fw_media_set_t media_set;
    fw_slots_t transports;
    fw_slots_t producers;
    fw_slots_t consumers;
    fw_map_t by_ufrag; /* fw_transport_t */
    fw_map_t by_path;  /* remote address, socket and TCP connection → fw_transport_t, the owner */
    fw_map_t by_claim; /* the same key → fw_transport_t, the claimant: see ice/owners.h */
    fw_map_t by_check; /* STUN transaction of an outstanding check of ours → fw_transport_t */
    fw_hmac_t draw;    /* keyed with config.secret */
    uint64_t requests; /* transactions drawn so far */
    fw_producer_t *touched; /* producers with packets in this batch */
    uint64_t batch_us;      /* arrival of its first packet; 0 for an empty batch */
    uint64_t batch_number;  /* number of that packet in the pool */
    uint64_t last_flush_us; /* duration of the last flush that sent live packets */
    fw_load_t load;
    uint64_t noted_packets; /* counters.rtp_out at the end of the last round */
    uint64_t paced_packets; /* sent by fast start since then */
    fw_fast_start_list_t fast_starts;
    fw_transport_t **flush; /* transports with packets in this batch; flush_capacity is at least the number of transports */
    uint32_t flush_count;
    uint32_t flush_capacity;
    fw_mark_list_t due; /* marked transports: see marks.h */
    fw_mark_list_t changed;
    fw_mark_list_t first_reports;
};

#endif
