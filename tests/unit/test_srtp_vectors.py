"""The ciphers and the key derivation of every backend, by the examples of RFC 3711, RFC 7714 and RFC 2202."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ci.support.srtp import ciphers, served
from fanwire.fastpath.messages import SrtpProfile
from fanwire.fastpath.testing import protection

ROOT = Path(__file__).resolve().parents[2]
GALLIA = b"Gallia est omnis divisa in partes tres"
backend = pytest.mark.parametrize("name", served())


@backend
def test_counter_mode_by_rfc_3711_b_2(name: str) -> None:
    key, salt = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"), bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000")
    stream = ciphers(name).keystream(key, salt, 32)
    assert stream.hex().upper() == "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"


@backend
def test_key_derivation_by_rfc_3711_b_3(name: str) -> None:
    master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139" + "0EC675AD498AFEEBB6960B3AABE6")
    key, salt = ciphers(name).derive(SrtpProfile.AES128_CM_SHA1_80, False, master)
    assert key.hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087" + "00" * 16
    assert salt.hex().upper() == "30CBBC08863D8C85D49DB34A9AE1" + "0000"


@backend
@pytest.mark.parametrize(
    ("profile", "key_bytes", "sealed"),
    [
        (
            SrtpProfile.AEAD_AES_128_GCM,
            16,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            SrtpProfile.AEAD_AES_256_GCM,
            32,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ],
)
def test_gcm_by_rfc_7714_16(name: str, profile: SrtpProfile, key_bytes: int, sealed: str) -> None:
    header, iv = bytes.fromhex("8040f17b8041f8d35501a0b2"), bytes.fromhex("51753c6580c2726f20718414")
    assert ciphers(name).seal(profile, bytes(range(key_bytes)), iv, header, GALLIA).hex() == sealed


def test_hmac_sha1_by_rfc_2202() -> None:
    assert protection.hmac_sha1(b"\x0b" * 20, b"Hi There").hex() == "b617318655057264e28bc0b6fb378c8ef146be00"
    assert protection.hmac_sha1(b"Jefe", b"what do ya want for nothing?").hex() == (
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    )
    long = protection.hmac_sha1(b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First")
    assert long.hex() == "aa4ae5e15272d00e95705637ce8a3b55ed402112"


HEADER = Path("/usr/include/intel-ipsec-mb.h")


@pytest.mark.skipif(not HEADER.exists(), reason="libipsec-mb-dev is not to be had here: it is for x86-64 alone")
def test_the_binary_interface_of_ipsec_mb_is_what_its_header_says(tmp_path: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "gcc"))
    assert compiler is not None
    source = ROOT / "tests/unit/c/check_ipsec_mb_abi.c"
    built = subprocess.run(
        [compiler, "-std=c11", "-I", str(ROOT / "fastpath"), "-c", str(source), "-o", str(tmp_path / "abi.o")],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
