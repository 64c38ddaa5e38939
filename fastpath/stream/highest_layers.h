/* The highest layers that an encoding has, told by what its packets name: a publisher may stop and start some of them. */
#ifndef FW_STREAM_HIGHEST_LAYERS_H
#define FW_STREAM_HIGHEST_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/frame.h"

#define FW_HIGHEST_LAYERS_PICTURES 16 /* twice the longest pattern of temporal layers in use */

typedef struct {
    bool known; /* packets name their layers */
    uint8_t spatial; /* of the last 16 to 31 pictures, or as VP9's scalability structure says since */
    uint8_t temporal;
    uint8_t newest_spatial; /* of the pictures that are being counted */
    uint8_t newest_temporal;
    uint8_t pictures;
} fw_highest_layers_t;

/* Takes in a packet that names its layers. */
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
