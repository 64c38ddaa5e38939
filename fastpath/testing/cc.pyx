# cython: language_level=3
"""Python bindings of `cc/`, for tests and the link simulator: each class is one C struct, time is an argument."""

from libc.stdint cimport UINT64_MAX, int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ..wire cimport FW_TWCC_LOST, FW_TWCC_MAX_PACKETS
from .cc cimport *

PAUSED = FW_RUNG_PAUSED
REASONS = {
    FW_CC_STARTED: "started",
    FW_CC_GREW: "grew",
    FW_CC_PROBED: "probed",
    FW_CC_SATURATED: "saturated",
    FW_CC_DELAYED: "delayed",
    FW_CC_LOST: "lost",
    FW_CC_NO_FEEDBACK: "no feedback",
    FW_CC_OVER_REPAIRED: "over-repaired",
}
KINDS = {"media": FW_CC_MEDIA, "retransmission": FW_CC_RETRANSMISSION, "probe": FW_CC_PROBE}


cdef when(uint64_t time_us):
    return None if time_us == UINT64_MAX else time_us


cdef class History:
    cdef fw_history_t history

    def __cinit__(self):
        if not fw_history_init(&self.history):
            raise MemoryError

    def __dealloc__(self):
        fw_history_free(&self.history)

    @property
    def size(self):
        return self.history.size

    def put(self, uint16_t seq16, uint32_t size, uint64_t now_us):
        fw_history_put(&self.history, seq16, size, now_us)

    def take(self, uint16_t seq16, uint64_t now_us):
        cdef fw_sent_t sent
        if not fw_history_take(&self.history, seq16, now_us, &sent):
            return None
        return sent.sent_us, sent.bytes, bool(sent.overdue)


cdef class Acked:
    cdef fw_acked_t acked

    def __cinit__(self):
        memset(&self.acked, 0, sizeof(self.acked))

    def add(self, int64_t arrival_us, uint32_t size):
        fw_acked_add(&self.acked, arrival_us, size)

    def bps(self, uint32_t window_us):
        return fw_acked_bps(&self.acked, window_us)


cdef class Delay:
    cdef fw_delay_t delay

    def __cinit__(self):
        memset(&self.delay, 0, sizeof(self.delay))

    def add(self, int64_t one_way_us, uint64_t now_us, bint probed=False):
        return fw_delay_add(&self.delay, one_way_us, probed, now_us)

    @property
    def queue_us(self):
        return self.delay.queue_us

    @property
    def threshold_us(self):
        return fw_delay_threshold_us(&self.delay)


cdef class Bucket:
    cdef fw_bucket_t bucket

    def __cinit__(self):
        memset(&self.bucket, 0, sizeof(self.bucket))

    def fill(self, uint32_t rate_bps, uint32_t depth_us, uint64_t now_us):
        fw_bucket_fill(&self.bucket, rate_bps, depth_us, now_us)

    def open(self):
        return fw_bucket_open(&self.bucket)

    def spend(self, uint32_t size):
        fw_bucket_spend(&self.bucket, size)

    def open_us(self, uint32_t rate_bps):
        return when(fw_bucket_open_us(&self.bucket, rate_bps))


cdef class Estimator:
    """The congestion controller of one path. Feedback comes as a list of arrival times, None for a lost packet."""

    cdef fw_cc_t cc
    cdef int64_t[FW_TWCC_MAX_PACKETS] arrivals_us

    def __cinit__(self, uint64_t now_us=1):
        if not fw_cc_init(&self.cc, now_us):
            raise MemoryError

    def __dealloc__(self):
        fw_cc_free(&self.cc)

    def restart(self, uint64_t now_us):
        fw_cc_restart(&self.cc, now_us)

    def sent(self, uint16_t seq16, uint32_t size, str kind, uint64_t now_us):
        fw_cc_sent(&self.cc, seq16, size, KINDS[kind], now_us)

    def feedback(self, uint16_t base_seq16, list arrivals_us, uint64_t now_us):
        cdef fw_twcc_t twcc
        memset(&twcc, 0, sizeof(twcc))
        if not 0 < len(arrivals_us) <= FW_TWCC_MAX_PACKETS:
            raise ValueError(f"a feedback holds 1 to {FW_TWCC_MAX_PACKETS} statuses")
        twcc.base_seq16, twcc.count = base_seq16, len(arrivals_us)
        for i, arrival in enumerate(arrivals_us):
            self.arrivals_us[i] = FW_TWCC_LOST if arrival is None else arrival
        # The reference time wraps every 12.4 days, and so do the packet times computed from it.
        first = next((us for us in arrivals_us if us is not None), 0)
        twcc.reference_us = first // 64000 * 64000 % (64000 << 24)
        shift = first // 64000 * 64000 - twcc.reference_us
        for i in range(len(arrivals_us)):
            if self.arrivals_us[i] != FW_TWCC_LOST:
                self.arrivals_us[i] -= shift
        fw_cc_feedback(&self.cc, &twcc, self.arrivals_us, now_us)

    def set_needs(self, uint32_t needs_bps):
        fw_cc_set_needs(&self.cc, needs_bps)

    def tick(self, uint64_t now_us):
        fw_cc_tick(&self.cc, now_us)

    def probe_bytes(self, uint64_t now_us):
        return fw_cc_probe_bytes(&self.cc, now_us)

    def next_us(self):
        return when(fw_cc_next_us(&self.cc))

    def pace(self, uint32_t size, uint64_t now_us):
        """Takes `size` bytes from the pacer's bucket if it is open; else returns the time at which it opens."""
        cdef fw_bucket_t *bucket = fw_cc_pacer(&self.cc, now_us)
        if fw_bucket_open(bucket):
            fw_bucket_spend(bucket, size)
            return None
        return fw_bucket_open_us(bucket, fw_cc_pacer_bps(&self.cc))

    def repair(self, uint32_t size, uint64_t now_us):
        return fw_cc_repair(&self.cc, size, now_us)

    @property
    def estimate_bps(self):
        return self.cc.estimate_bps

    @property
    def queue_us(self):
        return fw_cc_queue_us(&self.cc)

    @property
    def loss_permille(self):
        return fw_cc_loss_permille(&self.cc)

    @property
    def rtt_us(self):
        return self.cc.rtt_us

    @property
    def reason(self):
        return REASONS[self.cc.reason]

    @property
    def memory_bytes(self):
        return sizeof(fw_cc_t) + self.cc.history.size * sizeof(uint32_t)


cdef put_rung(fw_rung_t *out, rung):
    out.cost_bps, out.height, out.fps = rung
    out.encoding = out.spatial = out.temporal = 0


def arrange(rungs, bint screen):
    """Orders (cost_bps, height, fps) and drops dominated ones."""
    cdef fw_rung_t[FW_RUNGS_MOST] array
    if len(rungs) > FW_RUNGS_MOST:
        raise ValueError(f"a video has at most {FW_RUNGS_MOST} rungs")
    for i, rung in enumerate(rungs):
        put_rung(&array[i], rung)
    count = fw_rungs_arrange(array, len(rungs), screen)
    return [(array[i].cost_bps, array[i].height, array[i].fps) for i in range(count)]


cdef class Allocator:
    """The claims of one viewer: (costs, priority, cap) in order of priority."""

    cdef fw_allocator_t allocator
    cdef fw_claim_t *claims
    cdef fw_footing_t *footings
    cdef fw_rung_t *rungs
    cdef unsigned count

    def __cinit__(self, claims):
        memset(&self.allocator, 0, sizeof(self.allocator))
        self.allocator.fresh = True
        self.count = len(claims)
        self.claims = <fw_claim_t *>calloc(self.count or 1, sizeof(fw_claim_t))
        self.footings = <fw_footing_t *>calloc(self.count or 1, sizeof(fw_footing_t))
        self.rungs = <fw_rung_t *>calloc((self.count or 1) * FW_RUNGS_MOST, sizeof(fw_rung_t))
        if not (self.claims and self.footings and self.rungs):
            raise MemoryError
        for i, (costs, priority, cap) in enumerate(claims):
            if len(costs) > FW_RUNGS_MOST:
                raise ValueError(f"a video has at most {FW_RUNGS_MOST} rungs")
            for j, cost in enumerate(costs):
                self.rungs[i * FW_RUNGS_MOST + j].cost_bps = cost
            self.claims[i].rungs = &self.rungs[i * FW_RUNGS_MOST]
            self.claims[i].count, self.claims[i].priority, self.claims[i].cap = len(costs), priority, cap
            self.claims[i].rung = FW_RUNG_PAUSED

    def __dealloc__(self):
        free(self.claims)
        free(self.footings)
        free(self.rungs)

    def cap(self, unsigned claim, int8_t cap):
        if claim >= self.count:
            raise IndexError(claim)
        self.claims[claim].cap = cap
        self.allocator.fresh = True

    def run(self, uint64_t estimate_bps, uint64_t now_us, uint64_t reserved_bps=0, uint32_t queue_us=0,
            uint32_t loss_permille=0):
        cdef fw_carriage_t carriage
        carriage.estimate_bps, carriage.reserved_bps = estimate_bps, reserved_bps
        carriage.queue_us, carriage.loss_permille = queue_us, loss_permille
        return fw_allocator_run(&self.allocator, self.claims, self.footings, self.count, &carriage, now_us)

    def allocate(self, uint64_t budget_bps, uint64_t reserved_bps=0):
        """Allocates without a previous allocation."""
        for i in range(self.count):
            self.claims[i].rung = FW_RUNG_PAUSED
        return fw_allocation_raise(self.claims, self.count, reserved_bps, budget_bps)

    @property
    def rungs_given(self):
        return [self.claims[i].rung for i in range(self.count)]

    @property
    def needs_bps(self):
        return self.allocator.needs_bps
