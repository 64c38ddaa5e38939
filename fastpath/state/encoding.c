#include "encoding.h"

#include "core.h"

fw_packet_t *fw_encoding_cached(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64) {
    fw_packet_t *packet = fw_pool_get(&core->pool, fw_cache_get(&e->cache, seq64));
    return packet == NULL || packet->encoding != e || packet->seq64 != seq64 ? NULL : packet;
}
