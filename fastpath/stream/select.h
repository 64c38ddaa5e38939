/* Which encoding of a producer a consumer gets: the one that flows, and the one it waits to switch to. */
#ifndef FW_STREAM_SELECT_H
#define FW_STREAM_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#define FW_ENCODING_NONE (-1)

typedef struct {
    int8_t current; /* flowing, or FW_ENCODING_NONE */
    int8_t target;  /* wanted, or FW_ENCODING_NONE */
} fw_select_t;

typedef enum { FW_SELECT_FORWARD, FW_SELECT_SWITCH, FW_SELECT_DROP } fw_selection_t;

/* What to do with a packet of `encoding`; `sync_point` says that a decoder can start at it. After FW_SELECT_SWITCH the
 * encoding is the current one. */
static inline fw_selection_t fw_select(fw_select_t *s, int8_t encoding, bool sync_point) {
    if (encoding == s->current) return FW_SELECT_FORWARD;
    if (encoding != s->target || !sync_point) return FW_SELECT_DROP;
    s->current = encoding;
    return FW_SELECT_SWITCH;
}

static inline bool fw_select_waits(const fw_select_t *s) {
    return s->target != FW_ENCODING_NONE && s->current != s->target;
}

#endif
