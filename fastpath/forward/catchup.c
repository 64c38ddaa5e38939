#include "catchup.h"

#include "egress.h"
#include "selection.h"
#include "sources.h"

/* At most so much is sent to newcomers before the batches of everybody have their turn again. */
enum { TICK_US = 1000, TICK_PACKETS = 256, TICK_CONSUMERS = 128, PACKETS_AT_ONCE = 64 };
enum { LATE_US = 1000000 }; /* what comes so long after the catching up should have ended is stamped later too */

/* Whether the newest keyframe is near enough to start at, and is kept for a while yet. */
static bool entry_is_near(const fw_core_t *core, const fw_encoding_t *e) {
    if (e->entry_seq64 == 0 || core->now_us - e->entry_us >= core->config.instant_join_us) return false;
    const fw_packet_t *entry = fw_encoding_cached(core, e, e->entry_seq64);
    return entry != NULL && e->highest_seq64 - e->entry_seq64 < fw_cache_reach(&e->cache) &&
           core->pool.next - entry->number < core->pool.count / 8 * 7;
}

static void wake(fw_core_t *core) {
    if (core->catchups.due_us == UINT64_MAX) core->catchups.due_us = core->now_us;
}

static void put_last(fw_core_t *core, fw_consumer_t *c) {
    fw_catchups_t *list = &core->catchups;
    c->catching_up = true;
    c->next_catching_up = NULL;
    c->previous_catching_up = list->last;
    *(list->last == NULL ? &list->first : &list->last->next_catching_up) = c;
    list->last = c;
    list->count++;
}

static void take_out(fw_core_t *core, fw_consumer_t *c) {
    fw_catchups_t *list = &core->catchups;
    fw_consumer_t *next = c->next_catching_up;
    fw_consumer_t *previous = c->previous_catching_up;
    *(previous == NULL ? &list->first : &previous->next_catching_up) = next;
    *(next == NULL ? &list->last : &next->previous_catching_up) = previous;
    list->count--;
    c->catching_up = false;
}

bool fw_catchup_request(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.current != FW_ENCODING_NONE || !entry_is_near(core, c->producer->encodings[c->select.target])) return false;
    if (c->catching_up) return true;
    put_last(core, c);
    wake(core);
    return true;
}

bool fw_catchup_repeat(fw_core_t *core, fw_consumer_t *c) {
    const fw_encoding_t *e = c->producer->encodings[c->select.current];
    bool repeated = e->entry_us <= c->caught_up_us;
    if (repeated || core->now_us - e->entry_us >= FW_KEYFRAME_SPACING_US || !entry_is_near(core, e)) return false;
    c->select.current = FW_ENCODING_NONE;
    return fw_catchup_request(core, c);
}

void fw_catchup_cancel(fw_core_t *core, fw_consumer_t *c) {
    if (c->catching_up) take_out(core, c);
}

uint64_t fw_catchup_next_us(const fw_core_t *core) {
    return core->catchups.count > 0 ? core->catchups.due_us : UINT64_MAX;
}

bool fw_catchup_lets(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    int8_t encoding = (int8_t)((const fw_encoding_t *)packet->encoding)->index;
    if (encoding == c->select.current && packet->seq64 >= c->next_seq64) {
        wake(core);
        return false;
    }
    if (encoding == c->select.target && packet->entry) fw_catchup_cancel(core, c);
    return true;
}

void fw_catchup_forward(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last,
                        uint64_t before) {
    for (uint64_t seq64 = first; seq64 <= last; seq64++) {
        const fw_packet_t *packet = fw_encoding_cached(core, e, seq64);
        if (packet == NULL && c->select.current == (int8_t)e->index && fw_encoding_came_empty(e, seq64)) {
            (void)fw_seqmap_skip(&c->seqmap, seq64);
        } else if (packet != NULL && packet->number < before) {
            fw_egress_packet(core, c, packet);
        }
    }
}

/* Finds where to start, and when that will have been caught up with. */
static bool begin(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.target == FW_ENCODING_NONE) return false;
    const fw_encoding_t *e = c->producer->encodings[c->select.target];
    if (!entry_is_near(core, e)) return false;
    c->next_seq64 = e->entry_seq64;
    c->caught_up_us = core->now_us + (core->now_us - e->entry_us) / (FW_CATCHUP_SPEED - 1);
    return true;
}

/* The next that is kept, over what is missing or empty; NULL where nothing more has come. *gone: more has, but is no longer
 * kept. */
static const fw_packet_t *next_packet(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, bool *gone) {
    *gone = c->next_seq64 + e->cache.size <= e->highest_seq64;
    for (; !*gone && c->next_seq64 <= e->highest_seq64; c->next_seq64++) {
        const fw_packet_t *packet = fw_encoding_cached(core, e, c->next_seq64);
        if (packet != NULL) return packet;
        *gone = fw_cache_is(&e->cache, c->next_seq64, FW_CACHE_CAME) && !fw_encoding_came_empty(e, c->next_seq64);
        if (fw_encoding_came_empty(e, c->next_seq64)) (void)fw_seqmap_skip(&c->seqmap, c->next_seq64);
    }
    return NULL;
}

/* Whether all that is still to come is stamped after the end of the catching up. */
static bool is_past_end(const fw_core_t *core, const fw_consumer_t *c, const fw_encoding_t *e, const fw_epoch_t *epoch) {
    const fw_packet_t *last = fw_encoding_cached(core, e, c->next_seq64 - 1);
    return core->now_us >= c->caught_up_us + LATE_US ||
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
        if (fw_catchup_due_us(c, packet) > core->now_us) return GOES_ON;
        c->next_seq64 = packet->seq64 + 1;
        fw_egress_packet(core, c, packet);
        if (c->select.current != from) return DONE; /* its format is none that the consumer takes */
    }
    return GOES_ON;
}

void fw_catchup_flush(fw_core_t *core) {
    fw_catchups_t *list = &core->catchups;
    if (core->now_us < fw_catchup_next_us(core)) return;
    unsigned budget = TICK_PACKETS;
    uint32_t waiting = 0;
    for (uint32_t visits = list->count < TICK_CONSUMERS ? list->count : TICK_CONSUMERS; visits > 0 && budget > 0; visits--) {
        fw_consumer_t *c = list->first;
        progress_t progress = send_due(core, c, &budget);
        take_out(core, c);
        if (progress == GOES_ON || progress == WAITS) put_last(core, c);
        if (progress == WAITS) waiting++;
        if (progress != LOST) continue;
        c->select.current = FW_ENCODING_NONE;
        fw_consumer_aim(core, c); /* to a newer keyframe, or it asks for one */
    }
    /* Those that wait are woken by the next packet. */
    list->due_us = waiting == list->count ? UINT64_MAX : core->now_us + TICK_US;
}
