#include "layers.h"

fw_layers_t fw_layers_limit(const fw_consumer_t *c, const fw_encoding_t *e) {
    fw_layers_t limit = c->limit;
    if (e->by_descriptor && c->media->extensions[FW_EXT_DEPENDENCY_DESCRIPTOR] == 0) limit.spatial = 0;
    if (e->independent_layers && limit.spatial > e->highest_layers.spatial) limit.spatial = e->highest_layers.spatial;
    return limit;
}

static bool lacks(uint8_t now, uint8_t limit, uint8_t top) { return now < (limit < top ? limit : top); }

bool fw_layers_lacking(const fw_consumer_t *c) {
    if (c->select.current == FW_ENCODING_NONE) return false;
    const fw_encoding_t *e = c->producer->encodings[c->select.current];
    fw_layers_t limit = fw_layers_limit(c, e), now = fw_seqmap_layers(&c->seqmap);
    return lacks(now.spatial, limit.spatial, e->highest_layers.spatial) || (e->independent_layers && now.spatial > limit.spatial) ||
           (e->h264_layers.prefixed && lacks(now.temporal, limit.temporal, e->highest_layers.temporal));
}
