#include "batch.h"

enum { FULL_PACKETS = 256 };

void fw_batch_add(fw_core_t *core, fw_producer_t *p, fw_packet_t *packet) {
    packet->next = NULL;
    if (core->touched == NULL) {
        core->batch_us = core->now_us;
        core->batch_number = packet->number;
    }
    if (p->batch_first == NULL) {
        p->batch_first = packet;
        p->next_touched = core->touched;
        core->touched = p;
    } else {
        p->batch_last->next = packet;
    }
    p->batch_last = packet;
    if (p->relay_next == NULL) p->relay_next = packet;
}

bool fw_batch_has_room(fw_core_t *core) {
    if (core->touched == NULL || core->pool.next - core->batch_number < core->pool.count - 1) return true;
    core->counters.drop_pool_full++;
    return false;
}

uint64_t fw_batch_due_us(const fw_core_t *core) {
    if (core->touched == NULL) return UINT64_MAX;
    if (core->pool.next - core->batch_number >= FULL_PACKETS) return core->batch_us;
    return core->batch_us + (core->last_flush_us < core->config.coalesce_us ? core->last_flush_us : core->config.coalesce_us);
}

void fw_batch_remove(fw_core_t *core, fw_producer_t *p) {
    for (fw_producer_t **link = &core->touched; *link != NULL; link = &(*link)->next_touched)
        if (*link == p) {
            *link = p->next_touched;
            return;
        }
}

void fw_batch_clear(fw_core_t *core) {
    for (fw_producer_t *p = core->touched; p != NULL; p = p->next_touched) p->batch_first = p->batch_last = NULL;
    core->touched = NULL;
}
