"""The congestion control on simulated links: the bars of the scorecard's quick cases, and the simulator itself."""

import pytest

from ci.support.links.cases import Case, cases, worst
from ci.support.links.link import SECOND, Conditions, Link
from ci.support.links.simulation import Simulation, jain

QUICK = [case for case in cases() if case.quick]


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_the_scorecards_bars_hold(case: Case) -> None:
    missed = [measure for measure in worst(case, (1, 2)) if not measure.holds]
    assert missed == []


def test_the_same_seed_gives_the_same_result() -> None:
    def timeline(seed: int) -> list[tuple[int, int, int, int]]:
        conditions = Conditions([(0, 1_000_000)], loss=0.05, stall_us=10_000, reordered=0.02)
        return Simulation(conditions, seed=seed).run(10).flows[0].timeline

    assert timeline(3) == timeline(3)
    assert timeline(3) != timeline(4)


def test_a_link_carries_its_rate_and_drops_what_exceeds_its_queue() -> None:
    link = Link(Conditions([(0, 800_000), (SECOND, 400_000)], queue_us=100_000), seed=1)
    leaving = [link.transmit(1000, now_us) for now_us in range(0, 2 * SECOND, 2000)]
    carried = [us for us in leaving if us is not None]
    assert carried == sorted(carried)
    assert sum(us <= SECOND for us in carried) == pytest.approx(100, abs=1)
    assert sum(SECOND < us <= 2 * SECOND for us in carried) == pytest.approx(50, abs=1)
    assert max(delay for _, delay in link.samples) <= 210_000  # the queue of 100 ms as its rate halves


def test_stalls_take_their_share_of_the_capacity() -> None:
    link = Link(Conditions([(0, 800_000)], stall_us=25_000, stall_every_us=100_000), seed=1)
    leaving = [link.transmit(1000, now_us) for now_us in range(0, 60 * SECOND, 5000)]
    carried = sum(us is not None and us < 60 * SECOND for us in leaving)
    assert carried / 6000 == pytest.approx(0.8, abs=0.03)


def test_jain_is_one_for_equals_and_less_for_others() -> None:
    assert jain([5, 5, 5]) == pytest.approx(1)
    assert jain([1, 0, 0, 0]) == pytest.approx(0.25)
