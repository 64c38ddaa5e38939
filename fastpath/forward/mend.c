#include "mend.h"

#include "sources.h"
#include "table.h"

enum { STEPS = 128, LOOK_BACK = 256 }; /* what a P_DIFF can name; packets */

/* Says of a frame that does not refer to the layer below it (k-SVC) that it does, where that layer has a frame in this
 * picture or may have: whoever gets both must not decode one alone because a packet of the other is late. Chromium does;
 * what is late is passed over then, and all that refers to it cannot be decoded any more. */
static void tie_to_lower_layer(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_packet_t *before = fw_encoding_cached(core, e, packet->seq64 - 1);
    if (before != NULL && (before->rtp.timestamp != packet->rtp.timestamp || before->frame.spatial + 1 != packet->frame.spatial)) return;
    packet->data[packet->rtp.header_len + packet->frame.apart_offset] |= 1;
}

/* The last pictures, by how many picture ids they are back: one more than the temporal layer of those that are here, else 0. */
typedef struct {
    uint8_t layers[STEPS];
} past_t;

static past_t look_back(const fw_core_t *core, const fw_encoding_t *e, const fw_packet_t *packet) {
    past_t past = {0};
    uint16_t mask = (uint16_t)((1u << packet->frame.picture_id_bits) - 1);
    for (unsigned n = 1; n <= LOOK_BACK; n++) {
        const fw_packet_t *before = fw_encoding_cached(core, e, packet->seq64 - n);
        if (before == NULL || !before->frame.has_picture_id) continue;
        unsigned back = (packet->frame.picture_id - before->frame.picture_id) & mask;
        if (back >= STEPS) break;
        past.layers[back] = (uint8_t)(before->frame.temporal + 1);
    }
    return past;
}

/* The picture that is meant by one that names the picture `step` back. No picture refers to a higher temporal layer: the
 * newest that is not higher is meant, or one that is not here yet. */
static unsigned meant(const past_t *past, unsigned step, unsigned temporal) {
    unsigned missing = step;
    if (past->layers[step] != 0 ? past->layers[step] <= temporal + 1 : temporal > 0) return step;
    for (unsigned back = 1; back < step; back++) {
        if (past->layers[back] == 0) missing = back;
        if (past->layers[back] != 0 && past->layers[back] <= temporal + 1) return back;
    }
    return missing;
}

/* When Chromium's encoder leaves a picture out, P_DIFF counts it though no picture id was spent on it. The next picture then
 * names one before that which it refers to, of a higher temporal layer: who gets the lower layers alone would wait for it. */
static void mend_references(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    past_t past = look_back(core, e, packet);
    uint8_t *reference = packet->data + packet->rtp.header_len + packet->frame.refs_offset;
    for (unsigned i = 0; i < packet->frame.ref_count; i++)
        reference[i] = (uint8_t)(meant(&past, reference[i] >> 1, packet->frame.temporal) << 1 | (reference[i] & 1));
}

void fw_mend_vp9(const fw_core_t *core, const fw_encoding_t *e, fw_packet_t *packet) {
    const fw_frame_t *frame = &packet->frame;
    if (frame->apart_offset != 0 && !frame->alone) tie_to_lower_layer(core, e, packet);
    if (frame->start && frame->ref_count > 0 && frame->has_layers && frame->has_picture_id) mend_references(core, e, packet);
}
