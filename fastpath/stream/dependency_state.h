/* Tracks the template dependency structures of one stream, and reads a frame's layers and switch points from its
 * dependency descriptor (AV1 RTP specification, appendix A). */
#ifndef FW_STREAM_DEPENDENCY_STATE_H
#define FW_STREAM_DEPENDENCY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire/dd.h"
#include "../wire/frame.h"

typedef struct {
    uint64_t structure_seq64[2]; /* of the packets that carried them; 0: none */
    uint64_t newest_seq64;       /* the highest number read */
    uint64_t active_seq64;       /* of the newest packet with active decode targets */
    uint32_t timestamp;          /* of the current picture */
    uint8_t spatial;             /* layers of the newest frame of that picture */
    uint8_t temporal;
    bool switches;               /* all frames of the picture so far are switch points */
    uint8_t top_spatial;         /* the highest layers of the active decode targets */
    uint8_t top_temporal;
    bool independent_layers; /* in the newest structure, spatial layers do not refer to each other */
    bool mixed_temporal; /* a picture since that structure had frames of different temporal layers (L2T2_KEY_SHIFT) */
    fw_dd_structure_t structures[2]; /* the newest, and the previous one for late packets */
} fw_dependency_state_t;

/* Reads the descriptor of a packet, with the mandatory fields `dd`, into `frame`, which holds the fields read from the payload.
 * Returns false if no structure has its template or the descriptor is malformed: the frame then gets the layers
 * FW_LAYERS_ALL, so that only consumers of all layers receive it. */
bool fw_dependency_state_read(fw_dependency_state_t *d, const uint8_t *data, size_t len, const fw_dd_t *dd, uint64_t seq64,
                       uint32_t timestamp, fw_frame_t *frame);

/* Rewrites the descriptor so that its frame refers to the previous frame too, as fw_dd_tie does. Returns the bytes written;
 * 0 if fw_dd_tie returns 0, if no structure has the template, or if a consumer may receive the frame without the previous one. */
size_t fw_dependency_state_tie(const fw_dependency_state_t *d, const uint8_t *data, size_t len, const fw_dd_t *dd, uint64_t seq64,
                        uint8_t *out, size_t room);

#endif
