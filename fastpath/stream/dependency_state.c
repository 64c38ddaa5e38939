#include "dependency_state.h"

#include "layers.h"

static bool has_independent_layers(const fw_dd_structure_t *s) {
    for (unsigned i = 0; i < s->template_count; i++)
        for (unsigned target = 0; target < s->target_count; target++)
            if (s->target_spatial[target] > s->templates[i].spatial && fw_dd_dti(&s->templates[i], target) != FW_DTI_NOT_PRESENT)
                return false;
    return true;
}

static void take_structure(fw_dependency_state_t *d, const fw_dd_structure_t *structure, uint64_t seq64) {
    if (seq64 > d->structure_seq64[0]) {
        d->structures[1] = d->structures[0];
        d->structure_seq64[1] = d->structure_seq64[0];
        d->structures[0] = *structure;
        d->structure_seq64[0] = seq64;
        d->independent_layers = has_independent_layers(structure);
        d->mixed_temporal = false;
    } else if (seq64 > d->structure_seq64[1]) {
        d->structures[1] = *structure;
        d->structure_seq64[1] = seq64;
    }
}

/* The newest structure that arrived before the packet and has its template, else the newest structure that has it. */
static const fw_dd_structure_t *find_structure(const fw_dependency_state_t *d, const fw_dd_t *dd, uint64_t seq64) {
    bool known[2];
    for (unsigned i = 0; i < 2; i++) known[i] = d->structure_seq64[i] != 0 && fw_dd_knows(&d->structures[i], dd);
    if (known[1] && (!known[0] || seq64 < d->structure_seq64[0])) return &d->structures[1];
    return known[0] ? &d->structures[0] : NULL;
}

static void take_active(fw_dependency_state_t *d, const fw_dd_structure_t *s, uint32_t active) {
    d->top_spatial = d->top_temporal = 0;
    for (unsigned i = 0; i < s->target_count; i++) {
        if ((active >> i & 1) == 0) continue;
        if (s->target_spatial[i] > d->top_spatial) d->top_spatial = s->target_spatial[i];
        if (s->target_temporal[i] > d->top_temporal) d->top_temporal = s->target_temporal[i];
    }
}

/* True if all higher temporal layers of the frame's spatial layer are decodable from this frame on. */
static bool is_switch_point(const fw_dd_structure_t *s, const fw_dd_template_t *frame) {
    for (unsigned i = 0; i < s->target_count; i++)
        if (s->target_spatial[i] == frame->spatial && s->target_temporal[i] > frame->temporal &&
            fw_dd_dti(frame, i) != FW_DTI_SWITCH)
            return false;
    return true;
}

/* True if the spatial layer is decodable from this frame on, in all temporal layers from the frame's own up. */
static bool starts_spatial(const fw_dd_structure_t *s, const fw_dd_template_t *frame, unsigned spatial) {
    bool any = false;
    for (unsigned i = 0; i < s->target_count; i++) {
        if (s->target_spatial[i] != spatial || s->target_temporal[i] < frame->temporal) continue;
        if (fw_dd_dti(frame, i) != FW_DTI_SWITCH) return false;
        any = true;
    }
    return any;
}

static uint8_t up_spatial(const fw_dd_structure_t *s, const fw_dd_template_t *frame) {
    uint8_t up = frame->spatial;
    while (starts_spatial(s, frame, up + 1U)) up++;
    return up;
}

/* Adds the next frame of a picture. A missing frame or one of another temporal layer makes the picture no switch point. */
static void take_frame(fw_dependency_state_t *d, const fw_dd_structure_t *s, const fw_dd_template_t *frame, uint32_t timestamp) {
    bool follows = frame->spatial == 0 || (d->switches && d->timestamp == timestamp && frame->spatial == d->spatial + 1 &&
                                           frame->temporal == d->temporal);
    if (frame->spatial > 0 && d->timestamp == timestamp && frame->temporal != d->temporal) d->mixed_temporal = true;
    d->switches = follows && is_switch_point(s, frame);
    d->timestamp = timestamp;
    d->spatial = frame->spatial;
    d->temporal = frame->temporal;
}

bool fw_dependency_state_read(fw_dependency_state_t *d, const uint8_t *data, size_t len, const fw_dd_t *dd, uint64_t seq64,
                       uint32_t timestamp, fw_frame_t *frame) {
    fw_dd_structure_t own;
    fw_dd_frame_t parsed;
    if (dd->has_structure && fw_dd_structure(data, len, &own)) take_structure(d, &own, seq64);
    const fw_dd_structure_t *structure = find_structure(d, dd, seq64);
    bool newest = seq64 > d->newest_seq64;
    if (newest) d->newest_seq64 = seq64;
    frame->has_layers = frame->from_descriptor = true;
    frame->start = dd->start_of_frame;
    frame->end = dd->end_of_frame;
    if (structure == NULL || !fw_dd_frame(data, len, structure, &parsed)) {
        frame->spatial = frame->temporal = FW_LAYERS_ALL;
        return false;
    }
    frame->independent_layers = d->independent_layers;
    frame->spatial = parsed.own.spatial;
    frame->temporal = parsed.own.temporal;
    frame->keyframe = frame->spatial == 0 && (frame->keyframe || (dd->has_structure && !parsed.own.refers));
    if (parsed.has_active && seq64 > d->active_seq64) {
        d->active_seq64 = seq64;
        take_active(d, structure, parsed.active);
    }
    if (!newest || !frame->start) return true;
    take_frame(d, structure, &parsed.own, timestamp);
    frame->up_spatial = up_spatial(structure, &parsed.own);
    frame->switch_up = d->switches && frame->spatial == d->top_spatial;
    return true;
}

size_t fw_dependency_state_tie(const fw_dependency_state_t *d, const uint8_t *data, size_t len, const fw_dd_t *dd, uint64_t seq64,
                        uint8_t *out, size_t room) {
    const fw_dd_structure_t *structure = find_structure(d, dd, seq64);
    return structure == NULL || d->independent_layers || d->mixed_temporal ? 0 : fw_dd_tie(data, len, structure, out, room);
}
