/* The delay of a path's queue, from one-way delays on unsynchronized clocks, and whether it means overuse.
 *
 * The sample of a feedback is the least one-way delay of its packets. The base is the least sample of the last 10 to
 * 20 s; the queue is the sample less the base. An absolute delay, as in SCReAM (RFC 8298 section 4.1.2), sees a queue
 * that stands; a gradient does not. */
#ifndef FW_CC_DELAY_H
#define FW_CC_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#define FW_DELAY_WINDOW_US 10000000
#define FW_DELAY_LEAST_US 30000 /* a queue below this is never overuse */
#define FW_DELAY_MOST_US 100000 /* a queue above this always is, above twice this where the delay varies by itself */
#define FW_DELAY_STEP_US 5000000 /* a change of delay beyond this is a step of a clock: the base starts anew */

typedef struct {
    int64_t base_us, older_base_us; /* least samples of this window and of the one before */
    uint64_t window_us;             /* start of this window */
    uint32_t queue_us;              /* of the newest feedback */
    uint32_t signal_us;             /* the lower of the two newest */
    uint32_t mean_us, deviation_us; /* of the queue while it is no overuse */
    uint8_t high;                   /* feedbacks in a row with a signal above the threshold that does not fall */
    bool started;
} fw_delay_t;

/* Takes the least one-way delay (receiver's clock less ours) of a feedback's packets. Whether the path is overused: the
 * signal above max(30 ms, mean + 3 deviations) and not falling for two feedbacks, or above
 * max(100 ms, mean + 3 deviations). Never while `probed`: a probe makes a queue of its own, and its result tells
 * more. */
bool fw_delay_add(fw_delay_t *d, int64_t one_way_us, bool probed, uint64_t now_us);

uint32_t fw_delay_threshold_us(const fw_delay_t *d);

#endif
