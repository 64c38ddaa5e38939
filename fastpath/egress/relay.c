#include "relay.h"

#include "../select/keyframe.h"

/* Upper bound for one encoding: leaves room in the ring for the packets of other producers. */
enum { HISTORY_PACKETS = 2048 };

static bool send_packet(fw_core_t *core, const fw_relay_target_t *target, fw_relay_kind_t kind, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    fw_relay_head_t head = {.producer_id = target->copy_id,
                      .arrival_us = packet->arrival_us,
                      .seq64 = packet->seq64,
                      .given_up = e->nack.given_up,
                      .encoding = e->index};
    bool sent = core->callbacks.relay(core->callbacks.context, target->worker, kind, &head, packet->data, packet->len);
    ++*(sent ? &core->counters.relay_out : &core->counters.drop_relay_full);
    return sent;
}

static void relay_to_all(fw_core_t *core, fw_producer_t *p, const fw_packet_t *packet) {
    for (unsigned i = 0; i < p->relay_target_count; i++) {
        if (send_packet(core, &p->relay_targets[i], FW_RELAY_PACKET, packet) || !packet->sync_point || p->media.kind != FW_VIDEO) continue;
        /* The other worker cannot detect that it has missed a keyframe. */
        fw_keyframe_want(core, p, (uint8_t)(1U << ((const fw_encoding_t *)packet->encoding)->index));
    }
}

void fw_relay_producer(fw_core_t *core, fw_producer_t *p) {
    for (const fw_packet_t *packet = p->relay_next; packet != NULL && p->relay_target_count > 0; packet = packet->next)
        relay_to_all(core, p, packet);
    p->relay_next = NULL;
}

void fw_relay_flush(fw_core_t *core) {
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched) fw_relay_producer(core, p);
}

static void send_report(fw_core_t *core, const fw_relay_target_t *target, const fw_encoding_t *e) {
    fw_relay_head_t head = {.producer_id = target->copy_id,
                      .arrival_us = e->clock.arrival_us,
                      .ntp = e->clock.ntp,
                      .timestamp = e->clock.timestamp,
                      .by_arrival = e->clock_by_arrival,
                      .encoding = e->index};
    if (!core->callbacks.relay(core->callbacks.context, target->worker, FW_RELAY_REPORT, &head, NULL, 0))
        core->counters.drop_relay_full++;
}

void fw_relay_report(fw_core_t *core, const fw_encoding_t *e) {
    fw_relay_producer(core, e->producer); /* in the order of arrival */
    for (unsigned i = 0; i < e->producer->relay_target_count; i++) send_report(core, &e->producer->relay_targets[i], e);
}

static void send_parameter_sets(fw_core_t *core, const fw_relay_target_t *target, const fw_encoding_t *e) {
    const fw_parameter_sets_t *sets = &e->sets->sets;
    fw_relay_head_t head = {.producer_id = target->copy_id,
                            .seq64 = e->sets->seq64,
                            .encoding = e->index,
                            .codec = (uint8_t)e->sets->codec};
    if (!core->callbacks.relay(core->callbacks.context, target->worker, FW_RELAY_PARAMETER_SETS, &head, sets->payload, sets->len))
        core->counters.drop_relay_full++;
}

void fw_relay_history(fw_core_t *core, fw_producer_t *p, const fw_relay_target_t *target) {
    for (unsigned i = 0; i < p->encoding_count; i++) {
        const fw_encoding_t *e = p->encodings[i];
        if (e->clock.known) send_report(core, target, e);
        if (e->sets != NULL) send_parameter_sets(core, target, e);
        if (p->media.kind != FW_VIDEO || e->sync_point_seq64 == 0 || e->highest_seq64 - e->sync_point_seq64 >= HISTORY_PACKETS ||
            core->now_us - e->sync_point_us >= core->config.instant_join_us)
            continue;
        for (uint64_t seq64 = e->sync_point_seq64; seq64 <= e->highest_seq64; seq64++) {
            const fw_packet_t *packet = fw_encoding_cached(core, e, seq64);
            if (packet != NULL && !send_packet(core, target, FW_RELAY_HISTORY, packet)) break;
        }
    }
}
