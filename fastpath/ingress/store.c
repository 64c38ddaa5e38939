#include "store.h"

#include "../select/keyframe.h"
#include "../select/rank.h"
#include "../state/batch.h"
#include "../state/marks.h"
#include "../wire/bytes.h"
#include "fixups.h"
#include "frame.h"
#include "parameter_sets.h"
#include "sender_report.h"
#include "sequence.h"

enum { HEAD_PACKETS = 16 }; /* most packets before a keyframe's first slice: parameter sets, SEI */

/* Several packets of one frame may be marked as keyframe: the sync point is the one with the lowest sequence number. */
static void note_sync_point(fw_encoding_t *e, const fw_packet_t *packet) {
    bool same_frame = e->sync_point_seq64 != 0 && packet->rtp.timestamp == e->sync_point_timestamp;
    if (e->sync_point_seq64 != 0 && (same_frame ? packet->seq64 > e->sync_point_seq64 : packet->seq64 < e->sync_point_seq64)) return;
    if (!same_frame) e->sync_point_bytes = 0;
    e->sync_point_seq64 = packet->seq64;
    e->sync_point_us = packet->arrival_us;
    e->sync_point_timestamp = packet->rtp.timestamp;
}

/* Returns whether no packet is missing between the start of the picture and this packet. A decoder that lacks parameter sets of this
 * picture would use those of an older one. */
static bool has_whole_head(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    for (uint64_t seq64 = packet->seq64 - 1; packet->seq64 - seq64 <= HEAD_PACKETS; seq64--) {
        const fw_packet_t *before = fw_encoding_cached(core, e, seq64);
        if (before == NULL && !fw_encoding_seen(e, seq64)) return false;
        if (before != NULL && before->rtp.timestamp != packet->rtp.timestamp) return true;
    }
    return true;
}

/* Returns whether the sync point is an earlier packet of the same picture. */
static bool has_earlier_start(const fw_encoding_t *e, const fw_packet_t *packet) {
    return e->sync_point_seq64 != 0 && e->sync_point_timestamp == packet->rtp.timestamp && e->sync_point_seq64 < packet->seq64;
}

/* Sets capture_delay_us: the arrival time on this core's clock minus abs-capture-time. The reader corrects for the clocks'
 * difference. */
static void note_capture_delay(fw_encoding_t *e, const fw_packet_t *packet) {
    if (e->producer->media.extensions[FW_EXT_ABS_CAPTURE_TIME] == 0) return;
    const fw_packet_ext_t *ext = fw_packet_extension(packet, FW_EXT_ABS_CAPTURE_TIME);
    if (ext == NULL || ext->len < 8) return;
    uint64_t ntp = fw_load64(packet->data + ext->offset);
    uint64_t captured_us = (ntp >> 32) * 1000000 + ((ntp & UINT32_MAX) * 1000000 >> 32);
    e->capture_delay_us = (int64_t)(packet->arrival_us - captured_us);
}

static void note_sizes(fw_encoding_t *e, const fw_packet_t *packet) {
    const uint8_t *at = packet->data + packet->rtp.header_len + packet->frame.sizes_offset;
    for (unsigned i = 0; i < packet->frame.size_count; i++, at += 4)
        e->sizes[i] = (fw_size_t){.width = fw_load16(at), .height = fw_load16(at + 2)};
}

static void note_liveness(fw_encoding_t *e, const fw_packet_t *packet) {
    fw_producer_t *p = e->producer;
    if (!fw_liveness_note(&e->liveness, packet->rtp.timestamp, packet->arrival_us)) return;
    for (unsigned i = 0; i < p->encoding_count; i++)
        if (p->encodings[i] != e) p->encodings[i]->liveness.missed++;
}

/* Reports the producer's first media. A copy of another worker's producer has no transport: its home worker reports. */
static void note_first_media(fw_core_t *core, fw_producer_t *p) {
    if (p->has_media) return;
    p->has_media = true;
    if (p->transport != NULL) fw_mark_changed(core, p->transport);
}

void fw_store(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool history) {
    fw_producer_t *p = e->producer;
    bool empty = packet->rtp.payload_len == 0;
    packet->encoding = e;
    packet->frame = (fw_frame_t){0};
    if (!empty && !fw_frame_read((fw_codec_t)p->media.payload_types[packet->format].codec, packet)) {
        fw_cache_put(&e->cache, packet->seq64, FW_CACHE_NONE);
        core->counters.drop_malformed_payload++;
        return;
    }
    if (!empty) fw_frame_read_layers(core, e, packet);
    fw_fixups_apply(core, e, packet);
    /* History begins at a sync point: the packets before it were not relayed. */
    if (packet->frame.sets_before && !history && !has_whole_head(core, e, packet)) packet->frame.keyframe = false;
    bool keyframe = packet->frame.keyframe;
    packet->sync_point = !empty && (p->media.kind == FW_AUDIO || keyframe);
    packet->lacks_parameter_sets = keyframe && packet->frame.sets_before && !has_earlier_start(e, packet);
    if (!empty) fw_parameter_sets_note(core, e, packet);
    if (packet->sync_point) note_first_media(core, p);
    fw_pool_take(&core->pool);
    fw_cache_put(&e->cache, packet->seq64, empty ? FW_CACHE_NONE : packet->number);
    if (!empty) note_liveness(e, packet);
    if (!history) fw_sender_report_note_arrival(core, e, packet);
    e->rate_bytes += packet->len;
    if (keyframe) {
        note_sync_point(e, packet);
        e->keyframes++;
        fw_keyframes_seen(&p->keyframes, e->index);
        if (packet->frame.width != 0) {
            e->width = packet->frame.width;
            e->height = packet->frame.height;
        }
    } else if (p->media.kind == FW_VIDEO && e->sync_point_seq64 == 0) {
        /* The start of the first keyframe is lost, perhaps because it came before the SRTP keys. No other event requests a keyframe.
         * */
        fw_keyframe_lacks(core, p, e->index);
    }
    if (packet->frame.start || packet->rtp.marker) note_capture_delay(e, packet);
    if (p->media.kind == FW_VIDEO) {
        if (packet->rtp.marker) fw_cache_mark(&e->cache, packet->seq64, FW_CACHE_ENDS_FRAME);
        fw_frames_add(&e->frames, &e->cache, e->highest_seq64, e->sync_point_seq64, core->now_us);
    }
    if (packet->frame.has_layers && !packet->frame.from_descriptor) fw_highest_layers_note(&e->highest_layers, &packet->frame);
    if (packet->frame.size_count > 0) note_sizes(e, packet);
    if (e->sync_point_seq64 != 0 && packet->rtp.timestamp == e->sync_point_timestamp) e->sync_point_bytes += packet->len;
    if (!history) fw_batch_add(core, p, packet);
    fw_rank_update(core, p);
}

void fw_store_received(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx) {
    const fw_format_t *format = &e->producer->media.payload_types[packet->format];
    if (!fw_sequence(core, e, packet, rtx)) return;
    if (packet->rtp.payload_len == 0) core->counters.padding_in++;
    if (rtx)
        e->recovered++;
    else
        fw_receive_stats_add(&e->stats, packet->seq64, packet->rtp.timestamp, packet->len, core->now_us, format->clock_rate_hz,
                             packet->seq64 == e->highest_seq64);
    fw_store(core, e, packet, false);
}
