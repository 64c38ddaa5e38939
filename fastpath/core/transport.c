#include <stdlib.h>

#include "../egress/webrtc.h"
#include "../ice/ask.h"
#include "../ice/credentials.h"
#include "../ice/owners.h"
#include "../ice/paths.h"
#include "../rtcp/send.h"
#include "../state/marks.h"
#include "lifecycle.h"

/* Grows the arrays that may hold all transports at once. */
static bool make_room(fw_core_t *core, uint32_t transports) {
    if (transports > core->flush_capacity) {
        fw_transport_t **flush = realloc(core->flush, transports * sizeof(fw_transport_t *));
        if (flush == NULL) return false;
        core->flush = flush;
        core->flush_capacity = transports;
    }
    return fw_timers_reserve(&core->timers, transports);
}

static fw_error_t set_credentials(fw_core_t *core, fw_transport_t *t, const fw_ice_credentials_t *local,
                                  const fw_peer_ice_credentials_t *peer) {
    uint8_t peer_ufrag_len = peer->peer_pwd_len == 0 ? 0 : peer->peer_ufrag_len;
    fw_error_t error = fw_credentials_set_peer(t, peer->peer_ufrag, peer_ufrag_len, peer->peer_pwd, peer->peer_pwd_len);
    return error != FW_DONE ? error : fw_credentials_set(core, t, local);
}

fw_error_t fw_transport_open(fw_core_t *core, const fw_open_transport_t *wanted, uint64_t *id) {
    fw_transport_t *t = calloc(1, sizeof *t);
    if (t == NULL) return FW_LIMIT;
    fw_error_t error = set_credentials(core, t, &wanted->local, &wanted->peer);
    if (error == FW_DONE) {
        t->id = fw_slots_put(&core->transports, t);
        if (t->id == 0 || !make_room(core, core->transports.capacity + 1)) error = FW_LIMIT;
    }
    if (error != FW_DONE) {
        fw_credentials_forget(core, t);
        fw_slots_remove(&core->transports, t->id);
        free(t);
        return error;
    }
    fw_map_init(&t->inbound, FW_SSRC_WORDS, core->config.hash_seed);
    fw_map_init(&t->outbound, FW_SSRC_WORDS, core->config.hash_seed);
    t->sink = &fw_webrtc_sink;
    t->opened_us = t->alive_us = core->now_us;
    t->consent_timeout_us = wanted->consent_us;
    t->connect_timeout_us = wanted->connect_us;
    t->publish_bps = wanted->publish_bps;
    t->punts.sctp_records_per_s = wanted->sctp_records_per_s;
    t->punts.sctp_bytes_per_s = wanted->sctp_bytes_per_s;
    t->rtcp_ssrc = wanted->rtcp_ssrc;
    t->transport_cc = wanted->first_transport_cc;
    t->report_us = t->feedback_us = t->start_us = UINT64_MAX;
    fw_mark_due(core, t);
    *id = t->id;
    return FW_DONE;
}

fw_error_t fw_transport_restart_ice(fw_core_t *core, fw_transport_t *t, const fw_restart_ice_t *wanted) {
    return t->state == FW_CLOSED ? FW_STALE_ID : set_credentials(core, t, &wanted->local, &wanted->peer);
}

fw_error_t fw_transport_set_keys(fw_core_t *core, fw_transport_t *t, const fw_set_keys_t *keys) {
    if (t->state == FW_CLOSED) return FW_STALE_ID;
    /* The same keys again would repeat GCM nonces; new keys would need new sequence numbers. */
    if (t->srtp != NULL) return FW_DUPLICATE;
    t->srtp = fw_srtp_create(core->crypto, (fw_srtp_profile_t)keys->profile, keys->local, keys->remote);
    if (t->srtp == NULL) return FW_REFUSED;
    t->srtp_overhead = (uint8_t)fw_srtp_overhead(t->srtp);
    t->state = FW_KEYED;
    t->report_us = fw_rtcp_next_report_us(core->now_us);
    fw_mark_changed(core, t);
    fw_transport_t *former = fw_owners_take_over(core, t);
    if (former != NULL) {
        core->counters.path_takeovers++;
        fw_transport_close(core, former, FW_CLOSE_REPLACED);
    }
    fw_ice_keyed(core, t);
    fw_mark_due(core, t);
    return FW_DONE;
}

static void say_goodbye(fw_core_t *core, fw_transport_t *t) {
    uint32_t ssrcs[31] = {t->rtcp_ssrc};
    unsigned count = 1;
    for (const fw_consumer_t *c = t->consumers; c != NULL; c = c->next_on_transport) {
        if (count == sizeof ssrcs / sizeof *ssrcs) {
            fw_rtcp_send_bye(core, t, ssrcs, count);
            count = 0;
        }
        ssrcs[count++] = c->ssrc;
    }
    fw_rtcp_send_bye(core, t, ssrcs, count);
}

void fw_transport_close(fw_core_t *core, fw_transport_t *t, fw_close_reason_t reason) {
    if (t->state == FW_CLOSED) return;
    if (reason == FW_CLOSE_REPLACED) t->path = (fw_path_t){0}; /* another transport owns it: no BYE is sent over it */
    say_goodbye(core, t);
    while (t->consumers != NULL) fw_consumer_remove(core, t->consumers);
    while (t->producers != NULL) fw_producer_remove(core, t->producers);
    fw_outbox_protect(&core->outbox); /* the outbox may hold packets that are to be encrypted with its keys */
    fw_ice_ask_stop(core, t);
    fw_ice_forget(core, t);
    fw_credentials_forget(core, t);
    fw_map_free(&t->inbound);
    fw_map_free(&t->outbound);
    fw_srtp_destroy(t->srtp);
    free(t->arrivals);
    t->srtp = NULL;
    t->arrivals = NULL;
    t->state = FW_CLOSED;
    t->reason = reason;
    fw_timers_set(&core->timers, &t->timer, UINT64_MAX);
    fw_mark_changed(core, t);
}

void fw_transport_forget(fw_core_t *core, fw_transport_t *t) {
    fw_transport_close(core, t, FW_CLOSE_REQUESTED);
    fw_marks_forget(core, t);
    fw_slots_remove(&core->transports, t->id);
    free(t);
}
