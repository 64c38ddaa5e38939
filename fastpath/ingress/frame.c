#include "frame.h"

#include "../select/keyframe.h"
#include "../wire/av1.h"
#include "../wire/h264.h"
#include "../wire/h265.h"
#include "../wire/red.h"
#include "../wire/vp8.h"
#include "../wire/vp9.h"

bool fw_frame_read(fw_codec_t codec, fw_packet_t *packet) {
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

enum { REREAD_EVERY_US = 50000 };

static bool read_descriptor(fw_encoding_t *e, const fw_packet_t *packet, fw_frame_t *frame) {
    const fw_packet_ext_t *ext = fw_packet_extension(packet, FW_EXT_DEPENDENCY_DESCRIPTOR);
    return fw_dependency_state_read(&e->dependency, packet->data + ext->offset, ext->len, &packet->dd, packet->seq64,
                             packet->rtp.timestamp, frame);
}

/* Reads again the descriptors of cached packets after a late packet that carries their structure. Runs at most once in
 * REREAD_EVERY_US for each encoding, because each run scans the cache. */
static void reread_after(const fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet) {
    if (packet->seq64 >= e->highest_seq64 || (e->reread_us != 0 && core->now_us - e->reread_us < REREAD_EVERY_US)) return;
    e->reread_us = core->now_us;
    for (uint64_t seq64 = packet->seq64 + 1; seq64 <= e->highest_seq64; seq64++) {
        fw_packet_t *after = fw_encoding_cached(core, e, seq64);
        if (after != NULL && after->frame.from_descriptor && after->frame.spatial == FW_LAYERS_ALL)
            (void)read_descriptor(e, after, &after->frame);
    }
}

/* Reads the dependency descriptor of a packet. If it carries a structure, also reads those of later packets that lacked it. */
static void read_described_layers(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    if (!read_descriptor(e, packet, &packet->frame)) fw_keyframe_lacks(core, e->producer, e->index);
    e->highest_layers = (fw_highest_layers_t){.known = true, .spatial = e->dependency.top_spatial, .temporal = e->dependency.top_temporal};
    if (packet->dd.has_structure) memcpy(e->sizes, e->dependency.structures[0].sizes, sizeof e->dependency.structures[0].sizes);
    if (packet->dd.has_structure) reread_after(core, e, packet);
}

void fw_frame_read_layers(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    uint8_t codec = e->producer->media.payload_types[packet->format].codec;
    if (packet->has_dd && (codec == FW_AV1 || codec == FW_H264 || codec == FW_H265)) {
        read_described_layers(core, e, packet);
        e->independent_layers = e->dependency.independent_layers;
        e->by_descriptor = e->dependency.structure_seq64[0] != 0;
    } else if (codec == FW_VP9) {
        /* VP9's own descriptor carries the layers. The structure is kept for consumers that receive dependency descriptors. */
        fw_frame_t described = packet->frame;
        if (packet->has_dd) (void)read_descriptor(e, packet, &described);
        e->by_descriptor = false;
        if (packet->frame.intra) e->independent_layers = packet->frame.independent_layers;
        packet->frame.independent_layers = e->independent_layers;
    } else if (codec == FW_H264) {
        fw_h264_layers_read(&e->h264_layers, packet->rtp.timestamp, &packet->frame);
        if (e->h264_layers.loose) e->highest_layers = (fw_highest_layers_t){0};
    }
}
