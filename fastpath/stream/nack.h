/* Which packets of a stream are missing, and when to ask for them (again): the receiving side of RFC 4585 NACK. */
#ifndef FW_STREAM_NACK_H
#define FW_STREAM_NACK_H

#include <stdbool.h>
#include <stdint.h>

#define FW_NACK_MISSING 128 /* packets remembered as missing */
#define FW_NACK_TRIES 10
#define FW_NACK_LIFE_US 2000000 /* a packet missing for longer is given up: its frame is history */

typedef struct {
    uint64_t seq64;
    uint64_t since_us;
    uint64_t next_us; /* when to ask (again) */
    uint8_t tries;
} fw_missing_t;

typedef struct {
    fw_missing_t missing[FW_NACK_MISSING]; /* ascending by seq64 */
    uint32_t rtt_us;                       /* smoothed time from asking to receiving; starts at 100 ms */
    uint64_t given_up; /* whatever is missing up to this number is asked for no more, 0 at first */
    uint16_t count;
    bool gave_up; /* for the owner, who clears it: `given_up` is a higher one */
} fw_nack_t;

void fw_nack_init(fw_nack_t *n);

/* A new highest packet `seq64` after `previous`: all between them are missing. */
void fw_nack_gap(fw_nack_t *n, uint64_t previous, uint64_t seq64, uint64_t now_us);

/* A packet below the highest has come: `repaired` where it is known to be sent for being asked for, not to be late. */
void fw_nack_received(fw_nack_t *n, uint64_t seq64, uint64_t now_us, bool repaired);

/* Fills `seqs` with up to `max` packets to ask for now and sets their next time; gives up those whose tries or life are
 * used up. Returns how many. */
unsigned fw_nack_due(fw_nack_t *n, uint64_t now_us, uint16_t *seqs, unsigned max);

/* When fw_nack_due has something to do, UINT64_MAX for never. */
uint64_t fw_nack_next_us(const fw_nack_t *n);

#endif
