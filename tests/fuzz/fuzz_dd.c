/* The dependency descriptor: any 3 bytes parse as mandatory fields; a structure, and frames read with it, stay within their bounds. */
#include "fuzz.h"
#include "wire/dd.h"

static void check_template(const fw_dd_structure_t *s, const fw_dd_template_t *t) {
    CHECK(t->spatial < FW_DD_SPATIALS && t->temporal < FW_DD_TEMPORALS);
    CHECK(s->target_count == FW_DD_TARGETS || t->dtis >> (2 * s->target_count) == 0);
}

/* A frame that is tied to the one before refers to something, is still of its layers, and cannot be tied again. */
static void check_tie(const fw_dd_structure_t *s, const fw_dd_frame_t *frame, const uint8_t *data, size_t size) {
    uint8_t tied[16], again[16];
    fw_dd_frame_t after;
    for (size_t room = 0; room <= sizeof tied; room++) {
        size_t len = fw_dd_tie(data, size, s, tied, room);
        CHECK(len <= room);
        if (len == 0) continue;
        CHECK(fw_dd_frame(tied, len, s, &after) && after.own.refers);
        CHECK(after.own.spatial == frame->own.spatial && after.own.dtis == frame->own.dtis && after.active == frame->active);
        CHECK(fw_dd_tie(tied, len, s, again, sizeof again) == 0);
    }
}

/* The input as a structure, then as a frame of that structure with the template id of its last byte. */
static void check_structure(const uint8_t *data, size_t size, const fw_dd_t *dd) {
    fw_dd_structure_t s;
    fw_dd_frame_t frame;
    uint8_t copy[256];
    if (!fw_dd_structure(data, size, &s)) return;
    CHECK(dd->has_structure);
    CHECK(s.template_count >= 1 && s.template_count <= FW_DD_TEMPLATES);
    CHECK(s.target_count >= 1 && s.target_count <= FW_DD_TARGETS && s.chain_count <= s.target_count);
    for (unsigned i = 0; i < s.template_count; i++) check_template(&s, &s.templates[i]);
    for (unsigned i = 0; i < s.target_count; i++)
        CHECK(s.target_spatial[i] < FW_DD_SPATIALS && s.target_temporal[i] < FW_DD_TEMPORALS);
    if (size > sizeof copy) return;
    memcpy(copy, data, size);
    unsigned id = copy[0] = (uint8_t)(data[size - 1] & 63);
    copy[3] = (uint8_t)(data[3] & 0x7f);
    if (fw_dd_frame(copy, size, &s, &frame)) {
        CHECK(((id - s.id_offset) & 63) < s.template_count);
        check_template(&s, &frame.own);
        check_tie(&s, &frame, copy, size);
    }
    if (fw_dd_frame(data, size, &s, &frame)) CHECK(frame.has_active);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fw_dd_t dd;
    CHECK(fw_dd_parse(data, size, &dd) == (size >= 3));
    if (size < 3) return 0;
    CHECK(dd.template_id < 64);
    CHECK(!dd.has_structure || size > 3);
    check_structure(data, size, &dd);
    return 0;
}
