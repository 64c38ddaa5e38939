#include "police.h"

enum { KEPT_US = 1000000, SHARES = 4, BURSTS = 4 };

bool fw_police_rate(fw_core_t *core, fw_transport_t *t, size_t len) {
    uint32_t rate = t->publish_bps / 8 < UINT32_MAX ? (uint32_t)(t->publish_bps / 8) : UINT32_MAX;
    if (fw_token_bucket_take(&t->published, rate, rate, (uint32_t)len, core->now_us)) return true;
    core->counters.drop_publish_rate++;
    return false;
}

/* Returns whether the pool keeps packets for less than KEPT_US. */
static bool is_short(const fw_core_t *core) {
    const fw_pool_t *pool = &core->pool;
    if (pool->next < pool->count) return false;
    return core->now_us - pool->slots[(pool->next + 1) & (pool->count - 1)].arrival_us < KEPT_US;
}

bool fw_police_share(fw_core_t *core, fw_producer_t *p) {
    if (!is_short(core) || fw_slots_count(&core->producers) < 2) return true;
    uint32_t share = (uint32_t)(core->pool.count / SHARES);
    if (fw_token_bucket_take(&p->share, share, share / BURSTS, 1, core->now_us)) return true;
    core->counters.drop_pool_share++;
    return false;
}
