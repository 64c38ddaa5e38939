#include "catchup.h"

#include "egress.h"
#include "sources.h"

enum { CATCH_UP_US = 1000000 };

/* Whether the newest keyframe is near enough to start at, and still kept. */
static bool entry_is_near(const fw_core_t *core, const fw_encoding_t *e) {
    return e->entry_seq64 != 0 && core->now_us - e->entry_us <= CATCH_UP_US &&
           e->highest_seq64 - e->entry_seq64 < FW_CATCHUP_PACKETS && fw_encoding_cached(core, e, e->entry_seq64) != NULL;
}

bool fw_catchup_request(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.current != FW_ENCODING_NONE || !entry_is_near(core, c->producer->encodings[c->select.target])) return false;
    if (c->catching_up) return true;
    c->catching_up = true;
    c->next_catching_up = core->catching_up;
    core->catching_up = c;
    return true;
}

void fw_catchup_cancel(fw_core_t *core, fw_consumer_t *c) {
    fw_consumer_t **link = &core->catching_up;
    while (*link != NULL && *link != c) link = &(*link)->next_catching_up;
    if (*link == c) *link = c->next_catching_up;
    c->catching_up = false;
}

void fw_catchup_forward(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last,
                        uint64_t before) {
    for (uint64_t seq64 = first; seq64 <= last; seq64++) {
        const fw_packet_t *packet = fw_encoding_cached(core, e, seq64);
        bool flows = c->select.current == (int8_t)e->index;
        if (packet == NULL && flows && fw_encoding_seen(e, seq64)) {
            (void)fw_seqmap_skip(&c->seqmap, seq64); /* padding is not kept */
        } else if (packet != NULL && packet->number < before) {
            fw_egress_packet(core, c, packet);
        }
    }
}

/* Forwards the packets of the cache from the newest keyframe on; those of this batch follow with the batch. */
static void catch_up(fw_core_t *core, fw_consumer_t *c) {
    const fw_encoding_t *e = c->producer->encodings[c->select.target];
    if (!entry_is_near(core, e)) return; /* the target has changed since */
    uint64_t before = e->producer->batch_first == NULL ? UINT64_MAX : e->producer->batch_first->number;
    const fw_packet_t *last = NULL;
    uint64_t end = e->highest_seq64 + 1;
    while ((last == NULL || last->number >= before) && end > e->entry_seq64) last = fw_encoding_cached(core, e, --end);
    if (last == NULL || last->number >= before) return;
    c->caught_up_end = last->seq64;
    c->caught_up_before = last->rtp.timestamp;
    fw_catchup_forward(core, c, e, e->entry_seq64, end, before);
}

void fw_catchup_flush(fw_core_t *core) {
    while (core->catching_up != NULL) {
        fw_consumer_t *c = core->catching_up;
        bool nothing_flows = c->producer != NULL && c->select.target != FW_ENCODING_NONE && c->select.current == FW_ENCODING_NONE;
        if (nothing_flows && fw_transport_ready(c->transport)) catch_up(core, c);
        fw_catchup_cancel(core, c);
    }
}
