"""Sequence numbers and timestamps of a consumer, whatever its sources do."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from fanwire.fastpath.testing.tables import SeqMap, TsMap, seq_extend

FIRST_OUT = 77
REMEMBERED, RUNS = 64, 4  # stretches of numbers, and of sources; older ones may be forgotten

# A packet so far from the newest of its source, one to leave out, or another source and where it begins.
STEPS = st.lists(
    st.tuples(st.just("packet"), st.integers(-12, 4))
    | st.tuples(st.just("packet"), st.just(1))
    | st.tuples(st.just("skip"), st.integers(-12, 4))
    | st.tuples(st.just("switch"), st.integers(1 << 16, 1 << 40)),
    max_size=300,
)


@given(st.integers(1 << 16, 1 << 48), st.integers(-0x8000, 0x7FFF))
def test_sixteen_bits_find_the_nearest_number(highest: int, distance: int) -> None:
    assert seq_extend(highest, (highest + distance) & 0xFFFF) == highest + distance


class Listener:
    """Follows a SeqMap and knows what it has given."""

    def __init__(self) -> None:
        self.map = SeqMap(FIRST_OUT)
        self.epoch = self.highest = 0
        self.given: dict[int, tuple[int, int]] = {}
        self.skipped: set[tuple[int, int]] = set()
        self.stretches_at: dict[int, int] = {}
        self.stretches = 0

    def switch(self, first: int) -> None:
        before = self.map.highest_out
        self.epoch = self.map.switch(first)
        self.highest = first
        self.stretches += 1
        self.packet(first)
        assert self.map.highest_out == before + 1

    def packet(self, number: int) -> None:
        out = self.map.map_number(number)
        if number > self.highest:
            assert out is not None
            self.highest = number
        if out is None:
            return
        assert (self.epoch, number) not in self.skipped
        assert self.given.setdefault(out, (self.epoch, number)) == (self.epoch, number)
        self.stretches_at.setdefault(out, self.stretches)

    def skip(self, number: int) -> None:
        gone = self.map.skip(number)
        assert gone == (number > self.highest)
        if gone:
            self.highest = number
            self.skipped.add((self.epoch, number))
            self.stretches += 1


@given(st.integers(1 << 16, 1 << 40), STEPS)
def test_no_number_is_given_twice_and_each_leads_back(first: int, steps: list[tuple[str, int]]) -> None:
    listener = Listener()
    listener.switch(first)
    for kind, value in steps:
        if kind == "switch":
            listener.switch(value)
        elif kind == "packet":
            listener.packet(listener.highest + value)
        else:
            listener.skip(listener.highest + value)
    in_order = sorted(listener.given)
    sources = [listener.given[out] for out in in_order]
    assert sources == sorted(sources)
    for out, source in listener.given.items():
        if listener.stretches - listener.stretches_at[out] < REMEMBERED and listener.epoch - source[0] < RUNS:
            assert listener.map.reverse(out) == source
        else:
            assert listener.map.reverse(out) in (source, None)
    assert listener.map.reverse(listener.map.highest_out + 1) is None


@given(st.integers(1 << 16, 1 << 40), st.lists(st.booleans(), max_size=200), st.integers(1, 9))
def test_what_is_left_out_leaves_no_gap(first: int, wanted: list[bool], every: int) -> None:
    """Also over a change of source, here after each so many packets."""
    listener = Listener()
    listener.switch(first)
    for count, want in enumerate(wanted, 1):
        if count % every == 0:
            listener.switch(first + 1000 * count)
        (listener.packet if want else listener.skip)(listener.highest + 1)
    assert sorted(listener.given) == list(range(FIRST_OUT, FIRST_OUT + len(listener.given)))


@given(st.integers(1 << 16, 1 << 40), st.sampled_from([1, 0xFFFE, 0xFFFF, 0x10000, 200_000]), st.booleans())
def test_long_stretches_and_long_gaps_lead_back_as_far_as_a_nack_can_tell(first: int, long: int, gap: bool) -> None:
    numbers = SeqMap(FIRST_OUT)
    numbers.switch(first)
    sources = [first]
    numbers.map_number(first)
    for number in range(first + 1, first + 1 + long):
        (numbers.skip if gap else numbers.map_number)(number)
    sources += [] if gap else range(first + 1, first + 1 + long)
    for number in range(first + 1 + long, first + 21 + long):
        if number % 2:
            numbers.skip(number)
        else:
            numbers.map_number(number)
            sources.append(number)
    assert numbers.highest_out == FIRST_OUT + len(sources) - 1
    for out in {*range(max(FIRST_OUT, numbers.highest_out - 1000), numbers.highest_out + 1), FIRST_OUT}:
        forgotten = long > 0xFFF0 and out == FIRST_OUT
        assert numbers.reverse(out) in [(1, sources[out - FIRST_OUT]), None if forgotten else ()]


def ntp(us: int) -> int:
    return (us // 1_000_000 << 32) + (us % 1_000_000 << 32) // 1_000_000


SWITCHES = st.lists(
    st.tuples(
        st.integers(0, 0xFFFFFFFF),  # what the source's clock shows at time 0
        st.integers(1_000, 1_500_000),  # the time until it takes over
        st.integers(0, 200_000),  # how long its packets are under way
        st.integers(0, 5),  # more packets of it
    ),
    min_size=2,
    max_size=8,
)


def test_a_source_that_arrived_before_the_last_packet_goes_on_by_one_tick() -> None:
    tsmap = TsMap(1000)
    tsmap.switch(0, 2_000_000, 90_000, None, same_clock=False)
    before = tsmap.advance(9_000, 2_100_000)
    tsmap.switch(500_000, 1_400_000, 90_000, None, same_clock=False)
    assert tsmap.advance(500_000, 1_400_000) == before + 1


@given(st.integers(0, 0xFFFFFFFF), st.sampled_from([8_000, 48_000, 90_000]), SWITCHES, st.booleans())
@example(0xFFFFFFFF, 90_000, [(0, 1_000, 200_000, 0), (5, 1_000, 0, 0)], True)
def test_time_never_goes_back_and_follows_the_clock_that_sources_share(
    first_out: int, clock_hz: int, switches: list[tuple[int, int, int, int]], reported: bool
) -> None:
    tsmap = TsMap(first_out)
    captured_us = arrived_us = 1_000_000
    outs: list[int] = []
    times_us: list[int] = []
    for zero, wait_us, delay_us, more in switches:

        def stamp(us: int, zero: int = zero) -> int:
            return (zero + us * clock_hz // 1_000_000) & 0xFFFFFFFF

        captured_us += wait_us
        arrived_us = max(arrived_us, captured_us + delay_us)
        report = (ntp(captured_us), stamp(captured_us), arrived_us) if reported else None
        tsmap.switch(stamp(captured_us), arrived_us, clock_hz, report, same_clock=True)
        for _ in range(more + 1):
            outs.append(tsmap.advance(stamp(captured_us), arrived_us))
            times_us.append(captured_us)
            captured_us += 20_000
            arrived_us = max(arrived_us, captured_us + delay_us)
        captured_us -= 20_000
    assert outs[0] == first_out
    steps = [(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(outs)]
    assert all(0 < step < 0x80000000 for step in steps)
    if reported:
        passed_us = times_us[-1] - times_us[0]
        shown = (outs[-1] - outs[0]) & 0xFFFFFFFF
        assert abs(shown - passed_us * clock_hz // 1_000_000) <= 2 * len(switches)
