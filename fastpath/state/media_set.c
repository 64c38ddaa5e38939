#include "media_set.h"

#include <stdlib.h>

#include "../net/path.h"

typedef struct {
    fw_media_t media; /* first: a pointer to the description is a pointer to its shared_t */
    uint32_t users;
} shared_t;

static fw_key_t digest(const fw_media_set_t *m, const fw_media_t *media) {
    uint64_t hash = fw_path_mix(media, sizeof *media, m->shared.seed);
    return fw_key(&hash, sizeof hash);
}

void fw_media_set_init(fw_media_set_t *m, uint64_t seed) { fw_map_init(&m->shared, FW_DIGEST_WORDS, seed); }

void fw_media_set_free(fw_media_set_t *m) { fw_map_free(&m->shared); }

const fw_media_t *fw_media_set_take(fw_media_set_t *m, const fw_media_t *media) {
    fw_key_t key = digest(m, media);
    shared_t *known = fw_map_get(&m->shared, &key);
    if (known != NULL && memcmp(&known->media, media, sizeof *media) == 0) {
        known->users++;
        return &known->media;
    }
    shared_t *s = malloc(sizeof *s);
    if (s == NULL) return NULL;
    *s = (shared_t){.media = *media, .users = 1};
    /* A description whose digest collides with another's is stored, but not shared. */
    if (known != NULL || fw_map_put(&m->shared, &key, s)) return &s->media;
    free(s);
    return NULL;
}

void fw_media_set_give_back(fw_media_set_t *m, const fw_media_t *media) {
    shared_t *s = (shared_t *)(uintptr_t)media;
    if (--s->users > 0) return;
    fw_key_t key = digest(m, media);
    if (fw_map_get(&m->shared, &key) == s) fw_map_remove(&m->shared, &key);
    free(s);
}
