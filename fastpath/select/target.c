#include "target.h"

#include "fast_start_list.h"
#include "keyframe.h"
#include "layers.h"

enum { CROSSING_US = 100000 }; /* a request that arrives this soon after a keyframe was sent was made before the viewer had it */

void fw_target_aim(fw_core_t *core, fw_consumer_t *c) {
    fw_producer_t *p = c->producer;
    if (p == NULL) return;
    bool granted = c->preferred_encoding != FW_HIGHEST && (p->live >> c->preferred_encoding & 1) != 0;
    c->select.target = granted ? (int8_t)c->preferred_encoding : p->best;
    bool waits = fw_select_waits(&c->select) || fw_layers_lacking(c);
    if (!waits || c->media->kind != FW_VIDEO || !fw_transport_ready(c->transport)) return;
    if (fw_fast_start_request(core, c)) return;
    fw_keyframe_want(core, p, (uint8_t)(1U << c->select.target));
}

/* Whether a keyframe is on its way to the viewer, or arrived there within a round trip and CROSSING_US. A viewer that needs another one
 * repeats its request. */
static bool keyframe_is_underway(const fw_core_t *core, const fw_consumer_t *c) {
    const fw_encoding_t *e = c->producer->encodings[c->select.current];
    if (e->sync_point_seq64 == 0) return false;
    uint64_t sent_us = e->sync_point_us > c->fast_start_end_us ? e->sync_point_us : c->fast_start_end_us;
    return c->in_fast_start || core->now_us < sent_us + c->rtt_us + CROSSING_US;
}

void fw_target_refresh(fw_core_t *core, fw_consumer_t *c) {
    if (c->producer == NULL || c->select.current == FW_ENCODING_NONE || c->select.current != c->select.target) {
        fw_target_aim(core, c);
    } else if (!keyframe_is_underway(core, c) && !fw_fast_start_repeat(core, c)) {
        fw_keyframe_want(core, c->producer, (uint8_t)(1U << c->select.current));
    }
}
