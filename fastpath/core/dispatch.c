#include "dispatch.h"

#include "../ice/ask.h"
#include "../ice/paths.h"
#include "../ingress/relayed.h"
#include "../ingress/sender_report.h"
#include "../rtcp/send.h"
#include "../state/marks.h"
#include "border.h"
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

/* Makes an object; `id` receives its id. */
static fw_error_t new_object_command(fw_core_t *core, const fw_command_t *command, uint64_t *id) {
    switch (command->kind) {
        case FW_OPEN_TRANSPORT: return fw_transport_open(core, &command->u.open_transport, id);
        case FW_ADD_RELAYED_PRODUCER: return fw_producer_add_relayed(core, &command->u.add_relayed_producer, id);
        case FW_ADD_SOURCE: return fw_producer_add_source(core, &command->u.add_source.spec, id);
        default: return FW_REFUSED;
    }
}

static fw_error_t transport_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t len, uint64_t *id) {
    fw_transport_t *t = fw_slots_get(&core->transports, command->id);
    if (t == NULL) return FW_STALE_ID;
    switch (command->kind) {
        case FW_RESTART_ICE: return fw_transport_restart_ice(core, t, &command->u.restart_ice);
        case FW_CHECK_PATH: return fw_ice_ask_start(core, t, &command->u.check_path);
        case FW_SET_KEYS: return fw_transport_set_keys(core, t, &command->u.set_keys);
        case FW_SET_CONSENT: return set_consent(core, t, command->u.set_consent.consent_us);
        case FW_SEND_DATAGRAM: return send_datagram(core, t, body, len);
        case FW_CLOSE_TRANSPORT: fw_transport_forget(core, t); return FW_DONE;
        case FW_ADD_PRODUCER: return fw_producer_add(core, t, &command->u.add_producer.spec, id);
        case FW_ADD_CONSUMER: return fw_consumer_add(core, t, &command->u.add_consumer, id);
        default: return FW_REFUSED;
    }
}

static fw_error_t feed_report(fw_core_t *core, fw_producer_t *p, const fw_feed_report_t *report) {
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
        case FW_FEED_REPORT: return feed_report(core, p, &command->u.feed_report);
        case FW_ADD_RELAY_TARGET: return fw_producer_add_relay_target(core, p, &command->u.add_relay_target);
        case FW_REMOVE_RELAY_TARGET: fw_producer_remove_relay_target(p, &command->u.remove_relay_target); return FW_DONE;
        default: return FW_REFUSED;
    }
}

static fw_error_t remove_consumer(fw_core_t *core, fw_consumer_t *c) {
    fw_rtcp_send_bye(core, c->transport, &c->ssrc, 1);
    fw_consumer_remove(core, c);
    return FW_DONE;
}

static fw_error_t consumer_command(fw_core_t *core, const fw_command_t *command) {
    fw_consumer_t *c = fw_slots_get(&core->consumers, command->id);
    if (c == NULL) return FW_STALE_ID;
    switch (command->kind) {
        case FW_BIND_CONSUMER: return fw_consumer_bind(core, c, &command->u.bind_consumer);
        case FW_SET_LAYERS: return fw_consumer_set_layers(core, c, &command->u.set_layers);
        case FW_REMOVE_CONSUMER: return remove_consumer(core, c);
        default: return FW_REFUSED;
    }
}

fw_result_t fw_core_command(fw_core_t *core, const fw_command_t *command, const uint8_t *body, size_t body_len,
                            uint64_t now_us) {
    fw_result_t result = {.id = command->id, .ticket = command->ticket, .error = FW_REFUSED};
    core->now_us = now_us;
    if (command->kind >= FW_COMMAND_KINDS) return result;
    switch (fw_command_tables[command->kind].object) {
        case FW_OF_NOTHING: result.error = new_object_command(core, command, &result.id); break;
        case FW_OF_TRANSPORT: result.error = transport_command(core, command, body, body_len, &result.id); break;
        case FW_OF_PRODUCER: result.error = producer_command(core, command, body, body_len); break;
        case FW_OF_CONSUMER: result.error = consumer_command(core, command); break;
    }
    return result;
}
