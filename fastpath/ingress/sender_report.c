#include "sender_report.h"

#include "../egress/relay.h"
#include "../state/marks.h"

enum { EVERY_US = 1000000, STARTUP_US = 2000000 };

#define SLEW_NTP ((int64_t)(UINT64_C(20) << 32) / 1000) /* 20 ms in 32.32 s */
#define STEP_NTP ((int64_t)1 << 32)

static int64_t clamp(int64_t value, int64_t most) { return value > most ? most : value < -most ? -most : value; }

/* Converts this server's monotonic time to NTP time. */
static uint64_t ntp_at(const fw_core_t *core, uint64_t us) { return core->config.ntp_at_zero + fw_ntp_span(us); }

/* Converts an RTP timestamp to NTP time by the encoding's clock. */
static uint64_t ntp_of(const fw_encoding_t *e, uint32_t timestamp) {
    int64_t ticks = (int32_t)(timestamp - e->clock.timestamp);
    return e->clock.ntp + (uint64_t)(ticks * ((int64_t)1 << 32) / e->clock_hz);
}

/* Sends the clock to copies on other workers, and schedules the first report of consumers that had none. */
static void share(fw_core_t *core, fw_encoding_t *e) {
    fw_producer_t *p = e->producer;
    fw_relay_report(core, e);
    for (uint32_t i = 0; i < p->follower_count; i++) {
        fw_consumer_t *c = p->followers[i].consumer;
        if (c->select.current != (int8_t)e->index) continue;
        c->tsmap.source = e->sr; /* a switch uses the newest sender report */
        if (c->reported) continue;
        c->first_report_due = true;
        fw_mark_first_report(core, c->transport);
    }
}

/* Returns whether the clock is over STARTUP_US old and a viewer has a report by it. Assumes a viewer on each other worker with a
 * copy. */
static bool is_in_use(const fw_core_t *core, const fw_encoding_t *e) {
    const fw_producer_t *p = e->producer;
    if (core->now_us - e->clock_began_us < STARTUP_US) return false;
    for (uint32_t i = 0; i < p->follower_count; i++) {
        const fw_consumer_t *c = p->followers[i].consumer;
        if (c->select.current == (int8_t)e->index && c->reported) return true;
    }
    return p->relay_target_count > 0;
}

/* Moves the clock towards `target` by at most 20 ms. Returns whether it has reached `target`. */
static bool slew(fw_encoding_t *e, const fw_clock_point_t *target) {
    uint64_t before = ntp_of(e, target->timestamp);
    int64_t error = (int64_t)(target->ntp - before);
    e->clock = *target;
    e->clock.ntp = before + (uint64_t)clamp(error, SLEW_NTP);
    return error == clamp(error, SLEW_NTP);
}

/* Shifts the clocks of a transport's encodings that have no sender report. */
static void shift_others(fw_core_t *core, fw_transport_t *t, int64_t shift) {
    for (fw_producer_t *p = t->producers; p != NULL; p = p->next_on_transport)
        for (unsigned i = 0; i < p->encoding_count; i++) {
            fw_encoding_t *e = p->encodings[i];
            if (!e->clock.known || e->sr.known) continue;
            e->clock.ntp += (uint64_t)shift;
            share(core, e);
        }
}

/* Updates the offset of the peer's NTP clock from this server's by a sender report: by at most 20 ms, or at once where it is off by
 * over 1 s. */
static void note_peer_clock(fw_core_t *core, fw_transport_t *t, const fw_clock_point_t *sr) {
    int64_t change = (int64_t)(sr->ntp - ntp_at(core, sr->arrival_us)) - t->peer_clock_ntp;
    bool step = change != clamp(change, STEP_NTP);
    if (!step) change = clamp(change, SLEW_NTP);
    t->peer_clock_ntp += change;
    if (step) shift_others(core, t, change);
}

void fw_sender_report_take(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *sr) {
    fw_producer_t *p = e->producer;
    e->sr = *sr;
    int64_t error = e->clock_by_arrival ? (int64_t)(sr->ntp - ntp_of(e, sr->timestamp)) : 0;
    if (e->clock_by_arrival && error == clamp(error, STEP_NTP) && is_in_use(core, e)) {
        e->clock_by_arrival = !slew(e, sr);
        e->clock_set_us = core->now_us;
    } else {
        e->clock = *sr;
        e->clock_by_arrival = false;
    }
    if (p->transport != NULL) note_peer_clock(core, p->transport, sr);
    share(core, e);
}

void fw_sender_report_relayed(fw_core_t *core, fw_encoding_t *e, const fw_clock_point_t *clock, bool by_arrival) {
    e->clock = *clock;
    e->clock_by_arrival = by_arrival;
    if (!by_arrival) e->sr = *clock;
    share(core, e);
}

/* Returns whether a packet had less delay than every other one of the current interval. */
static bool is_earlier(const fw_encoding_t *e, const fw_packet_t *packet) {
    if (e->earliest_us == 0) return true;
    int64_t later_us = (int64_t)(packet->arrival_us - e->earliest_us);
    int64_t later_ticks = (int32_t)(packet->rtp.timestamp - e->earliest_timestamp);
    return later_us < later_ticks * 1000000 / e->clock_hz;
}

/* Moves a clock that has not reached the newest sender report, once a second: publishers report more seldom, Chromium's sound every
 * 5 s. */
static void slew_on(fw_core_t *core, fw_encoding_t *e) {
    if (!e->clock_by_arrival || core->now_us - e->clock_set_us < EVERY_US) return;
    e->clock_by_arrival = !slew(e, &e->sr);
    e->clock_set_us = core->now_us;
    share(core, e);
}

void fw_sender_report_note_arrival(fw_core_t *core, fw_encoding_t *e, const fw_packet_t *packet) {
    fw_producer_t *p = e->producer;
    e->clock_hz = p->media.payload_types[packet->format].clock_rate_hz;
    bool copy = p->transport == NULL && p->home_worker != FW_NO_WORKER;
    if (copy) return;
    if (e->sr.known) {
        slew_on(core, e);
        return;
    }
    if (is_earlier(e, packet)) {
        e->earliest_us = packet->arrival_us;
        e->earliest_timestamp = packet->rtp.timestamp;
    }
    if (e->clock.known && core->now_us - e->clock_set_us < EVERY_US) return;
    int64_t peer_clock = p->transport == NULL ? 0 : p->transport->peer_clock_ntp;
    fw_clock_point_t point = {.ntp = ntp_at(core, e->earliest_us) + (uint64_t)peer_clock,
                              .timestamp = e->earliest_timestamp,
                              .arrival_us = e->earliest_us,
                              .known = true};
    if (e->clock.known) {
        (void)slew(e, &point);
    } else {
        e->clock = point;
        e->clock_began_us = core->now_us;
    }
    e->clock_by_arrival = true;
    e->clock_set_us = core->now_us;
    e->earliest_us = 0;
    share(core, e);
}
