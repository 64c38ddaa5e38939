/* Parses the AV1 aggregation header and OBU headers: see av1.h. */
#include "av1.h"

#include "bits.h"
#include "bytes.h"

enum { SEQUENCE_HEADER = 1, FRAME_HEADER = 3, METADATA = 5, FRAME = 6 };

/* Reads leb128() of AV1 section 4.10.5; a value over 32 bits or 8 bytes is an error. */
static size_t take_leb128(fw_reader_t *r) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 56; shift += 7) {
        uint8_t byte = fw_take8(r);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80) continue;
        if (value > UINT32_MAX) r->ok = false;
        return (size_t)value;
    }
    r->ok = false;
    return 0;
}

/* Skips timing_info() and decoder_model_info(). Returns the width in bits of a buffer delay, 0 without a decoder model. */
static unsigned skip_timing(fw_bits_t *b) {
    if (!fw_take_flag(b)) return 0;
    fw_take_bits(b, 32); /* num_units_in_display_tick */
    fw_take_bits(b, 32); /* time_scale */
    if (fw_take_flag(b)) fw_take_ue(b);
    if (!fw_take_flag(b)) return 0;
    unsigned delay_bits = fw_take_bits(b, 5) + 1;
    fw_take_bits(b, 32); /* num_units_in_decoding_tick */
    fw_take_bits(b, 10); /* lengths of removal and presentation times */
    return delay_bits;
}

static void skip_operating_points(fw_bits_t *b, unsigned delay_bits) {
    bool display_delay = fw_take_flag(b);
    unsigned points = fw_take_bits(b, 5) + 1;
    for (unsigned i = 0; i < points; i++) {
        fw_take_bits(b, 12);                       /* operating_point_idc */
        if (fw_take_bits(b, 5) > 7) fw_take_flag(b); /* seq_level_idx, seq_tier */
        if (delay_bits && fw_take_flag(b)) {
            fw_take_bits(b, delay_bits); /* decoder_buffer_delay */
            fw_take_bits(b, delay_bits); /* encoder_buffer_delay */
            fw_take_flag(b);
        }
        if (display_delay && fw_take_flag(b)) fw_take_bits(b, 4);
    }
}

/* Reads the frame size of sequence_header_obu() (AV1 section 5.5). Leaves `out` unchanged where the OBU is truncated. */
static void read_sequence_header(fw_reader_t obu, fw_frame_t *out) {
    fw_bits_t b = fw_bits(obu.at, fw_left(&obu));
    fw_take_bits(&b, 4); /* seq_profile, still_picture */
    if (fw_take_flag(&b)) fw_take_bits(&b, 5); /* a reduced still picture has only seq_level_idx */
    else skip_operating_points(&b, skip_timing(&b));
    unsigned width_bits = fw_take_bits(&b, 4) + 1, height_bits = fw_take_bits(&b, 4) + 1;
    uint32_t width = fw_take_bits(&b, width_bits) + 1, height = fw_take_bits(&b, height_bits) + 1;
    if (!b.ok || width > UINT16_MAX || height > UINT16_MAX) return;
    out->width = (uint16_t)width;
    out->height = (uint16_t)height;
}

/* Reads the header of an OBU that starts in this packet; `whole` is true where the OBU also ends in it. */
static void read_obu(fw_reader_t obu, bool first, bool whole, fw_frame_t *out) {
    uint8_t header = fw_take8(&obu);
    if (!obu.ok) return;
    unsigned type = header >> 3 & 0x0F;
    if (header & 0x04) {
        uint8_t extension = fw_take8(&obu);
        out->temporal = extension >> 5;
        out->spatial = extension >> 3 & 3;
    }
    if (header & 0x02) take_leb128(&obu); /* obu_size: senders should omit it, and it repeats the element's length */
    if (first) {
        out->start = (type >= SEQUENCE_HEADER && type <= FRAME_HEADER) || type == METADATA || type == FRAME;
    }
    if (obu.ok && whole && type == SEQUENCE_HEADER) read_sequence_header(obu, out);
}

bool fw_av1_parse(const uint8_t *payload, size_t len, fw_frame_t *out) {
    *out = (fw_frame_t){0};
    if (len < 2) return false;
    fw_reader_t r = fw_reader(payload + 1, len - 1);
    bool continues = payload[0] & 0x80, to_be_continued = payload[0] & 0x40;
    unsigned elements = payload[0] >> 4 & 3; /* W; 0: every element has a length field; else the last has none */
    out->keyframe = !continues && payload[0] & 0x08;
    for (unsigned i = 1; elements ? i <= elements : fw_left(&r) > 0; i++) {
        size_t size = i == elements ? fw_left(&r) : take_leb128(&r);
        const uint8_t *obu = fw_take(&r, size);
        if (!obu) return false;
        bool last = elements ? i == elements : !fw_left(&r);
        if (!(i == 1 && continues)) read_obu(fw_reader(obu, size), i == 1, !(last && to_be_continued), out);
    }
    return true;
}
