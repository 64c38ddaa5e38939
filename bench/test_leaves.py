"""Times single leaves of the packet path: `pytest bench`.

Each run is a compiled loop of 1000 calls without the GIL: microseconds a run are nanoseconds a call. Time is CPU time
of the thread. Caches are warm: what a leaf costs among thousands of transports is more, and bench.fanout's to say.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from aioice import stun

from ci.support.stun import binding_request
from fanwire.fastpath.messages import SrtpProfile
from fanwire.fastpath.testing import loops

from .media import Video

TIMES = 1000
PWD = b"a password of 26 octets..."

pytestmark = pytest.mark.benchmark(timer=time.thread_time, max_time=0.5)
Benchmark = Callable[..., Any]


def test_seqmap_maps_a_number(benchmark: Benchmark) -> None:
    """fw_seqmap_map, or fw_seqmap_skip for each 16th."""
    assert benchmark(loops.seqmap_map, TIMES) == TIMES - TIMES // 16


def test_stun_check_is_verified_and_answered(benchmark: Benchmark) -> None:
    """Parsing, both CRC-32, both HMAC-SHA1 with pads kept, and writing the answer; no look-up of the user name."""
    request = binding_request("abcd1234:efgh", PWD.decode())
    answer = benchmark(loops.stun_answer, request, PWD, TIMES)
    assert stun.parse_message(answer).message_class == stun.Class.RESPONSE


@pytest.mark.parametrize("payload_bytes", [100, 1200])
@pytest.mark.parametrize("profile", SrtpProfile, ids=lambda profile: profile.name)
def test_srtp_protects_a_packet(benchmark: Benchmark, profile: SrtpProfile, payload_bytes: int) -> None:
    """A header of 12 bytes written, the payload copied, both protected; one context."""
    key, body = os.urandom(46), os.urandom(payload_bytes)
    packet = benchmark(loops.srtp_protect, profile, key, body, TIMES)
    assert len(packet) == 12 + payload_bytes + (10 if profile is SrtpProfile.AES128_CM_SHA1_80 else 16)


def test_rtp_header_and_extensions_are_read(benchmark: Benchmark) -> None:
    """A packet with three one-byte elements: MID, abs-send-time, transport-cc."""
    [packet] = Video(ssrc=1).next_frame([1200])
    assert benchmark(loops.rtp_parse, packet, TIMES) == (1200, 1 + 3 + 2)


def test_twcc_feedback_for_100_packets_is_written(benchmark: Benchmark) -> None:
    """One message for 100 arrivals, two of them lost."""
    feedback = benchmark(loops.twcc_build, TIMES, 100)
    assert feedback[1] == 205
