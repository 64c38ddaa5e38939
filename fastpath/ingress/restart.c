#include "restart.h"

#include "../select/fast_start_list.h"
#include "../select/target.h"

void fw_restart_encoding(fw_core_t *core, fw_encoding_t *e) {
    fw_producer_t *p = e->producer;
    /* New 64-bit sequence numbers start above all used ones, so that cached packets and sequence maps stay unambiguous. */
    e->turns_seq64 = ((e->highest_seq64 >> 16) + 2) << 16;
    e->highest_seq64 = e->sync_point_seq64 = 0;
    e->dependency = (fw_dependency_state_t){0};
    e->h264_layers = (fw_h264_layers_t){0};
    e->independent_layers = false;
    e->highest_layers = (fw_highest_layers_t){0};
    memset(e->sizes, 0, sizeof e->sizes);
    e->liveness = (fw_liveness_t){0};
    fw_cache_restart(&e->cache);
    fw_nack_init(&e->nack);
    e->stats = (fw_receive_stats_t){0};
    e->recovered = 0;
    if (e->sets != NULL) fw_parameter_sets_clear(&e->sets->sets);
    e->sr = e->clock = (fw_clock_point_t){0};
    e->clock_by_arrival = false;
    e->earliest_us = 0;
    for (fw_packet_t *packet = p->batch_first; packet != NULL; packet = packet->next)
        if (packet->encoding == e) packet->sync_point = false; /* no consumer starts at the old stream */
    for (uint32_t i = 0; i < p->follower_count; i++) {
        fw_consumer_t *c = p->followers[i].consumer;
        int8_t catches_up_with = c->select.current == FW_ENCODING_NONE ? c->select.target : c->select.current;
        if (catches_up_with == (int8_t)e->index) fw_fast_start_cancel(core, c);
        if (c->select.current != (int8_t)e->index) continue;
        c->select.current = FW_ENCODING_NONE;
        fw_target_aim(core, c);
    }
}
