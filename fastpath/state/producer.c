#include "producer.h"

bool fw_producer_supports(const fw_producer_t *p, uint8_t feedback) {
    for (unsigned i = 0; i < p->media.format_count; i++)
        if ((p->media.formats[i].feedback & feedback) != 0) return true;
    return false;
}
