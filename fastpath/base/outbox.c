#include "outbox.h"

#include <stdlib.h>
#include <string.h>

bool fw_outbox_init(fw_outbox_t *o, uint16_t max_segments, fw_outbox_send_t *sink, void *context, uint64_t *failed) {
    *o = (fw_outbox_t){
        .buffer = malloc(FW_OUTBOX_BYTES),
        .messages = calloc(FW_OUTBOX_MESSAGES, sizeof *o->messages),
        .jobs = calloc(FW_OUTBOX_JOBS, sizeof *o->jobs),
        .job_messages = calloc(FW_OUTBOX_JOBS, sizeof *o->job_messages),
        .sink = sink,
        .context = context,
        .failed = failed,
        .max_segments = max_segments,
    };
    /* Touches the pages now, so that no packet waits for page faults. */
    if (o->buffer != NULL) memset(o->buffer, 0, FW_OUTBOX_BYTES);
    return o->buffer != NULL && o->messages != NULL && o->jobs != NULL && o->job_messages != NULL;
}

void fw_outbox_free(fw_outbox_t *o) {
    free(o->buffer);
    free(o->messages);
    free(o->jobs);
    free(o->job_messages);
    *o = (fw_outbox_t){0};
}

uint8_t *fw_outbox_begin(fw_outbox_t *o) {
    if (o->used + FW_OUTBOX_DATAGRAM_BYTES > FW_OUTBOX_BYTES || o->count == FW_OUTBOX_MESSAGES) fw_outbox_flush(o);
    return o->buffer + o->used;
}

/* Whether another segment of `len` bytes fits the last message. */
static bool joins_run(const fw_outbox_t *o, const fw_path_t *path, size_t len) {
    if (!o->run_open) return false;
    const fw_udp_message_t *last = &o->messages[o->count - 1];
    return len <= last->segment && last->len + len <= FW_OUTBOX_RUN_BYTES && o->run_segments < o->max_segments &&
           fw_path_equal(path, &last->path);
}

void fw_outbox_add(fw_outbox_t *o, const fw_path_t *path, size_t len) {
    const uint8_t *data = o->buffer + o->used;
    o->used += len;
    if (joins_run(o, path, len)) {
        fw_udp_message_t *last = &o->messages[o->count - 1];
        last->len += (uint32_t)len;
        o->run_segments++;
        o->run_open = len == last->segment;
        return;
    }
    o->messages[o->count++] =
        (fw_udp_message_t){.path = *path, .data = data, .len = (uint32_t)len, .segment = (uint16_t)len};
    o->run_segments = 1;
    o->run_open = o->max_segments > 1;
}

fw_srtp_job_t *fw_outbox_begin_media(fw_outbox_t *o, fw_srtp_t *srtp, uint8_t overhead) {
    if (o->job_count == FW_OUTBOX_JOBS) fw_outbox_protect(o);
    uint8_t *out = fw_outbox_begin(o);
    fw_srtp_job_t *job = &o->jobs[o->job_count];
    *job = (fw_srtp_job_t){.srtp = srtp, .out = out, .overhead = overhead};
    return job;
}

int fw_outbox_short_by(const fw_outbox_t *o, const fw_path_t *path) {
    size_t len = fw_srtp_job_len(&o->jobs[o->job_count]);
    return joins_run(o, path, len) ? o->messages[o->count - 1].segment - (int)len : -1;
}

void fw_outbox_add_media(fw_outbox_t *o, const fw_path_t *path) {
    fw_outbox_add(o, path, fw_srtp_job_len(&o->jobs[o->job_count]));
    o->job_messages[o->job_count++] = (uint16_t)(o->count - 1);
}

void fw_outbox_protect(fw_outbox_t *o) {
    fw_srtp_protect(o->jobs, o->job_count);
    for (size_t i = 0; i < o->job_count; i++) {
        if (o->jobs[i].out_len != 0) continue;
        /* The whole message is dropped: it holds the packet in the clear. */
        o->messages[o->job_messages[i]].len = 0;
        o->holes = true;
        o->run_open = false;
        ++*o->failed;
    }
    o->job_count = 0;
}

static size_t drop_empty(fw_udp_message_t *messages, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (messages[i].len > 0) messages[kept++] = messages[i];
    return kept;
}

void fw_outbox_flush(fw_outbox_t *o) {
    fw_outbox_protect(o);
    if (o->holes) o->count = drop_empty(o->messages, o->count);
    if (o->count > 0) o->sink(o->context, o->messages, o->count);
    o->used = o->count = 0;
    o->run_open = o->holes = false;
}
