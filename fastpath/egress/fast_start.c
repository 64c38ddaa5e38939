#include "fast_start.h"

#include "../select/fast_start_list.h"
#include "../select/keyframe.h"
#include "../select/target.h"
#include "../state/batch.h"

enum { TICK_US = 1000, LEAST_SLICE_US = 250, LONGEST_SLICE_US = 1000, SLICE_PART = 8, VISIT_NS = 100, PACKETS_AT_ONCE = 64 };

enum { COHORT_US = 20000, RATE_US = 200000 };

enum { LATE_US = 1000000 }; /* fast start ends so long after its planned end even where timestamps have not reached it */

enum { LIVE_US = 100000, LAG_SLACK_US = 50000, SCHEDULE_SLACK_US = 250000 };

/* Packets a second that fast start of this encoding takes. */
static uint32_t demand(const fw_core_t *core, const fw_encoding_t *e) {
    uint64_t age_us = core->now_us - e->sync_point_us;
    uint64_t packets = e->highest_seq64 - e->sync_point_seq64 + 1;
    return (uint32_t)(packets * FW_FAST_START_SPEED * 1000000 / (age_us < RATE_US ? RATE_US : age_us)) + 1;
}

typedef enum { GOES_ON, WAITS, QUEUED, DONE, LOST } progress_t;

/* Starts a consumer at the newest keyframe. GOES_ON where it has begun, QUEUED where the worker has no time to spare for it
 * yet, LOST where the cache has no keyframe to start at any more. */
static progress_t begin(fw_core_t *core, fw_consumer_t *c) {
    fw_fast_start_list_t *list = &core->fast_starts;
    if (c->select.target == FW_ENCODING_NONE) return LOST;
    const fw_encoding_t *e = c->producer->encodings[c->select.target];
    if (!fw_fast_start_is_near(core, e)) return LOST;
    fw_fast_start_set_demand(core, c, 0);
    uint32_t packets_per_s = demand(core, e);
    if (list->packets_per_s > 0 && list->packets_per_s + packets_per_s > fw_load_spare_packets_per_s(&core->load)) {
        if (!c->fast_start_waits) fw_keyframe_want(core, c->producer, (uint8_t)(1U << e->index));
        c->fast_start_waits = true;
        return QUEUED;
    }
    uint64_t began_us = core->now_us - core->now_us % COHORT_US;
    if (began_us < e->sync_point_us) began_us = e->sync_point_us;
    c->next_seq64 = e->sync_point_seq64;
    c->fast_start_began_us = core->now_us;
    c->fast_start_sync_us = e->sync_point_us;
    c->fast_start_end_us = began_us + (began_us - e->sync_point_us) / (FW_FAST_START_SPEED - 1);
    c->fast_start_waits = false;
    fw_fast_start_set_demand(core, c, packets_per_s);
    return GOES_ON;
}

/* The next cached packet, past numbers that are missing or empty; NULL where all have been sent. *gone: a packet that was received
 * is no longer cached. */
static const fw_packet_t *next_packet(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, bool *gone) {
    *gone = c->next_seq64 + e->cache.size <= e->highest_seq64;
    for (; !*gone && c->next_seq64 <= e->highest_seq64; c->next_seq64++) {
        const fw_packet_t *packet = fw_encoding_cached(core, e, c->next_seq64);
        if (packet != NULL) return packet;
        *gone = fw_encoding_seen(e, c->next_seq64) && !fw_encoding_came_empty(e, c->next_seq64);
        if (fw_encoding_came_empty(e, c->next_seq64)) (void)fw_seqmap_skip(&c->seqmap, c->next_seq64);
    }
    return NULL;
}

/* Whether all further packets have timestamps after the planned end of fast start. */
static bool is_past_end(const fw_core_t *core, const fw_consumer_t *c, const fw_encoding_t *e, const fw_epoch_t *epoch) {
    const fw_packet_t *last = fw_encoding_cached(core, e, c->next_seq64 - 1);
    return core->now_us >= c->fast_start_end_us + LATE_US ||
           (last != NULL && (int32_t)(last->rtp.timestamp - epoch->squeezed_before) >= 0);
}

/* Whether the consumer, whose next packet this is, does not catch up: further behind than at its begin, behind the schedule of its
 * fast start because the worker began more of them than it has time for, or over time. */
static bool falls_behind(const fw_core_t *core, const fw_consumer_t *c, const fw_packet_t *packet) {
    uint64_t lag_us = core->now_us - packet->arrival_us;
    uint64_t first_lag_us = c->fast_start_began_us - c->fast_start_sync_us;
    if (lag_us <= LIVE_US) return false;
    return lag_us > first_lag_us + LAG_SLACK_US || core->now_us > fw_fast_start_due_us(c, packet) + SCHEDULE_SLACK_US ||
           core->now_us > c->fast_start_began_us + FW_FAST_START_LONGEST_US;
}

/* Sends the packets that are due, while *budget_ns lasts. WAITS where all packets that arrived have been sent, LOST where the
 * consumer has to start anew. */
static progress_t send_due(fw_core_t *core, fw_consumer_t *c, int64_t *budget_ns) {
    if (!fw_transport_ready(c->transport)) return DONE;
    if (c->select.current == FW_ENCODING_NONE) {
        progress_t begun = begin(core, c);
        if (begun != GOES_ON) return begun;
    }
    int8_t from = c->select.current == FW_ENCODING_NONE ? c->select.target : c->select.current;
    const fw_encoding_t *e = c->producer->encodings[from];
    const fw_sink_t *sink = c->transport->sink;
    for (unsigned sent = 0; sent < PACKETS_AT_ONCE && *budget_ns > 0; sent++) {
        bool gone;
        const fw_packet_t *packet = next_packet(core, c, e, &gone);
        if (gone) return LOST;
        if (packet == NULL) {
            fw_epoch_t *epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch);
            if (!is_past_end(core, c, e, epoch)) return WAITS;
            epoch->squeezed_end = c->next_seq64;
            return DONE;
        }
        /* The batch goes first: it holds packets that this consumer gets as they are. */
        if (fw_fast_start_due_us(c, packet) > core->now_us || fw_batch_holds(core, packet)) return GOES_ON;
        if (falls_behind(core, c, packet)) return LOST;
        c->next_seq64 = packet->seq64 + 1;
        sink->packet(core, c, packet);
        core->paced_packets++;
        *budget_ns -= fw_load_packet_ns(&core->load);
        if (c->select.current != from) return DONE; /* its format is none that the consumer takes */
    }
    return GOES_ON;
}

static uint64_t slice_us(const fw_core_t *core) {
    uint64_t part_us = core->last_flush_us / SLICE_PART;
    return part_us < LEAST_SLICE_US ? LEAST_SLICE_US : part_us > LONGEST_SLICE_US ? LONGEST_SLICE_US : part_us;
}

void fw_fast_start_flush(fw_core_t *core) {
    fw_fast_start_list_t *list = &core->fast_starts;
    if (core->now_us < fw_fast_start_next_us(core)) return;
    uint64_t slice = slice_us(core);
    int64_t budget_ns = (int64_t)slice * 1000;
    bool all_wait = true;
    uint32_t visits = list->count;
    for (; visits > 0 && budget_ns > 0; visits--) {
        fw_consumer_t *c = list->turn;
        list->turn = c->next_fast_start;
        budget_ns -= VISIT_NS;
        progress_t progress = send_due(core, c, &budget_ns);
        if (progress == GOES_ON || progress == QUEUED) all_wait = false;
        if (progress == DONE || progress == LOST) fw_fast_start_cancel(core, c);
        if (progress != LOST) continue;
        core->counters.fast_start_restarted++;
        c->select.current = FW_ENCODING_NONE;
        fw_target_aim(core, c); /* a newer keyframe in the cache, or the next one */
    }
    /* Consumers that wait are woken by the next packet. A slice that was used up is followed by the time that live work needs. */
    if (visits == 0) list->due_us = all_wait ? UINT64_MAX : core->now_us + TICK_US;
    else list->due_us = core->now_us + slice * 1000 / fw_load_spare_permille(&core->load);
}
