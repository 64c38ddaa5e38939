#include "pool.h"

#include <stdlib.h>

bool fw_pool_init(fw_pool_t *p, uint32_t packets) {
    uint64_t count = 1;
    while (count < packets) count *= 2;
    *p = (fw_pool_t){.slots = calloc(count, sizeof(fw_packet_t)), .count = count};
    return p->slots != NULL;
}

void fw_pool_free(fw_pool_t *p) {
    free(p->slots);
    *p = (fw_pool_t){0};
}
