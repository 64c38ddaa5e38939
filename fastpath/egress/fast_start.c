#include "fast_start.h"

#include "../select/fast_start_list.h"
#include "../select/target.h"

/* At most so much is sent to newcomers before the batches of everybody have their turn again. */
enum { TICK_US = 1000, TICK_PACKETS = 256, TICK_CONSUMERS = 128, PACKETS_AT_ONCE = 64 };

enum { LATE_US = 1000000 }; /* what comes so long after the catching up should have ended is stamped later too */

/* Finds where to start, and when that will have been caught up with. */
static bool begin(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.target == FW_ENCODING_NONE) return false;
    const fw_encoding_t *e = c->producer->encodings[c->select.target];
    if (!fw_fast_start_is_near(core, e)) return false;
    c->next_seq64 = e->sync_point_seq64;
    c->fast_start_end_us = core->now_us + (core->now_us - e->sync_point_us) / (FW_FAST_START_SPEED - 1);
    return true;
}

/* The next that is kept, over what is missing or empty; NULL where nothing more has come. *gone: more has, but is no longer
 * kept. */
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

/* Whether all that is still to come is stamped after the end of the catching up. */
static bool is_past_end(const fw_core_t *core, const fw_consumer_t *c, const fw_encoding_t *e, const fw_epoch_t *epoch) {
    const fw_packet_t *last = fw_encoding_cached(core, e, c->next_seq64 - 1);
    return core->now_us >= c->fast_start_end_us + LATE_US ||
           (last != NULL && (int32_t)(last->rtp.timestamp - epoch->squeezed_before) >= 0);
}

typedef enum { GOES_ON, WAITS, DONE, LOST } progress_t;

/* Sends what is due, at most *budget packets. WAITS where all that came has been sent, LOST where there is nothing to start at
 * any more, or to go on from. */
static progress_t send_due(fw_core_t *core, fw_consumer_t *c, unsigned *budget) {
    if (!fw_transport_ready(c->transport)) return DONE;
    if (c->select.current == FW_ENCODING_NONE && !begin(core, c)) return LOST;
    int8_t from = c->select.current == FW_ENCODING_NONE ? c->select.target : c->select.current;
    const fw_encoding_t *e = c->producer->encodings[from];
    const fw_sink_t *sink = c->transport->sink;
    for (unsigned sent = 0; sent < PACKETS_AT_ONCE && *budget > 0; sent++, --*budget) {
        bool gone;
        const fw_packet_t *packet = next_packet(core, c, e, &gone);
        if (gone) return LOST;
        if (packet == NULL) {
            fw_epoch_t *epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch);
            if (!is_past_end(core, c, e, epoch)) return WAITS;
            epoch->squeezed_end = c->next_seq64;
            return DONE;
        }
        if (fw_fast_start_due_us(c, packet) > core->now_us) return GOES_ON;
        c->next_seq64 = packet->seq64 + 1;
        sink->packet(core, c, packet);
        if (c->select.current != from) return DONE; /* its format is none that the consumer takes */
    }
    return GOES_ON;
}

void fw_fast_start_flush(fw_core_t *core) {
    fw_fast_start_list_t *list = &core->fast_starts;
    if (core->now_us < fw_fast_start_next_us(core)) return;
    unsigned budget = TICK_PACKETS;
    uint32_t waiting = 0;
    for (uint32_t visits = list->count < TICK_CONSUMERS ? list->count : TICK_CONSUMERS; visits > 0 && budget > 0; visits--) {
        fw_consumer_t *c = list->first;
        progress_t progress = send_due(core, c, &budget);
        fw_fast_start_take_out(core, c);
        if (progress == GOES_ON || progress == WAITS) fw_fast_start_put_last(core, c);
        if (progress == WAITS) waiting++;
        if (progress != LOST) continue;
        c->select.current = FW_ENCODING_NONE;
        fw_target_aim(core, c); /* to a newer keyframe, or it asks for one */
    }
    /* Those that wait are woken by the next packet. */
    list->due_us = waiting == list->count ? UINT64_MAX : core->now_us + TICK_US;
}
