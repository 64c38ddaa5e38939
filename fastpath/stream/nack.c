#include "nack.h"

#include <string.h>

enum { FIRST_RTT_US = 100000, LEAST_RETRY_US = 20000 };

void fw_nack_init(fw_nack_t *n) {
    memset(n, 0, sizeof *n);
    n->rtt_us = FIRST_RTT_US;
}

/* Removes `count` missing packets from index i on. */
static void forget(fw_nack_t *n, unsigned i, unsigned count) {
    n->count = (uint16_t)(n->count - count);
    memmove(&n->missing[i], &n->missing[i + count], (n->count - i) * sizeof n->missing[0]);
}

/* Gives up the first `count` missing packets. */
static void give_up(fw_nack_t *n, unsigned count) {
    if (count == 0) return;
    n->given_up = n->missing[count - 1].seq64;
    n->gave_up = true;
    forget(n, 0, count);
}

void fw_nack_gap(fw_nack_t *n, uint64_t previous, uint64_t seq64, uint64_t now_us) {
    uint64_t gap = seq64 - previous - 1;
    if (gap > FW_NACK_MISSING) {
        n->count = 0;
        n->given_up = seq64 - 1;
        n->gave_up = true;
        return;
    }
    if (n->count + gap > FW_NACK_MISSING) give_up(n, (unsigned)(n->count + gap - FW_NACK_MISSING));
    for (uint64_t s = previous + 1; s < seq64; s++)
        n->missing[n->count++] = (fw_missing_t){.seq64 = s, .since_us = now_us, .next_us = now_us};
}

void fw_nack_received(fw_nack_t *n, uint64_t seq64, uint64_t now_us, bool repaired) {
    for (unsigned i = 0; i < n->count; i++) {
        if (n->missing[i].seq64 != seq64) continue;
        /* Only the first request gives a round trip: a packet after the second may answer either. */
        if (repaired && n->missing[i].tries == 1) {
            uint32_t took_us = (uint32_t)(now_us - n->missing[i].since_us);
            n->rtt_us = (uint32_t)(((uint64_t)n->rtt_us * 7 + took_us) / 8);
        }
        forget(n, i, 1);
        return;
    }
}

/* The number of packets to give up: up to the last one past FW_NACK_TRIES or FW_NACK_LIFE_US. */
static unsigned count_expired(const fw_nack_t *n, uint64_t now_us) {
    unsigned i = n->count;
    for (; i > 0; i--) {
        const fw_missing_t *m = &n->missing[i - 1];
        if (m->next_us <= now_us && (m->tries >= FW_NACK_TRIES || now_us - m->since_us > FW_NACK_LIFE_US)) break;
    }
    return i;
}

unsigned fw_nack_due(fw_nack_t *n, uint64_t now_us, uint16_t *seqs, unsigned max) {
    unsigned due = 0;
    uint64_t retry_us = (uint64_t)n->rtt_us + n->rtt_us / 4;
    if (retry_us < LEAST_RETRY_US) retry_us = LEAST_RETRY_US;
    give_up(n, count_expired(n, now_us));
    for (unsigned i = 0; i < n->count && due < max; i++) {
        fw_missing_t *m = &n->missing[i];
        if (m->next_us > now_us) continue;
        m->tries++;
        m->next_us = now_us + retry_us;
        seqs[due++] = (uint16_t)m->seq64;
    }
    return due;
}

uint64_t fw_nack_next_us(const fw_nack_t *n) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < n->count; i++)
        if (n->missing[i].next_us < next) next = n->missing[i].next_us;
    return next;
}
