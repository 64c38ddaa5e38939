#include "repair.h"

#include <stdlib.h>

#include "egress.h"
#include "rewrite.h"
#include "selection.h"
#include "sources.h"

enum { DEFAULT_RTT_US = 20000, REPAIRS = 256, REPAIRS_US = 100000 };

/* The packet that was sent under how->seq64, if it is still at hand; fills in how it was mapped. */
static const fw_packet_t *sent_packet(const fw_core_t *core, fw_consumer_t *c, fw_rewrite_t *how) {
    uint64_t source;
    fw_stretch_t stretch;
    if (!fw_seqmap_reverse(&c->seqmap, how->seq64, &source, &stretch)) return NULL;
    how->layers = stretch.layers;
    how->epoch = fw_consumer_epoch(c, stretch.epoch);
    if (how->epoch->number != stretch.epoch || how->epoch->encoding == NULL) return NULL;
    return fw_encoding_cached(core, how->epoch->encoding, source);
}

static bool answered_lately(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    /* A viewer that asks again after its own idea of a round trip must not be told that it is a little early: it would
     * wait another one. Chromium takes 100 ms for it. */
    uint64_t rtt_us = c->rtt_us != 0 ? c->rtt_us / 4 * 3 : DEFAULT_RTT_US;
    if (c->repeats == NULL) c->repeats = calloc(1, sizeof *c->repeats);
    return c->repeats != NULL && fw_repeats_note(c->repeats, seq16, core->now_us, rtt_us);
}

/* Whether the viewer has had fewer repairs lately than a working call ever needs: one datagram can ask for thousands. */
static bool within_budget(const fw_core_t *core, fw_consumer_t *c) {
    if (core->now_us - c->repairs_since_us >= REPAIRS_US) {
        c->repairs_since_us = core->now_us;
        c->repairs = 0;
    }
    return c->repairs < REPAIRS;
}

void fw_repair_send(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    fw_transport_t *t = c->transport;
    if (c->rtx_ssrc == 0 && c->sent_plain == NULL) return;
    if (!within_budget(core, c)) {
        core->counters.nack_over_budget++;
        return;
    }
    uint64_t seq64 = fw_seq_extend(c->seqmap.highest_out, seq16);
    fw_rewrite_t how = {.seq64 = seq64, .ssrc = c->ssrc};
    const fw_packet_t *packet = sent_packet(core, c, &how);
    if (packet == NULL) {
        core->counters.nack_not_cached++;
        return;
    }
    if (answered_lately(core, c, seq16)) {
        core->counters.nack_repeated++;
        return;
    }
    const fw_sent_plain_t *sent = c->sent_plain == NULL ? NULL : &c->sent_plain[seq64 % FW_SENT_PLAIN];
    if (sent == NULL) {
        how.rtx = true;
        how.ssrc = c->rtx_ssrc;
        how.original_seq16 = seq16;
        how.seq64 = c->rtx_seq64;
        how.abs_send_time = fw_abs_send_time(core->now_us);
        how.transport_cc = t->transport_cc;
    } else if (sent->seq64 == seq64) {
        how.abs_send_time = sent->abs_send_time;
        how.transport_cc = sent->transport_cc;
    } else {
        core->counters.nack_not_cached++;
        return;
    }
    fw_srtp_job_t *job = fw_outbox_begin_media(&core->outbox, t->srtp, t->srtp_overhead);
    if (!fw_rewrite(c, packet, &how, job)) return;
    if (!how.rtx) fw_rewrite_pad(job, sent->padding);
    c->rtx_packets++;
    c->rtx_octets += (uint64_t)job->prefix_len + job->body_len;
    if (how.rtx) {
        c->rtx_seq64++;
        t->transport_cc++;
        core->counters.rtx_out++;
    } else {
        core->counters.plain_repair_out++;
    }
    c->repairs++;
    core->counters.rtp_out++;
    fw_outbox_add_media(&core->outbox, &t->path);
}
