/* Deduplicates the NACKs of one consumer: records the time and number of the retransmissions of each packet.
 *
 * Repeated NACKs within a round trip get one retransmission; a packet is retransmitted at most FW_RETRANSMISSIONS times.
 */
#ifndef FW_STREAM_NACK_DEDUP_H
#define FW_STREAM_NACK_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#define FW_NACK_ENTRIES 1024
#define FW_RETRANSMISSIONS 3

/* All zero at the start. A newer packet with the same index replaces an entry, an older one never does. */
typedef struct {
    struct {
        uint16_t seq16;
        uint16_t at_ms; /* upper 14 bits: time of the last retransmission in ms, modulo 2^14; lower 2 bits: their count */
    } sent[FW_NACK_ENTRIES]; /* by seq16 modulo FW_NACK_ENTRIES */
} fw_nack_dedup_t;

typedef enum { FW_NACK_ANSWER, FW_NACK_REPEATED, FW_NACK_EXHAUSTED } fw_nack_verdict_t;

/* ANSWER: the packet may be retransmitted. REPEATED: its last retransmission was less than `within_us` (up to 16 s) ago.
 * EXHAUSTED: it was retransmitted FW_RETRANSMISSIONS times, or a newer packet has replaced its entry. */
static inline fw_nack_verdict_t fw_nack_dedup_check(const fw_nack_dedup_t *r, uint16_t seq16, uint64_t now_us, uint64_t within_us) {
    uint16_t at_ms = r->sent[seq16 % FW_NACK_ENTRIES].at_ms;
    uint16_t newer_by = (uint16_t)(r->sent[seq16 % FW_NACK_ENTRIES].seq16 - seq16);
    if ((at_ms & 3) == 0) return FW_NACK_ANSWER;
    if (newer_by != 0) return newer_by < 0x8000 ? FW_NACK_EXHAUSTED : FW_NACK_ANSWER;
    uint64_t age_ms = (now_us / 1000 - (at_ms >> 2)) & 0x3fff;
    if (age_ms * 1000 < within_us) return FW_NACK_REPEATED;
    return (at_ms & 3) == FW_RETRANSMISSIONS ? FW_NACK_EXHAUSTED : FW_NACK_ANSWER;
}

/* Records a retransmission after fw_nack_dedup_check returned ANSWER. */
static inline void fw_nack_dedup_note(fw_nack_dedup_t *r, uint16_t seq16, uint64_t now_us) {
    uint16_t count = 0;
    if (r->sent[seq16 % FW_NACK_ENTRIES].seq16 == seq16) count = r->sent[seq16 % FW_NACK_ENTRIES].at_ms & 3;
    r->sent[seq16 % FW_NACK_ENTRIES].seq16 = seq16;
    r->sent[seq16 % FW_NACK_ENTRIES].at_ms = (uint16_t)((now_us / 1000 & 0x3fff) << 2 | (count + 1U));
}

#endif
