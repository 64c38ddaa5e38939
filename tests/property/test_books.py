"""The books of one stream: missing packets, arrivals, and wanted keyframes."""

from __future__ import annotations

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing import probes
from fanwire.fastpath.testing.tables import Arrivals, Cache, Frames, Keyframes, Nack

TRIES, LIFE_US, LEAST_RETRY_US = 10, 2_000_000, 20_000

# (time until then, packets lost before it, whether an old one is repaired)
TRAFFIC = st.lists(st.tuples(st.integers(100, 200_000), st.integers(0, 8), st.booleans()), min_size=1, max_size=60)


@given(TRAFFIC, st.randoms(use_true_random=False))
def test_what_is_missing_is_asked_for_with_patience_and_not_for_ever(
    traffic: list[tuple[int, int, bool]], chance: Random
) -> None:
    nack, now_us, highest = Nack(), 1, 0x10000
    missing: dict[int, int] = {}  # 16 bits to since when
    asked: dict[int, list[int]] = {}
    for wait_us, lost, repaired in traffic:
        end_us = now_us + wait_us
        while (next_us := nack.next_us()) is not None and next_us <= end_us:
            now_us = max(now_us, next_us)
            for seq in nack.due(now_us):
                assert seq in missing
                assert now_us - missing[seq] <= LIFE_US
                assert highest - ((highest - seq) & 0xFFFF) > nack.given_up
                asked.setdefault(seq, []).append(now_us)
            assert nack.due(now_us) == []
        now_us = end_us
        if lost:
            nack.gap(highest, highest + lost + 1, now_us)
            missing |= {(highest + i + 1) & 0xFFFF: now_us for i in range(lost)}
        highest += lost + 1
        if repaired and missing:
            seq = chance.choice(sorted(missing))
            del missing[seq]
            rtt_us, again = nack.rtt_us, bool(chance.getrandbits(1))
            nack.received(highest - ((highest - seq) & 0xFFFF), now_us, again)
            assert again or nack.rtt_us == rtt_us, "what is late tells nothing of the round trip"
    while (next_us := nack.next_us()) is not None:  # and it comes to an end
        for seq in nack.due(max(now_us, next_us)):
            asked.setdefault(seq, []).append(next_us)
    assert all(highest - ((highest - seq) & 0xFFFF) <= nack.given_up for seq in missing)
    assert missing.keys() <= asked.keys()
    for times in asked.values():
        assert len(times) <= TRIES
        assert all(after - before >= LEAST_RETRY_US for before, after in itertools.pairwise(times))


@given(st.integers(1, 400), st.integers(1, 400))
def test_more_than_can_be_asked_for_is_told(first: int, second: int) -> None:
    nack = Nack()
    nack.gap(0x10000, 0x10000 + first + 1, 1)
    nack.gap(0x10001 + first, 0x10001 + first + second + 1, 2)
    due = nack.due(2)
    assert len(due) <= 128
    assert nack.take_gave_up() == (first > 128 or second > 128 or first + second > 128)
    if second <= 128:
        assert set(due) >= {(0x10002 + first + i) & 0xFFFF for i in range(second)}


# (bytes of a keyframe, bytes a second): from nothing known to the dearest there could be
COSTS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1) | st.integers(0, 100))
STEPS = st.tuples(st.integers(0, 900_000), st.sampled_from(["want", "seen", "time"]), st.integers(0, 3))


@given(st.lists(STEPS), st.lists(COSTS, min_size=1))
def test_keyframes_are_asked_for_seldom_and_surely(
    steps: list[tuple[int, str, int]], costs: list[tuple[int, int]]
) -> None:
    keyframes, now_us, cost = Keyframes(), 1, itertools.cycle(costs)
    asked: list[tuple[int, int]] = []  # when, and how soon the next may follow for its cost
    wanted_since: dict[int, int] = {}
    unanswered: set[int] = set()
    for wait_us, kind, encoding in steps:
        end_us = now_us + wait_us
        while (next_us := keyframes.next_us()) is not None and next_us <= end_us:
            now_us = max(now_us, next_us)
            bits = keyframes.due(now_us)
            assert bits
            assert all(now_us - at_us >= (1_000_000 if unanswered else spacing_us) for at_us, spacing_us in asked[-1:])
            size, rate = next(cost)
            keyframes.charge(size, rate)
            paid_us = size * 4_000_000 // rate if rate else 0
            asked.append((now_us, min(max(paid_us, 1_000_000), 2_000_000)))
            unanswered |= {bit for bit in range(4) if bits >> bit & 1}
            for bit in unanswered:
                wanted_since.pop(bit, None)
            assert keyframes.due(now_us) == 0
        now_us = end_us
        if kind == "want":
            keyframes.want(1 << encoding)
            wanted_since.setdefault(encoding, now_us)
        elif kind == "seen":
            keyframes.seen(encoding)
            wanted_since.pop(encoding, None)
            unanswered.discard(encoding)
        assert all(now_us - since <= 2_000_000 for since in wanted_since.values())
        if wanted_since or unanswered:
            assert keyframes.next_us() is not None


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30_000), st.booleans()), min_size=1, max_size=150),
    st.sampled_from([60, 300, 1200]),
)
def test_feedback_tells_every_arrival_and_every_loss(
    first: int, packets: list[tuple[int, int, bool]], cap: int
) -> None:
    """Each packet: how many places it comes late, the time until then, and whether feedback goes out after it."""
    order = sorted(range(len(packets)), key=lambda n: n + packets[n][0])
    lost = {n for n in order if n % 7 == 3 and n not in (order[0], max(order))}
    arrivals, now_us = Arrivals(), 1_000_000
    truth: dict[int, int] = {}
    told: dict[int, int | None] = {}
    messages: list[bytes] = []
    base = order[0]
    for n in order:
        now_us += packets[n][1]
        if n not in lost:
            arrivals.add((first + n) & 0xFFFF, now_us)
            truth[n] = now_us
        if packets[n][2] or n == order[-1]:
            fresh = arrivals.report(cap)
            assert all(len(message) <= cap for message in fresh)
            messages += fresh
            told |= {k: us for k, us in read(fresh, first).items() if us is not None or k not in told}
    assert {n: us // 250 for n, us in truth.items()} == {n: us // 250 for n, us in told.items() if us is not None}
    known = range(min(base, *truth), max(truth) + 1)
    assert {n for n in known if n not in truth} == {n for n, us in told.items() if us is None}
    counts = [message[19] for message in messages]
    assert counts == [n & 0xFF for n in range(len(counts))]


def read(messages: list[bytes], first: int) -> dict[int, int | None]:
    """Arrivals by place from `first` on."""
    told: dict[int, int | None] = {}
    for message in messages:
        (packet,), ok = probes.rtcp_parse(message)
        assert ok
        twcc = packet["twcc"]
        assert twcc is not None
        place = (twcc["base_seq16"] - first + 0x8000 & 0xFFFF) - 0x8000
        for n, us in enumerate(twcc["arrivals_us"], place):
            told[n] = us if us is not None else told.get(n)
    return told


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=60), st.integers(0, 0xFFFF))
def test_a_cache_knows_its_last_numbers_and_nothing_else_however_it_grows(
    steps: list[tuple[int, bool]], first: int
) -> None:
    cache, came, highest = Cache(), {}, first + 0x10000
    cache.put(highest, 0)
    came[highest] = 0
    for number, (distance, ahead) in enumerate(steps, 1):
        seq = highest + distance if ahead else highest - min(distance, cache.size - 1)
        highest = max(highest, seq)
        cache.put(seq, number)
        came[seq] = number
        if number % 20 == 0:
            window = range(highest - cache.size + 1, highest + 1)
            came = {seq: put for seq, put in came.items() if seq in window}  # what was forgotten does not come back
            cache.grow()
    for seq in range(highest - cache.size + 1, highest + 1):
        assert cache.came(seq) == (seq in came)
        assert cache.get(seq) == came.get(seq, 2**62 - 1)


FREEZE_US = 500_000

# (packets of the frame, whether it is a keyframe, which of them come when the frame does, time until the next frame)
FRAMES = st.lists(
    st.tuples(st.integers(1, 4), st.booleans(), st.integers(0, 15), st.integers(1_000, 900_000)),
    min_size=1,
    max_size=40,
)


@given(FRAMES, st.integers(0, 5))
def test_frames_count_once_all_before_them_since_a_keyframe_has_come(
    frames: list[tuple[int, bool, int, int]], repaired_after: int
) -> None:
    counted, model = Frames(), PatientDecoder()
    seq, now_us, entry, late = 0x10000, 1, 0, []
    for number, (packets, key, come, wait_us) in enumerate(frames):
        now_us += wait_us
        numbers = range(seq, seq + packets)
        seq += packets
        first_comes = come & 1
        if (key or number == 0) and first_comes:
            entry = numbers[0]
        arrived = [n for i, n in enumerate(numbers) if come >> i & 1]
        late.append((number + repaired_after, [n for n in numbers if n not in arrived], numbers[-1]))
        for n in arrived:
            counted.add(n, n == numbers[-1], entry, now_us)
            model.add(n, n == numbers[-1], entry, now_us)
        for due, missing, last in late:
            for n in missing if due == number and repaired_after else ():
                counted.add(n, n == last, entry, now_us)
                model.add(n, n == last, entry, now_us)
    gaps = [after - before for before, after in itertools.pairwise(model.shown_us)]
    assert counted.count == len(model.shown_us)
    assert counted.longest_us == max(gaps, default=0)
    assert counted.freezes == sum(gap > FREEZE_US for gap in gaps)
    assert counted.frozen_us == sum(gap for gap in gaps if gap > FREEZE_US)


class PatientDecoder:
    """Keeps all packets, and shows what it can."""

    def __init__(self) -> None:
        self.ends: dict[int, bool] = {}
        self.next = 0
        self.shown_us: list[int] = []

    def add(self, seq: int, ends: bool, entry: int, now_us: int) -> None:
        self.ends[seq] = ends
        self.next = max(self.next, entry)
        while self.next and self.next in self.ends:
            if self.ends[self.next]:
                self.shown_us.append(now_us)
            self.next += 1


def test_a_stall_longer_than_the_window_ends_with_the_next_keyframe() -> None:
    frames = Frames()
    frames.add(100, True, 100, 1)
    for seq in range(102, 2000):  # 101 is lost for good
        frames.add(seq, True, 100, 1_000 * seq)
    assert (frames.count, frames.freezes) == (1, 0)
    frames.add(2000, True, 2000, 2_000_000)
    assert (frames.count, frames.freezes) == (2, 1)
    assert frames.frozen_us == frames.longest_us == 2_000_000 - 1
