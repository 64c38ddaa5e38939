/* The packets sent on one path, by transport-wide sequence number: send time and size until each is acknowledged. */
#ifndef FW_CC_HISTORY_H
#define FW_CC_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define FW_HISTORY_LEAST 64 /* packets; the size doubles while packets in flight need more */
#define FW_HISTORY_MOST 2048

typedef struct {
    uint32_t *entries; /* by sequence number modulo `size`: 20 bits of send time, 12 of bytes; 0 for none */
    uint16_t size;     /* a power of two */
    uint16_t newest_seq16;
    uint16_t acked_seq16; /* the highest that fw_history_take has found */
    bool started;         /* a packet has been sent */
} fw_history_t;

typedef struct {
    uint64_t sent_us; /* to 64 us; right for packets up to 60 s old */
    uint16_t bytes;   /* 1-4095 */
    bool overdue;     /* a packet sent later was acknowledged earlier: this one counted as lost */
} fw_sent_t;

/* False where memory is short. */
bool fw_history_init(fw_history_t *h);
void fw_history_free(fw_history_t *h);

/* Forgets all packets and keeps the memory. */
void fw_history_clear(fw_history_t *h);

/* Adds the packet that is sent at `now_us`. Numbers between it and the one before were not sent. A number that is not
 * ahead of the newest clears the history first. Where packets in flight fill the ring and the oldest is less than 1 s
 * old the ring doubles, up to FW_HISTORY_MOST; otherwise the oldest is forgotten. `bytes` is held to 1-4095. */
void fw_history_put(fw_history_t *h, uint16_t seq16, uint32_t bytes, uint64_t now_us);

/* Takes out the packet that an acknowledgement names. False where none waits under that number: never sent, forgotten,
 * or acknowledged already. */
bool fw_history_take(fw_history_t *h, uint16_t seq16, uint64_t now_us, fw_sent_t *out);

/* Whether `seq16` was sent and may still be in the ring. */
static inline bool fw_history_covers(const fw_history_t *h, uint16_t seq16) {
    return h->started && (uint16_t)(h->newest_seq16 - seq16) < h->size;
}

#endif
