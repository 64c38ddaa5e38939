#include "parameter_sets.h"

#include <string.h>

#include "../wire/bits.h"
#include "../wire/bytes.h"

enum { H264_SPS = 7, H264_PPS = 8, H264_STAP_A = 24, H265_VPS = 32, H265_SPS = 33, H265_PPS = 34, H265_AP = 48 };
enum { SIZE_BYTES = 2 }; /* before each NAL unit of an aggregation packet */

static size_t header_bytes(fw_sets_codec_t codec) { return codec == FW_SETS_H264 ? 1 : 2; }

static unsigned nal_type(fw_sets_codec_t codec, const uint8_t *nal) {
    return codec == FW_SETS_H264 ? nal[0] & 0x1FU : nal[0] >> 1 & 0x3FU;
}

static bool is_set(fw_sets_codec_t codec, unsigned type) {
    return codec == FW_SETS_H264 ? type == H264_SPS || type == H264_PPS : type >= H265_VPS && type <= H265_PPS;
}

/* The id of a parameter set; of H.265's SPS, which has it behind the profile, always 0. */
static uint32_t set_id(fw_sets_codec_t codec, const uint8_t *nal, size_t len) {
    fw_bits_t b = fw_bits(nal, len);
    unsigned type = nal_type(codec, nal);
    fw_take_bits(&b, (unsigned)header_bytes(codec) * 8);
    if (type == H265_SPS && codec == FW_SETS_H265) return 0;
    if (type == H265_VPS && codec == FW_SETS_H265) return fw_take_bits(&b, 4);
    if (type == H264_SPS && codec == FW_SETS_H264) fw_take_bits(&b, 24); /* profile, constraints, level */
    return fw_take_ue(&b);
}

static void write_header(fw_parameter_sets_t *s, fw_sets_codec_t codec) {
    if (codec == FW_SETS_H264) {
        s->payload[0] = 0x60 | H264_STAP_A; /* nal_ref_idc 3 */
    } else {
        s->payload[0] = H265_AP << 1;
        s->payload[1] = 1; /* temporal id 0 */
    }
    s->len = (uint16_t)header_bytes(codec);
}

static size_t nal_len(const fw_parameter_sets_t *s, size_t at) { return fw_load16(s->payload + at); }

static bool take_set(fw_parameter_sets_t *s, fw_sets_codec_t codec, const uint8_t *nal, size_t len) {
    unsigned type = nal_type(codec, nal);
    uint32_t id = set_id(codec, nal, len);
    if (s->len == 0) write_header(s, codec);
    size_t at = header_bytes(codec), before = s->len, old_bytes = 0;
    for (size_t next = at; next < s->len; next += SIZE_BYTES + nal_len(s, next)) {
        const uint8_t *known = s->payload + next + SIZE_BYTES;
        unsigned known_type = nal_type(codec, known);
        if (known_type == type && set_id(codec, known, nal_len(s, next)) == id) {
            if (nal_len(s, next) == len && memcmp(known, nal, len) == 0) return false;
            at = next;
            old_bytes = SIZE_BYTES + nal_len(s, next);
            break;
        }
        if (known_type > type) break; /* SPS before PPS: each may refer to those before it alone */
        at = next + SIZE_BYTES + nal_len(s, next);
    }
    if (before - old_bytes + SIZE_BYTES + len > sizeof s->payload) return false;
    memmove(s->payload + at + SIZE_BYTES + len, s->payload + at + old_bytes, before - at - old_bytes);
    fw_store16(s->payload + at, (uint16_t)len);
    memcpy(s->payload + at + SIZE_BYTES, nal, len);
    s->len = (uint16_t)(before - old_bytes + SIZE_BYTES + len);
    s->version++;
    return true;
}

bool fw_parameter_sets_take(fw_parameter_sets_t *s, fw_sets_codec_t codec, const uint8_t *payload, size_t len) {
    if (!fw_parameter_sets_may(codec, payload, len) || len < header_bytes(codec) + 1) return false;
    unsigned type = nal_type(codec, payload);
    if (is_set(codec, type)) return take_set(s, codec, payload, len);
    bool changed = false;
    fw_reader_t r = fw_reader(payload, len);
    fw_take(&r, header_bytes(codec));
    while (fw_left(&r) > 0) {
        size_t size = fw_take16(&r);
        const uint8_t *nal = fw_take(&r, size);
        if (nal == NULL) break;
        if (size > header_bytes(codec) && is_set(codec, nal_type(codec, nal))) changed |= take_set(s, codec, nal, size);
    }
    return changed;
}

bool fw_parameter_sets_complete(const fw_parameter_sets_t *s, fw_sets_codec_t codec) {
    unsigned found = 0;
    for (size_t at = header_bytes(codec); at < s->len; at += SIZE_BYTES + nal_len(s, at))
        found |= 1U << (nal_type(codec, s->payload + at + SIZE_BYTES) & 31);
    unsigned needed = codec == FW_SETS_H264 ? 1U << H264_SPS | 1U << H264_PPS
                                            : 1U << (H265_VPS & 31) | 1U << (H265_SPS & 31) | 1U << (H265_PPS & 31);
    return (found & needed) == needed;
}

void fw_parameter_sets_clear(fw_parameter_sets_t *s) {
    s->len = 0;
    s->version++;
}
