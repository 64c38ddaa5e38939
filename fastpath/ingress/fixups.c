#include "fixups.h"

#include "../wire/vp9.h"

enum { MAX_DISTANCE = 128, LOOK_BACK = 256 }; /* end of the range of a P_DIFF, in pictures; packets of history that are read */
enum { DESCRIPTOR_BYTES = 16 };               /* most bytes of a one-byte header element (RFC 8285 section 4.2) */

/* Returns whether the previous packet is of the next lower layer in the same picture, or is missing. */
static bool follows_lower_layer(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    const fw_packet_t *before = fw_encoding_cached(core, e, packet->seq64 - 1);
    return before == NULL || (before->rtp.timestamp == packet->rtp.timestamp && before->frame.spatial + 1 == packet->frame.spatial);
}

/* Sets VP9's D bit on a frame without inter-layer prediction (k-SVC) where the next lower layer has, or may have, a frame in the same
 * picture. Without the bit Chromium decodes the higher layer alone when a packet of the lower one is late. It then skips the late
 * frame, and cannot decode the frames that depend on it. */
static void fix_vp9_dependency(fw_packet_t *packet) { packet->data[packet->rtp.header_len + packet->frame.apart_offset] |= 1; }

/* Adds the same dependency to the packet's dependency descriptor. Writes the new descriptor after the end of the packet. */
static void fix_descriptor_dependency(const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_packet_ext_t *ext = fw_packet_extension(packet, FW_EXT_DEPENDENCY_DESCRIPTOR);
    size_t room = FW_PACKET_BYTES - packet->len < DESCRIPTOR_BYTES ? 0 : DESCRIPTOR_BYTES;
    size_t len = fw_dependency_state_tie(&e->dependency, packet->data + ext->offset, ext->len, &packet->dd, packet->seq64,
                                  packet->data + packet->len, room);
    if (len == 0) return;
    packet->ext[ext - packet->ext].offset = packet->len;
    packet->ext[ext - packet->ext].len = (uint8_t)len;
}

typedef struct {
    uint8_t layers[MAX_DISTANCE]; /* by distance in picture ids: temporal layer + 1 of a received picture, 0 for a missing one */
    unsigned keyframe;            /* distance of the newest keyframe, MAX_DISTANCE where unknown */
} past_t;

static past_t read_past(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    past_t past = {.keyframe = MAX_DISTANCE};
    uint16_t mask = (uint16_t)((1u << packet->frame.picture_id_bits) - 1);
    for (unsigned n = 1; n <= LOOK_BACK && past.keyframe == MAX_DISTANCE; n++) {
        const fw_packet_t *before = fw_encoding_cached(core, e, packet->seq64 - n);
        if (before == NULL || !before->frame.has_picture_id) continue;
        unsigned distance = (packet->frame.picture_id - before->frame.picture_id) & mask;
        if (distance >= MAX_DISTANCE) break;
        past.layers[distance] = (uint8_t)(before->frame.temporal + 1);
        if (before->frame.keyframe) past.keyframe = distance;
    }
    return past;
}

/* Returns whether the picture at that distance was received, and a picture of that temporal layer may depend on it. */
static bool is_valid_reference(const past_t *past, unsigned distance, unsigned temporal) {
    return past->layers[distance] != 0 && past->layers[distance] <= temporal + 1 && distance <= past->keyframe;
}

/* Returns the distance of the picture that a picture with P_DIFF `p_diff` depends on. No picture depends on a higher temporal layer,
 * nor on a picture before a keyframe. So an invalid P_DIFF stands for the newest valid picture after it, or for a missing one. A
 * picture of temporal layer 0 depends on no picture before the last of its layer, so a missing P_DIFF of it is replaced as well. */
static unsigned find_reference(const past_t *past, unsigned p_diff, unsigned temporal) {
    bool lost = past->layers[p_diff] == 0 && p_diff <= past->keyframe;
    unsigned missing = p_diff;
    if (lost ? temporal > 0 : is_valid_reference(past, p_diff, temporal)) return p_diff;
    for (unsigned distance = 1; distance < p_diff && distance <= past->keyframe; distance++) {
        if (is_valid_reference(past, distance, temporal)) return distance;
        if (past->layers[distance] == 0 && !lost) missing = distance;
    }
    return missing;
}

/* Returns the distance of the next older valid reference; MAX_DISTANCE where none is known. */
static unsigned older_reference(const past_t *past, unsigned distance, unsigned temporal) {
    do distance++;
    while (distance < MAX_DISTANCE && !is_valid_reference(past, distance, temporal));
    return distance;
}

static bool is_listed(const uint8_t *references, unsigned count, unsigned distance) {
    for (unsigned i = 0; i < count; i++)
        if (references[i] >> 1 == distance) return true;
    return false;
}

/* Corrects P_DIFFs. When Chromium's encoder drops a picture, P_DIFF counts it although it has no picture id. The next picture then
 * lists an older picture, of a higher temporal layer, in place of its real reference. A viewer of the lower layers would wait for
 * that one. */
static void fix_references(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    uint8_t *references = packet->data + packet->rtp.header_len + frame->refs_offset;
    past_t past = read_past(core, e, packet);
    for (unsigned i = 0; i < frame->ref_count; i++) {
        unsigned distance = find_reference(&past, references[i] >> 1, frame->temporal);
        if (distance == references[i] >> 1) continue;
        /* libwebrtc discards a frame that lists a picture twice. An older reference is decoded already and costs nothing. */
        while (distance < MAX_DISTANCE && is_listed(references, frame->ref_count, distance))
            distance = older_reference(&past, distance, frame->temporal);
        if (distance < MAX_DISTANCE) references[i] = (uint8_t)(distance << 1 | (references[i] & 1));
    }
}

/* Returns whether the packet ends a layer's frame without a marker, so that it may also end the picture. */
static bool may_end_picture(const fw_encoding_t *e, const fw_packet_t *packet, const fw_frame_t *frame) {
    return frame->end && frame->has_layers && !packet->rtp.marker && !e->independent_layers;
}

static bool read_vp9(const fw_encoding_t *e, const fw_packet_t *packet, fw_frame_t *frame) {
    return e->producer->media.payload_types[packet->format].codec == FW_VP9 && packet->rtp.payload_len > 0 &&
           fw_vp9_parse(packet->data + packet->rtp.header_len, packet->rtp.payload_len, frame);
}

bool fw_fixups_awaits_next(const fw_encoding_t *e, const fw_packet_t *packet) {
    fw_frame_t frame;
    return read_vp9(e, packet, &frame) && may_end_picture(e, packet, &frame);
}

/* Returns whether `packet` is the last of its picture. Where one packet is missing between the two, it belongs to the next picture if
 * `next` does not begin that picture. */
static bool is_last_of_picture(const fw_encoding_t *e, const fw_packet_t *packet, const fw_packet_t *next) {
    uint16_t distance = (uint16_t)(next->rtp.seq16 - packet->rtp.seq16);
    fw_frame_t frame;
    if (next->rtp.timestamp == packet->rtp.timestamp) return false;
    return distance == 1 || (distance == 2 && read_vp9(e, next, &frame) && !(frame.start && frame.spatial == 0));
}

void fw_fixups_marker(const fw_encoding_t *e, fw_packet_t *packet, const fw_packet_t *next) {
    if (next != NULL && !is_last_of_picture(e, packet, next)) return;
    packet->rtp.marker = true;
    packet->data[1] |= 0x80;
}

static void fix_vp9(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    if (frame->apart_offset != 0 && !frame->independent_layers && follows_lower_layer(core, e, packet)) {
        fix_vp9_dependency(packet);
        if (packet->has_dd) fix_descriptor_dependency(e, packet);
    }
    if (frame->start && frame->ref_count > 0 && frame->has_layers && frame->has_picture_id) fix_references(core, e, packet);
    if (may_end_picture(e, packet, frame) && packet->seq64 < e->highest_seq64) {
        const fw_packet_t *next = fw_encoding_cached(core, e, packet->seq64 + 1);
        if (next != NULL) fw_fixups_marker(e, packet, next);
    }
}

void fw_fixups_apply(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    if (e->producer->media.payload_types[packet->format].codec == FW_VP9) fix_vp9(core, e, packet);
    if (frame->from_descriptor && frame->start && frame->spatial > 0 && frame->spatial < FW_LAYERS_ALL &&
        follows_lower_layer(core, e, packet))
        fix_descriptor_dependency(e, packet);
}
