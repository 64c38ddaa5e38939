#include <stdlib.h>

#include "../egress/relay.h"
#include "../state/batch.h"
#include "../state/ssrc.h"
#include "lifecycle.h"

#define SOURCE_HOME_ID 1 /* any value but 0, which is for producers of a transport */

static void index_media(fw_producer_t *p) {
    memset(p->ext_kinds, FW_EXTENSIONS, sizeof p->ext_kinds);
    memset(p->pt_formats, FW_NO_PT, sizeof p->pt_formats);
    for (unsigned kind = 0; kind < FW_EXTENSIONS; kind++)
        if (p->media.extensions[kind] != 0) p->ext_kinds[p->media.extensions[kind]] = (uint8_t)kind;
    for (unsigned i = 0; i < p->media.payload_types_count; i++) {
        const fw_format_t *f = &p->media.payload_types[i];
        p->pt_formats[f->pt] = (uint8_t)i;
        if (f->rtx_pt != FW_NO_PT) p->pt_formats[f->rtx_pt] = (uint8_t)(i | 0x80);
    }
}

static bool add_encoding(fw_core_t *core, fw_producer_t *p, const fw_encoding_spec_t *spec) {
    fw_encoding_t *e = calloc(1, sizeof *e);
    if (e == NULL || !fw_cache_init(&e->cache)) {
        free(e);
        return false;
    }
    e->producer = p;
    e->index = p->encoding_count;
    e->rid_len = spec->rid_len;
    memcpy(e->rid, spec->rid, sizeof e->rid);
    e->turns_seq64 = FW_FIRST_TURN;
    fw_nack_init(&e->nack);
    p->encodings[p->encoding_count++] = e;
    if (p->transport == NULL) return true; /* its SSRCs are registered by the transport of its own worker */
    return (spec->ssrc == 0 || fw_ssrc_learn(core, e, spec->ssrc, false) != FW_SSRC_REFUSED) &&
           (spec->rtx_ssrc == 0 || fw_ssrc_learn(core, e, spec->rtx_ssrc, true) != FW_SSRC_REFUSED);
}

/* Adds a producer to its transport, which relayed producers and sources do not have. */
static fw_error_t attach(fw_producer_t *p, fw_transport_t *t) {
    p->transport = t;
    p->next_on_transport = t->producers;
    t->producers = p;
    if (p->media.extensions[FW_EXT_TRANSPORT_CC] == 0 || t->arrivals != NULL) return FW_DONE;
    t->arrivals = malloc(sizeof *t->arrivals);
    if (t->arrivals == NULL) return FW_LIMIT;
    fw_arrivals_init(t->arrivals);
    return FW_DONE;
}

static bool spec_ok(const fw_producer_spec_t *spec) {
    if (!fw_media_ok(&spec->media) || spec->encodings_count == 0 || spec->encodings_count > FW_ENCODINGS) return false;
    for (unsigned i = 0; i < spec->encodings_count; i++)
        if (spec->encodings[i].rid_len > FW_RID_BYTES) return false;
    return true;
}

/* `t` is NULL for a relayed producer and for a source. */
static fw_error_t add(fw_core_t *core, fw_transport_t *t, const fw_producer_spec_t *spec, uint64_t home_id, uint32_t home_worker,
                      uint64_t *id) {
    if (!spec_ok(spec)) return FW_REFUSED;
    fw_producer_t *p = calloc(1, sizeof *p);
    if (p == NULL) return FW_LIMIT;
    p->media = spec->media;
    p->home_id = home_id;
    p->home_worker = home_worker;
    p->best = spec->encodings_count == 1 ? 0 : FW_ENCODING_NONE;
    index_media(p);
    p->id = fw_slots_put(&core->producers, p);
    fw_error_t error = p->id == 0 ? FW_LIMIT : FW_DONE;
    if (error == FW_DONE && t != NULL) error = attach(p, t);
    for (unsigned i = 0; i < spec->encodings_count && error == FW_DONE; i++)
        if (!add_encoding(core, p, &spec->encodings[i])) error = FW_DUPLICATE;
    if (error != FW_DONE) {
        fw_producer_remove(core, p);
        return error;
    }
    *id = p->id;
    return FW_DONE;
}

fw_error_t fw_producer_add(fw_core_t *core, fw_transport_t *t, const fw_producer_spec_t *spec, uint64_t *id) {
    return t->state == FW_CLOSED ? FW_STALE_ID : add(core, t, spec, 0, 0, id);
}

fw_error_t fw_producer_add_relayed(fw_core_t *core, const fw_add_relayed_producer_t *wanted, uint64_t *id) {
    if (wanted->home_id == 0 || wanted->home_worker == FW_NO_WORKER) return FW_REFUSED;
    return add(core, NULL, &wanted->spec, wanted->home_id, wanted->home_worker, id);
}

fw_error_t fw_producer_add_source(fw_core_t *core, const fw_producer_spec_t *spec, uint64_t *id) {
    return add(core, NULL, spec, SOURCE_HOME_ID, FW_NO_WORKER, id);
}

static void detach(fw_producer_t *p) {
    fw_transport_t *t = p->transport;
    if (t == NULL) return;
    for (unsigned i = 0; i < p->encoding_count; i++) fw_ssrc_forget(t, p->encodings[i]);
    fw_producer_t **link = &t->producers;
    while (*link != p) link = &(*link)->next_on_transport;
    *link = p->next_on_transport;
}

void fw_producer_remove(fw_core_t *core, fw_producer_t *p) {
    while (p->follower_count > 0) fw_consumer_unbind(core, p->followers[p->follower_count - 1].consumer);
    detach(p);
    fw_batch_remove(core, p);
    for (unsigned i = 0; i < p->encoding_count; i++) {
        fw_cache_free(&p->encodings[i]->cache);
        free(p->encodings[i]->held_back);
        free(p->encodings[i]->sets);
        free(p->encodings[i]);
    }
    free(p->followers);
    fw_slots_remove(&core->producers, p->id);
    free(p);
}

fw_error_t fw_producer_add_relay_target(fw_core_t *core, fw_producer_t *p, const fw_add_relay_target_t *wanted) {
    for (unsigned i = 0; i < p->relay_target_count; i++)
        if (p->relay_targets[i].copy_id == wanted->copy_id && p->relay_targets[i].worker == wanted->worker) return FW_DUPLICATE;
    if (p->relay_target_count == FW_MAX_RELAY_TARGETS) return FW_LIMIT;
    fw_relay_producer(core, p); /* before the target is added: the copy gets these packets as history */
    fw_relay_target_t *target = &p->relay_targets[p->relay_target_count++];
    *target = (fw_relay_target_t){.copy_id = wanted->copy_id, .worker = wanted->worker};
    fw_relay_history(core, p, target);
    return FW_DONE;
}

void fw_producer_remove_relay_target(fw_producer_t *p, const fw_remove_relay_target_t *target) {
    for (unsigned i = 0; i < p->relay_target_count; i++) {
        if (p->relay_targets[i].copy_id != target->copy_id || p->relay_targets[i].worker != target->worker) continue;
        p->relay_targets[i] = p->relay_targets[--p->relay_target_count];
        return;
    }
}
