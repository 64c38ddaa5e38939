/* Counts of values in fixed buckets, eight to an octave: any value is known within an eighth of itself.
 *
 * Written by the owning thread alone, read by anyone at any time.
 */
#ifndef FW_NET_HISTOGRAM_H
#define FW_NET_HISTOGRAM_H

#include <stdint.h>

#define FW_HISTOGRAM_BUCKETS 176 /* the last one has all from 15 * 2^20 on: in microseconds, from 15 seconds */

typedef struct {
    uint64_t counts[FW_HISTOGRAM_BUCKETS];
    uint64_t sum; /* of all values */
} fw_histogram_t;

/* Counts `value` so many times. */
void fw_histogram_add(fw_histogram_t *h, uint64_t value, uint64_t times);

/* The largest value that a bucket (below FW_HISTOGRAM_BUCKETS) counts; UINT64_MAX for the last one. */
uint64_t fw_histogram_bound(unsigned bucket);

#endif
