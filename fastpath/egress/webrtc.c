#include "webrtc.h"

#include "../select/fast_start_list.h"
#include "gso_pad.h"
#include "rewrite.h"
#include "switch.h"

/* Pads the packet to the size of its run. The last of a run needs none: it may be shorter. */
static void pad(fw_core_t *core, const fw_transport_t *t, const fw_packet_t *packet, fw_srtp_job_t *job) {
    if (!packet->run_goes_on || core->outbox.max_segments == 1 || t->path.stream != 0) return;
    /* The first of a run is padded to the largest of it, the others to the size of the first with its header. */
    int padding = fw_outbox_short_by(&core->outbox, &t->path);
    if (padding < 0 || padding > packet->rtp.payload_len / FW_GSO_PAD_PART) padding = packet->padding;
    fw_rewrite_pad(job, (uint8_t)padding);
    if (padding > 0) core->counters.padded_out++;
}

static void send_packet(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    fw_transport_t *t = c->transport;
    fw_rewrite_t how = {.ssrc = c->ssrc, .abs_send_time = fw_abs_send_time(core->now_us), .transport_cc = t->transport_cc};
    bool wanted = fw_switch_wants(core, c, packet);
    if (wanted && fw_seqmap_map(&c->seqmap, packet->seq64, &how.seq64, &how.layers) != FW_SEQ_NONE) {
        how.epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch);
    } else if (!fw_switch_find_late(c, packet, &how)) {
        if (wanted) core->counters.drop_late_for_consumer++;
        return;
    }
    if (c->sent_plain != NULL && c->sent_plain[how.seq64 % FW_SENT_PLAIN].seq64 >= how.seq64) {
        core->counters.drop_late_for_consumer++; /* the number has gone out empty, or it is too old to tell */
        return;
    }
    fw_srtp_job_t *job = fw_outbox_begin_media(&core->outbox, t->srtp, t->srtp_overhead);
    if (!fw_rewrite(c, packet, &how, job)) return;
    pad(core, t, packet, job);
    fw_switch_note_sent(c, packet, &how);
    if (c->sent_plain != NULL)
        c->sent_plain[how.seq64 % FW_SENT_PLAIN] = (fw_sent_plain_t){
            .seq64 = how.seq64, .abs_send_time = how.abs_send_time, .transport_cc = how.transport_cc, .padding = job->padding};
    t->transport_cc++;
    c->packets++;
    c->octets += (uint64_t)job->prefix_len + job->body_len;
    core->counters.rtp_out++;
    fw_outbox_add_media(&core->outbox, &t->path);
}

/* Sends those of the packets [first, last] that are cached and have a lower number in the pool than `before`. */
static void send_cached(fw_core_t *core, fw_consumer_t *c, const fw_encoding_t *e, uint64_t first, uint64_t last, uint64_t before) {
    for (uint64_t seq64 = first; seq64 <= last; seq64++) {
        const fw_packet_t *packet = fw_encoding_cached(core, e, seq64);
        if (packet == NULL && c->select.current == (int8_t)e->index && fw_encoding_came_empty(e, seq64)) {
            (void)fw_seqmap_skip(&c->seqmap, seq64);
        } else if (packet != NULL && packet->number < before) {
            send_packet(core, c, packet);
        }
    }
}

static void forward_batch(fw_core_t *core, fw_consumer_t *c) {
    for (const fw_packet_t *packet = c->producer->batch_first; packet != NULL; packet = packet->next) {
        int8_t flowed = c->select.current;
        if (c->in_fast_start && !fw_fast_start_lets(core, c, packet)) continue;
        send_packet(core, c, packet);
        const fw_encoding_t *e = packet->encoding;
        if (c->select.current == flowed || e->highest_seq64 - packet->seq64 >= fw_cache_reach(&e->cache)) continue;
        /* Packets of the keyframe that overtook its start, or came before its start was retransmitted. */
        send_cached(core, c, e, packet->seq64 + 1, e->highest_seq64, packet->number);
    }
}

static void flush(fw_core_t *core, fw_transport_t *t) {
    for (fw_consumer_t *c = t->pending; c != NULL; c = c->next_pending) forward_batch(core, c);
}

const fw_sink_t fw_webrtc_sink = {.flush = flush, .packet = send_packet};
