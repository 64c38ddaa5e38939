/* RTP timestamps of a consumer: every source's clock mapped onto one that never jumps. */
#ifndef FW_STREAM_TSMAP_H
#define FW_STREAM_TSMAP_H

#include <stdbool.h>
#include <stdint.h>

/* A point that a sender report names: `timestamp` was at `ntp` (32.32 s), heard at `arrival_us`. */
typedef struct {
    uint64_t ntp;
    uint64_t arrival_us;
    uint32_t timestamp;
    bool known;
} fw_clock_point_t;

typedef struct {
    fw_clock_point_t source; /* of the source in use, for the next switch */
    uint64_t last_us;        /* arrival of the newest packet forwarded */
    uint32_t last_in;
    uint32_t last_out;
    uint32_t offset; /* out = in + offset */
    bool started;
} fw_tsmap_t;

/* Starts: the first packet will be given `first_out`. */
void fw_tsmap_init(fw_tsmap_t *m, uint32_t first_out);

/* Moves to another source whose first packet has timestamp `in` and arrived at `now_us`. Where both sources' sender
 * reports are known and `same_clock` says that one device stamped them, the map follows their NTP times; else the
 * time between the arrivals. The output goes forward by at least one tick. */
void fw_tsmap_switch(fw_tsmap_t *m, uint32_t in, uint64_t now_us, uint32_t clock_hz, const fw_clock_point_t *source,
                     bool same_clock);

/* Notes that the packet with timestamp `in` is the newest in sequence: a switch goes on from it. */
void fw_tsmap_advance(fw_tsmap_t *m, uint32_t in, uint64_t arrival_us);

/* Ticks that `us` microseconds last at `clock_hz` (up to 1 MHz), without overflow over years. */
static inline uint64_t fw_ticks(uint64_t us, uint32_t clock_hz) {
    return us / 1000000 * clock_hz + us % 1000000 * clock_hz / 1000000;
}

/* `us` microseconds as 32.32 fixed point seconds. */
static inline uint64_t fw_ntp_span(uint64_t us) { return (us / 1000000 << 32) + ((us % 1000000) << 32) / 1000000; }

#endif
