/* Maps the sequence numbers of a consumer's sources onto one sequence without gaps.
 *
 * Numbers are 64-bit extensions of RTP's 16 bits. A map stores stretches of consecutive numbers of one source with the same
 * layers. So a late packet gets the number reserved for it, a NACK is mapped back to its packet, and no number is
 * given to two packets.
 */
#ifndef FW_STREAM_SEQMAP_H
#define FW_STREAM_SEQMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "layers.h"

#define FW_SEQMAP_CLOSED 63 /* with the growing stretch: one second at 60 frames/s if part of each frame is dropped */
#define FW_EPOCHS 4         /* epochs stored; an epoch is one run of one source */

/* The 64-bit number nearest to `highest` whose low 16 bits are `seq16`. */
static inline uint64_t fw_seq_extend(uint64_t highest, uint16_t seq16) {
    return highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq16 - (uint16_t)highest);
}

/* Maps source numbers from `first` on to numbers from `out` on. */
typedef struct {
    uint64_t first;
    uint64_t out;
    uint32_t epoch; /* counts the switches; 0 before the first */
    fw_layers_t layers;
} fw_stretch_t;

/* A stretch that has ended. Its position follows from its length and the stretch after it, which saves memory. At most 65535
 * numbers are stored, as many as the 16 bits of a NACK distinguish. */
typedef struct {
    uint16_t given;    /* count of numbers */
    uint16_t left_out; /* source numbers skipped before the next stretch; FW_OTHER_EPOCH if that is of another epoch */
    fw_layers_t layers;
} fw_closed_t;

#define FW_OTHER_EPOCH 0xffff

typedef struct {
    uint64_t highest_in; /* of the newest epoch */
    uint64_t highest_out;
    fw_stretch_t growing; /* the newest stretch; epoch 0 before the first switch */
    uint8_t newest;
    uint8_t count;
    fw_closed_t closed[FW_SEQMAP_CLOSED]; /* a ring: `newest` and the count - 1 before it */
    uint64_t ends[FW_EPOCHS];             /* source numbers before which the epochs ended, by epoch modulo FW_EPOCHS */
} fw_seqmap_t;

/* The number that stretch `s` gives to source number `in`. */
static inline uint64_t fw_stretch_give(const fw_stretch_t *s, uint64_t in) { return s->out + (in - s->first); }

/* Initialises the map; the first packet gets number `first_out`. */
void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out);

/* The layers forwarded now; all before the first epoch. */
static inline fw_layers_t fw_seqmap_layers(const fw_seqmap_t *m) { return m->growing.layers; }

/* Starts a new epoch: packet `first_in` of the next source gets the number after the highest given so far. */
void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers);

/* Changes the layers from packet `first_in` on, which must be above all packets mapped or skipped. */
void fw_seqmap_change_layers(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers);

typedef enum {
    FW_SEQ_NEW,  /* the highest of the epoch so far */
    FW_SEQ_LATE, /* out of order */
    FW_SEQ_NONE, /* before the epoch, skipped, or older than the stored stretches */
} fw_seq_t;

/* Sets *out to the number of packet `in` of the current epoch, and *layers to the layers forwarded at it; neither is set if
 * FW_SEQ_NONE is returned. */
fw_seq_t fw_seqmap_map(fw_seqmap_t *m, uint64_t in, uint64_t *out, fw_layers_t *layers);

/* Skips packet `in`, so that the receiver sees no gap. Returns false if a packet above it was mapped or skipped before: the
 * gap remains. */
bool fw_seqmap_skip(fw_seqmap_t *m, uint64_t in);

/* Finds the stretch of `epoch` with packet `in`. Returns false if no stored stretch has it. */
bool fw_seqmap_find(const fw_seqmap_t *m, uint32_t epoch, uint64_t in, fw_stretch_t *found);

/* Maps number `out` back to source number *in and its stretch. Returns false if `out` is above the highest given or no
 * stored stretch has it. */
bool fw_seqmap_reverse(const fw_seqmap_t *m, uint64_t out, uint64_t *in, fw_stretch_t *found);

#endif
