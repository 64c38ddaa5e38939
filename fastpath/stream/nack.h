/* Tracks the missing packets of a received stream and schedules NACKs for them (RFC 4585 section 6.2.1). */
#ifndef FW_STREAM_NACK_H
#define FW_STREAM_NACK_H

#include <stdbool.h>
#include <stdint.h>

#define FW_NACK_MISSING 128 /* missing packets tracked; the oldest is given up first */
#define FW_NACK_TRIES 10        /* NACKs for one packet */
#define FW_NACK_LIFE_US 2000000 /* a packet that is missing for longer is given up */

typedef struct {
    uint64_t seq64;
    uint64_t since_us;
    uint64_t next_us; /* of the next NACK */
    uint8_t tries;
} fw_missing_t;

typedef struct {
    fw_missing_t missing[FW_NACK_MISSING]; /* ascending by seq64 */
    uint32_t rtt_us;                       /* smoothed time from NACK to packet; starts at 100 ms */
    uint64_t given_up; /* packets up to this number get no more NACKs; 0 at the start */
    uint16_t count;
    bool gave_up; /* `given_up` has risen; the owner clears this */
} fw_nack_t;

void fw_nack_init(fw_nack_t *n);

/* Notes the new highest packet `seq64` after `previous`: the packets between them are missing. A gap of more than
 * FW_NACK_MISSING is given up whole. */
void fw_nack_gap(fw_nack_t *n, uint64_t previous, uint64_t seq64, uint64_t now_us);

/* Notes a packet below the highest. `repaired`: it is known to be a retransmission, not a late packet. */
void fw_nack_received(fw_nack_t *n, uint64_t seq64, uint64_t now_us, bool repaired);

/* Fills `seqs` with up to `max` packets to NACK now and schedules their next NACK, 1.25 round trips (at least 20 ms) later.
 * Gives up the packets past FW_NACK_TRIES or FW_NACK_LIFE_US. Returns the length of `seqs`. */
unsigned fw_nack_due(fw_nack_t *n, uint64_t now_us, uint16_t *seqs, unsigned max);

/* The time of the next fw_nack_due; UINT64_MAX: nothing is missing. */
uint64_t fw_nack_next_us(const fw_nack_t *n);

#endif
