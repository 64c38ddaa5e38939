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

static void fill(fw_consumer_t *c, const fw_command_t *command) {
    c->ssrc = command->u.consumer.ssrc;
    c->rtx_ssrc = command->u.consumer.rtx_ssrc;
    c->mixed_extensions = command->u.consumer.mixed_extensions != 0;
    c->cname_len = command->u.consumer.cname_len;
    memcpy(c->cname, command->u.consumer.cname, sizeof c->cname);
    c->select = (fw_select_t){FW_ENCODING_NONE, FW_ENCODING_NONE};
    c->preferred_encoding = FW_HIGHEST;
    c->limit = (fw_layers_t){.spatial = FW_LAYERS_ALL, .temporal = FW_LAYERS_ALL};
    c->clock_hz = c->media->format_count > 0 ? c->media->formats[0].clock_hz : 90000;
    memset(c->formats, FW_NO_PT, sizeof c->formats);
    fw_rewrite_prepare(c);
    fw_seqmap_init(&c->seqmap, command->u.consumer.first_seq16);
    fw_tsmap_init(&c->tsmap, command->u.consumer.first_timestamp);
    c->rtx_seq64 = command->u.consumer.first_rtx_seq16;
}

static bool asks_for_repair(const fw_media_t *m) {
    for (unsigned i = 0; i < m->format_count; i++)
        if ((m->formats[i].feedback & FW_FB_NACK) != 0) return true;
    return false;
}

static void release(fw_core_t *core, fw_consumer_t *c) {
    fw_media_set_give_back(&core->media_set, c->media);
    free(c->sent_plain);
    free(c->nack_dedup);
    free(c);
}

fw_error_t fw_consumer_add(fw_core_t *core, const fw_command_t *command, uint64_t *id) {
    fw_transport_t *t = fw_slots_get(&core->transports, command->id);
    if (t == NULL || t->state == FW_CLOSED) return FW_STALE_ID;
    if (!fw_media_ok(&command->u.consumer.media) || command->u.consumer.ssrc == 0 ||
        command->u.consumer.cname_len > FW_CNAME_BYTES || command->u.consumer.first_seq16 == 0 || command->u.consumer.first_seq16 >= 0x8000 ||
        command->u.consumer.first_rtx_seq16 >= 0x8000)
        return FW_REFUSED;
    fw_consumer_t *c = calloc(1, sizeof *c);
    if (c == NULL) return FW_LIMIT;
    c->media = fw_media_set_take(&core->media_set, &command->u.consumer.media);
    if (c->media == NULL) {
        free(c);
        return FW_LIMIT;
    }
    fill(c, command);
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
        /* Only what this consumer registered is taken out again. */
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
    /* The cache goes with the producer: what was sent from it can no longer be repaired. */
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

fw_error_t fw_consumer_bind(fw_core_t *core, fw_consumer_t *c, const fw_command_t *command) {
    fw_producer_t *p = NULL;
    if (command->u.bind.producer_id != 0) {
        p = fw_slots_get(&core->producers, command->u.bind.producer_id);
        if (p == NULL) return FW_STALE_ID;
        if (p->media.kind != c->media->kind) return FW_REFUSED;
        for (unsigned i = 0; i < FW_FORMATS; i++) {
            uint8_t format = command->u.bind.formats[i];
            if (format != FW_NO_PT && format >= c->media->format_count) return FW_REFUSED;
        }
    }
    fw_consumer_unbind(core, c);
    if (p == NULL) return FW_DONE;
    if (!has_room(p)) return FW_LIMIT;
    memcpy(c->formats, command->u.bind.formats, sizeof c->formats);
    c->same_clock = command->u.bind.same_clock != 0;
    c->producer = p;
    c->follower_index = p->follower_count;
    p->followers[p->follower_count++] = (fw_follower_t){c, c->transport};
    fw_target_aim(core, c);
    return FW_DONE;
}

static bool layer_ok(uint8_t layer) { return layer <= FW_LAYERS_ALL || layer == FW_HIGHEST; }

fw_error_t fw_consumer_set_layers(fw_core_t *core, fw_consumer_t *c, const fw_command_t *command) {
    uint8_t wish = command->u.layers.encoding;
    if (wish != FW_HIGHEST && (c->producer == NULL || wish >= c->producer->encoding_count)) return FW_REFUSED;
    if (!layer_ok(command->u.layers.spatial) || !layer_ok(command->u.layers.temporal)) return FW_REFUSED;
    c->preferred_encoding = wish;
    c->limit.spatial = command->u.layers.spatial & FW_LAYERS_ALL;
    c->limit.temporal = command->u.layers.temporal & FW_LAYERS_ALL;
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
