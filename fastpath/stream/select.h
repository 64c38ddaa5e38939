/* Selects the encoding that a consumer receives: the current one until a sync point of the target arrives. */
#ifndef FW_STREAM_SELECT_H
#define FW_STREAM_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#define FW_ENCODING_NONE (-1)

typedef struct {
    int8_t current; /* forwarded now, or FW_ENCODING_NONE */
    int8_t target;  /* wanted, or FW_ENCODING_NONE */
} fw_select_t;

typedef enum { FW_SELECT_FORWARD, FW_SELECT_SWITCH, FW_SELECT_DROP } fw_selection_t;

/* The decision for a packet of `encoding`. `sync_point`: a decoder can start at this packet. FW_SELECT_SWITCH makes the
 * encoding the current one. */
static inline fw_selection_t fw_select(fw_select_t *s, int8_t encoding, bool sync_point) {
    if (encoding == s->current) return FW_SELECT_FORWARD;
    if (encoding != s->target || !sync_point) return FW_SELECT_DROP;
    s->current = encoding;
    return FW_SELECT_SWITCH;
}

/* True if the target is not the current encoding yet. */
static inline bool fw_select_waits(const fw_select_t *s) {
    return s->target != FW_ENCODING_NONE && s->current != s->target;
}

#endif
