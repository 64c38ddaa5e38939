#include "sequence.h"

#include "../wire/bytes.h"

/* The cache covers REPAIR_US for retransmissions plus instant_join_us for new consumers. It is checked every CHECK_EVERY packets. */
enum { REPAIR_US = 1000000, CHECK_EVERY = 16 };

bool fw_sequence_see(fw_encoding_t *e, uint64_t seq64) {
    bool before = fw_cache_is(&e->cache, seq64, FW_CACHE_CAME);
    fw_cache_mark(&e->cache, seq64, FW_CACHE_CAME);
    return before;
}

/* Returns whether a packet that the cache will soon evict is younger than REPAIR_US + instant_join_us. */
static bool is_cache_too_small(const fw_core_t *core, const fw_encoding_t *e, uint64_t seq64) {
    if (seq64 % CHECK_EVERY != 0) return false;
    const fw_packet_t *old = fw_encoding_cached(core, e, seq64 - fw_cache_reach(&e->cache) + CHECK_EVERY);
    return old != NULL && core->now_us - old->arrival_us < (uint64_t)core->config.instant_join_us + REPAIR_US;
}

void fw_sequence_advance(const fw_core_t *core, fw_encoding_t *e, uint64_t seq64) {
    if (is_cache_too_small(core, e, seq64)) fw_cache_grow(&e->cache, e->highest_seq64);
    fw_cache_advance(&e->cache, e->highest_seq64, seq64);
    e->highest_seq64 = seq64;
}

bool fw_sequence(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet, bool rtx) {
    bool first = e->highest_seq64 == 0;
    if (first) e->highest_seq64 = e->turns_seq64 + packet->rtp.seq16 - 1;
    packet->seq64 = fw_seq_extend(e->highest_seq64, packet->rtp.seq16);
    if (packet->seq64 + e->cache.size <= e->highest_seq64) {
        core->counters.drop_late++;
        return false;
    }
    if (packet->seq64 <= e->highest_seq64) {
        fw_nack_received(&e->nack, packet->seq64, core->now_us, rtx);
        if (!fw_sequence_see(e, packet->seq64)) return true;
        core->counters.drop_duplicate++;
        return false;
    }
    const fw_format_t *format = &e->producer->media.payload_types[packet->format];
    if (!first && packet->seq64 > e->highest_seq64 + 1 && (format->feedback & FW_FB_NACK) != 0)
        fw_nack_gap(&e->nack, e->highest_seq64, packet->seq64, core->now_us);
    fw_sequence_advance(core, e, packet->seq64);
    return true;
}

bool fw_sequence_unwrap_rtx(fw_core_t *core, fw_encoding_t *e, fw_packet_t *packet) {
    fw_rtp_t *rtp = &packet->rtp;
    uint64_t seq64 = e->rtx_highest_seq64 == 0 ? FW_FIRST_TURN + rtp->seq16 : fw_seq_extend(e->rtx_highest_seq64, rtp->seq16);
    if (seq64 > e->rtx_highest_seq64) e->rtx_highest_seq64 = seq64;
    e->rtx_heard_us = core->now_us;
    core->counters.rtx_in++;
    fw_receive_stats_add(&e->rtx_stats, seq64, rtp->timestamp, packet->len, core->now_us, 90000, false);
    if (rtp->payload_len == 0) {
        core->counters.padding_in++;
        return false;
    }
    if (rtp->payload_len < 2 || e->highest_seq64 == 0) {
        core->counters.drop_rtx_malformed++;
        return false;
    }
    uint8_t *payload = packet->data + rtp->header_len;
    rtp->seq16 = fw_load16(payload);
    rtp->ssrc = e->ssrc;
    rtp->payload_type = e->producer->media.payload_types[packet->format].pt;
    rtp->payload_len = (uint16_t)(rtp->payload_len - 2);
    memmove(payload, payload + 2, rtp->payload_len);
    /* Rewrites the header bytes too, because another worker parses the packet again. */
    packet->data[0] &= 0xdf;
    packet->data[1] = (uint8_t)((rtp->marker ? 0x80 : 0) | rtp->payload_type);
    fw_store16(packet->data + 2, rtp->seq16);
    fw_store32(packet->data + 8, rtp->ssrc);
    packet->len = (uint16_t)(rtp->header_len + rtp->payload_len);
    return true;
}
