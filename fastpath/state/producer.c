#include "producer.h"

bool fw_producer_supports(const fw_producer_t *p, uint8_t feedback) {
    for (unsigned i = 0; i < p->media.payload_types_count; i++)
        if ((p->media.payload_types[i].feedback & feedback) != 0) return true;
    return false;
}
