"""Which web pages may use a server without keys, against requests as browsers and programs send them."""

from __future__ import annotations

import ipaddress

import pytest
from aiohttp.test_utils import make_mocked_request

from fanwire.control.config.options import AccessOptions
from fanwire.control.config.origin import read_origin
from fanwire.control.http.access import Access
from fanwire.control.http.origins import Origins
from fanwire.control.http.problems import Problem

ALLOWED = ("https://player.example", "http://media.example:8080")
PROXY, CLIENT = "10.0.0.1", "192.0.2.7"


def allows(origins: Origins, headers: dict[str, str], peer: str = CLIENT) -> bool:
    request = make_mocked_request("POST", "/whip/stage", headers=headers).clone(remote=peer)
    try:
        origins.check(request)
    except Problem as problem:
        return (problem.status, problem.kind) != (403, "origin-not-allowed")
    return True


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "anything.example", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://127.0.0.1", "127.0.0.1:80", True),
        ("https://192.0.2.1", "192.0.2.1", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://localhost:8080", "LocalHost:8080", True),
        ("https://player.example", "127.0.0.1:8080", True),
        ("https://PLAYER.example:443", "127.0.0.1:8080", True),
        ("http://media.example:8080", "media.example:8080", True),
        ("https://media.example", "media.example", True),  # the host is allowed, and the page its own
        ("http://localhost:8081", "localhost:8080", False),
        ("http://127.0.0.1:8080", "localhost:8080", False),
        ("http://player.example", "127.0.0.1:8080", False),
        ("https://evil.example", "127.0.0.1:8080", False),
        ("http://evil.example:8080", "evil.example:8080", False),  # DNS rebinding
        ("http://localhost.evil.example:8080", "localhost.evil.example:8080", False),
        ("null", "127.0.0.1:8080", False),
        ("", "127.0.0.1:8080", False),
        ("http://127.0.0.1:8080/path", "127.0.0.1:8080", False),
        ("http://user@127.0.0.1:8080", "127.0.0.1:8080", False),
        ("file://", "127.0.0.1:8080", False),
        ("http://127.0.0.1:99999", "127.0.0.1:99999", False),
        ("http://[::1", "[::1", False),
    ],
)
def test_a_page_is_of_this_server_or_of_an_allowed_origin(origin: str | None, host: str, allowed: bool) -> None:
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    assert allows(Origins(ALLOWED), headers) == allowed


def test_only_a_trusted_proxy_reports_another_host() -> None:
    origins = Origins(["https://media.example"], [ipaddress.ip_network("10.0.0.0/8")])
    headers = {"Host": "backend:8080", "X-Forwarded-Host": "media.example", "Origin": "https://media.example"}
    foreign = headers | {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    own = {"Host": "backend:8080", "X-Forwarded-Host": "192.0.2.1", "Origin": "https://192.0.2.1"}
    assert allows(origins, headers, PROXY)
    assert allows(origins, own, PROXY)
    assert not allows(origins, own, CLIENT)
    assert not allows(origins, foreign, PROXY)


def test_every_origin_can_be_allowed_except_null() -> None:
    assert allows(Origins(["*"]), {"Host": "evil.example", "Origin": "https://evil.example"})
    assert not allows(Origins(["*"]), {"Host": "127.0.0.1:8080", "Origin": "null"})


def test_with_keys_a_token_decides_and_no_origin() -> None:
    request = make_mocked_request("POST", "/whip/stage", headers={"Host": "a", "Origin": "https://evil.example"})
    with pytest.raises(Problem) as refused:
        Access(AccessOptions(keys={"main": "m" * 32})).permit(request)
    assert refused.value.kind == "token-needed"


@pytest.mark.parametrize("text", ["player.example", "https://", "https://a/b", "https://u@a", "ftp://a", "https://a?b"])
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"origin|absolute|scheme"):
        read_origin(text)
