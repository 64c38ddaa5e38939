/* Parses and rewrites the dependency descriptor: see dd.h. Names are those of appendix A.8.2. */
#include "dd.h"

#include "bits.h"
#include "bytes.h"

enum { MAX_REFERENCES = 5 }; /* of one frame; libwebrtc discards a frame with more */
enum { MANDATORY_BYTES = 3, SAME_LAYER = 0, NEXT_TEMPORAL = 1, NEXT_SPATIAL = 2, NO_MORE = 3 };

bool fw_dd_parse(const uint8_t *data, size_t len, fw_dd_t *out) {
    if (len < MANDATORY_BYTES) return false;
    *out = (fw_dd_t){
        .start_of_frame = data[0] & 0x80,
        .end_of_frame = data[0] & 0x40,
        .template_id = data[0] & 0x3F,
        .frame_number = fw_load16(data + 1),
        .has_structure = len > MANDATORY_BYTES && data[3] & 0x80,
    };
    return true;
}

/* Reads ns(n): a number from 0 to n - 1, n at least 1 (A.8.1). */
static unsigned take_below(fw_bits_t *b, unsigned n) {
    unsigned width = 0;
    for (unsigned rest = n; rest > 0; rest >>= 1) width++;
    unsigned short_codes = (1U << width) - n;
    unsigned value = fw_take_bits(b, width - 1);
    return value < short_codes ? value : (value << 1) - short_codes + fw_take_bits(b, 1);
}

static bool take_layers(fw_bits_t *b, fw_dd_structure_t *s) {
    uint8_t spatial = 0, temporal = 0;
    unsigned next = SAME_LAYER;
    for (s->template_count = 0; next != NO_MORE; s->template_count++) {
        if (s->template_count == FW_DD_TEMPLATES || spatial == FW_DD_SPATIALS || temporal == FW_DD_TEMPORALS) return false;
        s->templates[s->template_count] = (fw_dd_template_t){.spatial = spatial, .temporal = temporal};
        next = fw_take_bits(b, 2);
        if (!b->ok) return false;
        if (next == NEXT_TEMPORAL) temporal++;
        if (next == NEXT_SPATIAL) {
            spatial++;
            temporal = 0;
        }
    }
    return true;
}

static uint64_t take_dtis(fw_bits_t *b, unsigned targets) {
    uint64_t dtis = 0;
    for (unsigned i = 0; i < targets; i++) dtis |= (uint64_t)fw_take_bits(b, 2) << (2 * i);
    return dtis;
}

static void take_chains(fw_bits_t *b, fw_dd_structure_t *s) {
    s->chain_count = (uint8_t)take_below(b, s->target_count + 1U);
    if (s->chain_count == 0) return;
    for (unsigned i = 0; i < s->target_count; i++) take_below(b, s->chain_count); /* decode_target_protected_by */
    for (unsigned i = 0; i < s->template_count * (unsigned)s->chain_count; i++) fw_take_bits(b, 4);
}

static uint16_t side(uint32_t minus_1) { return minus_1 == UINT16_MAX ? 0 : (uint16_t)(minus_1 + 1); }

static void take_sizes(fw_bits_t *b, fw_dd_structure_t *s) {
    memset(s->sizes, 0, sizeof s->sizes);
    if (!fw_take_flag(b)) return; /* resolutions_present_flag */
    for (unsigned i = 0; i <= s->templates[s->template_count - 1].spatial; i++) {
        s->sizes[i].width = side(fw_take_bits(b, 16)); /* max_render_width_minus_1 */
        s->sizes[i].height = side(fw_take_bits(b, 16));
    }
}

static void find_target_layers(fw_dd_structure_t *s) {
    for (unsigned target = 0; target < s->target_count; target++) {
        s->target_spatial[target] = s->target_temporal[target] = 0;
        for (unsigned i = 0; i < s->template_count; i++) {
            const fw_dd_template_t *t = &s->templates[i];
            if (fw_dd_dti(t, target) == FW_DTI_NOT_PRESENT) continue;
            if (t->spatial > s->target_spatial[target]) s->target_spatial[target] = t->spatial;
            if (t->temporal > s->target_temporal[target]) s->target_temporal[target] = t->temporal;
        }
    }
}

static bool take_structure(fw_bits_t *b, fw_dd_structure_t *s) {
    s->id_offset = (uint8_t)fw_take_bits(b, 6);
    s->target_count = (uint8_t)(fw_take_bits(b, 5) + 1);
    if (!take_layers(b, s)) return false;
    for (unsigned i = 0; i < s->template_count; i++) s->templates[i].dtis = take_dtis(b, s->target_count);
    for (unsigned i = 0; i < s->template_count; i++)
        while (fw_take_flag(b)) s->templates[i].fdiffs |= (uint16_t)(1U << fw_take_bits(b, 4));
    for (unsigned i = 0; i < s->template_count; i++) s->templates[i].refers = s->templates[i].fdiffs != 0;
    take_chains(b, s);
    take_sizes(b, s);
    find_target_layers(s);
    return b->ok;
}

bool fw_dd_structure(const uint8_t *data, size_t len, fw_dd_structure_t *out) {
    if (len <= MANDATORY_BYTES || !(data[3] & 0x80)) return false;
    fw_bits_t b = fw_bits(data + MANDATORY_BYTES, len - MANDATORY_BYTES);
    fw_take_bits(&b, 5); /* flags */
    return take_structure(&b, out);
}

bool fw_dd_knows(const fw_dd_structure_t *structure, const fw_dd_t *dd) {
    return ((dd->template_id - structure->id_offset) & 63) < structure->template_count;
}

/* Reads the frame's own list of frame dependencies. Returns whether it has an entry. */
static bool take_own_references(fw_bits_t *b) {
    bool any = false;
    for (unsigned size; (size = fw_take_bits(b, 2)) != 0; any = true) fw_take_bits(b, 4 * size);
    return any;
}

bool fw_dd_frame(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, fw_dd_frame_t *out) {
    fw_dd_t dd;
    if (!fw_dd_parse(data, len, &dd) || !fw_dd_knows(structure, &dd)) return false;
    *out = (fw_dd_frame_t){.own = structure->templates[(dd.template_id - structure->id_offset) & 63]};
    if (len == MANDATORY_BYTES) return true;
    fw_bits_t b = fw_bits(data + MANDATORY_BYTES, len - MANDATORY_BYTES);
    fw_take_flag(&b); /* has_structure */
    bool active = fw_take_flag(&b), dtis = fw_take_flag(&b), fdiffs = fw_take_flag(&b), chains = fw_take_flag(&b);
    if (dd.has_structure) {
        fw_dd_structure_t own;
        if (!take_structure(&b, &own) || own.target_count != structure->target_count) return false;
        out->active = (uint32_t)((1ULL << structure->target_count) - 1);
    }
    if (active) out->active = fw_take_bits(&b, structure->target_count);
    out->has_active = active || dd.has_structure;
    if (dtis) out->own.dtis = take_dtis(&b, structure->target_count);
    if (fdiffs) out->own.refers = take_own_references(&b);
    for (unsigned i = 0; chains && i < structure->chain_count; i++) fw_take_bits(&b, 8);
    return b.ok;
}

/* Writes bits in sequence. `ok` becomes false, and nothing more is written, where a value does not fit before `end`. */
typedef struct {
    uint8_t *data; /* the caller sets all bits from `at` on to 0 */
    size_t at;     /* position, in bits */
    size_t end;    /* capacity, in bits */
    bool ok;
} writer_t;

static void put(writer_t *w, uint32_t value, unsigned n) {
    if (w->end - w->at < n) w->ok = false;
    for (; w->ok && n > 0; n--, w->at++) w->data[w->at / 8] |= (uint8_t)((value >> (n - 1) & 1) << (7 - w->at % 8));
}

static void copy_bits(writer_t *w, fw_bits_t *b, unsigned n) {
    for (; n > 0 && b->ok; n--) put(w, fw_take_bits(b, 1), 1);
}

/* The frame dependencies written so far. */
typedef struct {
    unsigned count;
    bool previous; /* the previous frame (FDIFF 1) is one of them */
} references_t;

static references_t copy_references(writer_t *w, fw_bits_t *b) {
    references_t found = {0};
    for (unsigned size; (size = fw_take_bits(b, 2)) != 0; found.count++) {
        uint32_t fdiff_minus_1 = fw_take_bits(b, 4 * size);
        if (fdiff_minus_1 == 0) found.previous = true;
        put(w, size, 2);
        put(w, fdiff_minus_1, 4 * size);
    }
    return found;
}

static references_t put_references(writer_t *w, uint16_t fdiffs) {
    references_t found = {.previous = fdiffs & 1};
    for (unsigned i = 0; i < 16; i++) {
        if ((fdiffs >> i & 1) == 0) continue;
        put(w, 1U << 4 | i, 6);
        found.count++;
    }
    return found;
}

size_t fw_dd_tie(const uint8_t *data, size_t len, const fw_dd_structure_t *structure, uint8_t *out, size_t room) {
    fw_dd_t dd;
    if (!fw_dd_parse(data, len, &dd) || dd.has_structure || !fw_dd_knows(structure, &dd) || room < MANDATORY_BYTES) return 0;
    memset(out, 0, room);
    memcpy(out, data, MANDATORY_BYTES);
    bool extended = len > MANDATORY_BYTES;
    fw_bits_t b = fw_bits(data + MANDATORY_BYTES, len - MANDATORY_BYTES);
    unsigned flags = extended ? fw_take_bits(&b, 5) : 0; /* structure, active, dtis, fdiffs, chains */
    writer_t w = {.data = out + MANDATORY_BYTES, .end = (room - MANDATORY_BYTES) * 8, .ok = true};
    put(&w, flags | 2, 5);
    if (flags & 8) copy_bits(&w, &b, structure->target_count);
    if (flags & 4) copy_bits(&w, &b, 2U * structure->target_count);
    references_t own = flags & 2 ? copy_references(&w, &b)
                                 : put_references(&w, structure->templates[(dd.template_id - structure->id_offset) & 63].fdiffs);
    put(&w, 1U << 4, 6); /* next_fdiff_size 1, then fdiff_minus_1 0: the previous frame */
    put(&w, 0, 2);
    if (flags & 1) copy_bits(&w, &b, 8U * structure->chain_count);
    return own.previous || own.count >= MAX_REFERENCES || !w.ok || !b.ok ? 0 : MANDATORY_BYTES + (w.at + 7) / 8;
}
