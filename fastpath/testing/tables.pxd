"""Cython declarations of `stream/`, `base/` and `state/`; the C headers document them."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..wire cimport fw_rtcp_writer_t


cdef extern from "stream/layers.h" nogil:
    ctypedef struct fw_layers_t:
        uint16_t pictures
        uint8_t spatial
        uint8_t temporal


cdef extern from "stream/seqmap.h" nogil:
    ctypedef struct fw_stretch_t:
        uint32_t epoch
        fw_layers_t layers

    ctypedef struct fw_seqmap_t:
        uint64_t highest_out
        fw_stretch_t growing

    ctypedef enum fw_seq_t:
        FW_SEQ_NEW
        FW_SEQ_LATE
        FW_SEQ_NONE

    uint64_t fw_seq_extend(uint64_t highest, uint16_t seq16)
    void fw_seqmap_init(fw_seqmap_t *m, uint64_t first_out)
    void fw_seqmap_switch(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers)
    fw_layers_t fw_seqmap_layers(const fw_seqmap_t *m)
    void fw_seqmap_change_layers(fw_seqmap_t *m, uint64_t first_in, fw_layers_t layers)
    fw_seq_t fw_seqmap_map(fw_seqmap_t *m, uint64_t number, uint64_t *out, fw_layers_t *layers)
    bint fw_seqmap_skip(fw_seqmap_t *m, uint64_t number)
    bint fw_seqmap_reverse(const fw_seqmap_t *m, uint64_t out, uint64_t *number, fw_stretch_t *found)


cdef extern from "stream/cache.h" nogil:
    enum:
        FW_CACHE_CAME
        FW_CACHE_ENDS_FRAME

    ctypedef struct fw_cache_t:
        uint64_t size

    bint fw_cache_init(fw_cache_t *c)
    void fw_cache_free(fw_cache_t *c)
    void fw_cache_grow(fw_cache_t *c, uint64_t highest_seq64)
    void fw_cache_advance(fw_cache_t *c, uint64_t highest_seq64, uint64_t seq64)
    void fw_cache_put(fw_cache_t *c, uint64_t seq64, uint64_t number)
    uint64_t fw_cache_get(const fw_cache_t *c, uint64_t seq64)
    bint fw_cache_is(const fw_cache_t *c, uint64_t seq64, uint64_t what)
    void fw_cache_mark(fw_cache_t *c, uint64_t seq64, uint64_t what)


cdef extern from "stream/frames.h" nogil:
    ctypedef struct fw_frames_t:
        uint64_t count
        uint64_t frozen_us
        uint64_t longest_us
        uint32_t freezes

    void fw_frames_add(fw_frames_t *f, const fw_cache_t *cache, uint64_t highest_seq64, uint64_t sync_point_seq64,
                       uint64_t now_us)


cdef extern from "stream/tsmap.h" nogil:
    ctypedef struct fw_clock_point_t:
        uint64_t ntp
        uint64_t arrival_us
        uint32_t timestamp
        bint known

    ctypedef struct fw_tsmap_t:
        uint32_t offset

    void fw_tsmap_init(fw_tsmap_t *m, uint32_t first_out)
    void fw_tsmap_switch(fw_tsmap_t *m, uint32_t timestamp, uint64_t now_us, uint32_t clock_hz,
                         const fw_clock_point_t *source, bint same_clock)
    void fw_tsmap_advance(fw_tsmap_t *m, uint32_t timestamp, uint64_t arrival_us)


cdef extern from "stream/nack.h" nogil:
    ctypedef struct fw_nack_t:
        uint32_t rtt_us
        uint64_t given_up
        bint gave_up

    void fw_nack_init(fw_nack_t *n)
    void fw_nack_gap(fw_nack_t *n, uint64_t previous, uint64_t seq64, uint64_t now_us)
    void fw_nack_received(fw_nack_t *n, uint64_t seq64, uint64_t now_us, bint repaired)
    unsigned fw_nack_due(fw_nack_t *n, uint64_t now_us, uint16_t *seqs, unsigned most)
    uint64_t fw_nack_next_us(const fw_nack_t *n)


cdef extern from "stream/keyframes.h" nogil:
    ctypedef struct fw_keyframes_t:
        uint8_t wanted
        uint8_t awaited

    void fw_keyframes_want(fw_keyframes_t *k, uint8_t encodings)
    void fw_keyframes_seen(fw_keyframes_t *k, uint8_t encoding)
    uint8_t fw_keyframes_due(fw_keyframes_t *k, uint64_t now_us)
    void fw_keyframes_charge(fw_keyframes_t *k, uint32_t bytes, uint32_t bytes_per_s)
    uint64_t fw_keyframes_next_us(const fw_keyframes_t *k)


cdef extern from "stream/arrivals.h" nogil:
    ctypedef struct fw_arrivals_t:
        pass

    void fw_arrivals_init(fw_arrivals_t *a)
    void fw_arrivals_add(fw_arrivals_t *a, uint16_t seq16, uint32_t ssrc, uint64_t now_us)
    bint fw_arrivals_pending(const fw_arrivals_t *a)
    bint fw_arrivals_report(fw_arrivals_t *a, fw_rtcp_writer_t *w, uint32_t sender_ssrc)


cdef extern from "base/map.h" nogil:
    ctypedef struct fw_key_t:
        pass

    ctypedef struct fw_map_t:
        uint32_t count

    fw_key_t fw_key(const void *data, size_t len)
    void fw_map_init(fw_map_t *m, uint32_t words, uint64_t seed)
    void fw_map_free(fw_map_t *m)
    void *fw_map_get(const fw_map_t *m, const fw_key_t *key)
    bint fw_map_put(fw_map_t *m, const fw_key_t *key, void *value)
    void fw_map_remove(fw_map_t *m, const fw_key_t *key)


cdef extern from "state/media_set.h" nogil:
    enum: FW_MID_BYTES

    ctypedef struct fw_media_t:
        uint8_t mid_len
        char *mid

    ctypedef struct fw_media_set_t:
        fw_map_t shared

    void fw_media_set_init(fw_media_set_t *m, uint64_t seed)
    void fw_media_set_free(fw_media_set_t *m)
    const fw_media_t *fw_media_set_take(fw_media_set_t *m, const fw_media_t *media)
    void fw_media_set_give_back(fw_media_set_t *m, const fw_media_t *media)


cdef extern from "base/timers.h" nogil:
    ctypedef struct fw_timer_t:
        uint64_t due_us

    ctypedef struct fw_timers_t:
        pass

    void fw_timers_free(fw_timers_t *t)
    bint fw_timers_reserve(fw_timers_t *t, uint32_t count)
    void fw_timers_set(fw_timers_t *t, fw_timer_t *timer, uint64_t due_us)
    uint64_t fw_timers_next_us(const fw_timers_t *t)
    fw_timer_t *fw_timers_take(fw_timers_t *t, uint64_t now_us)


cdef extern from "base/slots.h" nogil:
    ctypedef struct fw_slots_t:
        pass

    void fw_slots_init(fw_slots_t *s, uint32_t limit)
    void fw_slots_free(fw_slots_t *s)
    uint64_t fw_slots_put(fw_slots_t *s, void *item)
    void *fw_slots_get(const fw_slots_t *s, uint64_t id)
    void fw_slots_remove(fw_slots_t *s, uint64_t id)
    uint32_t fw_slots_count(const fw_slots_t *s)
