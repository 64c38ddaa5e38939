#include "stats.h"

#include "../select/layers.h"

static void producer_stats(const fw_core_t *core, const fw_producer_t *p, const fw_encoding_t *e, fw_stream_stats_t *out) {
    uint64_t still_us = e->frames.last_us == 0 ? 0 : core->now_us - e->frames.last_us;
    *out = (fw_stream_stats_t){
        .id = p->id,
        .packets = e->stats.packets,
        .bytes = e->stats.bytes,
        .repaired_packets = e->rtx_stats.packets,
        .lost = fw_receive_stats_lost(&e->stats),
        .ssrc = e->ssrc,
        .jitter_ticks = e->stats.jitter_16 >> 4,
        .clock_hz = p->media.format_count > 0 ? p->media.formats[0].clock_hz : 0,
        .nacks = e->nacks_sent,
        .plis = p->pli_count,
        .keyframes = e->keyframes,
        .frames = e->frames.count,
        .frozen_us = e->frames.frozen_us,
        .still_us = still_us,
        .longest_still_us = e->frames.longest_us > still_us ? e->frames.longest_us : still_us,
        .capture_delay_us = e->capture_delay_us,
        .freezes = e->frames.freezes,
        .recovered = e->recovered,
        .width = e->width,
        .height = e->height,
        .kind = p->media.kind,
        .encoding = e->index,
        .target = 0xff,
        .spatial = e->highest_layers.known ? e->highest_layers.spatial : FW_NO_LAYER,
        .temporal = e->highest_layers.known ? e->highest_layers.temporal : FW_NO_LAYER,
        .codec = p->media.format_count > 0 ? p->media.formats[0].codec : 0,
    };
    memcpy(out->sizes, e->sizes, sizeof out->sizes);
}

static uint8_t encoding_number(int8_t encoding) { return encoding == FW_ENCODING_NONE ? 0xff : (uint8_t)encoding; }

static void consumer_stats(const fw_consumer_t *c, fw_stream_stats_t *out) {
    bool aims = c->producer != NULL && c->select.target != FW_ENCODING_NONE;
    fw_layers_t limit = aims ? fw_layers_limit(c, c->producer->encodings[c->select.target]) : c->limit;
    *out = (fw_stream_stats_t){
        .id = c->id,
        .packets = c->packets,
        .bytes = c->octets,
        .repaired_packets = c->rtx_packets,
        .lost = c->remote.cumulative_lost,
        .ssrc = c->ssrc,
        .jitter_ticks = c->remote.jitter_ticks,
        .clock_hz = c->clock_hz,
        .rtt_us = c->rtt_us,
        .nacks = c->nacks_received,
        .plis = c->plis_received,
        .outbound = 1,
        .kind = c->media->kind,
        .encoding = encoding_number(c->select.current),
        .target = encoding_number(c->select.target),
        .spatial = fw_seqmap_layers(&c->seqmap).spatial,
        .temporal = fw_seqmap_layers(&c->seqmap).temporal,
        .target_spatial = limit.spatial,
        .target_temporal = limit.temporal,
        .fraction_lost = c->remote.fraction_lost,
        .codec = c->media->format_count > 0 ? c->media->formats[0].codec : 0,
    };
}

bool fw_core_stats(const fw_core_t *core, uint64_t transport_id, fw_transport_stats_t *out, fw_stream_stats_t *streams) {
    const fw_transport_t *t = fw_slots_get(&core->transports, transport_id);
    if (t == NULL) return false;
    *out = (fw_transport_stats_t){.id = t->id, .state = t->state, .remb_bps = t->remb_bps};
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        for (unsigned i = 0; i < p->encoding_count && out->stream_count < FW_STATS_STREAMS; i++)
            producer_stats(core, p, p->encodings[i], &streams[out->stream_count++]);
    for (const fw_consumer_t *c = t->consumers; c != NULL && out->stream_count < FW_STATS_STREAMS; c = c->next_on_transport) {
        if (c->rtt_us > out->rtt_us) out->rtt_us = c->rtt_us;
        consumer_stats(c, &streams[out->stream_count++]);
    }
    return true;
}
