/* Which packets were sent again lately, so that a request that comes twice within a round trip is answered once. */
#ifndef FW_STREAM_NACK_DEDUP_H
#define FW_STREAM_NACK_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#define FW_REPEATS 128

/* All zero to start with. One that is pushed out by another number is forgotten, and may be sent once more. */
typedef struct {
    struct {
        uint16_t seq16;
        uint16_t at_ms; /* low 15 bits of the time and a set bit; 0 for none */
    } sent[FW_REPEATS]; /* by seq16 modulo FW_REPEATS */
} fw_nack_dedup_t;

/* Whether `seq16` was sent again less than `within_us` (up to 16 s) ago; if not, it is now. */
static inline bool fw_nack_dedup_note(fw_nack_dedup_t *r, uint16_t seq16, uint64_t now_us, uint64_t within_us) {
    uint16_t now_ms = (uint16_t)(now_us / 1000 | 0x8000);
    uint16_t at_ms = r->sent[seq16 % FW_REPEATS].at_ms;
    uint64_t age_ms = (uint64_t)(now_ms - at_ms) & 0x7fff;
    if (at_ms != 0 && r->sent[seq16 % FW_REPEATS].seq16 == seq16 && age_ms * 1000 < within_us) return true;
    r->sent[seq16 % FW_REPEATS].seq16 = seq16;
    r->sent[seq16 % FW_REPEATS].at_ms = now_ms;
    return false;
}

#endif
