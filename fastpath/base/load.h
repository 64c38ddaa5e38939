/* The load of a worker, from the durations of its rounds: how long sending one packet takes, and which share of its time is spare.
 *
 * A round without packets counts as busy time too. The worker measures durations by its clock, so time in which the kernel ran
 * another thread on the same core counts as busy: such time is not to spare either.
 */
#ifndef FW_BASE_LOAD_H
#define FW_BASE_LOAD_H

#include <stdint.h>

/* All zero to start with: an idle worker. */
typedef struct {
    uint64_t window_us;    /* start of the current window */
    uint64_t window_ns;    /* busy in it, without fast start */
    uint32_t busy_permille; /* share of live work, smoothed over windows; at most 1000 */
    uint32_t packet_ns;    /* smoothed duration of one sent packet, 0 while unknown */
} fw_load_t;

/* Notes a round that took `round_us` and sent `live` packets as they were received and `paced` packets of fast start. Returns the
 * microseconds that the live packets took, by their share of the packets. */
uint64_t fw_load_note(fw_load_t *l, uint64_t now_us, uint64_t round_us, uint64_t live, uint64_t paced);

/* Nanoseconds that sending one packet takes: 1000 while unknown. */
uint32_t fw_load_packet_ns(const fw_load_t *l);

/* The share of time that live work leaves, in thousandths: 100 to 900, so that fast start always advances and never takes all. */
uint32_t fw_load_spare_permille(const fw_load_t *l);

/* Packets a second that the spare time suffices for. */
uint64_t fw_load_spare_packets_per_s(const fw_load_t *l);

#endif
