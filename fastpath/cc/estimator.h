/* The congestion controller of one path: how much it carries, from transport-wide feedback for the packets sent on it.
 *
 * The frame is Google congestion control (draft-ietf-rmcat-gcc-02): acknowledged rate, additive increase,
 * multiplicative decrease, probes, loss. The signal is an absolute queue delay. Sans-IO: the caller gives the time, in
 * microseconds of one monotonic clock from 1. A caller
 * - calls fw_cc_sent for each packet, with the time of the flush that sends it;
 * - calls fw_cc_feedback for each transport-wide feedback;
 * - sets fw_cc_set_needs to what the next wanted rung takes;
 * - at fw_cc_next_us calls fw_cc_tick, then sends probe packets while fw_cc_probe_bytes is not 0;
 * - asks fw_cc_pacer and fw_cc_repairs before it sends keyframes, joins and repairs.
 *
 * Where the estimate comes from is for the timeline: `reason` is that of the last change. */
#ifndef FW_CC_ESTIMATOR_H
#define FW_CC_ESTIMATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "../wire/twcc.h"
#include "acked.h"
#include "bucket.h"
#include "delay.h"
#include "history.h"
#include "loss.h"
#include "probe.h"

#define FW_CC_START_BPS 300000
#define FW_CC_LEAST_BPS 30000
#define FW_CC_MOST_BPS 1000000000

typedef enum { FW_CC_MEDIA, FW_CC_RETRANSMISSION, FW_CC_PROBE } fw_cc_kind_t;

typedef enum {
    FW_CC_STARTED,
    FW_CC_GREW,         /* no congestion: 8 %/s, 2 %/s near the last limit */
    FW_CC_PROBED,       /* a probe was carried */
    FW_CC_SATURATED,    /* a probe was received at the estimate's rate or less */
    FW_CC_DELAYED,      /* the queue grew */
    FW_CC_LOST,         /* packets were lost */
    FW_CC_NO_FEEDBACK,  /* none for 500 ms and a round trip while sending */
    FW_CC_OVER_REPAIRED /* the repairs budget was exceeded for 500 ms */
} fw_cc_reason_t;

typedef struct {
    fw_history_t history;
    fw_acked_t acked;
    fw_delay_t delay;
    fw_loss_t loss;
    fw_probe_t probe;
    fw_bucket_t pacer, repairs;
    uint64_t fed_us;         /* the newest feedback that matched a packet sent, 0 for none */
    uint64_t unheard_us;     /* when the first packet after that feedback was sent, 0 for none */
    uint64_t sent_us;        /* the newest packet */
    uint64_t media_us;       /* the newest that was no probe's */
    uint64_t decreased_us;   /* the last decrease */
    uint64_t grown_us;       /* the last growth, or the last time it was held back */
    uint64_t halved_us;      /* the last halving for want of feedback */
    uint64_t probe_us;       /* no probe begins before this */
    uint64_t carried_us;     /* the last conclusion of one */
    uint64_t drained_us;     /* until then a probe's own queue may be seen */
    uint64_t refused_us;     /* the last repair over budget */
    uint64_t refusing_us;    /* the first of a stretch of those */
    int64_t reference_us;    /* the reference time of the last feedback, unwrapped */
    int64_t spare_bytes;     /* what probes may add: 2.5 % of the bytes sent, less those of probes */
    uint32_t estimate_bps;
    uint32_t needs_bps;      /* what the next wanted rung takes with all that flows beside it, 0 for none */
    uint32_t limit_bps;      /* the acknowledged rate at the last congestion, 0 for none */
    uint32_t probe_wait_us;  /* after a probe that failed */
    uint32_t carried_bps;    /* the result of the last probe where it was carried, else 0 */
    uint32_t saturated_bps;  /* the result of the last probe where it was not carried, else 0 */
    uint32_t rtt_us;         /* from sending to feedback, smoothed */
    uint16_t reported_seq16; /* statuses up to this one are counted in `loss` */
    uint8_t reason;          /* fw_cc_reason_t */
    bool congested_again;    /* the last decrease came within 10 s of the one before */
    bool started;            /* a probe was not carried: all since then are paid from `spare_bytes` */
    bool confirming;         /* a probe to more than twice what flows was carried: a second one has to be, too */
    bool unproven;           /* nothing was sent for 10 s: grows by probes alone until one is carried */
} fw_cc_t;

/* False where memory is short. */
bool fw_cc_init(fw_cc_t *cc, uint64_t now_us);
void fw_cc_free(fw_cc_t *cc);

/* The path is another one: forgets all but `needs_bps`. */
void fw_cc_restart(fw_cc_t *cc, uint64_t now_us);

/* `seq16` is the transport-wide sequence number, `bytes` what the link carries (with IP and UDP headers). */
void fw_cc_sent(fw_cc_t *cc, uint16_t seq16, uint32_t bytes, fw_cc_kind_t kind, uint64_t now_us);

/* Takes a feedback as fw_rtcp_twcc read it: at most FW_TWCC_MAX_PACKETS steps. */
void fw_cc_feedback(fw_cc_t *cc, const fw_twcc_t *twcc, const int64_t *arrivals_us, uint64_t now_us);

/* Wants `needs_bps` for the next rung and all that flows beside it; 0 where nothing more is wanted. Probes go to 1.12
 * times that. */
static inline void fw_cc_set_needs(fw_cc_t *cc, uint32_t needs_bps) { cc->needs_bps = needs_bps; }

/* Halves the estimate where feedback stays away; begins and concludes probes. */
void fw_cc_tick(fw_cc_t *cc, uint64_t now_us);

/* The bytes of the probe packet to send now, 0 for none: of RTX of recent packets, of padding where there is none. */
static inline uint32_t fw_cc_probe_bytes(const fw_cc_t *cc, uint64_t now_us) {
    return fw_probe_due_bytes(&cc->probe, now_us);
}

/* When fw_cc_tick or a probe packet is due, UINT64_MAX for never. */
uint64_t fw_cc_next_us(const fw_cc_t *cc);

/* The bucket for live media, keyframes and joins: 1.5 times the estimate, 40 ms deep. Filled up to `now_us`; the caller
 * spends. */
fw_bucket_t *fw_cc_pacer(fw_cc_t *cc, uint64_t now_us);
uint32_t fw_cc_pacer_bps(const fw_cc_t *cc);

/* Whether a repair of `bytes` may be sent now; spends where it may. 20 % of the estimate, at least 64 kbit/s; 1 Mbit/s
 * before there is a feedback; 200 ms deep. Refusals over 500 ms, less than 200 ms apart, count as congestion. */
bool fw_cc_repair(fw_cc_t *cc, uint32_t bytes, uint64_t now_us);

static inline uint32_t fw_cc_loss_permille(const fw_cc_t *cc) { return fw_loss_permille(&cc->loss); }

/* The lower of the two newest feedbacks: one alone may be a stall. */
static inline uint32_t fw_cc_queue_us(const fw_cc_t *cc) { return cc->delay.signal_us; }

#endif
