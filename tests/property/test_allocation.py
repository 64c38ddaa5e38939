"""Allocation of a viewer's bit rate: never over budget, by priority, and steady in time."""

import random

from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing.cc import PAUSED, Allocator, arrange

SECOND = 1_000_000
Videos = list[tuple[list[int], int, int]]  # costs, priority, cap
LADDER = (148_000, 500_000, 2_470_000)

costs = st.lists(st.integers(10_000, 5_000_000), min_size=1, max_size=9, unique=True).map(sorted)
claims = st.lists(st.tuples(costs, st.integers(0, 3), st.integers(-1, 8)), max_size=50).map(
    lambda found: sorted(found, key=lambda claim: -claim[1])
)
rungs = st.lists(
    st.tuples(st.integers(1, 10_000), st.sampled_from((180, 360, 720)), st.sampled_from((7, 15, 30))), max_size=12
)


def taken(allocator: Allocator, videos: Videos) -> int:
    given_rungs = zip(videos, allocator.rungs_given, strict=True)
    return sum(video[0][rung] for video, rung in given_rungs if rung != PAUSED)


@given(claims, st.integers(0, 20_000_000), st.integers(0, 200_000))
def test_an_allocation_keeps_to_budget_and_caps_and_leaves_no_room(
    videos: Videos, budget_bps: int, sound_bps: int
) -> None:
    allocator = Allocator(videos)
    used_bps = allocator.allocate(budget_bps, sound_bps)
    assert used_bps == sound_bps + taken(allocator, videos)
    assert used_bps <= max(budget_bps, sound_bps)
    for (ladder, _, cap), rung in zip(videos, allocator.rungs_given, strict=True):
        assert PAUSED <= rung <= min(cap, len(ladder) - 1)
        if rung < min(cap, len(ladder) - 1):  # the next step does not fit, even now that all others have theirs
            step_bps = ladder[rung + 1] - (ladder[rung] if rung >= 0 else 0)
            assert used_bps + step_bps > budget_bps


@given(costs, st.integers(0, 10_000_000), st.integers(2, 5))
def test_a_higher_priority_never_gets_the_lower_rung_of_equals(ladder: list[int], budget_bps: int, count: int) -> None:
    allocator = Allocator([(ladder, count - index, 8) for index in range(count)])
    allocator.allocate(budget_bps)
    given_rungs = allocator.rungs_given
    assert given_rungs == sorted(given_rungs, reverse=True)


@given(rungs, st.booleans())
def test_arranged_rungs_ascend_in_cost_and_worth(found: list[tuple[int, int, int]], screen: bool) -> None:
    kept = arrange(found, screen)
    assert [rung[0] for rung in kept] == sorted({rung[0] for rung in kept})
    assert set(kept) <= set(found)
    assert bool(kept) == bool(found)
    worths = [(height, fps) if screen else (min(fps, 15), height, fps) for _, height, fps in kept]
    assert worths == sorted(set(worths))


def test_a_rung_is_lost_at_once_where_the_path_suffers_else_after_a_second() -> None:
    for suffers, wait_us in (({"queue_us": 150_000}, 0), ({"loss_permille": 80}, 0), ({}, SECOND)):
        allocator = Allocator([(LADDER, 1, 2)])
        allocator.run(600_000, SECOND)
        assert allocator.rungs_given == [1]
        start_us = 60 * SECOND
        lost_us = next(
            now_us
            for now_us in range(start_us, start_us + 3 * SECOND, 100_000)
            if allocator.run(450_000, now_us, **suffers)
        )
        assert lost_us - start_us == wait_us
        assert allocator.rungs_given == [0]


def test_a_rung_lost_soon_after_its_gain_is_barred_for_longer_each_time() -> None:
    allocator = Allocator([(LADDER, 1, 2)])
    now_us = SECOND
    allocator.run(300_000, now_us)
    gaps_us: list[int] = []
    lost_us: int | None = None
    while len(gaps_us) < 4 and now_us < 1000 * SECOND:
        now_us += 100_000
        estimate_bps = 400_000 if allocator.rungs_given == [1] else 600_000
        if allocator.run(estimate_bps, now_us, queue_us=150_000):
            if allocator.rungs_given == [0]:
                lost_us = now_us
            elif lost_us is not None:
                gaps_us.append(now_us - lost_us)
    assert gaps_us == sorted(gaps_us)
    assert gaps_us[0] >= 5 * SECOND
    assert gaps_us[-1] >= 100 * SECOND


def test_the_first_video_stays_while_others_pause_and_resume() -> None:
    ladder = (100_000,)
    allocator = Allocator([(ladder, 2, 0), (ladder, 1, 0)])
    allocator.run(300_000, SECOND)
    assert allocator.rungs_given == [0, 0]
    allocator.run(85_000, 20 * SECOND, queue_us=150_000)
    assert allocator.rungs_given == [0, PAUSED]
    assert not allocator.run(300_000, 23 * SECOND)  # paused for 5 s at least
    assert not allocator.run(239_000, 26 * SECOND)  # resumed at 1.2 times the need
    assert allocator.run(241_000, 27 * SECOND)
    assert allocator.rungs_given == [0, 0]
    allocator.run(70_000, 40 * SECOND, queue_us=150_000)
    assert allocator.rungs_given == [PAUSED, PAUSED]


def test_a_video_that_is_paused_again_and_again_always_resumes_after_its_pause() -> None:
    allocator = Allocator([(LADDER, 1, 2)])
    now_us = SECOND
    allocator.run(600_000, now_us)
    for _ in range(5):
        now_us += 2 * SECOND
        allocator.run(50_000, now_us, queue_us=150_000)
        assert allocator.rungs_given == [PAUSED]
        allocator.run(50_000, now_us + 5 * SECOND)
        assert allocator.needs_bps > 0  # so that probes find the bit rate to resume with
        now_us += 6 * SECOND
        allocator.run(200_000, now_us)
        assert allocator.rungs_given == [0]


def test_any_course_of_estimates_keeps_within_the_estimate_after_a_second() -> None:
    chance = random.Random(5)
    videos = [(list(LADDER), 2, 2), (list(LADDER), 1, 2), (list(LADDER), 1, 1)]
    allocator = Allocator(videos)
    estimate_bps, since_us = 3_000_000, 0
    for step in range(20_000):
        now_us = SECOND + step * 100_000
        if chance.random() < 0.02:
            estimate_bps, since_us = chance.randrange(30_000, 8_000_000), now_us
        allocator.run(estimate_bps, now_us)
        if now_us - since_us >= 1_100_000:
            lowest_alone = allocator.rungs_given == [0, PAUSED, PAUSED]
            assert taken(allocator, videos) <= estimate_bps * (1.25 if lowest_alone else 1)
