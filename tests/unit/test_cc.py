"""The leaves of the congestion controller, each by itself."""

import random

from fanwire.fastpath.testing.cc import Acked, Bucket, Delay, Estimator, History

SECOND = 1_000_000
DAYS = 86_400 * SECOND


def test_a_packet_is_acknowledged_once_with_its_time_and_size() -> None:
    history = History()
    history.put(65_535, 1200, 1_000_000)
    history.put(0, 90, 1_020_000)
    first = history.take(0, 1_100_000)
    assert first is not None
    sent_us, size, overdue = first
    assert abs(sent_us - 1_020_000) < 64
    assert (size, overdue) == (90, False)
    assert history.take(0, 1_100_000) is None
    late = history.take(65_535, 1_100_000)
    assert late is not None
    assert late[1:] == (1200, True)
    assert history.take(7, 1_100_000) is None


def test_numbers_that_were_not_sent_match_nothing() -> None:
    history = History()
    for seq in range(40):
        history.put(seq, 100, 1000)
    history.put(50, 100, 2000)
    assert [seq for seq in range(100) if history.take(seq, 3000)] == [*range(40), 50]


def test_the_history_grows_with_packets_in_flight_only() -> None:
    acknowledged, silent = History(), History()
    for seq in range(20_000):
        now_us = seq * 1000
        acknowledged.put(seq, 1000, now_us)
        silent.put(seq, 1000, now_us)
        if seq >= 50:
            assert acknowledged.take(seq - 50, now_us)
    assert acknowledged.size == 64
    assert silent.size == 1024  # one second of packets
    assert silent.take(19_999 - 1000, 19_999_000) is not None


def test_the_acknowledged_rate_is_that_of_the_window() -> None:
    acked = Acked()
    for packet in range(100):
        acked.add(-SECOND + packet * 10_000, 1250)
    for window_us in (200_000, 500_000):
        assert abs(acked.bps(window_us) - SECOND) < 0.1 * SECOND
    acked.add(3 * SECOND, 1250)
    assert acked.bps(500_000) <= 1250 * 8 * 25  # what came before the pause is forgotten


def test_a_standing_queue_is_overuse_and_a_spike_is_not() -> None:
    delay = Delay()
    now_us = SECOND

    def add(one_way_us: int, times: int) -> list[bool]:
        nonlocal now_us
        found = []
        for _ in range(times):
            now_us += 60_000
            found.append(delay.add(one_way_us, now_us))
        return found

    offset_us = -5 * DAYS  # the clocks need not agree
    assert not any(add(offset_us, 20))
    assert not any(add(offset_us + 80_000, 1) + add(offset_us, 20))
    assert add(offset_us + 50_000, 4)[-1]
    assert not any(add(offset_us, 20))
    assert add(offset_us + 150_000, 2)[-1]


def test_a_clock_that_steps_is_no_queue() -> None:
    delay = Delay()
    assert not delay.add(0, SECOND)
    assert not delay.add(3600 * SECOND, 2 * SECOND)
    assert not delay.add(3600 * SECOND + 1000, 3 * SECOND)
    assert delay.queue_us == 1000


def test_the_base_follows_a_clock_that_drifts() -> None:
    delay = Delay()
    for step in range(10_000):  # ten minutes at 100 parts in a million
        assert not delay.add(step * 6, step * 60_000)
    assert delay.queue_us < 3000


def test_a_bucket_passes_its_rate_and_no_burst_over_its_depth() -> None:
    bucket = Bucket()
    passed = 0
    for now_us in range(SECOND, 11 * SECOND, 500):
        bucket.fill(800_000, 40_000, now_us)
        while bucket.open():
            bucket.spend(1000)
            passed += 1000
    assert 1_000_000 <= passed <= 1_000_000 + 4000 + 1000
    bucket.spend(1000)
    opens_us = bucket.open_us(800_000)
    assert opens_us is not None
    bucket.fill(800_000, 40_000, opens_us)
    assert bucket.open()


def run(estimator: Estimator, bps: int, seconds: float, *, start_us: int, first: int = 0, loss: float = 0.0) -> int:
    """Sends 1000-byte packets at a rate over a path of 20 ms that carries all of it; returns the next number."""
    chance = random.Random(1)
    gap_us = 8000 * SECOND // bps
    seq, reported = first, first
    now_us = start_us
    while now_us < start_us + seconds * SECOND:
        estimator.sent(seq & 0xFFFF, 1000, "media", now_us)
        seq += 1
        if seq - reported >= 10:
            arrivals = [
                None if chance.random() < loss else start_us + (n - first) * gap_us for n in range(reported, seq)
            ]
            estimator.feedback(reported & 0xFFFF, arrivals, now_us + 40_000)
            reported = seq
        now_us += gap_us
    return seq


def test_the_estimate_grows_to_one_and_a_half_times_what_is_acknowledged() -> None:
    estimator = Estimator(SECOND)
    run(estimator, 400_000, 60, start_us=DAYS)
    assert 560_000 < estimator.estimate_bps < 660_000


def test_loss_lowers_the_estimate_from_a_fifth_on() -> None:
    few, many = Estimator(SECOND), Estimator(SECOND)
    run(few, 400_000, 20, start_us=DAYS, loss=0.10)
    run(many, 400_000, 20, start_us=DAYS, loss=0.35)
    assert few.estimate_bps > 400_000
    assert many.estimate_bps < 300_000
    assert 250 < many.loss_permille < 450 or many.reason == "lost"


def test_the_estimate_halves_while_feedback_stays_away() -> None:
    estimator = Estimator(SECOND)
    seq = run(estimator, 400_000, 10, start_us=DAYS)
    before = estimator.estimate_bps
    silent_us = DAYS + 10 * SECOND
    for tick in range(60):
        now_us = silent_us + tick * 50_000
        estimator.sent((seq + tick) & 0xFFFF, 1000, "media", now_us)
        estimator.tick(now_us)
    assert before / 9 < estimator.estimate_bps < before / 3
    assert estimator.reason == "no feedback"


def test_feedback_that_matches_nothing_sent_changes_nothing() -> None:
    estimator = Estimator(SECOND)
    run(estimator, 400_000, 5, start_us=DAYS)
    before = estimator.estimate_bps
    estimator.feedback(40_000, [DAYS] * 1024, DAYS + 6 * SECOND)
    estimator.feedback(0, [DAYS, None] * 512, DAYS + 6 * SECOND)
    assert estimator.estimate_bps == before


def test_probes_go_on_while_media_is_paused() -> None:
    estimator = Estimator(SECOND)
    estimator.set_needs(10_000_000)
    seq = run(estimator, 100_000, 2, start_us=DAYS)
    sent = 0
    for now_us in range(DAYS + 3 * SECOND, DAYS + 40 * SECOND, 5_000):
        estimator.tick(now_us)
        while size := estimator.probe_bytes(now_us):
            estimator.sent((seq + sent) & 0xFFFF, size, "probe", now_us)
            sent += 1
    assert sent >= 6 * 5


def test_a_new_path_starts_anew() -> None:
    estimator = Estimator(SECOND)
    start_bps = estimator.estimate_bps
    run(estimator, 2_000_000, 20, start_us=DAYS)
    assert estimator.estimate_bps > 2 * start_bps
    estimator.restart(DAYS + 30 * SECOND)
    assert estimator.estimate_bps == start_bps


def test_repairs_take_a_fifth_of_the_estimate_and_refusals_are_congestion() -> None:
    estimator = Estimator(SECOND)
    run(estimator, 400_000, 60, start_us=DAYS)
    before, sent = estimator.estimate_bps, 0
    for step in range(100):
        sent += 1000 * estimator.repair(1000, DAYS + 60 * SECOND + step * 10_000)
    assert sent * 8 <= 0.2 * before * 1.2 + 8000
    assert estimator.reason == "over-repaired"
    assert estimator.estimate_bps < 400_000


def test_a_viewer_of_two_and_a_half_megabits_takes_less_than_a_kilobyte() -> None:
    estimator = Estimator(SECOND)
    run(estimator, 2_500_000, 10, start_us=DAYS)
    assert estimator.memory_bytes <= 1024
