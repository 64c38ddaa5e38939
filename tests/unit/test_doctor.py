"""`fanwire doctor` says what the machine has, and does not say that something is fine which is not."""

from __future__ import annotations

import json
import resource

import pytest

from fanwire.control import doctor
from fanwire.control.__main__ import main
from fanwire.control.media.engine import BackendError
from fanwire.fastpath import backends


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    main(["doctor", "--json"])
    return {found["what"]: found for found in json.loads(capsys.readouterr().out)["findings"]}


def test_it_names_what_encrypts_and_what_the_sockets_were_granted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert backends.choose().name in told
    assert backends.choose().version in told
    found = findings(capsys)
    assert int(found["receive buffer"]["found"].split()[0]) > 0
    assert found["GSO"]["found"].split()[0] in ("64", "128")


def test_it_advises_where_the_system_is_tight(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not findings(capsys)["open files"]["advice"]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert "4096" in findings(capsys)["open files"]["advice"]


def test_without_anything_that_encrypts_it_says_so_and_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise BackendError("there is no AES here")

    monkeypatch.setattr(doctor, "Engine", fail)
    assert main(["doctor"]) == 1
    assert "there is no AES here" in capsys.readouterr().out
