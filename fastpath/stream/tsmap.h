/* Maps the RTP timestamps of a consumer's sources onto one continuous clock. */
#ifndef FW_STREAM_TSMAP_H
#define FW_STREAM_TSMAP_H

#include <stdbool.h>
#include <stdint.h>

/* A sender report: RTP `timestamp` at NTP time `ntp` (32.32 fixed point seconds), received at `arrival_us`. */
typedef struct {
    uint64_t ntp;
    uint64_t arrival_us;
    uint32_t timestamp;
    bool known;
} fw_clock_point_t;

typedef struct {
    fw_clock_point_t source; /* of the current source, for the next switch */
    uint64_t last_us;        /* arrival of the newest forwarded packet */
    uint32_t last_in;
    uint32_t last_out;
    uint32_t offset; /* out = in + offset */
    bool started;
} fw_tsmap_t;

/* Initialises the map; the first packet gets timestamp `first_out`. */
void fw_tsmap_init(fw_tsmap_t *m, uint32_t first_out);

/* Switches to another source, whose first packet has timestamp `in` and arrived at `now_us`. The output advances by the NTP
 * times of the sources' sender reports if both are known and `same_clock` (one device stamped them), else by the time
 * between the arrivals; by at least one tick. */
void fw_tsmap_switch(fw_tsmap_t *m, uint32_t in, uint64_t now_us, uint32_t clock_hz, const fw_clock_point_t *source,
                     bool same_clock);

/* Notes the newest packet in sequence, with timestamp `in`: the next switch continues from it. */
void fw_tsmap_advance(fw_tsmap_t *m, uint32_t in, uint64_t arrival_us);

/* Ticks of `clock_hz` (up to 1 MHz) in `us` microseconds, without overflow for years. */
static inline uint64_t fw_ticks(uint64_t us, uint32_t clock_hz) {
    return us / 1000000 * clock_hz + us % 1000000 * clock_hz / 1000000;
}

/* `us` microseconds as 32.32 fixed point seconds. */
static inline uint64_t fw_ntp_span(uint64_t us) { return (us / 1000000 << 32) + ((us % 1000000) << 32) / 1000000; }

#endif
