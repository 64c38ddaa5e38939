#include "media.h"

bool fw_media_ok(const fw_media_t *m) {
    if (m->kind > FW_VIDEO || m->payload_types_count > FW_FORMATS || m->mid_len > FW_MID_BYTES) return false;
    for (unsigned i = 0; i < m->payload_types_count; i++) {
        const fw_format_t *f = &m->payload_types[i];
        if (f->pt > 127 || (f->rtx_pt > 127 && f->rtx_pt != FW_NO_PT) || f->codec >= FW_CODEC_COUNT) return false;
        if (f->clock_rate_hz == 0 || f->clock_rate_hz > 1000000) return false;
    }
    return true;
}
