#include "agenda.h"

#include "../ice/ask.h"
#include "../ice/paths.h"
#include "../ingress/holdback.h"
#include "../rtcp/send.h"
#include "../select/keyframe.h"
#include "../select/target.h"
#include "../state/marks.h"
#include "lifecycle.h"

/* Whether a consumer receives the encoding. Assumes so where another worker has a copy of the producer. */
static bool is_watched(const fw_producer_t *p, const fw_encoding_t *e) {
    for (uint32_t i = 0; i < p->follower_count; i++)
        if (p->followers[i].consumer->select.current == (int8_t)e->index) return true;
    return p->relay_target_count > 0;
}

/* Sends NACKs and keyframe requests to the publisher. */
static void request_missing(fw_core_t *core, fw_transport_t *t) {
    for (fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        for (unsigned i = 0; i < p->encoding_count; i++) {
            fw_encoding_t *e = p->encodings[i];
            fw_holdback_tick(core, e);
            fw_rtcp_send_nacks(core, t, p, e);
            /* A decoder cannot continue after a frame that lost a packet for good. */
            if (e->nack.gave_up && is_watched(p, e) && e->frames.next_seq64 != 0 && e->frames.next_seq64 <= e->nack.given_up)
                fw_keyframe_lacks(core, p, (uint8_t)i);
            e->nack.gave_up = false;
        }
        fw_rtcp_send_keyframe_requests(core, t, p);
    }
}

/* When the transport closes if no further authenticated packet arrives. */
static uint64_t closing_us(const fw_transport_t *t) {
    uint64_t consent_us = t->alive_us + t->consent_timeout_us;
    uint64_t connect_us = t->opened_us + t->connect_timeout_us;
    return t->state != FW_KEYED && connect_us < consent_us ? connect_us : consent_us;
}

static uint64_t keyframe_us(const fw_transport_t *t) {
    uint64_t due_us = UINT64_MAX;
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport) {
        uint64_t next_us = fw_producer_supports(p, FW_FB_PLI | FW_FB_FIR) ? fw_keyframes_next_us(&p->keyframes) : UINT64_MAX;
        if (next_us < due_us) due_us = next_us;
    }
    return due_us;
}

typedef uint64_t next_us_t(const fw_core_t *core, const fw_encoding_t *e);

static uint64_t earliest_of_encodings(const fw_core_t *core, const fw_transport_t *t, next_us_t *next_us) {
    uint64_t due_us = UINT64_MAX;
    for (const fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        for (unsigned i = 0; i < p->encoding_count; i++) {
            uint64_t encoding_us = next_us(core, p->encodings[i]);
            if (encoding_us < due_us) due_us = encoding_us;
        }
    return due_us;
}

static uint64_t holdback_us(const fw_core_t *core, const fw_encoding_t *e) {
    (void)core;
    return fw_holdback_next_us(e);
}

static uint64_t nack_us(const fw_core_t *core, const fw_encoding_t *e) {
    return e->nack.gave_up ? core->now_us : fw_nack_next_us(&e->nack);
}

static void consider(fw_deadline_t *next, uint64_t due_us, fw_due_t reason) {
    if (due_us < next->due_us) *next = (fw_deadline_t){.due_us = due_us, .reason = reason};
}

/* The earliest deadline of a transport, from all sources. */
static fw_deadline_t deadline(const fw_core_t *core, const fw_transport_t *t) {
    fw_deadline_t next = {.due_us = UINT64_MAX, .reason = FW_DUE_NOTHING};
    if (t->state == FW_CLOSED) return next;
    consider(&next, closing_us(t), FW_DUE_CLOSE);
    consider(&next, fw_ice_ask_next_us(t), FW_DUE_ICE_ASK);
    consider(&next, fw_ice_paths_next_us(t), FW_DUE_ICE_ASK);
    if (!fw_transport_ready(t)) return next;
    consider(&next, t->start_us, FW_DUE_START);
    consider(&next, t->report_us, FW_DUE_REPORT);
    consider(&next, t->feedback_us, FW_DUE_FEEDBACK);
    consider(&next, keyframe_us(t), FW_DUE_KEYFRAME);
    consider(&next, earliest_of_encodings(core, t, holdback_us), FW_DUE_HOLDBACK);
    consider(&next, earliest_of_encodings(core, t, nack_us), FW_DUE_NACK);
    return next;
}

void fw_agenda_update(fw_core_t *core) {
    fw_transport_t *t;
    while ((t = fw_marks_take_due(core)) != NULL) {
        fw_deadline_t next = deadline(core, t);
        t->due_reason = next.reason;
        fw_timers_set(&core->timers, &t->timer, next.due_us);
    }
}

static void close_silent(fw_core_t *core, fw_transport_t *t) {
    bool connected = t->state == FW_KEYED;
    if (connected) core->counters.consent_lost++;
    else core->counters.never_connected++;
    fw_transport_close(core, t, connected ? FW_CLOSE_CONSENT_LOST : FW_CLOSE_NEVER_CONNECTED);
}

static void start_consumers(fw_core_t *core, fw_transport_t *t) {
    t->start_us = UINT64_MAX;
    for (fw_consumer_t *c = t->consumers; c != NULL; c = c->next_on_transport) fw_target_aim(core, c);
}

/* Handles each deadline of a transport that has passed. */
static void tick(fw_core_t *core, fw_transport_t *t) {
    if (core->now_us >= closing_us(t)) {
        close_silent(core, t);
        return;
    }
    fw_ice_ask_tick(core, t);
    fw_ice_paths_tick(core, t);
    if (fw_transport_ready(t)) {
        if (core->now_us >= t->start_us) start_consumers(core, t);
        if (core->now_us >= t->report_us) fw_rtcp_send_reports(core, t);
        if (core->now_us >= t->feedback_us) fw_rtcp_send_transport_feedback(core, t);
        request_missing(core, t);
    }
    fw_mark_due(core, t);
}

void fw_agenda_run(fw_core_t *core) {
    fw_timer_t *timer;
    fw_agenda_update(core);
    while ((timer = fw_timers_take(&core->timers, core->now_us)) != NULL) {
        tick(core, (fw_transport_t *)timer);
        fw_agenda_update(core);
    }
}

fw_deadline_t fw_agenda_next(const fw_core_t *core) {
    fw_deadline_t next = {.due_us = fw_timers_next_us(&core->timers), .reason = FW_DUE_NOTHING};
    if (core->due.first != NULL) next.due_us = core->now_us; /* marked transports: their deadlines are not computed yet */
    else if (next.due_us != UINT64_MAX) next.reason = ((const fw_transport_t *)core->timers.heap[1])->due_reason;
    return next;
}
