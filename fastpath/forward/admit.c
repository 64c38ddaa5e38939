#include "admit.h"

#include "../wire/av1.h"
#include "../wire/bytes.h"
#include "../wire/h264.h"
#include "../wire/h265.h"
#include "../wire/red.h"
#include "../wire/vp8.h"
#include "../wire/vp9.h"
#include "handover.h"
#include "mend.h"
#include "sources.h"
#include "table.h"

enum { HEAD_PACKETS = 16 }; /* of parameter sets and the like, at most */

static bool read_frame(fw_codec_t codec, fw_packet_t *packet) {
    const uint8_t *payload = packet->data + packet->rtp.header_len;
    size_t len = packet->rtp.payload_len;
    switch (codec) {
        case FW_VP8: return fw_vp8_parse(payload, len, &packet->frame);
        case FW_VP9: return fw_vp9_parse(payload, len, &packet->frame);
        case FW_H264: return fw_h264_parse(payload, len, &packet->frame);
        case FW_H265: return fw_h265_parse(payload, len, &packet->frame);
        case FW_AV1: return fw_av1_parse(payload, len, &packet->frame);
        case FW_OPUS: packet->frame = (fw_frame_t){.start = true}; return true;
        case FW_RED: packet->frame = (fw_frame_t){.start = true}; return fw_red_parse(payload, len, &(fw_red_t){0});
    }
    return false;
}

static bool read_descriptor(fw_encoding_t *e, const fw_packet_t *packet, fw_frame_t *frame) {
    const fw_packet_ext_t *ext = fw_packet_extension(packet, FW_EXT_DEPENDENCY_DESCRIPTOR);
    return fw_described_read(&e->described, packet->data + ext->offset, ext->len, &packet->dd, packet->seq64,
                             packet->rtp.timestamp, frame);
}

/* What the dependency descriptor of a packet tells of it, and of those after it that waited for its structure. */
static void describe(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    if (!read_descriptor(e, packet, &packet->frame)) fw_producer_lacks_keyframe(core, e->producer, e->index);
    e->tops = (fw_tops_t){.known = true, .spatial = e->described.top_spatial, .temporal = e->described.top_temporal};
    if (packet->dd.has_structure) memcpy(e->sizes, e->described.structures[0].sizes, sizeof e->described.structures[0].sizes);
    for (uint64_t seq64 = packet->seq64 + 1; packet->dd.has_structure && seq64 <= e->highest_seq64; seq64++) {
        fw_packet_t *after = fw_encoding_cached(core, e, seq64);
        if (after != NULL && after->frame.described && after->frame.spatial == FW_LAYERS_ALL) (void)read_descriptor(e, after, &after->frame);
    }
}

/* The layers of a packet whose payload does not tell them by itself. */
static void read_layers(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    uint8_t codec = e->producer->media.formats[packet->format].codec;
    if (packet->has_dd && (codec == FW_AV1 || codec == FW_H264 || codec == FW_H265)) {
        describe(core, e, packet);
        e->alone = e->described.alone;
        e->by_descriptor = e->described.structure_seq64[0] != 0;
    } else if (codec == FW_VP9) {
        /* It tells its layers itself; the structure is for those who are given its dependency descriptors. */
        fw_frame_t described = packet->frame;
        if (packet->has_dd) (void)read_descriptor(e, packet, &described);
        e->by_descriptor = false;
        if (packet->frame.intra) e->alone = packet->frame.alone;
        packet->frame.alone = e->alone;
    } else if (codec == FW_H264) {
        fw_nals_read(&e->nals, packet->rtp.timestamp, &packet->frame);
        if (e->nals.loose) e->tops = (fw_tops_t){0};
    }
}

static void queue(fw_core_t *core, fw_producer_t *p, fw_packet_t *packet) {
    packet->next = NULL;
    if (core->touched == NULL) {
        core->batch_us = core->now_us;
        core->batch_number = packet->number;
    }
    if (p->batch_first == NULL) {
        p->batch_first = packet;
        p->next_touched = core->touched;
        core->touched = p;
    } else {
        p->batch_last->next = packet;
    }
    p->batch_last = packet;
}

/* A keyframe may show in several of its packets: the first in sequence is where a decoder starts. */
static void note_entry(fw_encoding_t *e, const fw_packet_t *packet) {
    bool same_frame = e->entry_seq64 != 0 && packet->rtp.timestamp == e->entry_timestamp;
    if (e->entry_seq64 != 0 && (same_frame ? packet->seq64 > e->entry_seq64 : packet->seq64 < e->entry_seq64)) return;
    if (!same_frame) e->entry_bytes = 0;
    e->entry_seq64 = packet->seq64;
    e->entry_us = packet->arrival_us;
    e->entry_timestamp = packet->rtp.timestamp;
}

/* Whether all that a keyframe began with is here: a decoder would take an older picture's parameter sets for those missing. */
static bool is_headed(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    for (uint64_t seq64 = packet->seq64 - 1; packet->seq64 - seq64 <= HEAD_PACKETS; seq64--) {
        const fw_packet_t *before = fw_encoding_cached(core, e, seq64);
        if (before == NULL && !fw_encoding_seen(e, seq64)) return false;
        if (before != NULL && before->rtp.timestamp != packet->rtp.timestamp) return true;
    }
    return true;
}

/* How old the picture or sound is, by its sender's wall clock and this core's: their difference is the reader's to take off. */
static void note_capture(fw_encoding_t *e, const fw_packet_t *packet) {
    if (e->producer->media.ext_ids[FW_EXT_ABS_CAPTURE_TIME] == 0) return;
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

static void note_pace(fw_encoding_t *e, const fw_packet_t *packet) {
    fw_producer_t *p = e->producer;
    if (!fw_pace_note(&e->pace, packet->rtp.timestamp, packet->arrival_us)) return;
    for (unsigned i = 0; i < p->encoding_count; i++)
        if (p->encodings[i] != e) p->encodings[i]->pace.missed++;
}

void fw_admit(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool history) {
    fw_producer_t *p = e->producer;
    bool empty = packet->rtp.payload_len == 0;
    packet->encoding = e;
    packet->frame = (fw_frame_t){0};
    if (!empty && !read_frame((fw_codec_t)p->media.formats[packet->format].codec, packet)) {
        fw_cache_put(&e->cache, packet->seq64, FW_CACHE_NONE);
        core->counters.drop_malformed_payload++;
        return;
    }
    if (!empty) read_layers(core, e, packet);
    fw_mend(core, e, packet);
    if (packet->frame.sets_before && !is_headed(core, e, packet)) packet->frame.keyframe = false;
    bool keyframe = packet->frame.keyframe;
    packet->entry = !empty && (p->media.kind == FW_AUDIO || keyframe);
    fw_pool_take(&core->pool);
    fw_cache_put(&e->cache, packet->seq64, empty ? FW_CACHE_NONE : packet->number);
    if (!empty) note_pace(e, packet);
    e->rate_bytes += packet->len;
    if (keyframe) {
        note_entry(e, packet);
        e->keyframes++;
        fw_keyframes_seen(&p->keyframes, e->index);
        if (packet->frame.width != 0) {
            e->width = packet->frame.width;
            e->height = packet->frame.height;
        }
    } else if (p->media.kind == FW_VIDEO && e->entry_seq64 == 0) {
        /* The start of the first keyframe was lost, perhaps before the keys were here: nothing else would tell. */
        fw_producer_lacks_keyframe(core, p, e->index);
    }
    if (packet->frame.start || packet->rtp.marker) note_capture(e, packet);
    if (p->media.kind == FW_VIDEO) {
        if (packet->rtp.marker) fw_cache_mark(&e->cache, packet->seq64, FW_CACHE_ENDS_FRAME);
        fw_frames_add(&e->frames, &e->cache, e->highest_seq64, e->entry_seq64, core->now_us);
    }
    if (packet->frame.has_layers && !packet->frame.described) fw_tops_note(&e->tops, &packet->frame);
    if (packet->frame.size_count > 0) note_sizes(e, packet);
    if (e->entry_seq64 != 0 && packet->rtp.timestamp == e->entry_timestamp) e->entry_bytes += packet->len;
    if (!history) {
        fw_handover_packet(core, p, packet);
        queue(core, p, packet);
    }
    fw_producer_rank(core, p);
}
