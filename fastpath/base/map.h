/* A hash table from short keys (SSRCs, addresses, ICE ufrags) to pointers. */
#ifndef FW_BASE_MAP_H
#define FW_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FW_KEY_WORDS 4   /* 64-bit words of the longest key */
#define FW_SSRC_WORDS 1  /* of an SSRC */
#define FW_CHECK_WORDS 2 /* of a STUN transaction id */
#define FW_DIGEST_WORDS 1

/* At most 32 bytes; the rest is zero. */
typedef struct {
    uint64_t words[FW_KEY_WORDS];
} fw_key_t;

typedef struct {
    uint64_t *entries; /* open addressing; an entry is the key's words, then the value, 0 where free */
    uint32_t capacity; /* a power of two, at least twice `count` */
    uint32_t count;
    uint32_t words; /* of each key: short keys keep the two SSRC maps of a transport small */
    uint64_t seed;
} fw_map_t;

static inline fw_key_t fw_key(const void *bytes, size_t len) {
    fw_key_t key = {{0}};
    memcpy(&key, bytes, len < sizeof key ? len : sizeof key);
    return key;
}

/* For keys of `words` words (1 to FW_KEY_WORDS). `seed` is random, so that peers cannot choose keys that collide. Allocates with
 * the first entry. */
void fw_map_init(fw_map_t *m, uint32_t words, uint64_t seed);
void fw_map_free(fw_map_t *m);

/* The value, or NULL. */
void *fw_map_get(const fw_map_t *m, const fw_key_t *key);
/* Adds or replaces an entry; `value` is not NULL. False where memory is short. */
bool fw_map_put(fw_map_t *m, const fw_key_t *key, void *value);
void fw_map_remove(fw_map_t *m, const fw_key_t *key);

#endif
