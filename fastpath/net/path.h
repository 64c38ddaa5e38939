/* Network addresses and paths (the 5-tuple in use) as plain values.
 *
 * No pointers and no padding: a path is copied by assignment, compared with memcmp, hashed over its bytes and may be
 * written out and read back elsewhere. Always start from a zeroed struct: unused bytes must be zero.
 */
#ifndef FW_NET_PATH_H
#define FW_NET_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t ip[16];   /* network order; IPv4 in the first 4 bytes, the rest zero */
    uint16_t port;    /* host order */
    uint8_t family;   /* 4, 6, or 0: none */
    uint8_t reserved; /* zero */
} fw_address_t;

typedef struct {
    fw_address_t remote;
    uint8_t local_ip[16]; /* the address a datagram was sent to and its answer leaves from; zero: the kernel chooses */
    uint8_t socket;       /* index into the worker's sockets: those of UDP, then those that listen for TCP */
    uint8_t family;       /* of both ends: 4, 6, or 0: no path */
    uint16_t stream;      /* number of the worker's TCP connection, from 1; 0: UDP */
    uint32_t interface;   /* the link's index where `remote` is link-local IPv6 (RFC 4007), else 0 */
    uint32_t serial;      /* of the TCP connection: another connection with the same `stream` is another path; of UDP: the
                           * number of the worker's client port (net/ports.h), or 0 */
} fw_path_t;

_Static_assert(sizeof(fw_address_t) == 20, "an address has no padding");
_Static_assert(sizeof(fw_path_t) == 48, "a path has no padding");

static inline bool fw_address_equal(const fw_address_t *a, const fw_address_t *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Compares word by word: compilers call memcmp for 48 bytes, and this runs for every packet. */
static inline bool fw_path_equal(const fw_path_t *a, const fw_path_t *b) {
    uint64_t left[sizeof(*a) / 8], right[sizeof(*a) / 8], differences = 0;
    memcpy(left, a, sizeof(left));
    memcpy(right, b, sizeof(right));
    for (unsigned i = 0; i < sizeof(*a) / 8; i++)
        differences |= left[i] ^ right[i];
    return differences == 0;
}

/* A hash of `bytes` (a multiple of 4) at `data` for tables; `seed` is random where peers choose the bytes.
 * Every step is a bijection of the state (multiply, xor-shift), so no input bit is lost before the last word. */
static inline uint64_t fw_path_mix(const void *data, size_t bytes, uint64_t seed) {
    uint64_t h = seed ^ (uint64_t)bytes;
    for (size_t at = 0; at < bytes; at += 4) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)data + at, sizeof(word));
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

static inline uint64_t fw_address_hash(const fw_address_t *a, uint64_t seed) {
    return fw_path_mix(a, sizeof(*a), seed);
}

static inline uint64_t fw_path_hash(const fw_path_t *p, uint64_t seed) { return fw_path_mix(p, sizeof(*p), seed); }

#endif
