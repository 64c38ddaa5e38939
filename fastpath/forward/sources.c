#include "sources.h"

#include "catchup.h"
#include "handover.h"
#include "report.h"

enum { RANK_EVERY_US = 100000, RATE_WINDOW_US = 1000000, CROSSING_US = 100000 };

static bool live(const fw_core_t *core, const fw_encoding_t *e) { return fw_pace_live(&e->pace, core->now_us); }

/* Larger pictures rank higher; where a codec does not tell sizes, higher rates do. */
static bool higher(const fw_encoding_t *a, const fw_encoding_t *b) {
    uint32_t a_pixels = (uint32_t)a->width * a->height;
    uint32_t b_pixels = (uint32_t)b->width * b->height;
    if (a_pixels != 0 && b_pixels != 0) return a_pixels > b_pixels;
    return a->rate_before > b->rate_before + b->rate_before / 4;
}

static int8_t find_best(const fw_core_t *core, const fw_producer_t *p) {
    int8_t best = p->best;
    if (best != FW_ENCODING_NONE && !live(core, p->encodings[best])) best = FW_ENCODING_NONE;
    for (int8_t i = 0; i < (int8_t)p->encoding_count; i++) {
        const fw_encoding_t *e = p->encodings[i];
        if (live(core, e) && (best == FW_ENCODING_NONE || higher(e, p->encodings[best]))) best = i;
    }
    /* None is left: whoever speaks first is ranked then. */
    return best == FW_ENCODING_NONE ? p->best : best;
}

static uint8_t find_live(const fw_core_t *core, const fw_producer_t *p) {
    uint8_t found = 0;
    for (unsigned i = 0; i < p->encoding_count; i++)
        if (live(core, p->encodings[i])) found |= (uint8_t)(1U << i);
    return found;
}

static void measure(const fw_core_t *core, fw_producer_t *p) {
    if (core->now_us / RATE_WINDOW_US == p->ranked_us / RATE_WINDOW_US) return;
    for (unsigned i = 0; i < p->encoding_count; i++) {
        p->encodings[i]->rate_before = p->encodings[i]->rate_bytes;
        p->encodings[i]->rate_bytes = 0;
    }
}

void fw_producer_rank(fw_core_t *core, fw_producer_t *p) {
    bool first = p->best == FW_ENCODING_NONE;
    if (!first && core->now_us - p->ranked_us < RANK_EVERY_US) return;
    measure(core, p);
    p->ranked_us = core->now_us;
    if (p->encoding_count == 1) return;
    int8_t best = find_best(core, p);
    uint8_t alive = find_live(core, p);
    if (best == p->best && alive == p->live) return;
    p->best = best;
    p->live = alive;
    /* An encoding that has stopped would be asked for ever, and each time its live sisters would answer. */
    for (uint8_t i = 0; i < p->encoding_count; i++)
        if ((alive >> i & 1) == 0) fw_keyframes_seen(&p->keyframes, i);
    for (uint32_t i = 0; i < p->follower_count; i++) fw_consumer_aim(core, p->followers[i].consumer);
}

fw_layers_t fw_consumer_limit(const fw_consumer_t *c, const fw_encoding_t *e) {
    fw_layers_t limit = c->limit;
    if (e->by_descriptor && c->media->ext_ids[FW_EXT_DEPENDENCY_DESCRIPTOR] == 0) limit.spatial = 0;
    if (e->alone && limit.spatial > e->tops.spatial) limit.spatial = e->tops.spatial;
    return limit;
}

static bool lacks(uint8_t now, uint8_t limit, uint8_t top) { return now < (limit < top ? limit : top); }

bool fw_consumer_lacks_layers(const fw_consumer_t *c) {
    if (c->select.current == FW_ENCODING_NONE) return false;
    const fw_encoding_t *e = c->producer->encodings[c->select.current];
    fw_layers_t limit = fw_consumer_limit(c, e), now = fw_seqmap_layers(&c->seqmap);
    return lacks(now.spatial, limit.spatial, e->tops.spatial) || (e->alone && now.spatial > limit.spatial) ||
           (e->nals.prefixed && lacks(now.temporal, limit.temporal, e->tops.temporal));
}

void fw_consumer_aim(fw_core_t *core, fw_consumer_t *c) {
    fw_producer_t *p = c->producer;
    if (p == NULL) return;
    bool granted = c->wish != FW_HIGHEST && (p->live >> c->wish & 1) != 0;
    c->select.target = granted ? (int8_t)c->wish : p->best;
    bool waits = fw_select_waits(&c->select) || fw_consumer_lacks_layers(c);
    if (!waits || c->media->kind != FW_VIDEO || !fw_transport_ready(c->transport)) return;
    if (fw_catchup_request(core, c)) return;
    fw_producer_want_keyframe(core, p, (uint8_t)(1U << c->select.target));
}

/* Whether a keyframe is on its way to the viewer, or was a moment ago: what the viewer says then has crossed it. Whoever
 * needs one all the same says so again. */
static bool keyframe_is_underway(const fw_core_t *core, const fw_consumer_t *c) {
    const fw_encoding_t *e = c->producer->encodings[c->select.current];
    if (e->entry_seq64 == 0) return false;
    uint64_t sent_us = e->entry_us > c->caught_up_us ? e->entry_us : c->caught_up_us;
    return c->catching_up || core->now_us < sent_us + c->rtt_us + CROSSING_US;
}

void fw_consumer_refresh(fw_core_t *core, fw_consumer_t *c) {
    if (c->producer == NULL || c->select.current == FW_ENCODING_NONE || c->select.current != c->select.target) {
        fw_consumer_aim(core, c);
    } else if (!keyframe_is_underway(core, c) && !fw_catchup_repeat(core, c)) {
        fw_producer_want_keyframe(core, c->producer, (uint8_t)(1U << c->select.current));
    }
}

void fw_producer_want_keyframe(fw_core_t *core, fw_producer_t *p, uint8_t encodings) {
    if (p->home_worker == FW_NO_WORKER) return; /* it has no more than it gives: keyframes come as they come */
    if (p->transport == NULL) {
        fw_hand_t hand = {.producer_id = p->home_id, .encodings = encodings};
        if (!core->sinks.hand(core->sinks.context, p->home_worker, FW_HAND_KEYFRAME, &hand, NULL, 0))
            core->counters.drop_handover_full++;
        return;
    }
    for (unsigned i = 0; i < p->encoding_count; i++)
        /* What has not begun begins with a keyframe by itself. */
        if (p->encodings[i]->ssrc == 0 || p->encodings[i]->highest_seq64 == 0) encodings &= (uint8_t)~(1U << i);
    fw_keyframes_want(&p->keyframes, encodings);
    fw_transport_schedule(core, p->transport);
}

void fw_producer_lacks_keyframe(fw_core_t *core, fw_producer_t *p, uint8_t encoding) {
    uint8_t bit = (uint8_t)(1U << encoding);
    if (p->transport == NULL || ((p->keyframes.wanted | p->keyframes.awaited) & bit) != 0) return;
    fw_producer_want_keyframe(core, p, bit);
}

void fw_encoding_restart(fw_core_t *core, fw_encoding_t *e) {
    fw_producer_t *p = e->producer;
    /* Numbers go on above all that were used: nothing that is cached or mapped is taken for something else. */
    e->turns_seq64 = ((e->highest_seq64 >> 16) + 2) << 16;
    e->highest_seq64 = e->entry_seq64 = 0;
    e->described = (fw_described_t){0};
    e->nals = (fw_nals_t){0};
    e->alone = false;
    e->tops = (fw_tops_t){0};
    memset(e->sizes, 0, sizeof e->sizes);
    e->pace = (fw_pace_t){0};
    fw_cache_restart(&e->cache);
    fw_nack_init(&e->nack);
    e->stats = (fw_receive_stats_t){0};
    e->recovered = 0;
    e->sr = (fw_clock_point_t){0};
    for (fw_packet_t *packet = p->batch_first; packet != NULL; packet = packet->next)
        if (packet->encoding == e) packet->entry = false; /* nobody starts there any more */
    for (uint32_t i = 0; i < p->follower_count; i++) {
        fw_consumer_t *c = p->followers[i].consumer;
        int8_t catches_up_with = c->select.current == FW_ENCODING_NONE ? c->select.target : c->select.current;
        if (catches_up_with == (int8_t)e->index) fw_catchup_cancel(core, c);
        if (c->select.current != (int8_t)e->index) continue;
        c->select.current = FW_ENCODING_NONE;
        fw_consumer_aim(core, c);
    }
}

fw_packet_t *fw_encoding_cached(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64) {
    fw_packet_t *packet = fw_pool_get(&core->pool, fw_cache_get(&e->cache, seq64));
    return packet == NULL || packet->encoding != e || packet->seq64 != seq64 ? NULL : packet;
}

void fw_encoding_report(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr) {
    fw_producer_t *p = e->producer;
    e->sr = *sr;
    fw_handover_report(core, e);
    for (uint32_t i = 0; i < p->follower_count; i++) {
        fw_consumer_t *c = p->followers[i].consumer;
        if (c->select.current != (int8_t)e->index) continue;
        c->tsmap.source = *sr; /* a switch goes by the newest */
        if (c->reported) continue;
        c->first_report_due = true;
        fw_transport_first_report_due(core, c->transport);
    }
}
