"""Bearer tokens: what is minted is what is read, and nothing else is believed."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwire.control.__main__ import main
from fanwire.control.http.tokens import GRANTS, LEEWAY_S, TokenError, mint, read

KEYS = {"old": "o" * 32, "new": "n" * 40}
OTHER = "x" * 32
NAMES = st.text("abcXYZ019._~-", min_size=1, max_size=128).filter(lambda name: name not in {".", ".."})


def sign(header: Any, claims: Any, key: str, digest: str = "sha256") -> str:
    """A JWT made by hand (RFC 7515 section 7.1), whatever is in it."""
    parts = [_base64(json.dumps(part, default=str).encode()) for part in (header, claims)]
    signature = hmac.digest(key.encode(), ".".join(parts).encode(), digest)
    return ".".join([*parts, _base64(signature)])


def encode(key: str = KEYS["new"], kid: Any = "new", algorithm: str = "HS256", **claims: Any) -> str:
    """A token that is good, but for what is given here; None removes a claim."""
    good = {"sub": "ann", "exp": time.time() + 86_400, "fanwire": {"room": "demo", "publish": True}}
    content = {name: value for name, value in (good | claims).items() if value is not None}
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid is not None else {})
    return sign(header, content, key, "sha512" if algorithm == "HS512" else "sha256")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(
    identity=NAMES,
    room=st.just("*") | NAMES,
    grants=st.fixed_dictionaries({grant: st.booleans() for grant in GRANTS}),
    key_id=st.sampled_from([None, *KEYS]),
    ttl_s=st.integers(1, 86_400),
)
def test_what_is_minted_is_what_is_read(
    identity: str, room: str, grants: dict[str, bool], key_id: str | None, ttl_s: int
) -> None:
    before = int(time.time())
    permit = read(KEYS, mint(KEYS, identity, key_id=key_id, room=room, grants=grants, ttl_s=ttl_s))
    assert (permit.identity, permit.room) == (identity, room)
    assert {grant: getattr(permit, grant) for grant in GRANTS} == grants
    assert before <= permit.expires_at - LEEWAY_S - ttl_s <= time.time()


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (encode(exp=time.time() - LEEWAY_S - 2), "expired"),
        (encode(nbf=time.time() + 86_400), "not valid yet"),
        (encode(key=OTHER), "No key"),
        (encode(kid="other"), "No key"),
        (encode(kid=None), "No key"),
        (encode(kid=["new"]), "malformed"),
        (encode(key=KEYS["old"]), "No key"),
        (encode(algorithm="none"), "not signed with HS256"),
        (encode(algorithm="none").rpartition(".")[0] + ".", "not signed with HS256"),
        (encode(key=KEYS["new"] * 2, algorithm="HS512"), "not signed with HS256"),
        (encode(exp=None), "'exp'"),
        (encode(exp="soon"), "malformed"),
        (encode(exp=float("inf")), "malformed"),
        (encode(sub=None), "'sub'"),
        (encode(sub="a/b"), "subject"),
        (encode(sub=7), "malformed"),
        (encode(aud="elsewhere"), "another service"),
        (encode(fanwire=None), "'fanwire'"),
        (encode(fanwire=["publish"]), "'fanwire'"),
        (encode(fanwire={"room": "demo", "publish": "yes"}), "true or false"),
        (encode(fanwire={"room": "demo", "publish": 1}), "true or false"),
        (encode(fanwire={"publish": True}), "names a room"),
        (encode(fanwire={"room": "de mo", "publish": True}), "neither"),
        (encode(fanwire={"room": ["demo"], "publish": True}), "neither"),
        ("", "malformed"),
        ("a.b.c", "malformed"),
        ("\udcff.\udcff.\udcff", "malformed"),
        (_base64(b"[" * 5000) + ".e30.", "malformed"),
    ],
)
def test_any_other_token_is_refused_with_its_reason(token: str, reason: str) -> None:
    with pytest.raises(TokenError, match=reason) as caught:
        read(KEYS, token)
    assert '"' not in str(caught.value), "it would end the header that it is put into"


@given(
    st.dictionaries(st.sampled_from(["sub", "exp", "nbf", "iat", "fanwire", "aud"]), st.from_type(object) | st.none())
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    )
)
def test_whatever_a_key_has_signed_is_a_permit_or_a_refusal(claims: Any) -> None:
    token = sign({"alg": "HS256", "typ": "JWT", "kid": "new"}, claims, KEYS["new"])
    with contextlib.suppress(TokenError):
        read(KEYS, token)


def test_an_old_token_outlives_a_new_key_and_the_leeway_is_small() -> None:
    assert read(KEYS, encode(key=KEYS["old"], kid="old")).publish
    assert read(KEYS, encode(exp=time.time() - LEEWAY_S + 2)).identity == "ann"
    assert LEEWAY_S <= 10


def test_the_command_prints_a_token_that_the_servers_keys_accept(capsys: pytest.CaptureFixture[str]) -> None:
    keys = [f"--keys={kid}:{secret}" for kid, secret in KEYS.items()]
    grants = ["--room=demo", "--identity=ann", "--publish", "--metrics", "--ttl=60"]
    assert main(["token", *keys, "--key-id=new", *grants]) == 0
    (token,) = capsys.readouterr().out.split()
    assert jwt.get_unverified_header(token)["kid"] == "new"
    permit = read({"new": KEYS["new"]}, token)
    assert (permit.identity, permit.room) == ("ann", "demo")
    assert (permit.publish, permit.subscribe, permit.admin, permit.metrics) == (True, False, False, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([f"--keys=new:{KEYS['new']}", "--publish"], "names a room"),
        ([f"--keys=new:{KEYS['new']}", "--ttl=0"], "1 to"),
        ([f"--keys=new:{KEYS['new']}", "--key-id=old"], "key 'old' does not exist"),
        ([], "no keys"),
        (["--keys=new:hush"], "32 bytes"),
    ],
)
def test_the_command_says_why_it_makes_no_token(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FANWIRE_KEYS", raising=False)
    assert main(["token", *options]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
    assert "hush" not in printed.err
