#include "fast_start_list.h"

bool fw_fast_start_is_near(const fw_core_t *core, const fw_encoding_t *e) {
    if (e->sync_point_seq64 == 0) return false;
    uint64_t age_us = core->now_us - e->sync_point_us;
    if (age_us >= core->config.instant_join_us || age_us > FW_FAST_START_LONGEST_US * (FW_FAST_START_SPEED - 1)) return false;
    const fw_packet_t *first = fw_encoding_cached(core, e, e->sync_point_seq64);
    return first != NULL && e->highest_seq64 - e->sync_point_seq64 < fw_cache_reach(&e->cache) &&
           core->pool.next - first->number < core->pool.count / 8 * 7;
}

static void wake(fw_core_t *core) {
    if (core->fast_starts.due_us == UINT64_MAX) core->fast_starts.due_us = core->now_us;
}

/* Inserts a consumer behind the others of its producer, or else as the last to have its turn. */
static void insert(fw_core_t *core, fw_consumer_t *c) {
    fw_fast_start_list_t *list = &core->fast_starts;
    fw_consumer_t *before = c->producer->fast_start_last;
    if (before == NULL && list->turn != NULL) before = list->turn->previous_fast_start;
    fw_consumer_t *after = before == NULL ? c : before->next_fast_start;
    if (before == NULL) before = list->turn = c;
    c->previous_fast_start = before;
    c->next_fast_start = after;
    before->next_fast_start = after->previous_fast_start = c;
    c->producer->fast_start_last = c;
    c->in_fast_start = true;
    list->count++;
}

bool fw_fast_start_request(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.current != FW_ENCODING_NONE) return false;
    const fw_encoding_t *e = c->producer->encodings[c->select.target];
    if (!fw_fast_start_is_near(core, e) || e->sync_point_us <= c->fast_start_sync_us) return false;
    if (c->in_fast_start) return true;
    insert(core, c);
    wake(core);
    return true;
}

bool fw_fast_start_repeat(fw_core_t *core, fw_consumer_t *c) {
    const fw_encoding_t *e = c->producer->encodings[c->select.current];
    bool repeated = e->sync_point_us <= c->fast_start_end_us;
    if (repeated || core->now_us - e->sync_point_us >= FW_KEYFRAME_SPACING_US || !fw_fast_start_is_near(core, e)) return false;
    c->select.current = FW_ENCODING_NONE;
    return fw_fast_start_request(core, c);
}

void fw_fast_start_cancel(fw_core_t *core, fw_consumer_t *c) {
    fw_fast_start_list_t *list = &core->fast_starts;
    if (!c->in_fast_start) return;
    fw_consumer_t *previous = c->previous_fast_start, *next = c->next_fast_start;
    if (c->producer->fast_start_last == c) c->producer->fast_start_last = previous != c && previous->producer == c->producer ? previous : NULL;
    if (list->turn == c) list->turn = next == c ? NULL : next;
    previous->next_fast_start = next;
    next->previous_fast_start = previous;
    list->count--;
    fw_fast_start_set_demand(core, c, 0);
    c->in_fast_start = c->fast_start_waits = false;
}

void fw_fast_start_set_demand(fw_core_t *core, fw_consumer_t *c, uint32_t packets_per_s) {
    core->fast_starts.packets_per_s += packets_per_s - (uint64_t)c->fast_start_packets_per_s;
    c->fast_start_packets_per_s = packets_per_s;
}

uint64_t fw_fast_start_next_us(const fw_core_t *core) {
    return core->fast_starts.count > 0 ? core->fast_starts.due_us : UINT64_MAX;
}

bool fw_fast_start_lets(fw_core_t *core, fw_consumer_t *c, const fw_packet_t *packet) {
    int8_t encoding = (int8_t)((const fw_encoding_t *)packet->encoding)->index;
    if (encoding == c->select.current && packet->seq64 >= c->next_seq64) {
        wake(core);
        return false;
    }
    if (encoding == c->select.target && packet->sync_point) fw_fast_start_cancel(core, c);
    return true;
}
