#include "batch.h"

#include "../base/prefetch.h"
#include "../state/batch.h"
#include "gso_pad.h"

enum { AHEAD = 8 };

/* The part of each struct that every packet reads. */
#define CONSUMER_BYTES offsetof(fw_consumer_t, seqmap.closed)

#define TRANSPORT_BYTES offsetof(fw_transport_t, path_heard_us)

static void mark_followers(fw_core_t *core, const fw_producer_t *p) {
    for (uint32_t i = 0; i < p->follower_count; i++) {
        if (i + AHEAD < p->follower_count) {
            fw_prefetch(p->followers[i + AHEAD].transport, TRANSPORT_BYTES);
            fw_prefetch(p->followers[i + AHEAD].consumer, FW_CACHE_LINE);
        }
        fw_consumer_t *c = p->followers[i].consumer;
        fw_transport_t *t = p->followers[i].transport;
        if (!fw_transport_ready(t)) continue;
        if (t->pending == NULL) core->flush[core->flush_count++] = t;
        c->next_pending = t->pending;
        t->pending = c;
    }
}

/* Each step prefetches what the next one dereferences. */
static void prefetch_ahead(fw_transport_t *const *transports, uint32_t count) {
    if (count > 5) fw_prefetch(transports[5], TRANSPORT_BYTES);
    if (count > 3) {
        fw_prefetch(transports[3]->srtp, FW_CACHE_LINE);
        fw_prefetch(transports[3]->pending, CONSUMER_BYTES);
    }
    if (count > 1) fw_srtp_fetch(transports[1]->srtp);
}

/* Sends all packets of one transport together, of all producers. */
static void flush_transports(fw_core_t *core) {
    for (uint32_t i = 0; i < core->flush_count; i++) {
        fw_transport_t *t = core->flush[i];
        prefetch_ahead(core->flush + i, core->flush_count - i);
        t->sink->flush(core, t);
        t->pending = NULL;
    }
    core->flush_count = 0;
}

void fw_egress_flush(fw_core_t *core) {
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched) {
        fw_gso_pad(p->batch_first);
        mark_followers(core, p);
    }
    flush_transports(core);
    fw_batch_clear(core);
}
