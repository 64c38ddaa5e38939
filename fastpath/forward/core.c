#include "core.h"

#include <stdlib.h>

#include "../wire/demux.h"
#include "catchup.h"
#include "check.h"
#include "egress.h"
#include "feedback.h"
#include "fetch.h"
#include "ice.h"
#include "ingress.h"
#include "report.h"
#include "sources.h"
#include "table.h"

enum { BATCH_PACKETS = 256, AHEAD = 16 }; /* so many packets wait no longer; datagrams that are looked at together */

fw_core_t *fw_core_create(const fw_core_config_t *config, const fw_sinks_t *sinks) {
    fw_core_t *core = calloc(1, sizeof *core);
    if (core == NULL) return NULL;
    core->config = *config;
    core->sinks = *sinks;
    fw_slots_init(&core->transports, config->max_transports);
    fw_slots_init(&core->producers, 1U << FW_SLOT_BITS);
    fw_slots_init(&core->consumers, 1U << FW_SLOT_BITS);
    fw_map_init(&core->by_ufrag, FW_KEY_WORDS, config->hash_seed);
    fw_map_init(&core->by_path, FW_KEY_WORDS, config->hash_seed);
    fw_map_init(&core->by_check, FW_CHECK_WORDS, config->hash_seed);
    fw_medias_init(&core->medias, config->hash_seed);
    core->crypto = fw_crypto_create();
    bool pool = fw_pool_init(&core->pool, config->pool_packets);
    bool outbox = fw_outbox_init(&core->outbox, config->max_gso_segments, sinks->send, sinks->context,
                                 &core->counters.drop_protect_failed);
    if (core->crypto != NULL && pool && outbox) return core;
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
    fw_map_free(&core->by_check);
    fw_medias_free(&core->medias);
    fw_timers_free(&core->timers);
    free(core->flush);
    fw_outbox_free(&core->outbox);
    fw_pool_free(&core->pool);
    fw_crypto_destroy(core->crypto);
    free(core);
}

static fw_error_t send_datagram(fw_core_t *core, const fw_transport_t *t, const uint8_t *body, size_t len) {
    if (t->path.family == 0 || len == 0 || len > FW_OUTBOX_DATAGRAM_BYTES) {
        core->counters.drop_no_path++;
        return FW_REFUSED;
    }
    memcpy(fw_outbox_begin(&core->outbox), body, len);
    fw_outbox_add(&core->outbox, &t->path, len);
    core->counters.dtls_out++;
    return FW_DONE;
}

static fw_error_t set_consent(fw_core_t *core, fw_transport_t *t, uint64_t consent_us) {
    t->consent_timeout_us = consent_us;
    fw_transport_schedule(core, t);
    return FW_DONE;
}

static fw_error_t transport_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t len) {
    fw_transport_t *t = fw_slots_get(&core->transports, command->id);
    if (t == NULL) return FW_STALE_ID;
    switch (command->kind) {
        case FW_RESTART_ICE: return fw_transport_restart_ice(core, t, command);
        case FW_CHECK_PATH: return fw_check_start(core, t, command);
        case FW_SET_KEYS: return fw_transport_set_keys(core, t, command);
        case FW_SET_CONSENT: return set_consent(core, t, command->u.consent.consent_us);
        case FW_SEND_DATAGRAM: return send_datagram(core, t, body, len);
        case FW_CLOSE_TRANSPORT: fw_transport_forget(core, t); return FW_DONE;
        default: return FW_REFUSED;
    }
}

static fw_error_t feed_report(fw_core_t *core, fw_producer_t *p, const struct fw_command_report *report) {
    if (p->home_worker != FW_NO_WORKER) return FW_REFUSED;
    fw_clock_point_t sr = {
        .ntp = report->ntp, .timestamp = report->timestamp, .arrival_us = core->now_us, .known = true};
    fw_encoding_report(core, p->encodings[0], &sr);
    return FW_DONE;
}

static fw_error_t producer_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t len) {
    fw_producer_t *p = fw_slots_get(&core->producers, command->id);
    if (p == NULL) return FW_STALE_ID;
    switch (command->kind) {
        case FW_REMOVE_PRODUCER: fw_producer_remove(core, p); return FW_DONE;
        case FW_FEED_PACKET: return fw_ingress_feed(core, p, body, len);
        case FW_FEED_REPORT: return feed_report(core, p, &command->u.report);
        case FW_ADD_TARGET: return fw_producer_add_target(core, p, command);
        case FW_REMOVE_TARGET: fw_producer_remove_target(p, command); return FW_DONE;
        default: return FW_REFUSED;
    }
}

static fw_error_t consumer_command(fw_core_t *core, const fw_command_t *command) {
    fw_consumer_t *c = fw_slots_get(&core->consumers, command->id);
    if (c == NULL) return FW_STALE_ID;
    if (command->kind == FW_BIND_CONSUMER) return fw_consumer_bind(core, c, command);
    if (command->kind == FW_SET_LAYERS) return fw_consumer_set_layers(core, c, command);
    fw_transport_bye(core, c->transport, &c->ssrc, 1);
    fw_consumer_remove(core, c);
    return FW_DONE;
}

fw_result_t fw_core_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t body_len,
                            uint64_t now_us) {
    fw_result_t result = {.ticket = command->ticket, .id = command->id};
    core->now_us = now_us;
    switch (command->kind) {
        case FW_OPEN_TRANSPORT: result.error = fw_transport_open(core, command, &result.id); break;
        case FW_ADD_PRODUCER: result.error = fw_producer_add(core, command, &result.id); break;
        case FW_ADD_CONSUMER: result.error = fw_consumer_add(core, command, &result.id); break;
        case FW_REMOVE_PRODUCER:
        case FW_FEED_PACKET:
        case FW_FEED_REPORT:
        case FW_ADD_TARGET:
        case FW_REMOVE_TARGET: result.error = producer_command(core, command, body, body_len); break;
        case FW_BIND_CONSUMER:
        case FW_SET_LAYERS:
        case FW_REMOVE_CONSUMER: result.error = consumer_command(core, command); break;
        default: result.error = transport_command(core, command, body, body_len);
    }
    return result;
}

static void punt(fw_core_t *core, const fw_transport_t *t, const uint8_t *data, size_t len) {

    core->counters.dtls_in++;
    if (!core->sinks.punt(core->sinks.context, t->id, data, len)) core->counters.drop_punt_full++;
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
    else if (kind == FW_DATAGRAM_RTCP) fw_feedback_receive(core, t, path, data, len);
    else punt(core, t, data, len);
}

/* Fetches what the taking in of datagrams begins with, for all of them side by side. */
static void fetch_owners(const fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count) {
    const fw_transport_t *owners[AHEAD];
    for (size_t i = 0; i < count; i++) {
        owners[i] = fw_ice_transport(core, &datagrams[i].path);
        fw_fetch(owners[i], owners[i] == NULL ? 0 : sizeof *owners[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (owners[i] == NULL) continue;
        fw_fetch(owners[i]->srtp, FW_CACHE_LINE);
        fw_fetch(owners[i]->inbound.entries, FW_CACHE_LINE);
        fw_fetch(owners[i]->outbound.entries, FW_CACHE_LINE);
        if (owners[i]->consumers != NULL) fw_fetch(owners[i]->consumers, sizeof *owners[i]->consumers);
    }
    for (size_t i = 0; i < count; i++)
        if (owners[i] != NULL && owners[i]->srtp != NULL) fw_srtp_fetch_rtcp(owners[i]->srtp);
}

void fw_core_receive_all(fw_core_t *core, const fw_udp_datagram_t *datagrams, size_t count, uint64_t now_us) {
    for (size_t i = 0; i < count; i++) {
        if (i % AHEAD == 0) fetch_owners(core, datagrams + i, count - i < AHEAD ? count - i : AHEAD);
        fw_core_receive(core, &datagrams[i].path, datagrams[i].data, datagrams[i].len, now_us);
    }
}

bool fw_core_knows(const fw_core_t *core, const fw_path_t *path) { return fw_ice_transport(core, path) != NULL; }

static void take_hand_report(fw_core_t *core, const fw_hand_t *head) {
    fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
    if (p == NULL || head->encoding >= p->encoding_count) return;
    fw_clock_point_t sr = {.ntp = head->ntp, .timestamp = head->timestamp, .arrival_us = head->arrival_us, .known = true};
    fw_encoding_report(core, p->encodings[head->encoding], &sr);
}

void fw_core_hand(fw_core_t *core, fw_hand_kind_t kind, const fw_hand_t *head, const uint8_t *body, size_t len,
                  uint64_t now_us) {
    core->now_us = now_us;
    if (kind == FW_HAND_PACKET || kind == FW_HAND_HISTORY) {
        fw_ingress_hand(core, head, body, len, kind == FW_HAND_HISTORY);
    } else if (kind == FW_HAND_REPORT) {
        take_hand_report(core, head);
    } else {
        fw_producer_t *p = fw_slots_get(&core->producers, head->producer_id);
        if (p != NULL) fw_producer_want_keyframe(core, p, head->encodings);
    }
}

static void tell_changes(fw_core_t *core) {
    while (core->dirty != NULL) {
        fw_transport_t *t = core->dirty;
        core->dirty = t->next_dirty;
        t->dirty = false;
        fw_transport_change_t change = {.id = t->id, .state = t->state, .reason = t->reason, .path = t->path};
        core->sinks.changed(core->sinks.context, &change);
    }
}

/* When media that has come is to be forwarded; UINT64_MAX where there is none. */
static uint64_t batch_due_us(const fw_core_t *core) {
    if (core->touched == NULL) return UINT64_MAX;
    if (core->pool.next - core->batch_number >= BATCH_PACKETS) return core->batch_us;
    return core->batch_us + (core->spent_us < core->config.coalesce_us ? core->spent_us : core->config.coalesce_us);
}

void fw_core_flush(fw_core_t *core, uint64_t now_us) {
    core->now_us = now_us;
    fw_timer_t *timer;
    while ((timer = fw_timers_take(&core->timers, now_us)) != NULL) fw_transport_tick(core, (fw_transport_t *)timer);
    if (now_us >= fw_catchup_next_us(core) || now_us >= batch_due_us(core)) fw_egress_flush(core);
    while (core->reports != NULL) {
        fw_transport_t *t = core->reports;
        core->reports = t->next_report;
        fw_transport_first_reports(core, t);
    }
    fw_outbox_flush(&core->outbox);
    if (core->touched == NULL) core->batch_us = 0;
    tell_changes(core);
}

uint64_t fw_core_next_us(const fw_core_t *core) {
    uint64_t timer_us = fw_timers_next_us(&core->timers);
    uint64_t batch_us = batch_due_us(core);
    uint64_t catchup_us = fw_catchup_next_us(core);
    if (batch_us < timer_us) timer_us = batch_us;
    return catchup_us < timer_us ? catchup_us : timer_us;
}

static void producer_stats(const fw_core_t *core, const fw_producer_t *p, const fw_encoding_t *e, fw_stream_stats_t *out) {
    uint64_t still_us = e->frames.last_us == 0 ? 0 : core->now_us - e->frames.last_us;
    *out = (fw_stream_stats_t){
        .id = p->id,
        .packets = e->stats.packets,
        .bytes = e->stats.bytes,
        .repaired_packets = e->rtx_stats.packets,
        .lost = fw_receive_stats_lost(&e->stats),
        .ssrc = e->ssrc,
        .jitter_ticks = e->stats.jitter_16 >> 4,
        .clock_hz = p->media.format_count > 0 ? p->media.formats[0].clock_hz : 0,
        .nacks = e->nacks_sent,
        .plis = p->pli_count,
        .keyframes = e->keyframes,
        .frames = e->frames.count,
        .frozen_us = e->frames.frozen_us,
        .still_us = still_us,
        .longest_still_us = e->frames.longest_us > still_us ? e->frames.longest_us : still_us,
        .capture_delay_us = e->capture_delay_us,
        .freezes = e->frames.freezes,
        .recovered = e->recovered,
        .width = e->width,
        .height = e->height,
        .kind = p->media.kind,
        .encoding = e->index,
        .target = 0xff,
        .codec = p->media.format_count > 0 ? p->media.formats[0].codec : 0,
    };
}

static uint8_t encoding_number(int8_t encoding) { return encoding == FW_ENCODING_NONE ? 0xff : (uint8_t)encoding; }

static void consumer_stats(const fw_consumer_t *c, fw_stream_stats_t *out) {
    *out = (fw_stream_stats_t){
        .id = c->id,
        .packets = c->packets,
        .bytes = c->octets,
        .repaired_packets = c->rtx_packets,
        .lost = c->remote.cumulative_lost,
        .ssrc = c->ssrc,
        .jitter_ticks = c->remote.jitter_ticks,
        .clock_hz = c->clock_hz,
        .rtt_us = c->rtt_us,
        .nacks = c->nacks_received,
        .plis = c->plis_received,
        .outbound = 1,
        .kind = c->media->kind,
        .encoding = encoding_number(c->select.current),
        .target = encoding_number(c->select.target),
        .spatial = fw_seqmap_layers(&c->seqmap).spatial,
        .temporal = fw_seqmap_layers(&c->seqmap).temporal,
        .fraction_lost = c->remote.fraction_lost,
        .codec = c->media->format_count > 0 ? c->media->formats[0].codec : 0,
    };
}

bool fw_core_stats(const fw_core_t *core, uint64_t transport_id, fw_transport_stats_t *out, fw_stream_stats_t *streams) {
    const fw_transport_t *t = fw_slots_get(&core->transports, transport_id);
    if (t == NULL) return false;
    *out = (fw_transport_stats_t){.id = t->id, .state = t->state, .remb_bps = t->remb_bps};
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        for (unsigned i = 0; i < p->encoding_count && out->stream_count < FW_STATS_STREAMS; i++)
            producer_stats(core, p, p->encodings[i], &streams[out->stream_count++]);
    for (const fw_consumer_t *c = t->consumers; c != NULL && out->stream_count < FW_STATS_STREAMS; c = c->next_on_transport) {
        if (c->rtt_us > out->rtt_us) out->rtt_us = c->rtt_us;
        consumer_stats(c, &streams[out->stream_count++]);
    }
    return true;
}
