#include "core.h"

#include <stdlib.h>

#include "../base/prefetch.h"
#include "../crypto/choose.h"
#include "../egress/batch.h"
#include "../egress/fast_start.h"
#include "../egress/relay.h"
#include "../ice/answer.h"
#include "../ice/owners.h"
#include "../ice/paths.h"
#include "../ingress/punt.h"
#include "../ingress/receive.h"
#include "../ingress/parameter_sets.h"
#include "../ingress/relayed.h"
#include "../ingress/sender_report.h"
#include "../rtcp/receive.h"
#include "../rtcp/send.h"
#include "../select/fast_start_list.h"
#include "../select/keyframe.h"
#include "../state/batch.h"
#include "../state/marks.h"
#include "../wire/demux.h"
#include "agenda.h"
#include "lifecycle.h"

enum { AHEAD = 16 }; /* datagrams whose transports are prefetched together */

fw_core_t *fw_core_create(const fw_core_config_t *config, const fw_callbacks_t *callbacks) {
    fw_core_t *core = calloc(1, sizeof *core);
    if (core == NULL) return NULL;
    core->config = *config;
    core->callbacks = *callbacks;
    fw_slots_init(&core->transports, config->max_transports);
    fw_slots_init(&core->producers, 1U << FW_SLOT_BITS);
    fw_slots_init(&core->consumers, 1U << FW_SLOT_BITS);
    fw_map_init(&core->by_ufrag, FW_KEY_WORDS, config->hash_seed);
    fw_map_init(&core->by_path, FW_KEY_WORDS, config->hash_seed);
    fw_map_init(&core->by_claim, FW_KEY_WORDS, config->hash_seed);
    fw_map_init(&core->by_check, FW_CHECK_WORDS, config->hash_seed);
    fw_media_set_init(&core->media_set, config->hash_seed);
    core->crypto = fw_crypto_create();
    bool pool = fw_pool_init(&core->pool, config->pool_packets);
    bool outbox = fw_outbox_init(&core->outbox, config->max_gso_segments, callbacks->send, callbacks->context,
                                 &core->counters.drop_protect_failed);
    bool draw = fw_hmac_init(&core->draw, config->secret, sizeof config->secret);
    if (core->crypto != NULL && pool && outbox && draw) return core;
    fw_core_destroy(core);
    return NULL;
}

void fw_core_destroy(fw_core_t *core) {
    if (core == NULL) return;
    for (uint32_t slot = 0; slot < core->transports.capacity; slot++)
        if (core->transports.items[slot] != NULL) fw_transport_forget(core, core->transports.items[slot]);
    for (uint32_t slot = 0; slot < core->producers.capacity; slot++)
        if (core->producers.items[slot] != NULL) fw_producer_remove(core, core->producers.items[slot]);
    fw_outbox_flush(&core->outbox);
    fw_slots_free(&core->transports);
    fw_slots_free(&core->producers);
    fw_slots_free(&core->consumers);
    fw_map_free(&core->by_ufrag);
    fw_map_free(&core->by_path);
    fw_map_free(&core->by_claim);
    fw_map_free(&core->by_check);
    fw_media_set_free(&core->media_set);
    fw_timers_free(&core->timers);
    free(core->flush);
    fw_outbox_free(&core->outbox);
    fw_pool_free(&core->pool);
    fw_crypto_destroy(core->crypto);
    free(core);
}

static void receive_dtls(fw_core_t *core, fw_transport_t *owner, const fw_path_t *path, const uint8_t *data, size_t len) {
    fw_transport_t *t = fw_owners_dtls(core, owner, path, data, len);
    fw_ice_heard_dtls(core, t, path, len);
    fw_punt(core, t, data, len);
}

void fw_core_receive(fw_core_t *core, const fw_path_t *path, uint8_t *data, size_t len, uint64_t now_us) {
    core->now_us = now_us;
    fw_datagram_t kind = fw_demux(data, len);
    if (kind == FW_DATAGRAM_STUN) {
        fw_ice_receive(core, path, data, len);
        return;
    }
    if (kind == FW_DATAGRAM_UNKNOWN) {
        core->counters.drop_unknown_datagram++;
        return;
    }
    fw_transport_t *t = fw_ice_transport(core, path);
    if (t == NULL) {
        core->counters.drop_unknown_path++;
        return;
    }
    if (kind == FW_DATAGRAM_RTP) fw_ingress_rtp(core, t, path, data, len);
    else if (kind == FW_DATAGRAM_RTCP) fw_rtcp_receive(core, t, path, data, len);
    else receive_dtls(core, t, path, data, len);
}

/* Prefetches the memory that fw_core_receive reads first, for several datagrams at a time. */
static void prefetch_owners(const fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count) {
    const fw_transport_t *owners[AHEAD];
    for (size_t i = 0; i < count; i++) {
        owners[i] = fw_ice_transport(core, &datagrams[i].path);
        fw_prefetch(owners[i], owners[i] == NULL ? 0 : sizeof *owners[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (owners[i] == NULL) continue;
        fw_prefetch(owners[i]->srtp, FW_CACHE_LINE);
        fw_prefetch(owners[i]->inbound.entries, FW_CACHE_LINE);
        fw_prefetch(owners[i]->outbound.entries, FW_CACHE_LINE);
        if (owners[i]->consumers != NULL) fw_prefetch(owners[i]->consumers, sizeof *owners[i]->consumers);
    }
    for (size_t i = 0; i < count; i++)
        if (owners[i] != NULL && owners[i]->srtp != NULL) fw_srtp_fetch_rtcp(owners[i]->srtp);
}

void fw_core_receive_all(fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count, uint64_t now_us) {
    for (size_t i = 0; i < count; i++) {
        if (i % AHEAD == 0) prefetch_owners(core, datagrams + i, count - i < AHEAD ? count - i : AHEAD);
        fw_core_receive(core, &datagrams[i].path, datagrams[i].data, datagrams[i].len, now_us);
    }
}

bool fw_core_knows(const fw_core_t *core, const fw_path_t *path) { return fw_ice_transport(core, path) != NULL; }

static void receive_relayed_report(fw_core_t *core, const fw_relay_head_t *head) {
    fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
    if (p == NULL || head->encoding >= p->encoding_count) return;
    fw_clock_point_t clock = {.ntp = head->ntp, .timestamp = head->timestamp, .arrival_us = head->arrival_us, .known = true};
    fw_sender_report_relayed(core, p->encodings[head->encoding], &clock, head->by_arrival != 0);
}

void fw_core_relayed(fw_core_t *core, fw_relay_kind_t kind, const fw_relay_head_t *head, const uint8_t *body, size_t len,
                  uint64_t now_us) {
    core->now_us = now_us;
    if (kind == FW_RELAY_PACKET || kind == FW_RELAY_HISTORY) {
        fw_ingress_relayed(core, head, body, len, kind == FW_RELAY_HISTORY);
    } else if (kind == FW_RELAY_PARAMETER_SETS) {
        fw_parameter_sets_relayed(core, head, body, len);
    } else if (kind == FW_RELAY_REPORT) {
        receive_relayed_report(core, head);
    } else {
        fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
        if (p != NULL) fw_keyframe_want(core, p, head->encodings);
    }
}

static uint32_t kinds_with_media(const fw_transport_t *t) {
    uint32_t kinds = 0;
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        if (p->has_media) kinds |= 1U << p->media.kind;
    return kinds;
}

static void report_changes(fw_core_t *core) {
    fw_transport_t *t;
    while ((t = fw_marks_take_changed(core)) != NULL) {
        fw_transport_change_t change = {.transport = t->id, .state = t->state, .reason = t->reason, .path = t->path,
                                        .kinds_with_media = kinds_with_media(t)};
        core->callbacks.changed(core->callbacks.context, &change);
    }
}

void fw_core_flush(fw_core_t *core, uint64_t now_us) {
    fw_transport_t *t;
    core->now_us = now_us;
    fw_relay_flush(core);
    fw_agenda_run(core);
    if (now_us >= fw_batch_due_us(core)) {
        fw_egress_flush(core);
        if (now_us >= fw_fast_start_next_us(core)) fw_outbox_flush(&core->outbox); /* live packets do not wait for fast start */
    }
    fw_fast_start_flush(core);
    while ((t = fw_marks_take_first_report(core)) != NULL) fw_rtcp_send_first_reports(core, t);
    fw_agenda_update(core);
    fw_outbox_flush(&core->outbox);
    if (core->touched == NULL) core->batch_us = 0;
    report_changes(core);
}

void fw_core_note_round(fw_core_t *core, uint64_t us) {
    uint64_t sent = core->counters.rtp_out - core->noted_packets;
    uint64_t paced = core->paced_packets < sent ? core->paced_packets : sent;
    uint64_t live_us = fw_load_note(&core->load, core->now_us, us, sent - paced, paced);
    if (sent > paced) core->last_flush_us = live_us;
    core->noted_packets = core->counters.rtp_out;
    core->paced_packets = 0;
}

fw_deadline_t fw_core_next(const fw_core_t *core) {
    fw_deadline_t next = fw_agenda_next(core);
    uint64_t batch_us = fw_batch_due_us(core), fast_start_us = fw_fast_start_next_us(core);
    if (batch_us < next.due_us) next = (fw_deadline_t){.due_us = batch_us, .reason = FW_DUE_BATCH};
    if (fast_start_us < next.due_us) next = (fw_deadline_t){.due_us = fast_start_us, .reason = FW_DUE_PACE};
    return next;
}
