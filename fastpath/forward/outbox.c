#include "outbox.h"

#include <stdlib.h>

bool fw_outbox_init(fw_outbox_t *o, uint16_t max_segments, fw_outbox_sink_t *sink, void *context) {
    *o = (fw_outbox_t){
        .buffer = malloc(FW_OUTBOX_BYTES),
        .messages = calloc(FW_OUTBOX_MESSAGES, sizeof *o->messages),
        .sink = sink,
        .context = context,
        .max_segments = max_segments,
    };
    return o->buffer != NULL && o->messages != NULL;
}

void fw_outbox_free(fw_outbox_t *o) {
    free(o->buffer);
    free(o->messages);
    *o = (fw_outbox_t){0};
}

void fw_outbox_add(fw_outbox_t *o, const fw_path_t *path, const uint8_t *data, size_t len) {
    if (o->run_open) {
        fw_udp_message_t *last = &o->messages[o->count - 1];
        uint16_t segment = last->segment;
        if (data == last->data + last->len && len <= segment && last->len + len <= FW_OUTBOX_RUN_BYTES &&
            last->len / segment < o->max_segments && fw_path_equal(path, &last->path)) {
            last->len += (uint32_t)len;
            o->run_open = len == segment;
            return;
        }
    }
    o->messages[o->count++] =
        (fw_udp_message_t){.path = *path, .data = data, .len = (uint32_t)len, .segment = (uint16_t)len};
    o->run_open = o->max_segments > 1;
}

void fw_outbox_flush(fw_outbox_t *o) {
    if (o->count > 0) o->sink(o->context, o->messages, o->count);
    o->used = o->count = 0;
    o->run_open = false;
}
