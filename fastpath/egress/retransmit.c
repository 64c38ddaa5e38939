#include "retransmit.h"

#include <stdlib.h>

#include "parameter_sets.h"
#include "rewrite.h"
#include "switch.h"

enum { DEFAULT_RTT_US = 20000, LEAST_BYTES_PER_S = 8000, REPAIR_PART = 5 };

/* A packet shortly before one that was given up, or that had no payload: an empty packet with its payload type and timestamp can be
 * sent under the missing number. NULL where there is none, or where a decoder detects the loss only by the gap: frames of H.264, H.265
 * and AV1 without the dependency descriptor do not state which frames they refer to. */
static const fw_packet_t *before_hole(const fw_core_t *core, const fw_consumer_t *c, const fw_encoding_t *e, uint64_t hole) {
    const fw_packet_t *packet = NULL;
    for (uint64_t back = 1; packet == NULL && back <= FW_NACK_MISSING; back++) packet = fw_encoding_cached(core, e, hole - back);
    if (packet == NULL || fw_encoding_came_empty(e, hole) || packet->frame.has_picture_id) return packet;
    return packet->frame.from_descriptor && c->media->extensions[FW_EXT_DEPENDENCY_DESCRIPTOR] != 0 ? packet : NULL;
}

/* Whether a keyframe that the consumer has been sent makes the packet useless. */
static bool is_obsolete(const fw_consumer_t *c, const fw_encoding_t *e, uint64_t source, const fw_rewrite_t *how) {
    if (c->media->kind != FW_VIDEO || c->select.current == FW_ENCODING_NONE) return false;
    /* An epoch begins with a keyframe; the one before it may be of that keyframe's parameter sets. */
    if (how->epoch->number + (how->epoch->is_sets ? 1 : 0) != c->seqmap.growing.epoch) return true;
    if (how->epoch->is_sets) return false;
    return source < e->sync_point_seq64 && e->sync_point_seq64 <= c->seqmap.highest_in;
}

/* How the packet that was sent under how->seq64 was mapped, and its number in its encoding. False where that is not remembered. */
static bool find_mapping(fw_consumer_t *c, fw_rewrite_t *how, uint64_t *source) {
    fw_stretch_t stretch;
    if (!fw_seqmap_reverse(&c->seqmap, how->seq64, source, &stretch)) return false;
    how->layers = stretch.layers;
    how->epoch = fw_consumer_epoch(c, stretch.epoch);
    return how->epoch->number == stretch.epoch && how->epoch->encoding != NULL;
}

/* The cached packet with that number, or one that helps to fill its place (how->empty), or NULL. */
static const fw_packet_t *find_packet(const fw_core_t *core, const fw_consumer_t *c, uint64_t source, fw_rewrite_t *how) {
    const fw_encoding_t *e = how->epoch->encoding;
    const fw_packet_t *packet = fw_encoding_cached(core, e, source);
    how->empty = packet == NULL && source + e->cache.size > e->highest_seq64 && fw_encoding_is_hole(e, source);
    return how->empty ? before_hole(core, c, e, source) : packet;
}

static fw_nack_verdict_t verdict(const fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    /* A viewer repeats a NACK after its own estimate of the round trip, Chromium after 100 ms at first: refusing one that is a little
     * early would cost the viewer another round trip. */
    uint64_t rtt_us = c->rtt_us != 0 ? c->rtt_us / 4 * 3 : DEFAULT_RTT_US;
    if (c->nack_dedup == NULL) c->nack_dedup = calloc(1, sizeof *c->nack_dedup);
    return c->nack_dedup == NULL ? FW_NACK_EXHAUSTED : fw_nack_dedup_check(c->nack_dedup, seq16, core->now_us, rtt_us);
}

/* Whether the transport's retransmissions of the last second, this one included, are within the budget: a fifth of the media that it
 * was sent in that time, at least 64 kbit/s. */
static bool within_budget(const fw_core_t *core, fw_transport_t *t, uint32_t bytes) {
    uint32_t limit = fw_byte_window_sum(&t->media_sent, core->now_us) / REPAIR_PART;
    if (limit < LEAST_BYTES_PER_S) limit = LEAST_BYTES_PER_S;
    return fw_byte_window_sum(&t->repairs_sent, core->now_us) + bytes <= limit;
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

/* Finds the packet to retransmit, NULL for parameter sets, and how to write it. Returns the counter of the reason where it is not to be retransmitted. */
static uint64_t *refusal(fw_core_t *core, fw_consumer_t *c, fw_rewrite_t *how, const fw_packet_t **packet, uint8_t *padding) {
    fw_counters_t *counters = &core->counters;
    uint16_t seq16 = (uint16_t)how->seq64;
    uint64_t source;
    if (!find_mapping(c, how, &source)) return &counters->nack_not_cached;
    *packet = how->epoch->is_sets ? NULL : find_packet(core, c, source, how);
    if (*packet == NULL && !how->epoch->is_sets) return &counters->nack_not_cached;
    if (!how->empty && is_obsolete(c, how->epoch->encoding, source, how)) return &counters->nack_obsolete;
    fw_nack_verdict_t found = verdict(core, c, seq16);
    if (found == FW_NACK_REPEATED) return &counters->nack_repeated;
    if (found == FW_NACK_EXHAUSTED) return &counters->nack_exhausted;
    if (!within_budget(core, c->transport, *packet == NULL || how->empty ? 0 : (*packet)->len)) return &counters->nack_over_budget;
    return address(core, c, how, padding) ? NULL : &counters->nack_not_cached;
}

void fw_retransmit(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    fw_transport_t *t = c->transport;
    if (c->rtx_ssrc == 0 && c->sent_plain == NULL) return;
    fw_rewrite_t how = {.seq64 = fw_seq_extend(c->seqmap.highest_out, seq16), .ssrc = c->ssrc};
    const fw_packet_t *packet;
    uint8_t padding = 0;
    uint64_t *counter = refusal(core, c, &how, &packet, &padding);
    if (counter != NULL) {
        ++*counter;
        return;
    }
    fw_srtp_job_t *job = fw_outbox_begin_media(&core->outbox, t->srtp, t->srtp_overhead);
    if (packet == NULL ? !fw_parameter_sets_rewrite(c, &how, job) : !fw_rewrite(c, packet, &how, job)) return;
    fw_rewrite_pad(job, padding);
    if (how.rtx || how.empty) t->transport_cc++;
    if (how.rtx) c->rtx_seq64++;
    c->rtx_packets++;
    c->rtx_octets += (uint64_t)job->prefix_len + job->body_len;
    *(how.rtx ? &core->counters.rtx_out : &core->counters.plain_retransmit_out) += 1;
    core->counters.nack_filled += how.empty;
    core->counters.rtp_out++;
    fw_nack_dedup_note(c->nack_dedup, seq16, core->now_us);
    fw_byte_window_add(&t->repairs_sent, core->now_us, (uint32_t)fw_srtp_job_len(job));
    fw_outbox_add_media(&core->outbox, &t->path);
}
