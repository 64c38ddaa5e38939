#include "dispatch.h"

#include "../ice/ask.h"
#include "../ice/paths.h"
#include "../ingress/relayed.h"
#include "../ingress/sender_report.h"
#include "../rtcp/send.h"
#include "../state/marks.h"
#include "lifecycle.h"

static fw_error_t send_datagram(fw_core_t *core, fw_transport_t *t, const uint8_t *body, size_t len) {
    if (t->path.family == 0 || len == 0 || len > FW_OUTBOX_DATAGRAM_BYTES) {
        core->counters.drop_no_path++;
        return FW_REFUSED;
    }
    if (!fw_ice_may_send(t, len)) {
        core->counters.drop_unproven_path++;
        return FW_REFUSED;
    }
    memcpy(fw_outbox_begin(&core->outbox), body, len);
    fw_outbox_add(&core->outbox, &t->path, len);
    core->counters.dtls_out++;
    return FW_DONE;
}

static fw_error_t set_consent(fw_core_t *core, fw_transport_t *t, uint64_t consent_us) {
    t->consent_timeout_us = consent_us;
    fw_mark_due(core, t);
    return FW_DONE;
}

static fw_error_t transport_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t len) {
    fw_transport_t *t = fw_slots_get(&core->transports, command->id);
    if (t == NULL) return FW_STALE_ID;
    switch (command->kind) {
        case FW_RESTART_ICE: return fw_transport_restart_ice(core, t, command);
        case FW_CHECK_PATH: return fw_ice_ask_start(core, t, command);
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
    fw_sender_report_take(core, p->encodings[0], &sr);
    return FW_DONE;
}

static fw_error_t producer_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t len) {
    fw_producer_t *p = fw_slots_get(&core->producers, command->id);
    if (p == NULL) return FW_STALE_ID;
    switch (command->kind) {
        case FW_REMOVE_PRODUCER: fw_producer_remove(core, p); return FW_DONE;
        case FW_FEED_PACKET: return fw_ingress_feed(core, p, body, len);
        case FW_FEED_REPORT: return feed_report(core, p, &command->u.report);
        case FW_ADD_RELAY_TARGET: return fw_producer_add_relay_target(core, p, command);
        case FW_REMOVE_RELAY_TARGET: fw_producer_remove_relay_target(p, command); return FW_DONE;
        default: return FW_REFUSED;
    }
}

static fw_error_t consumer_command(fw_core_t *core, const fw_command_t *command) {
    fw_consumer_t *c = fw_slots_get(&core->consumers, command->id);
    if (c == NULL) return FW_STALE_ID;
    if (command->kind == FW_BIND_CONSUMER) return fw_consumer_bind(core, c, command);
    if (command->kind == FW_SET_LAYERS) return fw_consumer_set_layers(core, c, command);
    fw_rtcp_send_bye(core, c->transport, &c->ssrc, 1);
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
        case FW_ADD_RELAY_TARGET:
        case FW_REMOVE_RELAY_TARGET: result.error = producer_command(core, command, body, body_len); break;
        case FW_BIND_CONSUMER:
        case FW_SET_LAYERS:
        case FW_REMOVE_CONSUMER: result.error = consumer_command(core, command); break;
        default: result.error = transport_command(core, command, body, body_len);
    }
    return result;
}
