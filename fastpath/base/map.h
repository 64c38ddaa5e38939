/* A hash table from short keys to pointers, for what packets are looked up by: SSRCs, addresses, ICE ufrags. */
#ifndef FW_BASE_MAP_H
#define FW_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FW_KEY_WORDS 4  /* of the longest key */
#define FW_SSRC_WORDS 1 /* of one that is an SSRC */
#define FW_CHECK_WORDS 2 /* of one that is a STUN transaction */
#define FW_DIGEST_WORDS 1

/* At most 32 bytes, the rest zero. */
typedef struct {
    uint64_t words[FW_KEY_WORDS];
} fw_key_t;

typedef struct {
    uint64_t *entries; /* a key's words, then the value, 0 where free; open addressing, a power of two, at most half full */
    uint32_t capacity;
    uint32_t count;
    uint32_t words; /* of each key; a transport's two maps of SSRCs are most of what it keeps */
    uint64_t seed;
} fw_map_t;

static inline fw_key_t fw_key(const void *bytes, size_t len) {
    fw_key_t key = {{0}};
    memcpy(&key, bytes, len < sizeof key ? len : sizeof key);
    return key;
}

/* For keys that fit `words` words (1 to FW_KEY_WORDS). `seed` is random, so that nobody outside can choose keys that
 * collide. Allocates with the first entry. */
void fw_map_init(fw_map_t *m, uint32_t words, uint64_t seed);
void fw_map_free(fw_map_t *m);

void *fw_map_get(const fw_map_t *m, const fw_key_t *key);
/* Adds or replaces; `value` is not NULL. False where memory is short. */
bool fw_map_put(fw_map_t *m, const fw_key_t *key, void *value);
void fw_map_remove(fw_map_t *m, const fw_key_t *key);

#endif
