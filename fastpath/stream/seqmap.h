/* Sequence numbers of a consumer: every source's numbers mapped onto one unbroken sequence.
 *
 * Numbers are 64-bit extensions of RTP's 16 bits. A map remembers which stretches of which source were given which
 * numbers, and which layers flowed then, so that a late packet keeps the number that is free for it, a NACK finds the packet that it names, and no
 * number is ever given twice.
 */
#ifndef FW_STREAM_SEQMAP_H
#define FW_STREAM_SEQMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "layers.h"

#define FW_SEQMAP_STRETCHES 16

/* The 64-bit number nearest to `highest` whose low 16 bits are `seq16`. */
static inline uint64_t fw_seq_extend(uint64_t highest, uint16_t seq16) {
    return highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq16 - (uint16_t)highest);
}

typedef struct {
    uint64_t first;  /* source numbers [first, end) ... */
    uint64_t end;    /* ... UINT64_MAX for the stretch that still grows */
    uint64_t offset; /* ... are given number + offset, modulo 2^64 */
    uint32_t epoch;  /* which run of which source */
    fw_layers_t layers;
} fw_stretch_t;

typedef struct {
    uint64_t highest_in; /* of the newest epoch */
    uint64_t highest_out;
    uint32_t epoch;
    uint8_t newest;
    uint8_t count;
    fw_stretch_t stretches[FW_SEQMAP_STRETCHES]; /* a ring: `newest` and the count - 1 before it */
} fw_seqmap_t;

/* Starts so that the first packet is given `first_out`. */
void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out);

/* Begins a new epoch: the packet `first_in` of another source follows the highest number given so far. */
void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers);

/* The layers that flow now; all before the first epoch. */
fw_layers_t fw_seqmap_layers(const fw_seqmap_t *m);

/* Other layers flow from packet `first_in` on, which is above all that were mapped or skipped. */
void fw_seqmap_change_layers(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers);

typedef enum {
    FW_SEQ_NEW,  /* above all before it in this epoch */
    FW_SEQ_LATE, /* out of order */
    FW_SEQ_NONE, /* before the epoch, skipped, or older than the map remembers */
} fw_seq_t;

/* The number for packet `in` of the current epoch, in *out, and the layers that flowed or flow with it. */
fw_seq_t fw_seqmap_map(fw_seqmap_t *m, uint64_t in, uint64_t *out, fw_layers_t *layers);

/* Leaves packet `in` out, so that the receiver sees no gap. False where it is too late for that: a later packet has
 * been given its number already. */
bool fw_seqmap_skip(fw_seqmap_t *m, uint64_t in);

/* The stretch of an epoch that holds packet `in` of its source, or NULL. */
const fw_stretch_t *fw_seqmap_find(const fw_seqmap_t *m, uint32_t epoch, uint64_t in);

/* Which packet was, or would be, given number `out`, and its stretch; NULL where none that is remembered holds it. */
const fw_stretch_t *fw_seqmap_reverse(const fw_seqmap_t *m, uint64_t out, uint64_t *in);

#endif
