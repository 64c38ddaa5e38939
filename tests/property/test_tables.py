"""The tables of the core behave as the plain Python things that they stand for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fanwire.fastpath.testing.tables import Map, Medias, Slots, Timers

STEPS = st.sampled_from(["put", "remove"])


@st.composite
def keys_and_steps(draw: st.DrawFn) -> tuple[int, list[tuple[str, bytes]]]:
    """The words of a key, and what is done with keys that fit them."""
    words = draw(st.integers(1, 4))
    long = st.binary(max_size=8 * words).map(lambda key: key.rstrip(b"\0"))
    keys = long | st.integers(0, 60).map(lambda n: b"key%d" % n)
    return words, draw(st.lists(st.tuples(STEPS, keys), max_size=300))


@given(st.integers(0, (1 << 64) - 1), keys_and_steps())
def test_a_map_is_a_dict(seed: int, keyed: tuple[int, list[tuple[str, bytes]]]) -> None:
    words, steps = keyed
    table, model = Map(words, seed), dict[bytes, int]()
    for value, (kind, key) in enumerate(steps, 1):
        if kind == "put":
            table.put(key, value)
            model[key] = value
        elif kind == "remove":
            table.remove(key)
            model.pop(key, None)
        assert table.get(key) == model.get(key)
        assert len(table) == len(model)
    assert {key: table.get(key) for key in model} == model


def test_a_large_map_forgets_nothing_while_it_shrinks() -> None:
    table = Map(4, 9)
    keys = [n.to_bytes(4, "big") for n in range(5000)]
    for value, key in enumerate(keys, 1):
        table.put(key, value)
    for value, key in enumerate(keys, 1):
        if value % 3:
            table.remove(key)
    assert [table.get(key) for key in keys] == [None if value % 3 else value for value, _ in enumerate(keys, 1)]


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=2)), max_size=200))
def test_equal_media_are_one_as_long_as_anybody_uses_them(steps: list[tuple[bool, bytes]]) -> None:
    medias, users, places = Medias(7), dict[bytes, int](), dict[bytes, int]()
    for take, mid in steps:
        if take:
            place, held = medias.take(mid)
            assert held == mid
            assert place == places.setdefault(mid, place)
            users[mid] = users.get(mid, 0) + 1
        elif mid in users:
            medias.give_back(places[mid])
            users[mid] -= 1
            if users[mid] == 0:
                del users[mid], places[mid]
        assert len(medias) == len(users) == len(set(places.values()))


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 1000)), max_size=200), st.integers(0, 1000))
def test_timers_come_out_when_they_are_due_and_in_order(steps: list[tuple[int, int | None]], now_us: int) -> None:
    timers, model = Timers(21), dict[int, int]()
    for number, (timer, due_us) in enumerate(steps):
        timers.set(timer, due_us)
        if due_us is None:
            model.pop(timer, None)
        else:
            model[timer] = due_us
        first_us = min(model.values(), default=None)
        if number % 5 == 0 and (taken := timers.take(500)) is not None:
            assert model.pop(taken) == first_us
        assert timers.next_us() == min(model.values(), default=None)
    order = []
    while (taken := timers.take(now_us)) is not None:
        order.append(model.pop(taken))
    assert order == sorted(order)
    assert all(due_us <= now_us for due_us in order)
    assert all(due_us > now_us for due_us in model.values())


@given(st.integers(1, 40), st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=200))
def test_ids_of_what_is_gone_lead_nowhere(limit: int, steps: list[tuple[bool, int]]) -> None:
    slots, model = Slots(limit), dict[int, int]()
    gone: list[int] = []
    for item, (puts, which) in enumerate(steps, 1):
        if puts or not model:
            added = slots.put(item)
            assert (added is None) == (len(model) == limit)
            if added is not None:
                assert added not in model
                assert added not in gone
                model[added] = item
        else:
            removed = sorted(model)[which % len(model)]
            slots.remove(removed)
            slots.remove(removed)
            del model[removed]
            gone.append(removed)
        assert len(slots) == len(model)
    assert {number: slots.get(number) for number in model} == model
    assert all(slots.get(number) is None for number in gone)
    assert slots.get(0) is None
