#include "stats.h"

#include "../select/layers.h"

static void read_encoding(const fw_core_t *core, const fw_producer_t *p, const fw_encoding_t *e, fw_stream_statistics_t *out) {
    uint64_t still_us = e->frames.last_us == 0 ? 0 : core->now_us - e->frames.last_us;
    *out = (fw_stream_statistics_t){
        .id = p->id,
        .packets = e->stats.packets,
        .bytes = e->stats.bytes,
        .repaired_packets = e->rtx_stats.packets,
        .lost = fw_receive_stats_lost(&e->stats),
        .ssrc = e->ssrc,
        .jitter_ticks = e->stats.jitter_16 >> 4,
        .clock_rate_hz = p->media.payload_types_count > 0 ? p->media.payload_types[0].clock_rate_hz : 0,
        .nacks = e->nacks_sent,
        .plis = p->pli_count,
        .keyframes = e->keyframes,
        .frames = e->frames.count,
        .frozen_us = e->frames.frozen_us,
        .still_us = still_us,
        .longest_still_us = e->frames.longest_us > still_us ? e->frames.longest_us : still_us,
        .capture_delay_us = e->capture_delay_us,
        .freezes = e->frames.freezes,
        .recovered_packets = e->recovered,
        .width = e->width,
        .height = e->height,
        .kind = p->media.kind,
        .encoding = e->index,
        .target = FW_HIGHEST,
        .spatial = e->highest_layers.known ? e->highest_layers.spatial : FW_NO_LAYER,
        .temporal = e->highest_layers.known ? e->highest_layers.temporal : FW_NO_LAYER,
        .codec = p->media.payload_types_count > 0 ? p->media.payload_types[0].codec : 0,
    };
    for (unsigned i = 0; i < FW_SPATIALS; i++)
        if (e->sizes[i].width != 0) out->sizes[out->sizes_count++] = e->sizes[i];
}

static uint8_t encoding_number(int8_t encoding) { return encoding == FW_ENCODING_NONE ? FW_HIGHEST : (uint8_t)encoding; }

static void read_consumer(const fw_consumer_t *c, fw_stream_statistics_t *out) {
    bool aims = c->producer != NULL && c->select.target != FW_ENCODING_NONE;
    fw_layers_t limit = aims ? fw_layers_limit(c, c->producer->encodings[c->select.target]) : c->limit;
    *out = (fw_stream_statistics_t){
        .id = c->id,
        .packets = c->packets,
        .bytes = c->octets,
        .repaired_packets = c->rtx_packets,
        .lost = c->remote.cumulative_lost,
        .ssrc = c->ssrc,
        .jitter_ticks = c->remote.jitter_ticks,
        .clock_rate_hz = c->clock_hz,
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
        .codec = c->media->payload_types_count > 0 ? c->media->payload_types[0].codec : 0,
    };
}

static void read_transport(const fw_core_t *core, const fw_transport_t *t, fw_statistics_t *out) {
    fw_transport_statistics_t *own = &out->transport;
    *own = (fw_transport_statistics_t){.id = t->id, .state = t->state, .remb_bps = t->remb_bps};
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        for (unsigned i = 0; i < p->encoding_count && own->stream_count < FW_STATISTICS_STREAMS; i++)
            read_encoding(core, p, p->encodings[i], &out->streams[own->stream_count++]);
    for (const fw_consumer_t *c = t->consumers; c != NULL && own->stream_count < FW_STATISTICS_STREAMS; c = c->next_on_transport) {
        if (c->rtt_us > own->rtt_us) own->rtt_us = c->rtt_us;
        read_consumer(c, &out->streams[own->stream_count++]);
    }
}

fw_result_t fw_statistics_read(const fw_core_t *core, const fw_command_t *command, fw_statistics_t *out, size_t *bytes) {
    fw_result_t result = {.id = command->id, .ticket = command->ticket};
    const fw_transport_t *t = fw_slots_get(&core->transports, command->id);
    *bytes = 0;
    if (t == NULL) {
        result.error = FW_STALE_ID;
        return result;
    }
    read_transport(core, t, out);
    *bytes = offsetof(fw_statistics_t, streams) + out->transport.stream_count * sizeof *out->streams;
    return result;
}
