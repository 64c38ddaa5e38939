/* Histograms: every value falls into the one bucket whose bounds enclose it, and a bucket is narrow. */
#include "net/histogram.h"
#include "net_check.h"

static unsigned only_bucket(const fw_histogram_t *h, uint64_t times) {
    unsigned found = FW_HISTOGRAM_BUCKETS;
    for (unsigned i = 0; i < FW_HISTOGRAM_BUCKETS; i++) {
        if (h->counts[i] == 0) continue;
        CHECK(found == FW_HISTOGRAM_BUCKETS && h->counts[i] == times);
        found = i;
    }
    CHECK(found < FW_HISTOGRAM_BUCKETS);
    return found;
}

static void check_value(uint64_t value) {
    fw_histogram_t h = {0};
    fw_histogram_add(&h, value, 3);
    CHECK(h.sum == 3 * value);
    unsigned bucket = only_bucket(&h, 3);
    uint64_t bound = fw_histogram_bound(bucket);
    CHECK(value <= bound);
    if (bucket > 0) CHECK(value > fw_histogram_bound(bucket - 1));
    if (bucket < FW_HISTOGRAM_BUCKETS - 1) CHECK(bound - value <= value / 8);
}

int main(void) {
    for (uint64_t value = 0; value < 5000; value++)
        check_value(value);
    uint64_t seed = 3;
    for (unsigned i = 0; i < 100000; i++)
        check_value(next_random(&seed) >> (i % 64));
    for (unsigned i = 1; i < FW_HISTOGRAM_BUCKETS; i++)
        CHECK(fw_histogram_bound(i) > fw_histogram_bound(i - 1));
    CHECK(fw_histogram_bound(FW_HISTOGRAM_BUCKETS - 2) + 1 == 15u << 20);
    return 0;
}
