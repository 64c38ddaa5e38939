#include <stdlib.h>

#include "../egress/relay.h"
#include "../state/batch.h"
#include "../state/ssrc.h"
#include "lifecycle.h"

static void index_media(fw_producer_t *p) {
    memset(p->ext_kinds, FW_EXTENSIONS, sizeof p->ext_kinds);
    memset(p->pt_formats, FW_NO_PT, sizeof p->pt_formats);
    for (unsigned kind = 0; kind < FW_EXTENSIONS; kind++)
        if (p->media.ext_ids[kind] != 0) p->ext_kinds[p->media.ext_ids[kind]] = (uint8_t)kind;
    for (unsigned i = 0; i < p->media.format_count; i++) {
        const fw_format_t *f = &p->media.formats[i];
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
    return (spec->ssrc == 0 || fw_ssrc_learn(core, e, spec->ssrc, false) != FW_SSRC_REFUSED) &&
           (spec->rtx_ssrc == 0 || fw_ssrc_learn(core, e, spec->rtx_ssrc, true) != FW_SSRC_REFUSED);
}

/* What only the producer's own worker has: its place on the transport. */
static fw_error_t attach(fw_producer_t *p, fw_transport_t *t) {
    p->transport = t;
    p->next_on_transport = t->producers;
    t->producers = p;
    if (p->media.ext_ids[FW_EXT_TRANSPORT_CC] == 0 || t->arrivals != NULL) return FW_DONE;
    t->arrivals = malloc(sizeof *t->arrivals);
    if (t->arrivals == NULL) return FW_LIMIT;
    fw_arrivals_init(t->arrivals);
    return FW_DONE;
}

fw_error_t fw_producer_add(fw_core_t *core, const fw_command_t *command, uint64_t *id) {
    bool copy = command->u.producer.home_id != 0;
    fw_transport_t *t = fw_slots_get(&core->transports, command->id);
    if (!copy && (t == NULL || t->state == FW_CLOSED)) return FW_STALE_ID;
    uint32_t encodings = command->u.producer.encoding_count;
    if (!fw_media_ok(&command->u.producer.media) || encodings == 0 || encodings > FW_ENCODINGS) return FW_REFUSED;
    for (uint32_t i = 0; i < encodings; i++)
        if (command->u.producer.encodings[i].rid_len > FW_RID_BYTES) return FW_REFUSED;
    fw_producer_t *p = calloc(1, sizeof *p);
    if (p == NULL) return FW_LIMIT;
    p->media = command->u.producer.media;
    p->home_id = command->u.producer.home_id;
    p->home_worker = command->u.producer.home_worker;
    p->best = encodings == 1 ? 0 : FW_ENCODING_NONE;
    index_media(p);
    p->id = fw_slots_put(&core->producers, p);
    fw_error_t error = p->id == 0 ? FW_LIMIT : FW_DONE;
    if (error == FW_DONE && !copy) error = attach(p, t);
    for (uint32_t i = 0; i < encodings && error == FW_DONE; i++)
        if (!add_encoding(core, p, &command->u.producer.encodings[i])) error = FW_DUPLICATE;
    if (error != FW_DONE) {
        fw_producer_remove(core, p);
        return error;
    }
    *id = p->id;
    return FW_DONE;
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
        free(p->encodings[i]->last);
        free(p->encodings[i]->sets);
        free(p->encodings[i]);
    }
    free(p->followers);
    fw_slots_remove(&core->producers, p->id);
    free(p);
}

fw_error_t fw_producer_add_relay_target(fw_core_t *core, fw_producer_t *p, const fw_command_t *command) {
    for (unsigned i = 0; i < p->relay_target_count; i++)
        if (p->relay_targets[i].copy_id == command->u.relay_target.copy_id && p->relay_targets[i].worker == command->u.relay_target.worker)
            return FW_DUPLICATE;
    if (p->relay_target_count == FW_MAX_RELAY_TARGETS) return FW_LIMIT;
    fw_relay_producer(core, p); /* the new copy gets these packets as history */
    fw_relay_target_t *target = &p->relay_targets[p->relay_target_count++];
    *target = (fw_relay_target_t){.copy_id = command->u.relay_target.copy_id, .worker = command->u.relay_target.worker};
    fw_relay_history(core, p, target);
    return FW_DONE;
}

void fw_producer_remove_relay_target(fw_producer_t *p, const fw_command_t *command) {
    for (unsigned i = 0; i < p->relay_target_count; i++) {
        if (p->relay_targets[i].copy_id != command->u.relay_target.copy_id || p->relay_targets[i].worker != command->u.relay_target.worker) continue;
        p->relay_targets[i] = p->relay_targets[--p->relay_target_count];
        return;
    }
}
