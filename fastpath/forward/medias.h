/* Media descriptions that many consumers share: viewers of one kind of browser ask for the same. */
#ifndef FW_FORWARD_MEDIAS_H
#define FW_FORWARD_MEDIAS_H

#include "command.h"
#include "map.h"

/* By a digest of their bytes. */
typedef struct {
    fw_map_t shared;
} fw_medias_t;

void fw_medias_init(fw_medias_t *m, uint64_t seed);
void fw_medias_free(fw_medias_t *m);

/* The description that is equal to `media`, byte by byte: to be given back once. NULL where memory is short. */
const fw_media_t *fw_medias_take(fw_medias_t *m, const fw_media_t *media);
void fw_medias_give_back(fw_medias_t *m, const fw_media_t *media);

#endif
