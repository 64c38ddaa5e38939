#include "stats.h"

void fw_receive_stats_add(fw_receive_stats_t *s, uint64_t seq64, uint32_t timestamp, uint32_t bytes,
                          uint64_t arrival_us, uint32_t clock_hz, bool in_order) {
    if (!s->started) {
        s->started = true;
        s->base_seq64 = s->highest_seq64 = seq64;
    }
    if (seq64 < s->base_seq64) s->base_seq64 = seq64;
    if (seq64 > s->highest_seq64) s->highest_seq64 = seq64;
    s->packets++;
    s->bytes += bytes;
    if (!in_order || (s->packets > 1 && timestamp == s->jitter_timestamp)) return;
    uint32_t transit = (uint32_t)fw_ticks(arrival_us, clock_hz) - timestamp;
    if (s->packets > 1) {
        int32_t change = (int32_t)(transit - s->transit_ticks);
        uint32_t distance = change < 0 ? 0U - (uint32_t)change : (uint32_t)change;
        /* A change of 10 s or more is a new clock, not jitter. */
        if (distance < clock_hz * 10) s->jitter_16 += distance - ((s->jitter_16 + 8) >> 4);
    }
    s->transit_ticks = transit;
    s->jitter_timestamp = timestamp;
}

static uint64_t expected(const fw_receive_stats_t *s) {
    return s->started ? s->highest_seq64 - s->base_seq64 + 1 : 0;
}

int64_t fw_receive_stats_lost(const fw_receive_stats_t *s) { return (int64_t)(expected(s) - s->packets); }

void fw_receive_stats_report(fw_receive_stats_t *s, uint32_t ssrc, const fw_clock_point_t *last_sr, uint64_t now_us,
                             fw_report_block_t *out) {
    uint64_t interval_expected = expected(s) - s->expected_before;
    uint64_t interval_packets = s->packets - s->packets_before;
    s->expected_before = expected(s);
    s->packets_before = s->packets;
    int64_t lost = fw_receive_stats_lost(s);
    if (lost > 0x7fffff) lost = 0x7fffff;
    if (lost < -0x800000) lost = -0x800000;
    uint64_t fraction = 0;
    if (interval_expected > interval_packets) fraction = ((interval_expected - interval_packets) << 8) / interval_expected;
    *out = (fw_report_block_t){
        .ssrc = ssrc,
        .fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction),
        .cumulative_lost = (int32_t)lost,
        .highest_seq = (uint32_t)s->highest_seq64,
        .jitter_ticks = s->jitter_16 >> 4,
    };
    if (last_sr->known) {
        out->last_sr = (uint32_t)(last_sr->ntp >> 16);
        out->delay_sr = (uint32_t)(fw_ntp_span(now_us - last_sr->arrival_us) >> 16);
    }
}
