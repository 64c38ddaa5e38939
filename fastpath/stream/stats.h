/* Receive statistics of one stream and its report block (RFC 3550 sections 6.4.1, A.3, A.8). */
#ifndef FW_STREAM_STATS_H
#define FW_STREAM_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/rtcp.h"
#include "tsmap.h"

typedef struct {
    uint64_t base_seq64;
    uint64_t highest_seq64;
    uint64_t packets; /* distinct sequence numbers received, retransmissions included */
    uint64_t bytes;   /* of RTP packets with header */
    uint64_t expected_before; /* at the last report */
    uint64_t packets_before;
    uint32_t transit_ticks;
    uint32_t jitter_16; /* jitter in ticks times 16 (RFC 3550 A.8) */
    uint32_t jitter_timestamp;
    bool started;
} fw_receive_stats_t;

/* Counts a packet. Jitter is computed only from the first packet of each timestamp, and only if it is `in_order`. */
void fw_receive_stats_add(fw_receive_stats_t *s, uint64_t seq64, uint32_t timestamp, uint32_t bytes,
                          uint64_t arrival_us, uint32_t clock_hz, bool in_order);

/* Packets expected minus packets received, since the start; negative if there are more duplicates than losses. */
int64_t fw_receive_stats_lost(const fw_receive_stats_t *s);

/* Writes the report block of the interval since the last call, and starts the next interval. `cumulative_lost` is clamped to
 * 24 bits. */
void fw_receive_stats_report(fw_receive_stats_t *s, uint32_t ssrc, const fw_clock_point_t *last_sr, uint64_t now_us,
                             fw_report_block_t *out);

#endif
