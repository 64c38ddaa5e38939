/* Detects replays: keeps, for each SSRC, the highest index received and a window of those before it (RFC 3711 section 3.3.2).
 *
 * Only an authenticated packet adds an SSRC. The caller limits the number of SSRCs.
 */
#ifndef FW_CRYPTO_REPLAY_H
#define FW_CRYPTO_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state of one SSRC. It has no pointers, so it can be saved and restored. */
typedef struct {
    uint64_t highest;
    uint32_t ssrc;
    uint32_t reserved;
    uint64_t window[]; /* a ring of bits: index i is at bit i modulo the window's size */
} fw_replay_source_t;

typedef struct {
    uint8_t *sources; /* fw_replay_source_t entries, sorted by SSRC */
    uint32_t count;
    uint32_t capacity;
    uint32_t words; /* words in a window, 64 indexes each */
} fw_replay_t;

/* Starts without SSRCs. `window` is the number of indexes kept for each SSRC, a multiple of 64. */
void fw_replay_init(fw_replay_t *r, uint32_t window);
void fw_replay_free(fw_replay_t *r);

/* Returns the memory of all SSRCs in bytes. */
size_t fw_replay_bytes(const fw_replay_t *r);

/* Returns the state of an SSRC, valid until the next fw_replay_take; NULL where no packet of it has authenticated. */
const fw_replay_source_t *fw_replay_find(const fw_replay_t *r, uint32_t ssrc);

/* Returns whether `index` is neither a replay nor older than the window. `source` may be NULL. */
bool fw_replay_fresh(const fw_replay_t *r, const fw_replay_source_t *source, uint64_t index);

/* Marks the index of an authenticated packet as received. False where memory is short. */
bool fw_replay_take(fw_replay_t *r, uint32_t ssrc, uint64_t index);

#endif
