/* What a receiver counts of one stream, and the report block made of it (RFC 3550 sections 6.4.1, A.3, A.8). */
#ifndef FW_STREAM_STATS_H
#define FW_STREAM_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/rtcp.h"
#include "tsmap.h"

typedef struct {
    uint64_t base_seq64;
    uint64_t highest_seq64;
    uint64_t packets; /* each sequence number once, repaired ones included */
    uint64_t bytes;   /* of whole RTP packets */
    uint64_t expected_before; /* at the last report */
    uint64_t packets_before;
    uint32_t transit_ticks;
    uint32_t jitter_16; /* jitter in ticks times 16 (RFC 3550 A.8) */
    uint32_t jitter_timestamp;
    bool started;
} fw_receive_stats_t;

/* Counts a packet. `in_order` packets alone tell jitter, and of a frame's packets only the first. */
void fw_receive_stats_add(fw_receive_stats_t *s, uint64_t seq64, uint32_t timestamp, uint32_t bytes,
                          uint64_t arrival_us, uint32_t clock_hz, bool in_order);

/* Packets expected less packets received, since the start: negative where duplicates outweigh. */
int64_t fw_receive_stats_lost(const fw_receive_stats_t *s);

/* The report block for this stream now, and the start of the next interval. */
void fw_receive_stats_report(fw_receive_stats_t *s, uint32_t ssrc, const fw_clock_point_t *last_sr, uint64_t now_us,
                             fw_report_block_t *out);

#endif
