#include "fixups.h"

#include "../wire/vp9.h"

enum { STEPS = 128, LOOK_BACK = 256 }; /* what a P_DIFF can name; packets */
enum { DESCRIPTOR_BYTES = 16 };          /* the most of a one-byte element (RFC 8285 section 4.2) */

/* Whether the packet before is of the layer below in the same picture, or may have been. */
static bool follows_lower_layer(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    const fw_packet_t *before = fw_encoding_cached(core, e, packet->seq64 - 1);
    return before == NULL || (before->rtp.timestamp == packet->rtp.timestamp && before->frame.spatial + 1 == packet->frame.spatial);
}

/* A frame that does not refer to the layer below it (k-SVC) is said to, where that layer has a frame in this picture or may
 * have: whoever gets both must not decode one alone because a packet of the other is late. Chromium does; what is late is
 * passed over then, and all that refers to it cannot be decoded any more. */
static void tie_vp9(fw_packet_t *packet) { packet->data[packet->rtp.header_len + packet->frame.apart_offset] |= 1; }

/* The same by a dependency descriptor, which is written behind the packet. */
static void tie_described(const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_packet_ext_t *ext = fw_packet_extension(packet, FW_EXT_DEPENDENCY_DESCRIPTOR);
    size_t room = FW_PACKET_BYTES - packet->len < DESCRIPTOR_BYTES ? 0 : DESCRIPTOR_BYTES;
    size_t len = fw_dependency_state_tie(&e->dependency, packet->data + ext->offset, ext->len, &packet->dd, packet->seq64,
                                  packet->data + packet->len, room);
    if (len == 0) return;
    packet->ext[ext - packet->ext].offset = packet->len;
    packet->ext[ext - packet->ext].len = (uint8_t)len;
}

typedef struct {
    uint8_t layers[STEPS]; /* by how many picture ids they are back: one more than the temporal layer of those that are here, else 0 */
    unsigned keyframe;     /* so many back is the newest one; STEPS where that is not known */
} past_t;

static past_t look_back(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    past_t past = {.keyframe = STEPS};
    uint16_t mask = (uint16_t)((1u << packet->frame.picture_id_bits) - 1);
    for (unsigned n = 1; n <= LOOK_BACK && past.keyframe == STEPS; n++) {
        const fw_packet_t *before = fw_encoding_cached(core, e, packet->seq64 - n);
        if (before == NULL || !before->frame.has_picture_id) continue;
        unsigned back = (packet->frame.picture_id - before->frame.picture_id) & mask;
        if (back >= STEPS) break;
        past.layers[back] = (uint8_t)(before->frame.temporal + 1);
        if (before->frame.keyframe) past.keyframe = back;
    }
    return past;
}

/* Whether a picture so many back is here, and such that one of that temporal layer can refer to it. */
static bool is_fit(const past_t *past, unsigned back, unsigned temporal) {
    return past->layers[back] != 0 && past->layers[back] <= temporal + 1 && back <= past->keyframe;
}

/* The picture that is meant by one that names the picture `step` back. None refers to a higher temporal layer or past a
 * keyframe: it is the newest of the fit ones after that, or one that is not here yet. Of a picture not here it is known that
 * the lowest layer refers to nothing before its last. */
static unsigned meant(const past_t *past, unsigned step, unsigned temporal) {
    bool lost = past->layers[step] == 0 && step <= past->keyframe;
    unsigned missing = step;
    if (lost ? temporal > 0 : is_fit(past, step, temporal)) return step;
    for (unsigned back = 1; back < step && back <= past->keyframe; back++) {
        if (is_fit(past, back, temporal)) return back;
        if (past->layers[back] == 0 && !lost) missing = back;
    }
    return missing;
}

/* The next of the fit ones before that picture; STEPS where none is known. */
static unsigned older_fit(const past_t *past, unsigned back, unsigned temporal) {
    do back++;
    while (back < STEPS && !is_fit(past, back, temporal));
    return back;
}

static bool is_named(const uint8_t *references, unsigned count, unsigned back) {
    for (unsigned i = 0; i < count; i++)
        if (references[i] >> 1 == back) return true;
    return false;
}

/* When Chromium's encoder leaves a picture out, P_DIFF counts it though no picture id was spent on it. The next picture then
 * names one before that which it refers to, of a higher temporal layer: who gets the lower layers alone would wait for it. */
static void mend_references(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    uint8_t *references = packet->data + packet->rtp.header_len + frame->refs_offset;
    past_t past = look_back(core, e, packet);
    for (unsigned i = 0; i < frame->ref_count; i++) {
        unsigned back = meant(&past, references[i] >> 1, frame->temporal);
        if (back == references[i] >> 1) continue;
        /* libwebrtc takes no frame that names a picture twice; an older one is there as well, and does no harm. */
        while (back < STEPS && is_named(references, frame->ref_count, back)) back = older_fit(&past, back, frame->temporal);
        if (back < STEPS) references[i] = (uint8_t)(back << 1 | (references[i] & 1));
    }
}

/* Whether the packet ends the frame of a layer, and does not say whether that ends the picture. */
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

/* Whether the packet is not followed by another of its picture. Of one that is missing between them it is told by `next` whether
 * it began the next picture. */
static bool is_last(const fw_encoding_t *e, const fw_packet_t *packet, const fw_packet_t *next) {
    uint16_t distance = (uint16_t)(next->rtp.seq16 - packet->rtp.seq16);
    fw_frame_t frame;
    if (next->rtp.timestamp == packet->rtp.timestamp) return false;
    return distance == 1 || (distance == 2 && read_vp9(e, next, &frame) && !(frame.start && frame.spatial == 0));
}

void fw_fixups_marker(const fw_encoding_t *e, fw_packet_t *packet, const fw_packet_t *next) {
    if (next != NULL && !is_last(e, packet, next)) return;
    packet->rtp.marker = true;
    packet->data[1] |= 0x80;
}

static void mend_vp9(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    if (frame->apart_offset != 0 && !frame->independent_layers && follows_lower_layer(core, e, packet)) {
        tie_vp9(packet);
        if (packet->has_dd) tie_described(e, packet);
    }
    if (frame->start && frame->ref_count > 0 && frame->has_layers && frame->has_picture_id) mend_references(core, e, packet);
    if (may_end_picture(e, packet, frame) && packet->seq64 < e->highest_seq64) {
        const fw_packet_t *next = fw_encoding_cached(core, e, packet->seq64 + 1);
        if (next != NULL) fw_fixups_marker(e, packet, next);
    }
}

void fw_fixups_apply(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    if (e->producer->media.payload_types[packet->format].codec == FW_VP9) mend_vp9(core, e, packet);
    if (frame->from_descriptor && frame->start && frame->spatial > 0 && frame->spatial < FW_LAYERS_ALL &&
        follows_lower_layer(core, e, packet))
        tie_described(e, packet);
}
