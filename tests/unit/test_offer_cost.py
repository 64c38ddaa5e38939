"""Offers that are made to be expensive: none holds the event loop for long, or leaves more behind than it may."""

from __future__ import annotations

import contextlib
import gc
import itertools
import random
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest

from ci.support import offers
from fanwire.control.session.negotiate import NegotiationError, agree_publish
from fanwire.control.session.offer import Offers
from fanwire.control.session.sdp import MAX_CHARS, SdpError, count_media, parse
from fanwire.control.session.sdpfrag import parse_fragment

MOST_MEDIA = 16  # the default of max_media_per_session
MOST_S = 0.010
KEPT_TIMES = 10
KEPT_AT_LEAST = 8_192  # objects there are whatever the size of the offer

HEAD = "v=0\no=- 1 1 IN IP4 0\ns=-\nt=0 0\na=group:BUNDLE 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n"
OWN = f"a=ice-ufrag:abcd\na=ice-pwd:{'p' * 22}\na=fingerprint:sha-256 {':'.join(['AB'] * 32)}\na=setup:actpass\n"
ALL = " ".join(map(str, range(128)))

LINES: dict[str, Callable[[int], str]] = {
    "nothing": lambda _: "",
    "unknown": lambda _: "a=x",
    "no line": lambda _: "nonsense",
    "long and unknown": lambda _: "a=x:" + "y" * 6_000,
    "rtpmap": lambda n: f"a=rtpmap:{n % 128} VP8/90000",
    "rtpmap of anything": lambda n: f"a=rtpmap:{n % 128} x{n}/{n}",
    "fmtp": lambda n: f"a=fmtp:{n % 128} apt={(n + 1) % 128}",
    "fmtp of many": lambda n: f"a=fmtp:{n % 128} " + "a;" * 31,
    "fmtp of far too many": lambda n: f"a=fmtp:{n % 128} " + ";" * 4_000,
    "feedback": lambda n: f"a=rtcp-fb:{n % 128} x{n // 128}",
    "feedback for all": lambda n: f"a=rtcp-fb:* x{n}",
    "extensions": lambda n: f"a=extmap:{n % 4_000} urn:{n}",
    "extensions that are known": lambda n: f"a=extmap:{n % 200} urn:ietf:params:rtp-hdrext:sdes:mid",
    "fingerprints": lambda _: "a=fingerprint:sha-256 AB",
    "candidates": lambda n: f"a=candidate:{n} 1 udp 1 10.0.0.1 {n} typ host",
    "ssrcs": lambda n: f"a=ssrc:{n} x",
    "ssrc attributes": lambda n: f"a=ssrc:1 x{n}:y",
    "ssrc groups": lambda n: f"a=ssrc-group:SIM {n}" + " 1" * 20,
    "a long ssrc group": lambda n: "a=ssrc-group:SIM" + " 1" * 2_000,
    "rids": lambda n: f"a=rid:{n} send",
    "a rid of many": lambda n: f"a=rid:{n} send pt=" + ",".join(["1"] * 1_500),
    "restrictions of a rid": lambda n: f"a=rid:{n} send " + ";" * 3_000,
    "simulcast": lambda _: "a=simulcast:send " + ";".join(["a"] * 32),
    "simulcast of many": lambda _: "a=simulcast:send " + ",".join(["a"] * 1_500),
    "groups": lambda n: f"a=group:BUNDLE {n}" + " x" * 20,
    "msids": lambda n: f"a=msid:{n} y",
    "mids": lambda n: f"a=mid:{n}",
    "malformed": lambda n: f"a=rtpmap:{n}" + " " * 40,
    "spaces": lambda n: f"a=rtcp-fb:{n}" + " " * 2_000 + "x",
    "credentials": lambda n: f"a=ice-pwd:{'p' * 22}",
}
KINDS = ("audio", "video", "application", "text")


def section(kind: str, mid: int, formats: str = ALL) -> str:
    return f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\na=mid:{mid}\na=rtcp-mux\na=sendrecv\n{OWN}a=rtpmap:96 VP8/90000\n"


def filled(text: str, lines: Iterable[str], most_chars: int) -> str:
    """The text with as many of the lines, from the first on, as fit."""
    size = len(text)
    taken = []
    for line in lines:
        size += len(line) + 1
        if size > most_chars:
            break
        taken.append(line)
    return text + "\n".join(taken) + "\n"


def generated(seed: int) -> str:
    """An offer of junk: its lines, their places and their number are random."""
    rng = random.Random(seed)
    size = rng.choice([2_000, 8_000, 16_000, 30_000, MAX_CHARS])
    medias = rng.choice([1, 2, MOST_MEDIA])
    kinds = rng.choices(list(LINES), k=rng.choice([1, 1, 2, 5]))
    in_session = rng.random() < 0.2
    text = HEAD
    if in_session:
        text = filled(text, (LINES[rng.choice(kinds)](n) for n in range(size)), size // 2)
    for mid in range(medias):
        kind = rng.choice(KINDS[:2]) if mid < 2 else rng.choice(KINDS)
        text += section(kind, mid, rng.choice([ALL, "96", "96 97"]))
        share = min(size, len(text) + max(0, size - len(text)) // (medias - mid))
        text = filled(text, (LINES[rng.choice(kinds)](n) for n in range(4_000)), share)
    return text[:MAX_CHARS]


def long_ones() -> dict[str, str]:
    """For each kind of line one offer that is full of it, in its first medium, and one with it in the session."""
    many = {name: [line(n) for n in range(2_000)] for name, line in LINES.items()}
    media = {name: filled(HEAD + section("video", 0), lines, MAX_CHARS - 2) for name, lines in many.items()}
    head = section("video", 0, "96")
    sessions = {
        f"{name} in the session": filled(HEAD + OWN, lines, 40_000) + head * (MOST_MEDIA - 1)
        for name, lines in many.items()
    }
    return media | sessions


def publish(text: str, _: Offers) -> None:
    """Handles an offer to publish as a node does before it opens a session."""
    if count_media(text) > MOST_MEDIA:
        return
    with contextlib.suppress(SdpError, NegotiationError):
        agree_publish(parse(text)).answer(offers.LOCAL, session_id=1)


def watch(text: str, seen: Offers) -> None:
    """Handles an offer to watch as a node does before it opens a session."""
    if count_media(text) > MOST_MEDIA:
        return
    with contextlib.suppress(SdpError, NegotiationError):
        read = seen.read(text)
        agreement = seen.agree(read.kind, 1, ())
        agreement.answer(offers.LOCAL, stream="s", cname="c", ssrc_factory=lambda: 1, session_id=1)


def fragment(text: str, _: Offers) -> None:
    """Handles the fragment of an ICE restart."""
    with contextlib.suppress(SdpError):
        parse_fragment(text).render()


@pytest.fixture(autouse=True, scope="module")
def cheap_collection() -> Iterator[None]:
    """Collects garbage of this module only."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


OFFERS = {**long_ones(), **{f"seed {seed}": generated(seed) for seed in range(60)}}


@pytest.mark.parametrize("name", OFFERS)
def test_no_request_holds_the_event_loop_or_stays_for_long(name: str) -> None:
    text = OFFERS[name]
    for work in (publish, watch, fragment):
        spent_s = min(cost_s(work, text) for _ in range(2))  # of a machine that others use as well
        assert spent_s < MOST_S, f"{work.__name__} took {spent_s * 1000:.1f} ms for {len(text)} characters"
        kept = kept_bytes(work, text)
        assert kept < max(KEPT_TIMES * len(text), KEPT_AT_LEAST), (
            f"{work.__name__} left {kept / len(text):.1f} times it"
        )


def test_what_is_kept_of_all_offers_together_is_bounded() -> None:
    seen = Offers()
    text = offers.text("chromium-subscribe")

    numbers = itertools.count()

    def watch_all(count: int) -> None:
        for _ in range(count):
            watch(text.replace("a=rtcp-mux\r\n", f"a=rtcp-mux\r\na=x:{'y' * 9_000}{next(numbers)}\r\n", 1), seen)

    tracemalloc.start()
    watch_all(80)
    gc.collect()
    full, _ = tracemalloc.get_traced_memory()
    watch_all(80)
    gc.collect()
    still, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert full < KEPT_TIMES * (1 << 20)
    assert still < 1.05 * full


def cost_s(work: Callable[[str, Offers], None], text: str) -> float:
    seen = Offers()
    gc.collect()
    gc.disable()
    started = time.thread_time()
    work(text, seen)
    spent = time.thread_time() - started
    gc.enable()
    return spent


def kept_bytes(work: Callable[[str, Offers], None], text: str) -> int:
    seen = Offers()
    work(HEAD, seen)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    work(text, seen)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before
