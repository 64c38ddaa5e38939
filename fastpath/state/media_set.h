/* Media descriptions, stored once each and counted by use: viewers with the same browser negotiate the same description. */
#ifndef FW_STATE_MEDIA_SET_H
#define FW_STATE_MEDIA_SET_H

#include "media.h"
#include "../base/map.h"

typedef struct {
    fw_map_t shared; /* by a digest of the description */
} fw_media_set_t;

void fw_media_set_init(fw_media_set_t *m, uint64_t seed);
void fw_media_set_free(fw_media_set_t *m);

/* Returns a stored description that equals `media` byte by byte. Each call is matched by one fw_media_set_give_back. NULL where
 * memory is short. */
const fw_media_t *fw_media_set_take(fw_media_set_t *m, const fw_media_t *media);
void fw_media_set_give_back(fw_media_set_t *m, const fw_media_t *media);

#endif
