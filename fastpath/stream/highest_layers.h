/* Tracks the highest layers of an encoding from the layers of its packets: a publisher may stop and start layers. */
#ifndef FW_STREAM_HIGHEST_LAYERS_H
#define FW_STREAM_HIGHEST_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/frame.h"

#define FW_HIGHEST_LAYERS_PICTURES 16 /* twice the longest pattern of temporal layers in use */

typedef struct {
    bool known; /* some packet gave its layers */
    uint8_t spatial; /* highest of the last 16 to 31 pictures, or from VP9's scalability structure since */
    uint8_t temporal;
    uint8_t newest_spatial; /* highest of the current run of up to 16 pictures */
    uint8_t newest_temporal;
    uint8_t pictures;
} fw_highest_layers_t;

/* Counts a packet that gives its layers. */
static inline void fw_highest_layers_note(fw_highest_layers_t *t, const fw_frame_t *frame) {
    t->known = true;
    if (frame->start && frame->spatial == 0 && t->pictures++ == FW_HIGHEST_LAYERS_PICTURES) {
        t->spatial = t->newest_spatial;
        t->temporal = t->newest_temporal;
        t->newest_spatial = t->newest_temporal = 0;
        t->pictures = 1;
    }
    if (frame->size_count > 0) t->spatial = t->newest_spatial = (uint8_t)(frame->size_count - 1);
    if (frame->spatial > t->newest_spatial) t->newest_spatial = frame->spatial;
    if (frame->temporal > t->newest_temporal) t->newest_temporal = frame->temporal;
    if (t->newest_spatial > t->spatial) t->spatial = t->newest_spatial;
    if (t->newest_temporal > t->temporal) t->temporal = t->newest_temporal;
}

#endif
