#include "egress.h"

#include "catchup.h"
#include "equalise.h"
#include "fetch.h"
#include "rewrite.h"
#include "selection.h"

enum { AHEAD = 8 };

/* Of their structs, what each packet needs. */
#define CONSUMER_BYTES offsetof(fw_consumer_t, seqmap.closed)
#define TRANSPORT_BYTES offsetof(fw_transport_t, path_heard_us)

/* Draws the packet to the size of its run. Not the last one: it may be shorter. */
static void pad(fw_core_t *core, const fw_transport_t *t, const fw_packet_t *packet, fw_srtp_job_t *job) {
    if (!packet->run_goes_on || core->outbox.max_segments == 1 || t->path.stream != 0) return;
    /* The first of a run is drawn to the largest of it, the others to what that has become with its header. */
    int padding = fw_outbox_short_by(&core->outbox, &t->path);
    if (padding < 0 || padding > packet->rtp.payload_len / FW_EQUALISE_PART) padding = packet->padding;
    fw_rewrite_pad(job, (uint8_t)padding);
    if (padding > 0) core->counters.padded_out++;
}

void fw_egress_packet(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    fw_transport_t *t = c->transport;
    fw_rewrite_t how = {.ssrc = c->ssrc, .abs_send_time = fw_abs_send_time(core->now_us), .transport_cc = t->transport_cc};
    bool wanted = fw_selection_wants(core, c, packet);
    if (wanted && fw_seqmap_map(&c->seqmap, packet->seq64, &how.seq64, &how.layers) != FW_SEQ_NONE) {
        how.epoch = fw_consumer_epoch(c, c->seqmap.growing.epoch);
    } else if (!fw_selection_belated(c, packet, &how)) {
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
    fw_selection_sent(c, packet, &how);
    if (c->sent_plain != NULL)
        c->sent_plain[how.seq64 % FW_SENT_PLAIN] = (fw_sent_plain_t){
            .seq64 = how.seq64, .abs_send_time = how.abs_send_time, .transport_cc = how.transport_cc, .padding = job->padding};
    t->transport_cc++;
    c->packets++;
    c->octets += (uint64_t)job->prefix_len + job->body_len;
    core->counters.rtp_out++;
    fw_outbox_add_media(&core->outbox, &t->path);
}

static void forward_batch(fw_core_t *core, fw_consumer_t *c) {
    for (const fw_packet_t *packet = c->producer->batch_first; packet != NULL; packet = packet->next) {
        int8_t flowed = c->select.current;
        if (c->catching_up && !fw_catchup_lets(core, c, packet)) continue;
        fw_egress_packet(core, c, packet);
        const fw_encoding_t *e = packet->encoding;
        if (c->select.current == flowed || e->highest_seq64 - packet->seq64 >= fw_cache_reach(&e->cache)) continue;
        /* What overtook the start of its keyframe, or came before that was repaired. */
        fw_catchup_forward(core, c, e, packet->seq64 + 1, e->highest_seq64, packet->number);
    }
}

static void mark_followers(fw_core_t *core, const fw_producer_t *p) {
    for (uint32_t i = 0; i < p->follower_count; i++) {
        if (i + AHEAD < p->follower_count) {
            fw_fetch(p->followers[i + AHEAD].transport, TRANSPORT_BYTES);
            fw_fetch(p->followers[i + AHEAD].consumer, FW_CACHE_LINE);
        }
        fw_consumer_t *c = p->followers[i].consumer;
        fw_transport_t *t = p->followers[i].transport;
        if (!fw_transport_ready(t)) continue;
        if (t->pending == NULL) core->flush[core->flush_count++] = t;
        c->next_pending = t->pending;
        t->pending = c;
    }
}

/* Each step names what the next one reads. */
static void fetch_ahead(fw_transport_t *const *transports, uint32_t count) {
    if (count > 5) fw_fetch(transports[5], TRANSPORT_BYTES);
    if (count > 3) {
        fw_fetch(transports[3]->srtp, FW_CACHE_LINE);
        fw_fetch(transports[3]->pending, CONSUMER_BYTES);
    }
    if (count > 1) fw_srtp_fetch(transports[1]->srtp);
}

/* Sends each transport's packets side by side, whoever published them. */
static void flush_transports(fw_core_t *core) {
    for (uint32_t i = 0; i < core->flush_count; i++) {
        fw_transport_t *t = core->flush[i];
        fetch_ahead(core->flush + i, core->flush_count - i);
        for (fw_consumer_t *c = t->pending; c != NULL; c = c->next_pending) forward_batch(core, c);
        t->pending = NULL;
    }
    core->flush_count = 0;
}

void fw_egress_flush(fw_core_t *core) {
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched) {
        fw_equalise(p->batch_first);
        mark_followers(core, p);
    }
    flush_transports(core);
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched) p->batch_first = p->batch_last = NULL;
    core->touched = NULL;
    fw_catchup_flush(core);
}
