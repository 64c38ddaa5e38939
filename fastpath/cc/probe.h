/* A probe: a cluster of packets sent faster than media needs, to learn whether the path carries a higher rate.
 *
 * All packets sent while it runs belong to it, media too; the caller fills it up with retransmissions or padding. Its
 * result is the lower of the rates at which the cluster was sent and received, each without one packet. */
#ifndef FW_CC_PROBE_H
#define FW_CC_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "history.h"

#define FW_PROBE_US 50000
#define FW_PROBE_PACKETS 6 /* at least */
#define FW_PROBE_LEAST_BYTES 200
#define FW_PROBE_MOST_BYTES 1200
#define FW_PROBE_TIMEOUT_US 1000000 /* from its last packet to the feedback for it */

typedef enum { FW_PROBE_IDLE, FW_PROBE_SENDING, FW_PROBE_SENT } fw_probe_state_t;
typedef enum { FW_PROBE_PENDING, FW_PROBE_CARRIED, FW_PROBE_SATURATED, FW_PROBE_UNKNOWN } fw_probe_result_t;

typedef struct {
    uint64_t started_us, ended_us;          /* ended: its last packet was sent */
    uint64_t first_sent_us, last_sent_us;   /* of the acknowledged ones */
    int64_t first_arrival_us, last_arrival_us;
    uint32_t rate_bps;
    uint32_t bytes, sent_bytes, acked_bytes; /* of the whole cluster; `bytes` is its goal */
    uint32_t result_bps;
    uint16_t first_seq16, last_seq16;
    uint16_t packet_bytes;
    uint16_t first_arrival_bytes, last_sent_bytes;
    uint16_t sent_packets, acked_packets;
    uint8_t state; /* fw_probe_state_t */
} fw_probe_t;

/* Begins a cluster of FW_PROBE_US at `rate_bps`, of at least FW_PROBE_PACKETS packets. */
void fw_probe_begin(fw_probe_t *p, uint32_t rate_bps, uint64_t now_us);

/* Counts any packet sent while the probe is FW_PROBE_SENDING. */
void fw_probe_sent(fw_probe_t *p, uint16_t seq16, uint32_t bytes, uint64_t now_us);

/* Counts an acknowledged packet where it belongs to the cluster. */
void fw_probe_acked(fw_probe_t *p, uint16_t seq16, const fw_sent_t *sent, int64_t arrival_us);

/* The bytes of the packet to send now, 0 where none is due. */
uint32_t fw_probe_due_bytes(const fw_probe_t *p, uint64_t now_us);

/* When fw_probe_due_bytes or the timeout is due, UINT64_MAX for never. */
uint64_t fw_probe_next_us(const fw_probe_t *p);

/* Concludes the probe once packet `acked_seq16` or a later one is acknowledged, or at its timeout; then it is idle
 * and `result_bps` is set. CARRIED: received at 95 % of the rate at which it was sent, or more. SATURATED: received
 * slower, at `result_bps`. UNKNOWN: fewer than 80 % of its packets are acknowledged. */
fw_probe_result_t fw_probe_conclude(fw_probe_t *p, uint16_t acked_seq16, uint64_t now_us);

#endif
