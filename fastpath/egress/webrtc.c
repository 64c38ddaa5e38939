#include "webrtc.h"

#include "../select/fast_start_list.h"
#include "gso_pad.h"
#include "parameter_sets.h"
#include "rewrite.h"
#include "switch.h"

/* Pads the packet to the size of its run. The last packet of a run may be shorter. */
static void pad(fw_core_t *core, const fw_transport_t *t, const fw_packet_t *packet, fw_srtp_job_t *job) {
    if (!packet->run_goes_on || core->outbox.max_segments == 1 || t->path.stream != 0) return;
    /* The first packet of a run is padded to the largest, the others to the size of the first with its header. */
    int padding = fw_outbox_short_by(&core->outbox, &t->path);
    if (padding < 0 || padding > packet->rtp.payload_len / FW_GSO_PAD_PART) padding = packet->padding;
    fw_rewrite_pad(job, (uint8_t)padding);
    if (padding > 0) core->counters.padded_out++;
}

/* Hands a written packet to the outbox, and counts it. Returns its bytes. */
static uint32_t emit(fw_core_t *core, fw_consumer_t *c, const fw_rewrite_t *how, const fw_srtp_job_t *job) {
    fw_transport_t *t = c->transport;
    if (c->sent_plain != NULL)
        c->sent_plain[how->seq64 % FW_SENT_PLAIN] = (fw_sent_plain_t){.seq64 = how->seq64,
                                                                      .abs_send_time = how->abs_send_time,
                                                                      .transport_cc = how->transport_cc,
                                                                      .padding = job->padding};
    t->transport_cc++;
    c->packets++;
    c->octets += (uint64_t)job->prefix_len + job->body_len;
    core->counters.rtp_out++;
    uint32_t bytes = (uint32_t)fw_srtp_job_len(job);
    fw_outbox_add_media(&core->outbox, &t->path);
    return bytes;
}

static fw_rewrite_t addressed(const fw_core_t *core, const fw_consumer_t *c) {
    return (fw_rewrite_t){
        .ssrc = c->ssrc, .abs_send_time = fw_abs_send_time(core->now_us), .transport_cc = c->transport->transport_cc};
}

static void send_parameter_sets(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    fw_transport_t *t = c->transport;
    fw_rewrite_t how = addressed(core, c);
    c->sets_due = false;
    fw_parameter_sets_map(c, packet, &how);
    fw_srtp_job_t *job = fw_outbox_begin_media(&core->outbox, t->srtp, t->srtp_overhead);
    if (!fw_parameter_sets_rewrite(c, &how, job)) return;
    core->counters.parameter_sets_out++;
    (void)emit(core, c, &how, job);
}

/* Sends the packet if the consumer wants it. Returns the bytes sent, without those of parameter sets. */
static uint32_t send_packet(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    fw_transport_t *t = c->transport;
    bool wanted = fw_switch_wants(core, c, packet);
    if (c->sets_due) send_parameter_sets(core, c, packet);
    fw_rewrite_t how = addressed(core, c);
    if (wanted && fw_seqmap_map(&c->seqmap, packet->seq64, &how.seq64, &how.layers) != FW_SEQ_NONE) {
        how.epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch);
    } else if (!fw_switch_find_late(c, packet, &how)) {
        if (wanted) core->counters.drop_late_for_consumer++;
        return 0;
    }
    if (c->sent_plain != NULL && c->sent_plain[how.seq64 % FW_SENT_PLAIN].seq64 >= how.seq64) {
        core->counters.drop_late_for_consumer++; /* the number was sent empty, or it is too old to know */
        return 0;
    }
    fw_srtp_job_t *job = fw_outbox_begin_media(&core->outbox, t->srtp, t->srtp_overhead);
    if (!fw_rewrite(c, packet, &how, job)) return 0;
    pad(core, t, packet, job);
    fw_switch_note_sent(c, packet, &how);
    return emit(core, c, &how, job);
}

/* Sends those of the packets [first, last] that are cached and have a lower number in the pool than `before`. Returns the bytes sent. */
static uint32_t send_cached(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last, uint64_t before) {
    uint32_t bytes = 0;
    for (uint64_t seq64 = first; seq64 <= last; seq64++) {
        const fw_packet_t *packet = fw_encoding_cached(core, e, seq64);
        if (packet == NULL && c->select.current == (int8_t)e->index && fw_encoding_came_empty(e, seq64)) {
            (void)fw_seqmap_skip(&c->seqmap, seq64);
        } else if (packet != NULL && packet->number < before) {
            bytes += send_packet(core, c, packet);
        }
    }
    return bytes;
}

static uint32_t forward_batch(fw_core_t *core, fw_consumer_t *c) {
    uint32_t bytes = 0;
    for (const fw_packet_t *packet = c->producer->batch_first; packet != NULL; packet = packet->next) {
        int8_t flowed = c->select.current;
        if (c->in_fast_start && !fw_fast_start_lets(core, c, packet)) continue;
        bytes += send_packet(core, c, packet);
        const fw_encoding_t *e = packet->encoding;
        if (c->select.current == flowed || e->highest_seq64 - packet->seq64 >= fw_cache_reach(&e->cache)) continue;
        /* Packets of the keyframe that arrived before its first packet. */
        bytes += send_cached(core, c, e, packet->seq64 + 1, e->highest_seq64, packet->number);
    }
    return bytes;
}

static void flush(fw_core_t *core, fw_transport_t *t) {
    uint32_t bytes = 0;
    for (fw_consumer_t *c = t->pending; c != NULL; c = c->next_pending) bytes += forward_batch(core, c);
    fw_byte_window_add(&t->media_sent, core->now_us, bytes);
}

static void packet(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *cached) {
    fw_byte_window_add(&c->transport->media_sent, core->now_us, send_packet(core, c, cached));
}

const fw_sink_t fw_webrtc_sink = {.flush = flush, .packet = packet};
