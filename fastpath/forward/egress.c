#include "egress.h"

#include "report.h"
#include "rewrite.h"
#include "sources.h"

enum { JOBS = 64, DEFAULT_RTT_US = 20000, REPAIRS = 256, REPAIRS_US = 100000 };

/* A keyframe this young, and this near, is where a newcomer starts. */
enum { CATCH_UP_US = 1000000, CATCH_UP_PACKETS = 400 };

/* Packets of one transport that are written and wait to be protected together. */
typedef struct {
    fw_srtp_job_t jobs[JOBS];
    size_t count;
} fw_run_t;

static uint32_t abs_send_time(uint64_t now_us) { return (uint32_t)((now_us % 64000000 << 18) / 1000000) & 0xffffff; }

static void finish(fw_core_t *core, fw_transport_t *t, fw_run_t *run) {
    fw_srtp_protect(run->jobs, run->count);
    for (size_t i = 0; i < run->count; i++) {
        if (run->jobs[i].out_len == 0) {
            core->counters.drop_protect_failed++;
            continue;
        }
        fw_outbox_add(&core->outbox, &t->path, run->jobs[i].out, run->jobs[i].out_len);
        core->counters.rtp_out++;
    }
    run->count = 0;
}

/* The job for the next packet, with its bytes in the outbox. */
static fw_srtp_job_t *next_job(fw_core_t *core, fw_transport_t *t, fw_run_t *run) {
    size_t messages_left = FW_OUTBOX_MESSAGES - core->outbox.count;
    if (run->count == JOBS || run->count >= messages_left || !fw_outbox_has_room(&core->outbox)) {
        finish(core, t, run);
        if (!fw_outbox_has_room(&core->outbox) || core->outbox.count + JOBS > FW_OUTBOX_MESSAGES) fw_outbox_flush(&core->outbox);
    }
    fw_srtp_job_t *job = &run->jobs[run->count];
    *job = (fw_srtp_job_t){.srtp = t->srtp, .out = fw_outbox_at(&core->outbox)};
    return job;
}

static void commit(fw_core_t *core, fw_run_t *run) {
    fw_outbox_reserve(&core->outbox, fw_srtp_job_len(&run->jobs[run->count]));
    run->count++;
}

static fw_epoch_t *epoch_of(fw_consumer_t *c, uint32_t number) { return &c->epochs[number % FW_EPOCHS]; }

/* Starts sending from another source, whose first packet this is: everything goes on from what was sent last. */
static void switch_source(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    bool first = c->packets == 0;
    fw_seqmap_switch(&c->seqmap, packet->seq64);
    fw_tsmap_switch(&c->tsmap, packet->rtp.timestamp, packet->arrival_us, c->clock_hz, &e->sr, c->same_clock);
    c->same_clock = true;
    fw_epoch_t *epoch = epoch_of(c, c->seqmap.epoch);
    *epoch = (fw_epoch_t){.encoding = e,
                          .number = c->seqmap.epoch,
                          .ts_offset = c->tsmap.offset,
                          .squeezed_end = c->catching_up ? c->caught_up_end : 0,
                          .squeezed_before = c->caught_up_before};
    if (!first) {
        epoch->picture_id_offset = (uint16_t)(c->last_picture_id + 1 - packet->frame.picture_id);
        epoch->tl0_offset = (uint8_t)(c->last_tl0 + 1 - packet->frame.tl0_pic_idx);
        if (packet->has_dd) epoch->frame_number_offset = (uint16_t)(c->last_frame_number + 1 - packet->dd.frame_number);
    }
    c->reported = false;
    if (e->sr.known) {
        c->first_report_due = true;
        fw_transport_first_report_due(core, c->transport);
    }
}

/* What a switch later goes on from. */
static void remember_newest(fw_consumer_t *c, const fw_packet_t *packet, const fw_epoch_t *epoch) {
    fw_tsmap_advance(&c->tsmap, packet->rtp.timestamp, packet->arrival_us);
    c->tsmap.last_out = fw_epoch_timestamp(epoch, packet);
    if (packet->frame.has_picture_id) c->last_picture_id = (uint16_t)(packet->frame.picture_id + epoch->picture_id_offset);
    if (packet->frame.has_tl0) c->last_tl0 = (uint8_t)(packet->frame.tl0_pic_idx + epoch->tl0_offset);
    if (packet->has_dd) c->last_frame_number = (uint16_t)(packet->dd.frame_number + epoch->frame_number_offset);
}

/* Leaves a packet out so that no gap shows. Where it is too late for that the gap stays, and is one more loss. */
static void leave_out(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    if (c->select.current == FW_ENCODING_NONE || packet->encoding != c->producer->encodings[c->select.current]) return;
    if (!fw_seqmap_skip(&c->seqmap, packet->seq64)) core->counters.drop_late_for_consumer++;
}

static bool wants(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    const fw_encoding_t *e = packet->encoding;
    uint8_t mapped = c->formats[packet->format];
    if (mapped == FW_NO_PT) {
        core->counters.drop_no_consumer_format++;
        leave_out(core, c, packet);
        return false;
    }
    switch (fw_select(&c->select, (int8_t)e->index, packet->entry)) {
        case FW_SELECT_DROP: return false;
        case FW_SELECT_FORWARD: break;
        case FW_SELECT_SWITCH:
            c->clock_hz = c->media.formats[mapped].clock_hz;
            switch_source(core, c, packet);
    }
    /* Padding is acknowledged to the publisher and not passed on, unless a later number is out already. */
    return packet->rtp.payload_len > 0 || !fw_seqmap_skip(&c->seqmap, packet->seq64);
}

static void forward(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet, fw_run_t *run) {
    if (!wants(core, c, packet)) return;
    fw_transport_t *t = c->transport;
    fw_rewrite_t how = {.ssrc = c->ssrc, .abs_send_time = abs_send_time(core->now_us), .transport_cc = t->transport_cc};
    fw_seq_t order = fw_seqmap_map(&c->seqmap, packet->seq64, &how.seq64);
    if (order == FW_SEQ_NONE) {
        core->counters.drop_late_for_consumer++;
        return;
    }
    fw_epoch_t *epoch = epoch_of(c, c->seqmap.epoch);
    how.epoch = epoch;
    fw_srtp_job_t *job = next_job(core, t, run);
    if (!fw_rewrite(c, packet, &how, job)) return;
    if (order == FW_SEQ_NEW) remember_newest(c, packet, epoch);
    if (c->sent_plain != NULL)
        c->sent_plain[how.seq64 % FW_SENT_PLAIN] = (fw_sent_plain_t){
            .seq64 = how.seq64, .abs_send_time = how.abs_send_time, .transport_cc = how.transport_cc};
    t->transport_cc++;
    c->packets++;
    c->octets += (uint64_t)job->prefix_len + job->body_len;
    commit(core, run);
}

static const fw_packet_t *cached(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64) {
    const fw_packet_t *packet = fw_pool_get(&core->pool, fw_cache_get(&e->cache, seq64));
    return packet == NULL || packet->encoding != e || packet->seq64 != seq64 ? NULL : packet;
}

/* Whether the newest keyframe is near enough to start at, and still kept. */
static bool entry_is_near(const fw_core_t *core, const fw_encoding_t *e) {
    return e->entry_seq64 != 0 && core->now_us - e->entry_us <= CATCH_UP_US &&
           e->highest_seq64 - e->entry_seq64 < CATCH_UP_PACKETS && cached(core, e, e->entry_seq64) != NULL;
}

bool fw_egress_catch_up(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.current != FW_ENCODING_NONE || !entry_is_near(core, c->producer->encodings[c->select.target])) return false;
    if (c->catching_up) return true;
    c->catching_up = true;
    c->next_catching_up = core->catching_up;
    core->catching_up = c;
    return true;
}

void fw_egress_forget(fw_core_t *core, fw_consumer_t *c) {
    fw_consumer_t **link = &core->catching_up;
    while (*link != NULL && *link != c) link = &(*link)->next_catching_up;
    if (*link == c) *link = c->next_catching_up;
    c->catching_up = false;
}

/* Forwards those of the packets [first, last] that are kept and came before the one that the pool numbers `before`. */
static void forward_cached(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last,
                           uint64_t before, fw_run_t *run) {
    for (uint64_t seq64 = first; seq64 <= last; seq64++) {
        const fw_packet_t *packet = cached(core, e, seq64);
        bool flows = c->select.current == (int8_t)e->index;
        if (packet == NULL && flows && fw_encoding_seen(e, seq64)) {
            (void)fw_seqmap_skip(&c->seqmap, seq64); /* padding is not kept */
        } else if (packet != NULL && packet->number < before) {
            forward(core, c, packet, run);
        }
    }
}

/* Forwards the packets of the cache from the newest keyframe on; those of this batch follow with the batch. */
static void catch_up(fw_core_t *core, fw_consumer_t *c) {
    const fw_encoding_t *e = c->producer->encodings[c->select.target];
    if (!entry_is_near(core, e)) return; /* the target has changed since */
    uint64_t before = e->producer->batch_first == NULL ? UINT64_MAX : e->producer->batch_first->number;
    const fw_packet_t *last = NULL;
    uint64_t end = e->highest_seq64 + 1;
    while ((last == NULL || last->number >= before) && end > e->entry_seq64) last = cached(core, e, --end);
    if (last == NULL || last->number >= before) return;
    c->caught_up_end = last->seq64;
    c->caught_up_before = last->rtp.timestamp;
    fw_run_t run;
    run.count = 0;
    forward_cached(core, c, e, e->entry_seq64, end, before, &run);
    finish(core, c->transport, &run);
}

static void catch_up_all(fw_core_t *core) {
    while (core->catching_up != NULL) {
        fw_consumer_t *c = core->catching_up;
        bool nothing_flows = c->producer != NULL && c->select.target != FW_ENCODING_NONE && c->select.current == FW_ENCODING_NONE;
        if (nothing_flows && fw_transport_ready(c->transport)) catch_up(core, c);
        fw_egress_forget(core, c);
    }
}

static void forward_batch(fw_core_t *core, fw_consumer_t *c, fw_run_t *run) {
    for (const fw_packet_t *packet = c->producer->batch_first; packet != NULL; packet = packet->next) {
        int8_t flowed = c->select.current;
        forward(core, c, packet, run);
        const fw_encoding_t *e = packet->encoding;
        if (c->select.current == flowed || e->highest_seq64 - packet->seq64 >= CATCH_UP_PACKETS) continue;
        /* What overtook the start of its keyframe, or came before that was repaired. */
        forward_cached(core, c, e, packet->seq64 + 1, e->highest_seq64, packet->number, run);
    }
}

static void flush_transport(fw_core_t *core, fw_transport_t *t) {
    fw_run_t run;
    run.count = 0;
    for (fw_consumer_t *c = t->pending; c != NULL; c = c->next_pending) forward_batch(core, c, &run);
    finish(core, t, &run);
    t->pending = NULL;
}

void fw_egress_flush(fw_core_t *core) {
    catch_up_all(core);
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched)
        for (fw_consumer_t *c = p->consumers; c != NULL; c = c->next_of_producer) {
            fw_transport_t *t = c->transport;
            if (!fw_transport_ready(t)) continue;
            if (t->pending == NULL) {
                t->next_flush = core->flush;
                core->flush = t;
            }
            c->next_pending = t->pending;
            t->pending = c;
        }
    for (fw_transport_t *t = core->flush; t != NULL; t = t->next_flush) flush_transport(core, t);
    core->flush = NULL;
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched) p->batch_first = p->batch_last = NULL;
    core->touched = NULL;
}

/* The packet that was sent under `seq64`, if it is still at hand, and how it was mapped. */
static const fw_packet_t *sent_packet(const fw_core_t *core, fw_consumer_t *c, uint64_t seq64, const fw_epoch_t **epoch) {
    uint64_t source;
    uint32_t number;
    if (!fw_seqmap_reverse(&c->seqmap, seq64, &source, &number)) return NULL;
    *epoch = epoch_of(c, number);
    if ((*epoch)->number != number || (*epoch)->encoding == NULL) return NULL;
    return cached(core, (*epoch)->encoding, source);
}

static bool answered_lately(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    /* A viewer that asks again after its own idea of a round trip must not be told that it is a little early: it would
     * wait another one. Chromium takes 100 ms for it. */
    uint64_t rtt_us = c->rtt_us != 0 ? c->rtt_us / 4 * 3 : DEFAULT_RTT_US;
    uint64_t *at_us = &c->repeats[seq16 % FW_REPEATS].at_us;
    uint16_t *last = &c->repeats[seq16 % FW_REPEATS].seq16;
    if (*at_us != 0 && *last == seq16 && core->now_us - *at_us < rtt_us) return true;
    *at_us = core->now_us;
    *last = seq16;
    return false;
}

/* Whether the viewer has had fewer repairs lately than a working call ever needs: one datagram can ask for thousands. */
static bool within_budget(const fw_core_t *core, fw_consumer_t *c) {
    if (core->now_us - c->repairs_since_us >= REPAIRS_US) {
        c->repairs_since_us = core->now_us;
        c->repairs = 0;
    }
    return c->repairs < REPAIRS;
}

void fw_egress_repair(fw_core_t *core, fw_consumer_t *c, uint16_t seq16) {
    fw_transport_t *t = c->transport;
    if (c->rtx_ssrc == 0 && c->sent_plain == NULL) return;
    if (!within_budget(core, c)) {
        core->counters.nack_over_budget++;
        return;
    }
    const fw_epoch_t *epoch = NULL;
    uint64_t seq64 = fw_seq_extend(c->seqmap.highest_out, seq16);
    const fw_packet_t *packet = sent_packet(core, c, seq64, &epoch);
    if (packet == NULL) {
        core->counters.nack_not_cached++;
        return;
    }
    if (answered_lately(core, c, seq16)) {
        core->counters.nack_repeated++;
        return;
    }
    fw_rewrite_t how = {.epoch = epoch, .seq64 = seq64, .ssrc = c->ssrc};
    const fw_sent_plain_t *sent = c->sent_plain == NULL ? NULL : &c->sent_plain[seq64 % FW_SENT_PLAIN];
    if (sent == NULL) {
        how.rtx = true;
        how.ssrc = c->rtx_ssrc;
        how.original_seq16 = seq16;
        how.seq64 = c->rtx_seq64;
        how.abs_send_time = abs_send_time(core->now_us);
        how.transport_cc = t->transport_cc;
    } else if (sent->seq64 == seq64) {
        how.abs_send_time = sent->abs_send_time;
        how.transport_cc = sent->transport_cc;
    } else {
        core->counters.nack_not_cached++;
        return;
    }
    fw_run_t run;
    run.count = 0;
    fw_srtp_job_t *job = next_job(core, t, &run);
    if (!fw_rewrite(c, packet, &how, job)) return;
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
    commit(core, &run);
    finish(core, t, &run);
}
