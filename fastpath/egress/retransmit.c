#include "retransmit.h"

#include <stdlib.h>

#include "rewrite.h"
#include "switch.h"

enum { DEFAULT_RTT_US = 20000, REPAIRS = 256, REPAIRS_US = 100000 };

/* A packet shortly before one that is given up, whose place an empty one may take: its payload type and its time serve.
 * NULL where there is none, or where only the gap tells a decoder that something is missing: H.264, H.265 and AV1 without
 * its descriptor do not say what a frame refers to, and not always where it begins. */
static const fw_packet_t *before_hole(const fw_core_t *core, const fw_consumer_t *c, const fw_encoding_t *e, uint64_t hole) {
    const fw_packet_t *packet = NULL;
    for (uint64_t back = 1; packet == NULL && back <= FW_NACK_MISSING; back++) packet = fw_encoding_cached(core, e, hole - back);
    if (packet == NULL || fw_encoding_came_empty(e, hole) || packet->frame.has_picture_id) return packet;
    return packet->frame.described && c->media->ext_ids[FW_EXT_DEPENDENCY_DESCRIPTOR] != 0 ? packet : NULL;
}

/* The packet that was sent under how->seq64, if it is still at hand, or one that helps to fill its place; fills in how it was
 * mapped. */
static const fw_packet_t *sent_packet(const fw_core_t *core, fw_consumer_t *c, fw_rewrite_t *how) {
    uint64_t source;
    fw_stretch_t stretch;
    if (!fw_seqmap_reverse(&c->seqmap, how->seq64, &source, &stretch)) return NULL;
    how->layers = stretch.layers;
    how->epoch = fw_consumer_epoch(c, stretch.epoch);
    if (how->epoch->number != stretch.epoch || how->epoch->encoding == NULL) return NULL;
    const fw_encoding_t *e = how->epoch->encoding;
    const fw_packet_t *packet = fw_encoding_cached(core, e, source);
    how->empty = packet == NULL && source + e->cache.size > e->highest_seq64 && fw_encoding_is_hole(e, source);
    return how->empty ? before_hole(core, c, e, source) : packet;
}

static bool answered_lately(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    /* A viewer that asks again after its own idea of a round trip must not be told that it is a little early: it would
     * wait another one. Chromium takes 100 ms for it. */
    uint64_t rtt_us = c->rtt_us != 0 ? c->rtt_us / 4 * 3 : DEFAULT_RTT_US;
    if (c->nack_dedup == NULL) c->nack_dedup = calloc(1, sizeof *c->nack_dedup);
    return c->nack_dedup != NULL && fw_nack_dedup_note(c->nack_dedup, seq16, core->now_us, rtt_us);
}

/* Whether the viewer has had fewer repairs lately than a working call ever needs: one datagram can ask for thousands. */
static bool within_budget(const fw_core_t *core, fw_consumer_t *c) {
    if (core->now_us - c->repairs_since_us >= REPAIRS_US) {
        c->repairs_since_us = core->now_us;
        c->repairs = 0;
    }
    return c->repairs < REPAIRS;
}

/* Gives the repair a number of its own where RTX is negotiated; else it is to be the very same bytes as the first time, or the
 * first that go under its number. False where it can be neither: no number may go out with other bytes. */
static bool address(const fw_core_t *core, fw_consumer_t *c, fw_rewrite_t *how, uint8_t *padding) {
    how->abs_send_time = fw_abs_send_time(core->now_us);
    how->transport_cc = c->transport->transport_cc;
    if (c->sent_plain == NULL) {
        how->rtx = true;
        how->ssrc = c->rtx_ssrc;
        how->original_seq16 = (uint16_t)how->seq64;
        how->seq64 = c->rtx_seq64;
        return true;
    }
    fw_sent_plain_t *sent = &c->sent_plain[how->seq64 % FW_SENT_PLAIN];
    if (how->empty) {
        if (sent->seq64 >= how->seq64) return false; /* it has been filled, or what is known of it was written over */
        *sent = (fw_sent_plain_t){.seq64 = how->seq64};
        return true;
    }
    how->abs_send_time = sent->abs_send_time;
    how->transport_cc = sent->transport_cc;
    *padding = sent->padding;
    return sent->seq64 == how->seq64;
}

void fw_retransmit(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    fw_transport_t *t = c->transport;
    if (c->rtx_ssrc == 0 && c->sent_plain == NULL) return;
    if (!within_budget(core, c)) {
        core->counters.nack_over_budget++;
        return;
    }
    fw_rewrite_t how = {.seq64 = fw_seq_extend(c->seqmap.highest_out, seq16), .ssrc = c->ssrc};
    uint8_t padding = 0;
    const fw_packet_t *packet = sent_packet(core, c, &how);
    if (packet != NULL && answered_lately(core, c, seq16)) {
        core->counters.nack_repeated++;
        return;
    }
    if (packet == NULL || !address(core, c, &how, &padding)) {
        core->counters.nack_not_cached++;
        return;
    }
    fw_srtp_job_t *job = fw_outbox_begin_media(&core->outbox, t->srtp, t->srtp_overhead);
    if (!fw_rewrite(c, packet, &how, job)) return;
    fw_rewrite_pad(job, padding);
    if (how.rtx || how.empty) t->transport_cc++;
    if (how.rtx) c->rtx_seq64++;
    c->rtx_packets++;
    c->rtx_octets += (uint64_t)job->prefix_len + job->body_len;
    *(how.rtx ? &core->counters.rtx_out : &core->counters.plain_retransmit_out) += 1;
    core->counters.nack_filled += how.empty;
    core->counters.rtp_out++;
    c->repairs++;
    fw_outbox_add_media(&core->outbox, &t->path);
}
