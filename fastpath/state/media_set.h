/* Media descriptions that many consumers share: viewers of one kind of browser ask for the same. */
#ifndef FW_STATE_MEDIA_SET_H
#define FW_STATE_MEDIA_SET_H

#include "media.h"
#include "../base/map.h"

/* By a digest of their bytes. */
typedef struct {
    fw_map_t shared;
} fw_media_set_t;

void fw_media_set_init(fw_media_set_t *m, uint64_t seed);
void fw_media_set_free(fw_media_set_t *m);

/* The description that is equal to `media`, byte by byte: to be given back once. NULL where memory is short. */
const fw_media_t *fw_media_set_take(fw_media_set_t *m, const fw_media_t *media);
void fw_media_set_give_back(fw_media_set_t *m, const fw_media_t *media);

#endif
