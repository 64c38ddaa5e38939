/* When to ask a publisher for a keyframe: requests of all its viewers become few (RFC 4585 section 6.3.1), the fewer the
 * more a keyframe costs. */
#ifndef FW_STREAM_KEYFRAMES_H
#define FW_STREAM_KEYFRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define FW_KEYFRAME_SPACING_US 1000000 /* between two requests at least; one that no keyframe has answered is repeated then */
#define FW_KEYFRAME_DEAREST_US 2000000 /* a keyframe costs no longer a wait than this */
#define FW_KEYFRAME_SHARE 4            /* keyframes asked for may take one part in so many of the bit rate */

typedef struct {
    uint64_t asked_us;   /* the latest request, 0 for none */
    uint64_t spacing_us; /* from that to the next, as far as cost goes */
    uint8_t wanted;      /* encodings to ask for as soon as it is allowed, a bit each */
    uint8_t awaited;     /* encodings asked for and not seen yet */
} fw_keyframes_t;

/* Someone needs a keyframe of `encodings` (a bit each). */
static inline void fw_keyframes_want(fw_keyframes_t *k, uint8_t encodings) { k->wanted |= encodings; }

/* A keyframe of one encoding has come. */
void fw_keyframes_seen(fw_keyframes_t *k, uint8_t encoding);

/* The encodings to ask for now, 0 for none yet; counts as asked. Say then what that costs. */
uint8_t fw_keyframes_due(fw_keyframes_t *k, uint64_t now_us);

/* What was asked for takes so many bytes, of a stream of so many a second; 0 where that is not known. */
void fw_keyframes_charge(fw_keyframes_t *k, uint32_t bytes, uint32_t bytes_per_s);

/* When fw_keyframes_due is to be called, UINT64_MAX for never. */
uint64_t fw_keyframes_next_us(const fw_keyframes_t *k);

#endif
