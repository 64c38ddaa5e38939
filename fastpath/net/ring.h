/* A bounded ring of variable-length records from one producer thread to one consumer thread, without locks.
 *
 * A record is a tag and bytes. It never wraps, so the consumer reads it in place. A push has release order and a peek acquire order:
 * the consumer sees all that the producer wrote before the push.
 */
#ifndef FW_NET_RING_H
#define FW_NET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fw_ring fw_ring_t;

typedef struct {
    const uint8_t *data; /* 8-byte aligned, valid until the pop */
    uint32_t len;
    uint32_t tag;
} fw_record_t;

/* `capacity_bytes` (at most 1 GiB) is rounded up to a power of two of at least a page; each record costs 8 bytes more
 * than its length, rounded up to 8. Memory is touched only as records reach it. NULL: no memory, or too large. */
fw_ring_t *fw_ring_create(size_t capacity_bytes);
void fw_ring_destroy(fw_ring_t *ring);

/* The longest record that is sure to fit an empty ring: half the capacity less 8 bytes. A longer one is never taken. */
uint32_t fw_ring_max_record(const fw_ring_t *ring);

/* Producer: appends one record of `head` then `body` (either may be empty, then its pointer may be NULL).
 * All or nothing: false when there is no room now or the record is over fw_ring_max_record(). */
bool fw_ring_push(fw_ring_t *ring, uint32_t tag, const void *head, uint32_t head_len, const void *body,
                  uint32_t body_len);

/* Consumer: the oldest record, which stays until popped. False when the ring is empty. */
bool fw_ring_peek(fw_ring_t *ring, fw_record_t *out);

/* Consumer: gives the peeked record's room back. Without a peek since the last pop it does nothing. */
void fw_ring_pop(fw_ring_t *ring);

/* Either side: bytes in use, overhead included, 0..capacity; a snapshot that may be old when it returns. */
uint64_t fw_ring_used_bytes(const fw_ring_t *ring);

#endif
