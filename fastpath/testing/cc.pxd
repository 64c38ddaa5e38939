"""Cython declarations of `cc/`; the C headers document them."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..wire cimport fw_twcc_t


cdef extern from "cc/history.h" nogil:
    ctypedef struct fw_history_t:
        uint16_t size
        uint16_t acked_seq16

    ctypedef struct fw_sent_t:
        uint64_t sent_us
        uint16_t bytes
        bint overdue

    bint fw_history_init(fw_history_t *h)
    void fw_history_free(fw_history_t *h)
    void fw_history_put(fw_history_t *h, uint16_t seq16, uint32_t bytes, uint64_t now_us)
    bint fw_history_take(fw_history_t *h, uint16_t seq16, uint64_t now_us, fw_sent_t *out)


cdef extern from "cc/acked.h" nogil:
    ctypedef struct fw_acked_t:
        pass

    void fw_acked_add(fw_acked_t *a, int64_t arrival_us, uint32_t bytes)
    uint32_t fw_acked_bps(const fw_acked_t *a, uint32_t window_us)


cdef extern from "cc/delay.h" nogil:
    ctypedef struct fw_delay_t:
        uint32_t queue_us
        uint32_t signal_us

    bint fw_delay_add(fw_delay_t *d, int64_t one_way_us, bint probed, uint64_t now_us)
    uint32_t fw_delay_threshold_us(const fw_delay_t *d)


cdef extern from "cc/bucket.h" nogil:
    ctypedef struct fw_bucket_t:
        pass

    void fw_bucket_fill(fw_bucket_t *b, uint32_t rate_bps, uint32_t depth_us, uint64_t now_us)
    bint fw_bucket_open(const fw_bucket_t *b)
    void fw_bucket_spend(fw_bucket_t *b, uint32_t bytes)
    uint64_t fw_bucket_open_us(const fw_bucket_t *b, uint32_t rate_bps)


cdef extern from "cc/estimator.h" nogil:
    ctypedef enum fw_cc_kind_t:
        FW_CC_MEDIA
        FW_CC_RETRANSMISSION
        FW_CC_PROBE

    ctypedef enum fw_cc_reason_t:
        FW_CC_STARTED
        FW_CC_GREW
        FW_CC_PROBED
        FW_CC_SATURATED
        FW_CC_DELAYED
        FW_CC_LOST
        FW_CC_NO_FEEDBACK
        FW_CC_OVER_REPAIRED

    ctypedef struct fw_cc_t:
        fw_history_t history
        uint32_t estimate_bps
        uint32_t rtt_us
        uint8_t reason

    bint fw_cc_init(fw_cc_t *cc, uint64_t now_us)
    void fw_cc_free(fw_cc_t *cc)
    void fw_cc_restart(fw_cc_t *cc, uint64_t now_us)
    void fw_cc_sent(fw_cc_t *cc, uint16_t seq16, uint32_t bytes, fw_cc_kind_t kind, uint64_t now_us)
    void fw_cc_feedback(fw_cc_t *cc, const fw_twcc_t *twcc, const int64_t *arrivals_us, uint64_t now_us)
    void fw_cc_set_needs(fw_cc_t *cc, uint32_t needs_bps)
    void fw_cc_tick(fw_cc_t *cc, uint64_t now_us)
    uint32_t fw_cc_probe_bytes(const fw_cc_t *cc, uint64_t now_us)
    uint64_t fw_cc_next_us(const fw_cc_t *cc)
    fw_bucket_t *fw_cc_pacer(fw_cc_t *cc, uint64_t now_us)
    uint32_t fw_cc_pacer_bps(const fw_cc_t *cc)
    bint fw_cc_repair(fw_cc_t *cc, uint32_t bytes, uint64_t now_us)
    uint32_t fw_cc_loss_permille(const fw_cc_t *cc)
    uint32_t fw_cc_queue_us(const fw_cc_t *cc)


cdef extern from "cc/allocation.h" nogil:
    enum:
        FW_RUNG_PAUSED
        FW_RUNGS_MOST

    ctypedef struct fw_rung_t:
        uint32_t cost_bps
        uint16_t height
        uint8_t fps
        uint8_t encoding
        uint8_t spatial
        uint8_t temporal

    ctypedef struct fw_claim_t:
        const fw_rung_t *rungs
        uint8_t count
        uint8_t priority
        int8_t cap
        int8_t rung

    unsigned fw_rungs_arrange(fw_rung_t *rungs, unsigned count, bint screen)
    uint64_t fw_allocation_raise(fw_claim_t *claims, unsigned count, uint64_t used_bps, uint64_t budget_bps)
    int fw_allocation_next(const fw_claim_t *claims, unsigned count)


cdef extern from "cc/allocator.h" nogil:
    ctypedef struct fw_footing_t:
        pass

    ctypedef struct fw_carriage_t:
        uint64_t estimate_bps
        uint64_t reserved_bps
        uint32_t queue_us
        uint32_t loss_permille

    ctypedef struct fw_allocator_t:
        uint64_t needs_bps
        bint fresh

    bint fw_allocator_run(fw_allocator_t *a, fw_claim_t *claims, fw_footing_t *footings, unsigned count,
                          const fw_carriage_t *carriage, uint64_t now_us)
