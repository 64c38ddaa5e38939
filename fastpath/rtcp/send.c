#include "send.h"

#include "../wire/rtcp.h"

enum { COMPOUND_BYTES = 1200, NACKS_AT_ONCE = 64, REPORT_BLOCKS = 31 };

static const char own_cname[] = "fanwire";

/* Starts a compound in the outbox. */
static fw_rtcp_writer_t begin(fw_core_t *core) {
    return fw_rtcp_writer(fw_outbox_begin(&core->outbox), COMPOUND_BYTES);
}

static void send(fw_core_t *core, fw_transport_t *t, const fw_rtcp_writer_t *w) {
    if (w->len == 0) return;
    size_t len = fw_srtp_protect_rtcp(t->srtp, w->out, w->len);
    if (len == 0) {
        core->counters.drop_protect_failed++;
        return;
    }
    fw_outbox_add(&core->outbox, &t->path, len);
    core->counters.rtcp_out++;
}

/* Starts a compound for feedback: without a report where that was negotiated (RFC 5506), else behind an RR (RFC 4585 section 3.1). */
static fw_rtcp_writer_t begin_feedback(fw_core_t *core, const fw_transport_t *t, const fw_producer_t *p) {
    fw_rtcp_writer_t w = begin(core);
    if (p->media.reduced_size_rtcp) return w;
    fw_rtcp_put_rr(&w, t->rtcp_ssrc, NULL, 0);
    fw_rtcp_put_sdes(&w, &t->rtcp_ssrc, 1, own_cname, sizeof own_cname - 1);
    return w;
}

/* Writes the sender report of a consumer: the clock of its encoding, extrapolated to now, with the timestamp mapped as in its packets.
 * False where there is no clock yet. */
static bool put_sender_report(fw_core_t *core, fw_consumer_t *c, fw_rtcp_writer_t *w) {
    if (c->producer == NULL || c->select.current == FW_ENCODING_NONE || c->packets == 0) return false;
    const fw_clock_point_t *clock = &c->producer->encodings[c->select.current]->clock;
    if (!clock->known) return false;
    uint64_t since_us = core->now_us > clock->arrival_us ? core->now_us - clock->arrival_us : 0;
    fw_sender_info_t info = {
        .ssrc = c->ssrc,
        .ntp = clock->ntp + fw_ntp_span(since_us),
        .timestamp = clock->timestamp + (uint32_t)fw_ticks(since_us, c->clock_hz) + c->tsmap.offset,
        .packets = (uint32_t)c->packets,
        .octets = (uint32_t)c->octets,
    };
    fw_rtcp_put_sr(w, &info);
    fw_rtcp_put_sdes(w, &c->ssrc, 1, c->cname, c->cname_len);
    if (w->overflow) return false;
    c->reported = true;
    c->sent_reports[c->sent_report_next].ntp_middle = (uint32_t)(info.ntp >> 16);
    c->sent_reports[c->sent_report_next].at_us = core->now_us;
    c->sent_report_next = (uint8_t)((c->sent_report_next + 1) % FW_SENT_REPORTS);
    return true;
}

static void send_sender_reports(fw_core_t *core, fw_transport_t *t, bool first_only) {
    fw_rtcp_writer_t w = begin(core);
    for (fw_consumer_t *c = t->consumers; c != NULL; c = c->next_on_transport) {
        if (first_only && !c->first_report_due) continue;
        c->first_report_due = false;
        /* Room for one more SR and its SDES. */
        if (w.len + 28 + 12 + FW_CNAME_BYTES > w.cap) {
            send(core, t, &w);
            w = begin(core);
        }
        put_sender_report(core, c, &w);
    }
    send(core, t, &w);
}

/* A publisher without transport-wide feedback is told its upper bound by REMB. */
static void put_remb(fw_core_t *core, fw_transport_t *t, fw_rtcp_writer_t *w) {
    uint32_t ssrcs[REPORT_BLOCKS];
    unsigned count = 0;
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        if (fw_producer_supports(p, FW_FB_TRANSPORT_CC) || !fw_producer_supports(p, FW_FB_REMB)) continue;
        for (unsigned i = 0; i < p->encoding_count && count < REPORT_BLOCKS; i++)
            if (p->encodings[i]->ssrc != 0) ssrcs[count++] = p->encodings[i]->ssrc;
    }
    if (count == 0) return;
    fw_rtcp_put_remb(w, t->rtcp_ssrc, t->publish_bps, ssrcs, count);
    core->counters.remb_out++;
}

static void send_receiver_reports(fw_core_t *core, fw_transport_t *t) {
    fw_report_block_t blocks[REPORT_BLOCKS];
    unsigned count = 0;
    for (fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        for (unsigned i = 0; i < p->encoding_count; i++) {
            fw_encoding_t *e = p->encodings[i];
            static const fw_clock_point_t unknown = {0};
            if (e->stats.started && count < REPORT_BLOCKS)
                fw_receive_stats_report(&e->stats, e->ssrc, &e->sr, core->now_us, &blocks[count++]);
            if (e->rtx_stats.started && count < REPORT_BLOCKS)
                fw_receive_stats_report(&e->rtx_stats, e->rtx_ssrc, &unknown, core->now_us, &blocks[count++]);
        }
    if (count == 0) return;
    fw_rtcp_writer_t w = begin(core);
    fw_rtcp_put_rr(&w, t->rtcp_ssrc, blocks, count);
    fw_rtcp_put_sdes(&w, &t->rtcp_ssrc, 1, own_cname, sizeof own_cname - 1);
    put_remb(core, t, &w);
    send(core, t, &w);
}

void fw_rtcp_send_transport_feedback(fw_core_t *core, fw_transport_t *t) {
    t->feedback_us = UINT64_MAX;
    const fw_producer_t *p = t->producers;
    while (p != NULL && fw_arrivals_pending(t->arrivals)) {
        fw_rtcp_writer_t w = begin_feedback(core, t, p);
        if (!fw_arrivals_report(t->arrivals, &w, t->rtcp_ssrc)) break;
        core->counters.twcc_out++;
        send(core, t, &w);
    }
}

void fw_rtcp_send_nacks(fw_core_t *core, fw_transport_t *t, fw_producer_t *p, fw_encoding_t *e) {
    uint16_t seqs[NACKS_AT_ONCE];
    unsigned count = fw_nack_due(&e->nack, core->now_us, seqs, NACKS_AT_ONCE);
    if (count == 0) return;
    fw_rtcp_writer_t w = begin_feedback(core, t, p);
    fw_rtcp_put_nack(&w, t->rtcp_ssrc, e->ssrc, seqs, count);
    e->nacks_sent++;
    core->counters.nack_out++;
    send(core, t, &w);
}

void fw_rtcp_send_keyframe_requests(fw_core_t *core, fw_transport_t *t, fw_producer_t *p) {
    bool pli = fw_producer_supports(p, FW_FB_PLI);
    if (!pli && !fw_producer_supports(p, FW_FB_FIR)) return;
    uint8_t encodings = fw_keyframes_due(&p->keyframes, core->now_us);
    if (encodings == 0) return;
    fw_rtcp_writer_t w = begin_feedback(core, t, p);
    size_t empty = w.len;
    uint32_t keyframe_bytes = 0, bytes_per_s = 0;
    if (!pli) p->fir_seq++;
    for (unsigned i = 0; i < p->encoding_count; i++) {
        const fw_encoding_t *e = p->encodings[i];
        uint32_t ssrc = e->ssrc;
        bytes_per_s += e->rate_before;
        if ((encodings >> i & 1) == 0 || ssrc == 0) continue;
        keyframe_bytes += e->sync_point_bytes;
        if (pli) fw_rtcp_put_pli(&w, t->rtcp_ssrc, ssrc);
        else fw_rtcp_put_fir(&w, t->rtcp_ssrc, ssrc, p->fir_seq);
    }
    fw_keyframes_charge(&p->keyframes, keyframe_bytes, bytes_per_s);
    if (w.len == empty) return;
    p->pli_count++;
    core->counters.keyframe_requests_out++;
    send(core, t, &w);
}

void fw_rtcp_send_reports(fw_core_t *core, fw_transport_t *t) {
    t->report_us = fw_rtcp_next_report_us(core->now_us);
    send_sender_reports(core, t, false);
    send_receiver_reports(core, t);
}

void fw_rtcp_send_bye(fw_core_t *core, fw_transport_t *t, const uint32_t *ssrcs, unsigned count) {
    if (!fw_transport_ready(t) || count == 0) return;
    fw_rtcp_writer_t w = begin(core);
    fw_rtcp_put_rr(&w, t->rtcp_ssrc, NULL, 0);
    fw_rtcp_put_sdes(&w, &t->rtcp_ssrc, 1, own_cname, sizeof own_cname - 1);
    fw_rtcp_put_bye(&w, ssrcs, count);
    send(core, t, &w);
}

void fw_rtcp_send_first_reports(fw_core_t *core, fw_transport_t *t) {
    if (fw_transport_ready(t)) send_sender_reports(core, t, true);
}
