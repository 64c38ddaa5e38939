/* Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). */
#ifndef FW_WIRE_TWCC_H
#define FW_WIRE_TWCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtcp.h"

#define FW_TWCC_LOST INT64_MIN
#define FW_TWCC_MAX_PACKETS 1024 /* statuses in one message that we write or read */

/* Writes one feedback message for `count` (1-FW_TWCC_MAX_PACKETS) packets from transport sequence number `base_seq16`.
 * arrivals_us[i] is when packet base+i arrived on one monotonic clock, or FW_TWCC_LOST; one of them has arrived.
 * Deltas are cut to 250 us without drift. Returns how many statuses were written: fewer than `count` where
 * the buffer is full or a delta leaves the signed 16-bit range (start a new message there);
 * 0 where nothing was written: no packet arrived, or not one status fits (then `overflow` turns true). */
unsigned fw_rtcp_put_twcc(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_seq16,
                          uint8_t feedback_count, const int64_t *arrivals_us, unsigned count);

typedef struct {
    uint16_t base_seq16;
    uint16_t count;             /* statuses read into arrivals_us */
    uint8_t feedback_count;
    int64_t reference_us;       /* the 24-bit reference time times 64 ms: wraps */
} fw_twcc_t;

/* Reads a feedback message; arrivals_us (FW_TWCC_MAX_PACKETS entries) gets times on the sender's clock starting at
 * reference_us, or FW_TWCC_LOST. False where malformed, or where the status count is over the maximum. */
bool fw_rtcp_twcc(const fw_rtcp_t *p, fw_twcc_t *out, int64_t *arrivals_us);

#endif
