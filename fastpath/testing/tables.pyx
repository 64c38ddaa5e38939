# cython: language_level=3
"""Python bindings of `stream/`, `base/` and `state/`, for tests: each class is one C struct."""

from libc.stdint cimport UINT64_MAX, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from ..wire cimport fw_rtcp_writer
from .tables cimport *


def seq_extend(uint64_t highest, uint16_t seq16):
    return fw_seq_extend(highest, seq16)


cdef when(uint64_t time_us):
    return None if time_us == UINT64_MAX else time_us


cdef class SeqMap:
    cdef fw_seqmap_t map

    def __init__(self, uint64_t first_out):
        fw_seqmap_init(&self.map, first_out)

    def switch(self, uint64_t first_in):
        fw_seqmap_switch(&self.map, first_in, fw_seqmap_layers(&self.map))
        return self.map.growing.epoch

    def map_number(self, uint64_t number):
        cdef uint64_t out = 0
        cdef fw_layers_t layers
        return None if fw_seqmap_map(&self.map, number, &out, &layers) == FW_SEQ_NONE else out

    def skip(self, uint64_t number):
        return fw_seqmap_skip(&self.map, number)

    def reverse(self, uint64_t out):
        cdef uint64_t number = 0
        cdef fw_stretch_t found
        return (found.epoch, number) if fw_seqmap_reverse(&self.map, out, &number, &found) else None

    @property
    def highest_out(self):
        return self.map.highest_out


cdef class TsMap:
    cdef fw_tsmap_t map

    def __init__(self, uint32_t first_out):
        fw_tsmap_init(&self.map, first_out)

    def switch(self, uint32_t timestamp, uint64_t now_us, uint32_t clock_hz, report, bint same_clock):
        cdef fw_clock_point_t point
        point.known = report is not None
        point.ntp, point.timestamp, point.arrival_us = report or (0, 0, 0)
        fw_tsmap_switch(&self.map, timestamp, now_us, clock_hz, &point, same_clock)

    def advance(self, uint32_t timestamp, uint64_t arrival_us):
        fw_tsmap_advance(&self.map, timestamp, arrival_us)
        return <uint32_t>(timestamp + self.map.offset)


cdef class Cache:
    """Packets of one encoding: in order, or late by less than `size`."""

    cdef fw_cache_t cache
    cdef uint64_t highest

    def __init__(self):
        if not fw_cache_init(&self.cache):
            raise MemoryError

    def __dealloc__(self):
        fw_cache_free(&self.cache)

    def put(self, uint64_t seq64, uint64_t number):
        if seq64 > self.highest:
            fw_cache_advance(&self.cache, self.highest, seq64)
            self.highest = seq64
        fw_cache_mark(&self.cache, seq64, FW_CACHE_CAME)
        fw_cache_put(&self.cache, seq64, number)

    def get(self, uint64_t seq64):
        return fw_cache_get(&self.cache, seq64)

    def came(self, uint64_t seq64):
        return fw_cache_is(&self.cache, seq64, FW_CACHE_CAME)

    def grow(self):
        fw_cache_grow(&self.cache, self.highest)

    @property
    def size(self):
        return self.cache.size


cdef class Frames:
    """Frames of one encoding, with its cache."""

    cdef fw_frames_t frames
    cdef readonly Cache cache

    def __init__(self):
        self.cache = Cache()

    def add(self, uint64_t seq64, bint ends_frame, uint64_t sync_point_seq64, uint64_t now_us):
        self.cache.put(seq64, 0)
        if ends_frame:
            fw_cache_mark(&self.cache.cache, seq64, FW_CACHE_ENDS_FRAME)
        fw_frames_add(&self.frames, &self.cache.cache, self.cache.highest, sync_point_seq64, now_us)

    def __getattr__(self, name):
        return (<object>self.frames)[name]


cdef class Nack:
    cdef fw_nack_t nack

    def __init__(self):
        fw_nack_init(&self.nack)

    def gap(self, uint64_t previous, uint64_t seq64, uint64_t now_us):
        fw_nack_gap(&self.nack, previous, seq64, now_us)

    def received(self, uint64_t seq64, uint64_t now_us, bint repaired):
        fw_nack_received(&self.nack, seq64, now_us, repaired)

    def due(self, uint64_t now_us):
        cdef uint16_t[256] seqs
        count = fw_nack_due(&self.nack, now_us, seqs, 256)
        return [seqs[i] for i in range(count)]

    def next_us(self):
        return when(fw_nack_next_us(&self.nack))

    def take_gave_up(self):
        gave_up = self.nack.gave_up
        self.nack.gave_up = False
        return gave_up

    @property
    def rtt_us(self):
        return self.nack.rtt_us

    @property
    def given_up(self):
        return self.nack.given_up


cdef class Keyframes:
    cdef fw_keyframes_t keyframes

    def want(self, uint8_t encodings):
        fw_keyframes_want(&self.keyframes, encodings)

    def seen(self, uint8_t encoding):
        fw_keyframes_seen(&self.keyframes, encoding)

    def due(self, uint64_t now_us):
        return fw_keyframes_due(&self.keyframes, now_us)

    def charge(self, uint32_t keyframe_bytes, uint32_t bytes_per_s):
        fw_keyframes_charge(&self.keyframes, keyframe_bytes, bytes_per_s)

    def next_us(self):
        return when(fw_keyframes_next_us(&self.keyframes))


cdef class Arrivals:
    cdef fw_arrivals_t arrivals

    def __init__(self):
        fw_arrivals_init(&self.arrivals)

    def add(self, uint16_t seq16, uint64_t now_us):
        fw_arrivals_add(&self.arrivals, seq16, 1, now_us)

    def report(self, size_t cap=1200):
        cdef uint8_t[2048] out
        if cap > sizeof(out):
            raise ValueError("no room for so many bytes")
        messages = []
        while fw_arrivals_pending(&self.arrivals):
            writer = fw_rtcp_writer(out, cap)
            if not fw_arrivals_report(&self.arrivals, &writer, 7):
                break
            messages.append(out[:writer.len])
        return messages


cdef class Map:
    """Maps keys of up to `words` words of 8 bytes to numbers above 0."""

    cdef fw_map_t map

    def __init__(self, uint32_t words, uint64_t seed):
        fw_map_init(&self.map, words, seed)

    def __dealloc__(self):
        fw_map_free(&self.map)

    def __len__(self):
        return self.map.count

    def get(self, bytes key):
        cdef const uint8_t *start = key
        cdef fw_key_t k = fw_key(start, len(key))
        return <uintptr_t>fw_map_get(&self.map, &k) or None

    def put(self, bytes key, uintptr_t value):
        cdef const uint8_t *start = key
        cdef fw_key_t k = fw_key(start, len(key))
        if not fw_map_put(&self.map, &k, <void *>value):
            raise MemoryError

    def remove(self, bytes key):
        cdef const uint8_t *start = key
        cdef fw_key_t k = fw_key(start, len(key))
        fw_map_remove(&self.map, &k)


cdef class Medias:
    cdef fw_media_set_t medias

    def __init__(self, uint64_t seed):
        fw_media_set_init(&self.medias, seed)

    def __dealloc__(self):
        fw_media_set_free(&self.medias)

    def __len__(self):
        return self.medias.shared.count

    def take(self, bytes mid):
        cdef fw_media_t media
        cdef const fw_media_t *shared
        if len(mid) > FW_MID_BYTES:
            raise ValueError("a MID has at most 32 bytes")
        memset(&media, 0, sizeof(media))
        media.mid_len = len(mid)
        memcpy(media.mid, <const char *>mid, len(mid))
        shared = fw_media_set_take(&self.medias, &media)
        if shared == NULL:
            raise MemoryError
        return <uintptr_t>shared, (<const char *>shared.mid)[:shared.mid_len]

    def give_back(self, uintptr_t place):
        fw_media_set_give_back(&self.medias, <const fw_media_t *>place)


cdef class Timers:
    """Timers numbered from 0."""

    cdef fw_timers_t timers
    cdef fw_timer_t *all

    def __init__(self, uint32_t count):
        self.all = <fw_timer_t *>calloc(count, sizeof(fw_timer_t))
        if self.all == NULL or not fw_timers_reserve(&self.timers, count + 1):
            raise MemoryError

    def __dealloc__(self):
        fw_timers_free(&self.timers)
        free(self.all)

    def set(self, uint32_t timer, due_us):
        fw_timers_set(&self.timers, &self.all[timer], UINT64_MAX if due_us is None else due_us)

    def next_us(self):
        return when(fw_timers_next_us(&self.timers))

    def take(self, uint64_t now_us):
        cdef fw_timer_t *timer = fw_timers_take(&self.timers, now_us)
        return None if timer == NULL else timer - self.all


cdef class Slots:
    """Maps ids to numbers above 0."""

    cdef fw_slots_t slots

    def __init__(self, uint32_t limit):
        fw_slots_init(&self.slots, limit)

    def __dealloc__(self):
        fw_slots_free(&self.slots)

    def __len__(self):
        return fw_slots_count(&self.slots)

    def put(self, uintptr_t item):
        return fw_slots_put(&self.slots, <void *>item) or None

    def get(self, uint64_t id):
        return <uintptr_t>fw_slots_get(&self.slots, id) or None

    def remove(self, uint64_t id):
        fw_slots_remove(&self.slots, id)
