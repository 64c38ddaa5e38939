#include <stdlib.h>

#include "../egress/rewrite.h"
#include "../select/fast_start_list.h"
#include "../select/target.h"
#include "lifecycle.h"

static bool register_ssrc(fw_transport_t *t, uint32_t ssrc, fw_consumer_t *c) {
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    return fw_map_get(&t->outbound, &key) == NULL && fw_map_put(&t->outbound, &key, c);
}

static void unregister_ssrc(fw_transport_t *t, uint32_t ssrc) {
    fw_key_t key = fw_key(&ssrc, sizeof ssrc);
    fw_map_remove(&t->outbound, &key);
}

static void fill(fw_consumer_t *c, const fw_add_consumer_t *wanted) {
    c->ssrc = wanted->spec.ssrc;
    c->rtx_ssrc = wanted->spec.rtx_ssrc;
    c->mixed_extensions = wanted->spec.mixed_extensions != 0;
    c->cname_len = wanted->spec.cname_len;
    memcpy(c->cname, wanted->spec.cname, sizeof c->cname);
    c->select = (fw_select_t){FW_ENCODING_NONE, FW_ENCODING_NONE};
    c->preferred_encoding = FW_HIGHEST;
    c->limit = (fw_layers_t){.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
    c->clock_hz = c->media->payload_types_count > 0 ? c->media->payload_types[0].clock_rate_hz : 90000;
    memset(c->formats, FW_NO_PT, sizeof c->formats);
    fw_rewrite_prepare(c);
    fw_seqmap_init(&c->seqmap, wanted->first_seq16);
    fw_tsmap_init(&c->tsmap, wanted->first_timestamp);
    c->rtx_seq64 = wanted->first_rtx_seq16;
}

static bool asks_for_repair(const fw_media_t *m) {
    for (unsigned i = 0; i < m->payload_types_count; i++)
        if ((m->payload_types[i].feedback & FW_FB_NACK) != 0) return true;
    return false;
}

static void release(fw_core_t *core, fw_consumer_t *c) {
    fw_media_set_give_back(&core->media_set, c->media);
    free(c->sent_plain);
    free(c->nack_dedup);
    free(c);
}

static bool wanted_ok(const fw_add_consumer_t *wanted) {
    return fw_media_ok(&wanted->spec.media) && wanted->spec.ssrc != 0 && wanted->spec.cname_len <= FW_CNAME_BYTES &&
           wanted->first_seq16 != 0 && wanted->first_seq16 < 0x8000 && wanted->first_rtx_seq16 < 0x8000;
}

fw_error_t fw_consumer_add(fw_core_t *core, fw_transport_t *t, const fw_add_consumer_t *wanted, uint64_t *id) {
    if (t->state == FW_CLOSED) return FW_STALE_ID;
    if (!wanted_ok(wanted)) return FW_REFUSED;
    fw_consumer_t *c = calloc(1, sizeof *c);
    if (c == NULL) return FW_LIMIT;
    c->media = fw_media_set_take(&core->media_set, &wanted->spec.media);
    if (c->media == NULL) {
        free(c);
        return FW_LIMIT;
    }
    fill(c, wanted);
    bool plain_repair = c->rtx_ssrc == 0 && asks_for_repair(c->media);
    if (plain_repair) c->sent_plain = calloc(FW_SENT_PLAIN, sizeof *c->sent_plain);
    c->id = !plain_repair || c->sent_plain != NULL ? fw_slots_put(&core->consumers, c) : 0;
    if (c->id == 0) {
        release(core, c);
        return FW_LIMIT;
    }
    c->transport = t;
    c->next_on_transport = t->consumers;
    t->consumers = c;
    bool first = register_ssrc(t, c->ssrc, c);
    if (!first || (c->rtx_ssrc != 0 && !register_ssrc(t, c->rtx_ssrc, c))) {
        /* Removal unregisters only the SSRCs that this consumer registered. */
        if (!first) c->ssrc = 0;
        c->rtx_ssrc = 0;
        fw_consumer_remove(core, c);
        return FW_DUPLICATE;
    }
    *id = c->id;
    return FW_DONE;
}

void fw_consumer_unbind(fw_core_t *core, fw_consumer_t *c) {
    if (c->producer == NULL) return;
    fw_fast_start_cancel(core, c);
    fw_producer_t *p = c->producer;
    p->followers[c->follower_index] = p->followers[--p->follower_count];
    p->followers[c->follower_index].consumer->follower_index = c->follower_index;
    c->producer = NULL;
    c->fast_start_sync_us = 0;
    c->preferred_encoding = FW_HIGHEST;
    c->limit = (fw_layers_t){.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
    c->select = (fw_select_t){FW_ENCODING_NONE, FW_ENCODING_NONE};
    /* The producer owns the cache, so that packets sent from it cannot be retransmitted any more. */
    for (unsigned i = 0; i < FW_EPOCHS; i++) c->epochs[i].encoding = NULL;
}

static bool has_room(fw_producer_t *p) {
    if (p->follower_count < p->follower_capacity) return true;
    uint32_t capacity = p->follower_capacity == 0 ? 4 : p->follower_capacity * 2;
    fw_follower_t *followers = realloc(p->followers, capacity * sizeof *followers);
    if (followers == NULL) return false;
    p->followers = followers;
    p->follower_capacity = capacity;
    return true;
}

fw_error_t fw_consumer_bind(fw_core_t *core, fw_consumer_t *c, const fw_bind_consumer_t *wanted) {
    fw_producer_t *p = NULL;
    if (wanted->producer != 0) {
        p = fw_slots_get(&core->producers, wanted->producer);
        if (p == NULL) return FW_STALE_ID;
        if (p->media.kind != c->media->kind) return FW_REFUSED;
        for (unsigned i = 0; i < FW_FORMATS; i++) {
            uint8_t format = wanted->formats[i];
            if (format != FW_NO_PT && format >= c->media->payload_types_count) return FW_REFUSED;
        }
    }
    fw_consumer_unbind(core, c);
    if (p == NULL) return FW_DONE;
    if (!has_room(p)) return FW_LIMIT;
    memcpy(c->formats, wanted->formats, sizeof c->formats);
    c->same_clock = wanted->same_clock != 0;
    c->producer = p;
    c->follower_index = p->follower_count;
    p->followers[p->follower_count++] = (fw_follower_t){c, c->transport};
    fw_target_aim(core, c);
    return FW_DONE;
}

static bool layer_ok(uint8_t layer) { return layer <= FW_LAYERS_ALL || layer == FW_HIGHEST; }

fw_error_t fw_consumer_set_layers(fw_core_t *core, fw_consumer_t *c, const fw_set_layers_t *wanted) {
    uint8_t preferred = wanted->encoding;
    if (preferred != FW_HIGHEST && (c->producer == NULL || preferred >= c->producer->encoding_count)) return FW_REFUSED;
    if (!layer_ok(wanted->spatial) || !layer_ok(wanted->temporal)) return FW_REFUSED;
    c->preferred_encoding = preferred;
    c->limit.spatial = wanted->spatial & FW_LAYERS_ALL;
    c->limit.temporal = wanted->temporal & FW_LAYERS_ALL;
    fw_target_aim(core, c);
    return FW_DONE;
}

void fw_consumer_remove(fw_core_t *core, fw_consumer_t *c) {
    fw_transport_t *t = c->transport;
    fw_consumer_unbind(core, c);
    fw_consumer_t **link = &t->consumers;
    while (*link != c) link = &(*link)->next_on_transport;
    *link = c->next_on_transport;
    if (c->ssrc != 0) unregister_ssrc(t, c->ssrc);
    if (c->rtx_ssrc != 0) unregister_ssrc(t, c->rtx_ssrc);
    fw_slots_remove(&core->consumers, c->id);
    release(core, c);
}
