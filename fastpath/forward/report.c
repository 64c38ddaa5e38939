#include "report.h"

#include "../wire/rtcp.h"
#include "check.h"
#include "ingress.h"
#include "sources.h"
#include "table.h"

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

/* Feedback goes alone where that was agreed, else behind a report (RFC 4585 section 3.1, RFC 5506). */
static fw_rtcp_writer_t begin_feedback(fw_core_t *core, const fw_transport_t *t, const fw_producer_t *p) {
    fw_rtcp_writer_t w = begin(core);
    if (p->media.reduced_size) return w;
    fw_rtcp_put_rr(&w, t->rtcp_ssrc, NULL, 0);
    fw_rtcp_put_sdes(&w, &t->rtcp_ssrc, 1, own_cname, sizeof own_cname - 1);
    return w;
}

/* The sender report of a consumer: the publisher's clock carried to now, its timestamp mapped as the packets are. */
static bool put_sender_report(fw_core_t *core, fw_consumer_t *c, fw_rtcp_writer_t *w) {
    if (c->producer == NULL || c->select.current == FW_ENCODING_NONE || c->packets == 0) return false;
    const fw_clock_point_t *sr = &c->producer->encodings[c->select.current]->sr;
    if (!sr->known) return false;
    uint64_t since_us = core->now_us > sr->arrival_us ? core->now_us - sr->arrival_us : 0;
    fw_sender_info_t info = {
        .ssrc = c->ssrc,
        .ntp = sr->ntp + fw_ntp_span(since_us),
        .timestamp = sr->timestamp + (uint32_t)fw_ticks(since_us, c->clock_hz) + c->tsmap.offset,
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

static bool supports(const fw_producer_t *p, uint8_t feedback) {
    for (unsigned i = 0; i < p->media.format_count; i++)
        if ((p->media.formats[i].feedback & feedback) != 0) return true;
    return false;
}

/* A publisher that gets no transport-wide feedback learns from REMB how much it may send. */
static void put_remb(fw_core_t *core, fw_transport_t *t, fw_rtcp_writer_t *w) {
    uint32_t ssrcs[REPORT_BLOCKS];
    unsigned count = 0;
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        if (supports(p, FW_FB_TRANSPORT_CC) || !supports(p, FW_FB_REMB)) continue;
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

static void send_transport_feedback(fw_core_t *core, fw_transport_t *t) {
    const fw_producer_t *p = t->producers;
    while (p != NULL && fw_arrivals_pending(t->arrivals)) {
        fw_rtcp_writer_t w = begin_feedback(core, t, p);
        if (!fw_arrivals_report(t->arrivals, &w, t->rtcp_ssrc)) break;
        core->counters.twcc_out++;
        send(core, t, &w);
    }
}

static void send_nacks(fw_core_t *core, fw_transport_t *t, fw_producer_t *p, fw_encoding_t *e) {
    uint16_t seqs[NACKS_AT_ONCE];
    unsigned count = fw_nack_due(&e->nack, core->now_us, seqs, NACKS_AT_ONCE);
    if (count == 0) return;
    fw_rtcp_writer_t w = begin_feedback(core, t, p);
    fw_rtcp_put_nack(&w, t->rtcp_ssrc, e->ssrc, seqs, count);
    e->nacks_sent++;
    core->counters.nack_out++;
    send(core, t, &w);
}

static void send_keyframe_requests(fw_core_t *core, fw_transport_t *t, fw_producer_t *p) {
    bool pli = supports(p, FW_FB_PLI);
    if (!pli && !supports(p, FW_FB_FIR)) return;
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
        keyframe_bytes += e->entry_bytes;
        if (pli) fw_rtcp_put_pli(&w, t->rtcp_ssrc, ssrc);
        else fw_rtcp_put_fir(&w, t->rtcp_ssrc, ssrc, p->fir_seq);
    }
    fw_keyframes_charge(&p->keyframes, keyframe_bytes, bytes_per_s);
    if (w.len == empty) return;
    p->pli_count++;
    core->counters.keyframe_requests_out++;
    send(core, t, &w);
}

/* Whether anyone is sent the encoding; of other workers' viewers that is not known. */
static bool is_watched(const fw_producer_t *p, const fw_encoding_t *e) {
    for (uint32_t i = 0; i < p->follower_count; i++)
        if (p->followers[i].consumer->select.current == (int8_t)e->index) return true;
    return p->target_count > 0;
}

void fw_transport_repair(fw_core_t *core, fw_transport_t *t) {
    for (fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        for (unsigned i = 0; i < p->encoding_count; i++) {
            fw_encoding_t *e = p->encodings[i];
            fw_ingress_tick(core, e);
            send_nacks(core, t, p, e);
            if (e->nack.gave_up && is_watched(p, e) && e->frames.next_seq64 != 0 && e->frames.next_seq64 <= e->nack.given_up)
                fw_producer_lacks_keyframe(core, p, (uint8_t)i); /* no decoder gets past what is missing there */
            e->nack.gave_up = false;
        }
        send_keyframe_requests(core, t, p);
    }
}

void fw_transport_bye(fw_core_t *core, fw_transport_t *t, const uint32_t *ssrcs, unsigned count) {
    if (!fw_transport_ready(t) || count == 0) return;
    fw_rtcp_writer_t w = begin(core);
    fw_rtcp_put_rr(&w, t->rtcp_ssrc, NULL, 0);
    fw_rtcp_put_sdes(&w, &t->rtcp_ssrc, 1, own_cname, sizeof own_cname - 1);
    fw_rtcp_put_bye(&w, ssrcs, count);
    send(core, t, &w);
}

void fw_transport_first_report_due(fw_core_t *core, fw_transport_t *t) {
    if (t->first_reports_due) return;
    t->first_reports_due = true;
    t->next_report = core->reports;
    core->reports = t;
}

void fw_transport_first_reports(fw_core_t *core, fw_transport_t *t) {
    t->first_reports_due = false;
    if (fw_transport_ready(t)) send_sender_reports(core, t, true);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* When the transport closes by itself if nothing more is heard. */
static uint64_t closing_us(const fw_transport_t *t) {
    uint64_t consent_us = t->consent_us + t->consent_timeout_us;
    return t->state == FW_KEYED ? consent_us : earlier(t->opened_us + t->connect_timeout_us, consent_us);
}

void fw_transport_schedule(fw_core_t *core, fw_transport_t *t) {
    if (t->state == FW_CLOSED) return;
    uint64_t due_us = earlier(closing_us(t), fw_check_next_us(t));
    if (fw_transport_ready(t)) {
        due_us = earlier(due_us, earlier(t->start_us, earlier(t->report_us, t->feedback_us)));
        for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
            if (supports(p, FW_FB_PLI | FW_FB_FIR)) due_us = earlier(due_us, fw_keyframes_next_us(&p->keyframes));
            for (unsigned i = 0; i < p->encoding_count; i++) {
                const fw_nack_t *nack = &p->encodings[i]->nack;
                due_us = earlier(due_us, fw_ingress_next_us(p->encodings[i]));
                due_us = nack->gave_up ? core->now_us : earlier(due_us, fw_nack_next_us(nack));
            }
        }
    }
    fw_timers_set(&core->timers, &t->timer, due_us);
}

void fw_transport_tick(fw_core_t *core, fw_transport_t *t) {
    if (core->now_us >= closing_us(t)) {
        bool connected = t->state == FW_KEYED;
        if (connected) core->counters.consent_lost++;
        else core->counters.never_connected++;
        fw_transport_close(core, t, connected ? FW_CLOSE_CONSENT_LOST : FW_CLOSE_NEVER_CONNECTED);
        return;
    }
    fw_check_tick(core, t);
    if (fw_transport_ready(t)) {
        if (core->now_us >= t->start_us) {
            t->start_us = UINT64_MAX;
            for (fw_consumer_t *c = t->consumers; c != NULL; c = c->next_on_transport) fw_consumer_aim(core, c);
        }
        if (core->now_us >= t->report_us) {
            t->report_us = core->now_us + FW_REPORT_US;
            send_sender_reports(core, t, false);
            send_receiver_reports(core, t);
        }
        if (core->now_us >= t->feedback_us) {
            t->feedback_us = UINT64_MAX;
            send_transport_feedback(core, t);
        }
        fw_transport_repair(core, t);
    }
    fw_transport_schedule(core, t);
}
