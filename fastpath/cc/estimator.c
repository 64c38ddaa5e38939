#include "estimator.h"

#define REFERENCE_WRAP_US (INT64_C(64000) << 24)

#define GROWTH_PERCENT 8 /* a second */
#define NEAR_LIMIT_PERCENT 2
#define BACK_OFF_PERCENT 85
#define BACK_OFF_MOST_PERCENT 50
#define DRAIN_US 1500000 /* a queue is to be empty after this: so much longer the back-off */
#define EMPTY_US 10000 /* a queue below this holds no more than the packets of one frame */
#define SHORT_WINDOW_US 200000
#define LONG_WINDOW_US 500000
#define LOSS_ALONE_PERMILLE 200
#define LOSS_QUEUED_PERMILLE 100
#define SETTLE_US 100000 /* beside a round trip, before a decrease shows in the feedback */
#define SILENT_US 500000
#define AGAIN_US 10000000
#define HALVE_EACH_US 1000000
#define IDLE_US 10000000
#define RTT_START_US 100000
#define REFUSED_US 500000
#define REFUSED_APART_US 200000 /* refusals closer than this are one stretch */

#define PACER_DEPTH_US 40000
#define REPAIRS_DEPTH_US 200000
#define REPAIRS_LEAST_BPS 64000
#define REPAIRS_START_BPS 1000000

#define PROBE_AFTER_DECREASE_US 1000000
#define PROBE_WAIT_LEAST_US 1000000
#define PROBE_WAIT_MOST_US 3000000
#define PROBE_UNKNOWN_WAIT_US 500000
#define UP_PERCENT 108 /* of a need: an estimate that the allocator goes up with */
#define CARRIED_LASTS_US 1000000
#define SATURATED_LASTS_US 10000000
#define SATURATED_PERCENT 90 /* of the rate at which a saturating probe was received */
#define SPARE_SHARE 40 /* 2.5 %: the first probes are mostly unpaid, and all together stay within 3 % */
#define START_DEBT_S 20 /* what is left to pay of the probes before the first that was not carried */
#define SPARE_MOST_BYTES 30000

bool fw_cc_init(fw_cc_t *cc, uint64_t now_us) {
    *cc = (fw_cc_t){0};
    if (!fw_history_init(&cc->history)) return false;
    fw_cc_restart(cc, now_us);
    return true;
}

void fw_cc_free(fw_cc_t *cc) { fw_history_free(&cc->history); }

void fw_cc_restart(fw_cc_t *cc, uint64_t now_us) {
    fw_history_t history = cc->history;
    fw_history_clear(&history);
    *cc = (fw_cc_t){
        .history = history,
        .needs_bps = cc->needs_bps,
        .estimate_bps = FW_CC_START_BPS,
        .grown_us = now_us,
        .rtt_us = RTT_START_US,
        .probe_wait_us = PROBE_WAIT_LEAST_US,
        .reason = FW_CC_STARTED,
    };
}

static uint32_t held(uint64_t bps) {
    if (bps < FW_CC_LEAST_BPS) return FW_CC_LEAST_BPS;
    return bps > FW_CC_MOST_BPS ? FW_CC_MOST_BPS : (uint32_t)bps;
}

static uint32_t percent_of(uint32_t bps, unsigned percent) { return held((uint64_t)bps * percent / 100); }

static void set(fw_cc_t *cc, uint32_t estimate_bps, fw_cc_reason_t reason) {
    cc->estimate_bps = estimate_bps;
    cc->reason = (uint8_t)reason;
}

void fw_cc_sent(fw_cc_t *cc, uint16_t seq16, uint32_t bytes, fw_cc_kind_t kind, uint64_t now_us) {
    if (cc->sent_us && now_us - cc->sent_us >= IDLE_US) {
        cc->unproven = true;
        cc->probe_wait_us = PROBE_WAIT_LEAST_US;
        cc->probe_us = now_us;
        cc->saturated_bps = 0;
    }
    fw_history_put(&cc->history, seq16, bytes, now_us);
    fw_probe_sent(&cc->probe, seq16, bytes, now_us);
    if (!cc->unheard_us) cc->unheard_us = now_us;
    cc->sent_us = now_us;
    if (kind != FW_CC_PROBE) cc->media_us = now_us;
    cc->spare_bytes += kind == FW_CC_PROBE ? -(int64_t)bytes : (int64_t)bytes / SPARE_SHARE;
    if (cc->spare_bytes > SPARE_MOST_BYTES) cc->spare_bytes = SPARE_MOST_BYTES;
}

/* The lower of two windows: one alone is high by up to a frame. */
static uint32_t acked_bps(const fw_cc_t *cc) {
    uint32_t mean_bps = fw_acked_bps(&cc->acked, LONG_WINDOW_US);
    uint32_t newest_bps = fw_acked_bps(&cc->acked, SHORT_WINDOW_US);
    return newest_bps < mean_bps ? newest_bps : mean_bps;
}

/* Deeper with a longer queue, so that it drains. */
static unsigned back_off_percent(const fw_cc_t *cc) {
    uint64_t percent = cc->delay.signal_us < DRAIN_US ? 100 - UINT64_C(100) * cc->delay.signal_us / DRAIN_US : 0;
    if (percent > BACK_OFF_PERCENT) return BACK_OFF_PERCENT;
    return percent < BACK_OFF_MOST_PERCENT ? BACK_OFF_MOST_PERCENT : (unsigned)percent;
}

/* Once a round trip: only then the feedback tells of packets sent after the last decrease. */
static void decrease(fw_cc_t *cc, fw_cc_reason_t reason, uint64_t now_us) {
    if (now_us - cc->decreased_us < cc->rtt_us + SETTLE_US) return;
    /* The short window sees a link that has just become slower, and is wrong after a stall. */
    bool full = cc->delay.signal_us > FW_DELAY_MOST_US;
    cc->limit_bps = full ? acked_bps(cc) : fw_acked_bps(&cc->acked, LONG_WINDOW_US);
    cc->congested_again = now_us - cc->decreased_us < AGAIN_US && cc->decreased_us;
    cc->decreased_us = cc->grown_us = now_us;
    if (cc->probe_us < now_us + PROBE_AFTER_DECREASE_US) cc->probe_us = now_us + PROBE_AFTER_DECREASE_US;
    if (cc->spare_bytes < 0) cc->spare_bytes = 0; /* what was lost is to be regained soon */
    fw_loss_clear(&cc->loss, now_us);
    uint32_t lower_bps = percent_of(cc->limit_bps, back_off_percent(cc));
    if (lower_bps < cc->estimate_bps) set(cc, lower_bps, reason);
}

static void grow(fw_cc_t *cc, uint64_t now_us) {
    uint64_t passed_us = now_us - cc->grown_us;
    cc->grown_us = now_us;
    if (cc->unproven || passed_us > SILENT_US) return;
    uint32_t proven_bps = acked_bps(cc);
    if (!cc->congested_again && cc->estimate_bps < proven_bps && cc->delay.signal_us < EMPTY_US) {
        set(cc, held(proven_bps), FW_CC_GREW);
    }
    uint64_t cap_bps = (uint64_t)fw_acked_bps(&cc->acked, LONG_WINDOW_US) * 3 / 2;
    if (cc->estimate_bps >= cap_bps) return;
    uint64_t tenths = UINT64_C(10) * cc->estimate_bps, limit_bps = cc->limit_bps;
    bool near_limit = tenths > limit_bps * 9 && tenths < limit_bps * 11;
    unsigned percent = near_limit ? NEAR_LIMIT_PERCENT : GROWTH_PERCENT;
    uint64_t bps = cc->estimate_bps + (uint64_t)cc->estimate_bps * percent * passed_us / 100000000 + 1;
    set(cc, held(bps < cap_bps ? bps : cap_bps), FW_CC_GREW);
}

static void fail_probe(fw_cc_t *cc, uint64_t wait_us, uint64_t now_us) {
    cc->probe_us = now_us + wait_us;
    cc->probe_wait_us = cc->probe_wait_us < PROBE_WAIT_MOST_US / 2 ? cc->probe_wait_us * 2 : PROBE_WAIT_MOST_US;
}

static void conclude_probe(fw_cc_t *cc, uint64_t now_us) {
    fw_probe_result_t result = fw_probe_conclude(&cc->probe, cc->history.acked_seq16, now_us);
    if (result == FW_PROBE_PENDING) return;
    cc->drained_us = now_us + cc->rtt_us;
    int64_t least = -(int64_t)(acked_bps(cc) / (8 * SPARE_SHARE) * START_DEBT_S);
    if (!cc->started && cc->spare_bytes < least) cc->spare_bytes = least;
    if (result == FW_PROBE_UNKNOWN) {
        fail_probe(cc, PROBE_UNKNOWN_WAIT_US, now_us);
        return;
    }
    cc->unproven = false;
    if (result != FW_PROBE_CARRIED) cc->started = true;
    bool carried = result == FW_PROBE_CARRIED;
    uint32_t bps = carried ? held(cc->probe.result_bps) : percent_of(cc->probe.result_bps, SATURATED_PERCENT);
    cc->saturated_bps = carried ? 0 : cc->probe.result_bps;
    if (carried && bps > cc->limit_bps) cc->limit_bps = 0;
    cc->carried_bps = carried ? bps : 0;
    cc->carried_us = now_us;
    bool leap = bps > acked_bps(cc) * UINT64_C(2) && (uint64_t)cc->needs_bps * UP_PERCENT / 100 <= bps;
    cc->confirming = carried && leap && !cc->confirming;
    if (carried && (bps > cc->estimate_bps || cc->probe.rate_bps < cc->estimate_bps)) {
        cc->probe_us = now_us;
        cc->probe_wait_us = PROBE_WAIT_LEAST_US;
    } else {
        fail_probe(cc, cc->probe_wait_us, now_us);
    }
    if (cc->confirming && bps > cc->needs_bps) bps = cc->needs_bps;
    if (carried && bps > cc->estimate_bps) set(cc, held(bps), FW_CC_PROBED);
    if (!carried) {
        cc->drained_us = now_us + cc->rtt_us + 2 * (uint64_t)cc->delay.queue_us;
        uint32_t proven_bps = acked_bps(cc);
        if (proven_bps > cc->estimate_bps) proven_bps = cc->estimate_bps;
        set(cc, bps > proven_bps ? bps : held(proven_bps), FW_CC_SATURATED);
    }
}

static bool wants_probe(const fw_cc_t *cc) {
    return cc->needs_bps && (cc->unproven || (uint64_t)cc->needs_bps * UP_PERCENT / 100 > cc->estimate_bps);
}

/* The rate of the next probe: at most 2.5 times a rate that the path has just carried. */
static uint32_t probe_bps(const fw_cc_t *cc, uint64_t now_us) {
    uint64_t wanted = (uint64_t)cc->needs_bps * 112 / 100;
    if (!cc->fed_us) return FW_CC_START_BPS * 3;
    uint64_t proven = acked_bps(cc);
    if (proven > cc->estimate_bps) proven = cc->estimate_bps;
    if (now_us - cc->carried_us < CARRIED_LASTS_US && cc->carried_bps > proven) proven = cc->carried_bps;
    bool recent = cc->saturated_bps && now_us - cc->carried_us < SATURATED_LASTS_US;
    if (recent && cc->saturated_bps > proven) proven = cc->saturated_bps;
    uint64_t most = proven * 5 / 2;
    uint64_t known = cc->saturated_bps ? cc->saturated_bps : cc->limit_bps;
    if (known && most > known * 3 / 2) most = known * 3 / 2;
    if (most < FW_CC_LEAST_BPS) most = FW_CC_LEAST_BPS;
    return (uint32_t)(wanted < most ? wanted : most);
}

static void begin_probe(fw_cc_t *cc, uint64_t now_us) {
    if (cc->probe.state != FW_PROBE_IDLE || now_us < cc->probe_us || !wants_probe(cc)) return;
    bool paused = now_us - cc->media_us > SILENT_US; /* probes alone can bring media back */
    if (cc->probe_wait_us > PROBE_WAIT_LEAST_US && cc->spare_bytes < 0 && !paused) return;
    if (cc->delay.signal_us > FW_DELAY_LEAST_US) return;
    fw_probe_begin(&cc->probe, probe_bps(cc, now_us), now_us);
}

/* The reference time counts 64 ms in 24 bits: takes the value nearest to the last one. */
static int64_t unwrapped(int64_t last_us, int64_t reference_us) {
    int64_t ahead = (reference_us - last_us) % REFERENCE_WRAP_US;
    if (ahead >= REFERENCE_WRAP_US / 2) ahead -= REFERENCE_WRAP_US;
    if (ahead < -REFERENCE_WRAP_US / 2) ahead += REFERENCE_WRAP_US;
    return last_us + ahead;
}

typedef struct {
    uint32_t lost, recovered, received;
    int64_t least_us; /* one-way delay */
    uint64_t rtt_us;  /* of the packet that was sent last */
} round_t;

static void match(fw_cc_t *cc, const fw_twcc_t *twcc, const int64_t *arrivals_us, uint64_t now_us, round_t *r) {
    int64_t reference_us = cc->fed_us ? unwrapped(cc->reference_us, twcc->reference_us) : twcc->reference_us;
    int64_t shift_us = reference_us - twcc->reference_us;
    *r = (round_t){.least_us = INT64_MAX, .rtt_us = UINT64_MAX};
    for (unsigned i = 0; i < twcc->count; i++) {
        uint16_t seq16 = (uint16_t)(twcc->base_seq16 + i);
        if (arrivals_us[i] == FW_TWCC_LOST) {
            bool fresh = !cc->fed_us || (uint16_t)(seq16 - cc->reported_seq16 - 1) < 0x7FFF;
            if (!fresh || !fw_history_covers(&cc->history, seq16)) continue;
            r->lost++;
            cc->reported_seq16 = seq16;
            continue;
        }
        fw_sent_t sent;
        if (!fw_history_take(&cc->history, seq16, now_us, &sent)) continue;
        int64_t arrival_us = arrivals_us[i] + shift_us;
        int64_t one_way_us = arrival_us - (int64_t)sent.sent_us;
        if (one_way_us < r->least_us) r->least_us = one_way_us;
        if (now_us - sent.sent_us < r->rtt_us) r->rtt_us = now_us - sent.sent_us;
        r->received++;
        if (sent.overdue) r->recovered++;
        else cc->reported_seq16 = seq16;
        fw_acked_add(&cc->acked, arrival_us, sent.bytes);
        fw_probe_acked(&cc->probe, seq16, &sent, arrival_us);
    }
    if (r->received) cc->reference_us = reference_us;
}

void fw_cc_feedback(fw_cc_t *cc, const fw_twcc_t *twcc, const int64_t *arrivals_us, uint64_t now_us) {
    round_t r;
    match(cc, twcc, arrivals_us, now_us, &r);
    if (!r.received) return; /* want of feedback halves the estimate */
    bool first = !cc->fed_us;
    cc->fed_us = now_us;
    cc->unheard_us = cc->history.acked_seq16 == cc->history.newest_seq16 ? 0 : now_us;
    cc->rtt_us = first ? (uint32_t)r.rtt_us : (uint32_t)((cc->rtt_us * UINT64_C(7) + r.rtt_us) / 8);
    fw_loss_add(&cc->loss, r.lost, r.recovered, r.received, now_us);
    bool probed = cc->probe.state != FW_PROBE_IDLE || now_us < cc->drained_us;
    bool overused = fw_delay_add(&cc->delay, r.least_us, probed, now_us);
    uint32_t loss = fw_cc_loss_permille(cc);
    bool queued = cc->delay.signal_us > FW_DELAY_LEAST_US;
    conclude_probe(cc, now_us);
    if (overused) decrease(cc, FW_CC_DELAYED, now_us);
    else if (loss > (queued ? LOSS_QUEUED_PERMILLE : LOSS_ALONE_PERMILLE)) decrease(cc, FW_CC_LOST, now_us);
    else if (queued) cc->grown_us = now_us;
    else grow(cc, now_us);
    begin_probe(cc, now_us);
}

static uint64_t halve_us(const fw_cc_t *cc) {
    if (!cc->unheard_us) return UINT64_MAX;
    if (cc->halved_us > cc->unheard_us) return cc->halved_us + HALVE_EACH_US;
    return cc->unheard_us + SILENT_US + cc->rtt_us;
}

void fw_cc_tick(fw_cc_t *cc, uint64_t now_us) {
    if (now_us >= halve_us(cc)) {
        cc->halved_us = now_us;
        cc->limit_bps = 0;
        set(cc, percent_of(cc->estimate_bps, 50), FW_CC_NO_FEEDBACK);
    }
    conclude_probe(cc, now_us);
    if (cc->sent_us) begin_probe(cc, now_us);
}

uint64_t fw_cc_next_us(const fw_cc_t *cc) {
    uint64_t next_us = halve_us(cc), probe_us = fw_probe_next_us(&cc->probe);
    if (cc->probe.state == FW_PROBE_IDLE && cc->sent_us && wants_probe(cc)) probe_us = cc->probe_us;
    return probe_us < next_us ? probe_us : next_us;
}

uint32_t fw_cc_pacer_bps(const fw_cc_t *cc) { return percent_of(cc->estimate_bps, 150); }

fw_bucket_t *fw_cc_pacer(fw_cc_t *cc, uint64_t now_us) {
    fw_bucket_fill(&cc->pacer, fw_cc_pacer_bps(cc), PACER_DEPTH_US, now_us);
    return &cc->pacer;
}

bool fw_cc_repair(fw_cc_t *cc, uint32_t bytes, uint64_t now_us) {
    uint32_t rate_bps = cc->fed_us ? cc->estimate_bps / 5 : REPAIRS_START_BPS;
    if (rate_bps < REPAIRS_LEAST_BPS) rate_bps = REPAIRS_LEAST_BPS;
    fw_bucket_fill(&cc->repairs, rate_bps, REPAIRS_DEPTH_US, now_us);
    if (fw_bucket_open(&cc->repairs)) {
        fw_bucket_spend(&cc->repairs, bytes);
        return true;
    }
    if (now_us - cc->refused_us > REFUSED_APART_US) cc->refusing_us = now_us;
    cc->refused_us = now_us;
    if (now_us - cc->refusing_us >= REFUSED_US) {
        cc->refusing_us = now_us;
        if (cc->fed_us) decrease(cc, FW_CC_OVER_REPAIRED, now_us);
    }
    return false;
}
