/* Sequence numbers of a consumer: every source's numbers mapped onto one unbroken sequence.
 *
 * Numbers are 64-bit extensions of RTP's 16 bits. A map remembers which stretches of which source were given which
 * numbers, and which layers flowed then, so that a late packet keeps the number that is free for it, a NACK finds the
 * packet that it names, and no number is ever given twice.
 */
#ifndef FW_STREAM_SEQMAP_H
#define FW_STREAM_SEQMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "layers.h"

#define FW_SEQMAP_CLOSED 63 /* with the growing one, a second of 60 frames of which each is left out in part */
#define FW_EPOCHS 4         /* runs of sources that are remembered */

/* The 64-bit number nearest to `highest` whose low 16 bits are `seq16`. */
static inline uint64_t fw_seq_extend(uint64_t highest, uint16_t seq16) {
    return highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq16 - (uint16_t)highest);
}

/* Source numbers from `first` on are given numbers from `out` on. */
typedef struct {
    uint64_t first;
    uint64_t out;
    uint32_t epoch; /* which run of which source */
    fw_layers_t layers;
} fw_stretch_t;

/* A stretch that has ended. Where it lies is told by its length and the stretch after it, so that many need little room:
 * 65535 numbers at most are remembered, as many as a NACK can tell apart. */
typedef struct {
    uint16_t given;    /* numbers */
    uint16_t left_out; /* source numbers between it and the next one, or FW_OTHER_EPOCH where that is of another source */
    fw_layers_t layers;
} fw_closed_t;

#define FW_OTHER_EPOCH 0xffff

typedef struct {
    uint64_t highest_in; /* of the newest epoch */
    uint64_t highest_out;
    fw_stretch_t growing; /* epoch 0 before the first */
    uint8_t newest;
    uint8_t count;
    fw_closed_t closed[FW_SEQMAP_CLOSED]; /* a ring: `newest` and the count - 1 before it */
    uint64_t ends[FW_EPOCHS];             /* source numbers before which the epochs ended, by epoch modulo FW_EPOCHS */
} fw_seqmap_t;

static inline uint64_t fw_stretch_give(const fw_stretch_t *s, uint64_t in) { return s->out + (in - s->first); }

/* Starts so that the first packet is given `first_out`. */
void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out);

/* The layers that flow now; all before the first epoch. */
static inline fw_layers_t fw_seqmap_layers(const fw_seqmap_t *m) { return m->growing.layers; }

/* Begins a new epoch: the packet `first_in` of another source follows the highest number given so far. */
void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers);

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

/* The stretch of an epoch that holds packet `in` of its source. False where none that is remembered does. */
bool fw_seqmap_find(const fw_seqmap_t *m, uint32_t epoch, uint64_t in, fw_stretch_t *found);

/* Which packet was, or would be, given number `out`, and its stretch. False where none that is remembered holds it. */
bool fw_seqmap_reverse(const fw_seqmap_t *m, uint64_t out, uint64_t *in, fw_stretch_t *found);

#endif
