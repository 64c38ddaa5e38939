/* A stream that says its layers by dependency descriptors: the structures that they go by, and what a frame is by them. */
#ifndef FW_STREAM_DEPENDENCY_STATE_H
#define FW_STREAM_DEPENDENCY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire/dd.h"
#include "../wire/frame.h"

typedef struct {
    uint64_t structure_seq64[2]; /* where they came; 0 for none */
    uint64_t newest_seq64;       /* of the packets that were read */
    uint64_t active_seq64;       /* of the one that told the active decode targets */
    uint32_t timestamp;          /* of the picture whose frames come now */
    uint8_t spatial;             /* the newest of its frames */
    uint8_t temporal;
    bool switches;               /* so far all frames of the picture are switch points */
    uint8_t top_spatial;         /* of the active decode targets */
    uint8_t top_temporal;
    bool independent_layers; /* spatial layers do not refer to each other, by the newest structure */
    bool mixed_temporal; /* pictures since that have frames of different temporal layers (L2T2_KEY_SHIFT) */
    fw_dd_structure_t structures[2]; /* the newest, and the one before: packets that come late go by that */
} fw_dependency_state_t;

/* Reads the descriptor of a packet, whose mandatory fields are `dd`, into `frame`, which has what the payload tells. Where
 * no structure knows its template the frame counts as of the highest layers: it goes only to who takes all. False then. */
bool fw_dependency_state_read(fw_dependency_state_t *d, const uint8_t *data, size_t len, const fw_dd_t *dd, uint64_t seq64,
                       uint32_t timestamp, fw_frame_t *frame);

/* Writes the descriptor anew so that its frame refers to the one right before it as well: see fw_dd_tie. 0 as well where that
 * one may be left out where the frame is not. */
size_t fw_dependency_state_tie(const fw_dependency_state_t *d, const uint8_t *data, size_t len, const fw_dd_t *dd, uint64_t seq64,
                        uint8_t *out, size_t room);

#endif
