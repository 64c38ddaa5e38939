#include "tsmap.h"

#include <string.h>

void fw_tsmap_init(fw_tsmap_t *m, uint32_t first_out) {
    memset(m, 0, sizeof *m);
    m->last_out = first_out;
}

/* Ticks from timestamp `at` of source a to timestamp `bt` of source b by NTP time; one device must have stamped both. */
static int64_t ntp_advance(const fw_clock_point_t *a, uint32_t at, const fw_clock_point_t *b, uint32_t bt,
                           uint32_t clock_hz) {
    int64_t span = (int64_t)(b->ntp - a->ntp);
    int64_t ticks = (span >> 32) * (int64_t)clock_hz + (int64_t)(((uint64_t)(uint32_t)span * clock_hz) >> 32);
    return ticks + (int32_t)(bt - b->timestamp) - (int32_t)(at - a->timestamp);
}

void fw_tsmap_switch(fw_tsmap_t *m, uint32_t in, uint64_t now_us, uint32_t clock_hz, const fw_clock_point_t *source,
                     bool same_clock) {
    uint32_t out = m->last_out;
    if (m->started) {
        /* A packet from the cache or another worker may have arrived before the last one sent. */
        int64_t by_arrival = now_us >= m->last_us ? (int64_t)fw_ticks(now_us - m->last_us, clock_hz)
                                                  : -(int64_t)fw_ticks(m->last_us - now_us, clock_hz);
        int64_t advance = by_arrival;
        if (same_clock && source->known && m->source.known) {
            advance = ntp_advance(&m->source, m->last_in, source, in, clock_hz);
            /* Sender reports that differ from the arrivals by over 2 s are wrong or of different clocks. */
            int64_t off = advance - by_arrival;
            if (off > 2 * (int64_t)clock_hz || off < -2 * (int64_t)clock_hz) advance = by_arrival;
        }
        out += (uint32_t)(advance > 0 ? advance : 1);
    }
    m->started = true;
    m->source = *source;
    m->offset = out - in;
    m->last_in = in;
    m->last_out = out;
    m->last_us = now_us;
}

void fw_tsmap_advance(fw_tsmap_t *m, uint32_t in, uint64_t arrival_us) {
    m->last_in = in;
    m->last_out = in + m->offset;
    m->last_us = arrival_us;
}
