/* Schedules keyframe requests to a publisher: coalesces the PLIs of all viewers (RFC 4585 section 6.3.1), and spaces requests
 * by the cost of a keyframe. */
#ifndef FW_STREAM_KEYFRAMES_H
#define FW_STREAM_KEYFRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define FW_KEYFRAME_SPACING_US 1000000 /* minimum between two requests; an unanswered request is repeated after it */
#define FW_KEYFRAME_DEAREST_US 2000000 /* maximum spacing for the cost of a keyframe */
#define FW_KEYFRAME_SHARE 4            /* requested keyframes take at most 1/4 of the bit rate, up to the maximum spacing */

typedef struct {
    uint64_t asked_us;   /* time of the latest request; 0: none */
    uint64_t spacing_us; /* minimum from that to the next request, by cost */
    uint8_t wanted;      /* encodings to request at the next opportunity; bit mask */
    uint8_t awaited;     /* encodings requested, keyframe not received yet; bit mask */
} fw_keyframes_t;

/* Wants a keyframe of each of `encodings` (bit mask). */
static inline void fw_keyframes_want(fw_keyframes_t *k, uint8_t encodings) { k->wanted |= encodings; }

/* Notes a keyframe of one encoding, by number (0 to 7). */
void fw_keyframes_seen(fw_keyframes_t *k, uint8_t encoding);

/* The encodings to request now (bit mask), counted as requested; 0 before fw_keyframes_next_us. The caller then passes the
 * cost of them to fw_keyframes_charge. */
uint8_t fw_keyframes_due(fw_keyframes_t *k, uint64_t now_us);

/* Sets the cost of the requested keyframes: `bytes` of a stream of `bytes_per_s` (0: unknown, no cost). */
void fw_keyframes_charge(fw_keyframes_t *k, uint32_t bytes, uint32_t bytes_per_s);

/* The time from which fw_keyframes_due returns encodings; UINT64_MAX: none wanted. */
uint64_t fw_keyframes_next_us(const fw_keyframes_t *k);

#endif
