/* Reads and writes transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). */
#ifndef FW_WIRE_TWCC_H
#define FW_WIRE_TWCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtcp.h"

#define FW_TWCC_LOST INT64_MIN
#define FW_TWCC_MAX_PACKETS 1024 /* most packet statuses in one message, read or written */

/* Writes one feedback message for `count` (1-FW_TWCC_MAX_PACKETS) packets from transport sequence number `base_seq16`. arrivals_us[i]
 * is the arrival time of packet base + i on one monotonic clock, or FW_TWCC_LOST. Times are rounded down to 250 us; rounding errors
 * do not accumulate. Returns the number of statuses written. It is less than `count` where the buffer is full or a delta exceeds
 * signed 16 bits: the caller starts a new message there. It is 0, and nothing is written, where no packet arrived or no status fits;
 * the latter sets `overflow`. */
unsigned fw_rtcp_put_twcc(fw_rtcp_writer_t *w, uint32_t sender_ssrc, uint32_t media_ssrc, uint16_t base_seq16,
                          uint8_t feedback_count, const int64_t *arrivals_us, unsigned count);

typedef struct {
    uint16_t base_seq16;
    uint16_t count;             /* number of statuses read into arrivals_us */
    uint8_t feedback_count;
    int64_t reference_us;       /* the 24-bit reference time times 64 ms; wraps */
} fw_twcc_t;

/* Reads a feedback message. Sets arrivals_us (FW_TWCC_MAX_PACKETS entries) to times on the sender's clock, relative to the same origin
 * as reference_us, or to FW_TWCC_LOST. False where malformed, or where the status count exceeds FW_TWCC_MAX_PACKETS. */
bool fw_rtcp_twcc(const fw_rtcp_t *p, fw_twcc_t *out, int64_t *arrivals_us);

#endif
