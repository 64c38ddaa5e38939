#include "ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SMALLEST 4096u
#define LARGEST (1u << 30)
#define HEADER sizeof(header_t)
#define PADDING UINT32_MAX /* as a header's length: skip to the start of the ring */
#define APART 128          /* two cache lines: neighbours are prefetched in pairs */

typedef struct {
    uint32_t len;
    uint32_t tag;
} header_t;

/* Positions count bytes ever written or read; masked they are offsets. Each side keeps its last look at the other's
 * position and looks again only when that no longer suffices, so the shared cache lines seldom move. */
struct fw_ring {
    alignas(APART) _Atomic uint64_t written;
    uint64_t read_seen;
    alignas(APART) _Atomic uint64_t read;
    uint64_t written_seen;
    uint64_t peeked; /* bytes that the next pop gives back */
    alignas(APART) uint8_t *data;
    uint64_t capacity;
};

fw_ring_t *fw_ring_create(size_t capacity_bytes) {
    if (capacity_bytes > LARGEST)
        return NULL;
    size_t capacity = SMALLEST;
    while (capacity < capacity_bytes)
        capacity *= 2;
    fw_ring_t *ring = aligned_alloc(alignof(fw_ring_t), sizeof(*ring));
    if (!ring)
        return NULL;
    memset(ring, 0, sizeof(*ring));
    void *data = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        free(ring);
        return NULL;
    }
    ring->data = data;
    ring->capacity = capacity;
    return ring;
}

void fw_ring_destroy(fw_ring_t *ring) {
    if (!ring)
        return;
    munmap(ring->data, ring->capacity);
    free(ring);
}

uint32_t fw_ring_max_record(const fw_ring_t *ring) { return (uint32_t)(ring->capacity / 2 - HEADER); }

static uint64_t record_bytes(uint64_t len) { return HEADER + ((len + 7) & ~UINT64_C(7)); }

static void put_header(fw_ring_t *ring, uint64_t position, uint32_t len, uint32_t tag) {
    header_t header = {.len = len, .tag = tag};
    memcpy(ring->data + (position & (ring->capacity - 1)), &header, sizeof(header));
}

static header_t get_header(const fw_ring_t *ring, uint64_t position) {
    header_t header;
    memcpy(&header, ring->data + (position & (ring->capacity - 1)), sizeof(header));
    return header;
}

/* Bytes from `position` to where the ring starts over: a multiple of 8, at least 8. */
static uint64_t to_end(const fw_ring_t *ring, uint64_t position) {
    return ring->capacity - (position & (ring->capacity - 1));
}

bool fw_ring_push(fw_ring_t *ring, uint32_t tag, const void *head, uint32_t head_len, const void *body,
                  uint32_t body_len) {
    uint64_t len = (uint64_t)head_len + body_len;
    if (len > fw_ring_max_record(ring))
        return false;
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t padding = to_end(ring, at) < record_bytes(len) ? to_end(ring, at) : 0;
    uint64_t after = at + padding + record_bytes(len);
    if (after - ring->read_seen > ring->capacity) {
        ring->read_seen = atomic_load_explicit(&ring->read, memory_order_acquire);
        if (after - ring->read_seen > ring->capacity)
            return false;
    }
    if (padding)
        put_header(ring, at, PADDING, 0);
    at += padding;
    put_header(ring, at, (uint32_t)len, tag);
    uint8_t *to = ring->data + ((at + HEADER) & (ring->capacity - 1));
    if (head_len)
        memcpy(to, head, head_len);
    if (body_len)
        memcpy(to + head_len, body, body_len);
    atomic_store_explicit(&ring->written, after, memory_order_release);
    return true;
}

bool fw_ring_peek(fw_ring_t *ring, fw_record_t *out) {
    uint64_t start = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (start == ring->written_seen) {
        ring->written_seen = atomic_load_explicit(&ring->written, memory_order_acquire);
        if (start == ring->written_seen)
            return false;
    }
    uint64_t at = start;
    header_t header = get_header(ring, at);
    if (header.len == PADDING) { /* a record follows: they were published together */
        at += to_end(ring, at);
        header = get_header(ring, at);
    }
    out->data = ring->data + ((at + HEADER) & (ring->capacity - 1));
    out->len = header.len;
    out->tag = header.tag;
    ring->peeked = at + record_bytes(header.len) - start;
    return true;
}

void fw_ring_pop(fw_ring_t *ring) {
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, at + ring->peeked, memory_order_release);
    ring->peeked = 0;
}

uint64_t fw_ring_used_bytes(const fw_ring_t *ring) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    uint64_t used = atomic_load_explicit(&ring->written, memory_order_acquire) - read;
    return used < ring->capacity ? used : ring->capacity; /* both may have moved on between the loads */
}
