#include "handover.h"

#include "sources.h"

/* Of one encoding: so that what others hand over at the same time still finds room in the ring. */
enum { HISTORY_PACKETS = 2048 };

static bool hand_packet(fw_core_t *core, const fw_target_t *target, fw_hand_kind_t kind, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    fw_hand_t hand = {.producer_id = target->copy_id,
                      .arrival_us = packet->arrival_us,
                      .seq64 = packet->seq64,
                      .given_up = e->nack.given_up,
                      .encoding = e->index};
    bool handed = core->sinks.hand(core->sinks.context, target->worker, kind, &hand, packet->data, packet->len);
    ++*(handed ? &core->counters.handover_out : &core->counters.drop_handover_full);
    return handed;
}

void fw_handover_packet(fw_core_t *core, fw_producer_t *p, const fw_packet_t *packet) {
    for (unsigned i = 0; i < p->target_count; i++) {
        if (hand_packet(core, &p->targets[i], FW_HAND_PACKET, packet) || !packet->entry || p->media.kind != FW_VIDEO) continue;
        /* Those who wait for it over there cannot know that it was here. */
        fw_producer_want_keyframe(core, p, (uint8_t)(1U << ((const fw_encoding_t *)packet->encoding)->index));
    }
}

static void hand_report(fw_core_t *core, const fw_target_t *target, const fw_encoding_t *e) {
    fw_hand_t hand = {.producer_id = target->copy_id,
                      .arrival_us = e->sr.arrival_us,
                      .ntp = e->sr.ntp,
                      .timestamp = e->sr.timestamp,
                      .encoding = e->index};
    if (!core->sinks.hand(core->sinks.context, target->worker, FW_HAND_REPORT, &hand, NULL, 0))
        core->counters.drop_handover_full++;
}

void fw_handover_report(fw_core_t *core, const fw_encoding_t *e) {
    for (unsigned i = 0; i < e->producer->target_count; i++) hand_report(core, &e->producer->targets[i], e);
}

void fw_handover_history(fw_core_t *core, fw_producer_t *p, const fw_target_t *target) {
    for (unsigned i = 0; i < p->encoding_count; i++) {
        const fw_encoding_t *e = p->encodings[i];
        if (e->sr.known) hand_report(core, target, e);
        if (p->media.kind != FW_VIDEO || e->entry_seq64 == 0 || e->highest_seq64 - e->entry_seq64 >= HISTORY_PACKETS ||
            core->now_us - e->entry_us >= core->config.instant_join_us)
            continue;
        for (uint64_t seq64 = e->entry_seq64; seq64 <= e->highest_seq64; seq64++) {
            const fw_packet_t *packet = fw_encoding_cached(core, e, seq64);
            if (packet != NULL && !hand_packet(core, target, FW_HAND_HISTORY, packet)) break;
        }
    }
}
