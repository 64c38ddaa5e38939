#include "delay.h"

#define SMOOTHING 32 /* feedbacks */
#define HIGH_FEEDBACKS 2

static int64_t lower(int64_t a, int64_t b) { return a < b ? a : b; }

static void follow_base(fw_delay_t *d, int64_t one_way_us, uint64_t now_us) {
    int64_t away_us = d->started ? one_way_us - lower(d->base_us, d->older_base_us) : 0;
    if (!d->started || away_us > FW_DELAY_STEP_US || away_us < -FW_DELAY_STEP_US) {
        *d = (fw_delay_t){.base_us = one_way_us, .older_base_us = one_way_us, .window_us = now_us, .started = true};
        return;
    }
    if (now_us - d->window_us >= FW_DELAY_WINDOW_US) {
        d->older_base_us = d->base_us;
        d->base_us = one_way_us;
        d->window_us = now_us;
    }
    d->base_us = lower(d->base_us, one_way_us);
}

static uint32_t clamped(uint32_t us, uint32_t least, uint32_t most) {
    return us < least ? least : us > most ? most : us;
}

uint32_t fw_delay_threshold_us(const fw_delay_t *d) {
    return clamped(d->mean_us + 3 * d->deviation_us, FW_DELAY_LEAST_US, FW_DELAY_MOST_US);
}

/* More than the most where the path's delay varies by itself, as on Wi-Fi. */
static uint32_t intolerable_us(const fw_delay_t *d) {
    return clamped(d->mean_us + 3 * d->deviation_us, FW_DELAY_MOST_US, 2 * FW_DELAY_MOST_US);
}

static uint32_t smoothed(uint32_t mean, uint32_t sample) {
    return (uint32_t)((int64_t)mean + ((int64_t)sample - mean) / SMOOTHING);
}

bool fw_delay_add(fw_delay_t *d, int64_t one_way_us, bool probed, uint64_t now_us) {
    follow_base(d, one_way_us, now_us);
    uint32_t before_us = d->queue_us, signal_before_us = d->signal_us;
    d->queue_us = (uint32_t)(one_way_us - lower(d->base_us, d->older_base_us));
    d->signal_us = d->queue_us < before_us ? d->queue_us : before_us;
    uint32_t threshold_us = fw_delay_threshold_us(d);
    if (d->signal_us <= threshold_us) {
        d->high = 0;
        uint32_t sample_us = d->queue_us < FW_DELAY_MOST_US ? d->queue_us : FW_DELAY_MOST_US;
        uint32_t away_us = sample_us > d->mean_us ? sample_us - d->mean_us : d->mean_us - sample_us;
        d->mean_us = smoothed(d->mean_us, sample_us);
        d->deviation_us = smoothed(d->deviation_us, away_us);
        return false;
    }
    if (probed) return false;
    d->high = d->signal_us < signal_before_us ? 0 : d->high < HIGH_FEEDBACKS ? (uint8_t)(d->high + 1) : d->high;
    return d->high >= HIGH_FEEDBACKS || d->signal_us > intolerable_us(d);
}
