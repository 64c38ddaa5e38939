/* What has been received of each SSRC: the highest index and a window of those before it (RFC 3711 section 3.3.2).
 *
 * A source is made only by a packet that was authentic. The caller bounds how many there are.
 */
#ifndef FW_CRYPTO_REPLAY_H
#define FW_CRYPTO_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Plain, and without pointers: it can be written out and read back. */
typedef struct {
    uint64_t highest;
    uint32_t ssrc;
    uint32_t reserved;
    uint64_t window[]; /* a ring of bits, that of an index at index modulo the window's size */
} fw_replay_source_t;

typedef struct {
    uint8_t *sources; /* in order of SSRC */
    uint32_t count;
    uint32_t capacity;
    uint32_t words; /* of a window, 64 indexes each */
} fw_replay_t;

/* `window` indexes are remembered, a multiple of 64. */
void fw_replay_init(fw_replay_t *r, uint32_t window);
void fw_replay_free(fw_replay_t *r);

/* Bytes of memory that the sources take. */
size_t fw_replay_bytes(const fw_replay_t *r);

/* NULL where nothing authentic of this SSRC has come. Valid until the next fw_replay_take. */
const fw_replay_source_t *fw_replay_find(const fw_replay_t *r, uint32_t ssrc);

/* Whether `index` may still be taken: neither seen before nor older than the window. `source` may be NULL. */
bool fw_replay_fresh(const fw_replay_t *r, const fw_replay_source_t *source, uint64_t index);

/* Notes an authentic packet; false where memory is short. */
bool fw_replay_take(fw_replay_t *r, uint32_t ssrc, uint64_t index);

#endif
