#include "fast_start_list.h"

bool fw_fast_start_is_near(const fw_core_t *core, const fw_encoding_t *e) {
    if (e->sync_point_seq64 == 0 || core->now_us - e->sync_point_us >= core->config.instant_join_us) return false;
    const fw_packet_t *entry = fw_encoding_cached(core, e, e->sync_point_seq64);
    return entry != NULL && e->highest_seq64 - e->sync_point_seq64 < fw_cache_reach(&e->cache) &&
           core->pool.next - entry->number < core->pool.count / 8 * 7;
}

static void wake(fw_core_t *core) {
    if (core->fast_starts.due_us == UINT64_MAX) core->fast_starts.due_us = core->now_us;
}

void fw_fast_start_put_last(fw_core_t *core, fw_consumer_t *c) {
    fw_fast_start_list_t *list = &core->fast_starts;
    c->in_fast_start = true;
    c->next_fast_start = NULL;
    c->previous_fast_start = list->last;
    *(list->last == NULL ? &list->first : &list->last->next_fast_start) = c;
    list->last = c;
    list->count++;
}

void fw_fast_start_take_out(fw_core_t *core, fw_consumer_t *c) {
    fw_fast_start_list_t *list = &core->fast_starts;
    fw_consumer_t *next = c->next_fast_start;
    fw_consumer_t *previous = c->previous_fast_start;
    *(previous == NULL ? &list->first : &previous->next_fast_start) = next;
    *(next == NULL ? &list->last : &next->previous_fast_start) = previous;
    list->count--;
    c->in_fast_start = false;
}

bool fw_fast_start_request(fw_core_t *core, fw_consumer_t *c) {
    if (c->select.current != FW_ENCODING_NONE || !fw_fast_start_is_near(core, c->producer->encodings[c->select.target])) return false;
    if (c->in_fast_start) return true;
    fw_fast_start_put_last(core, c);
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
    if (c->in_fast_start) fw_fast_start_take_out(core, c);
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
