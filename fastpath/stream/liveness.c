#include "liveness.h"

enum { MISSED_FRAMES = 4 };

bool fw_liveness_note(fw_liveness_t *p, uint32_t timestamp, uint64_t now_us) {
    bool first = p->heard_us == 0;
    p->heard_us = now_us;
    p->missed = 0;
    if (!first && timestamp - p->timestamp - 1 >= UINT32_C(0x7fffffff)) return false; /* the newest frame or an older one */
    uint64_t gap_us = first || now_us < p->frame_us ? 0 : now_us - p->frame_us;
    p->interval_us = gap_us > p->interval_us ? gap_us : p->interval_us - (p->interval_us - gap_us) / 8;
    p->timestamp = timestamp;
    p->frame_us = now_us;
    return true;
}

bool fw_liveness_is_live(const fw_liveness_t *p, uint64_t now_us) {
    if (p->heard_us == 0) return false;
    uint64_t silent_us = MISSED_FRAMES * p->interval_us;
    if (silent_us < FW_SILENT_LEAST_US) silent_us = FW_SILENT_LEAST_US;
    if (silent_us > FW_SILENT_MOST_US) silent_us = FW_SILENT_MOST_US;
    return p->missed < MISSED_FRAMES || now_us - p->heard_us <= silent_us;
}
