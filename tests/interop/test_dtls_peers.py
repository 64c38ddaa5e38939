"""DTLS-SRTP over real UDP sockets with others' implementations: aiortc, and the openssl command line."""

from __future__ import annotations

import asyncio
import contextlib
import re
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint as AiortcFingerprint
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ci.support import libsrtp
from ci.support.dtls import PrivateKey, fingerprints, self_signed, sha256
from fanwire.control.media.engine import SrtpProfile
from fanwire.control.media.keys import SrtpKeys
from fanwire.control.session.certificate import Certificate
from fanwire.control.session.dtls import DtlsAssociation
from fanwire.control.session.handshake import Handshake

OURS = Certificate.generate()
Address = tuple[str, int]


class Port(asyncio.DatagramProtocol):
    """A UDP socket that talks to whoever sent to it last, or to the address that it was told."""

    @classmethod
    async def bind(cls) -> Port:
        _, port = await asyncio.get_running_loop().create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        return port

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.address: Address = transport.get_extra_info("sockname")
        self.peer: Address | None = None
        self.on_datagram: Callable[[bytes], None] = lambda _: None

    def datagram_received(self, data: bytes, address: Address) -> None:
        self.peer = address
        self.on_datagram(data)

    def send(self, data: bytes) -> None:
        self.transport.sendto(data, self.peer)


class Ice:
    """As much of an RTCIceTransport as aiortc's DTLS needs."""

    role = "controlling"

    def __init__(self, port: Port) -> None:
        self._port = port
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        port.on_datagram = self._inbox.put_nowait

    async def _recv(self) -> bytes:
        return await self._inbox.get()

    async def _send(self, data: bytes) -> None:
        self._port.send(data)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def new_key(kind: str) -> PrivateKey:
    return rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


@contextlib.asynccontextmanager
async def handshake(
    port: Port, executor: ThreadPoolExecutor, *, client: bool, peer: list[tuple[str, str]], left: asyncio.Event
) -> AsyncIterator[Handshake]:
    association = DtlsAssociation(OURS, client=client, remote_fingerprints=peer)
    skin = Handshake(association, executor=executor, send=port.send, on_peer_closing=left.set)
    port.on_datagram = skin.receive
    try:
        async with skin:
            yield skin
    finally:
        port.transport.close()


@pytest.mark.parametrize(
    ("we_are_client", "kind"),
    [(False, "ec"), (False, "rsa"), (True, "ec")],  # aiortc's server has no cipher for RSA
)
async def test_aiortc_exchanges_srtp_with_the_keys_we_agree_on(
    we_are_client: bool, kind: str, executor: ThreadPoolExecutor
) -> None:
    port, theirs = await Port.bind(), await Port.bind()
    port.peer, theirs.peer = theirs.address, port.address
    key = new_key(kind)
    certificate = RTCCertificate(key=key, cert=self_signed(key))  # type: ignore[arg-type]
    announced = [(print_.algorithm, print_.value) for print_ in certificate.getFingerprints()]
    aiortc = RTCDtlsTransport(Ice(theirs), [certificate])  # type: ignore[arg-type]
    aiortc._set_role("server" if we_are_client else "client")
    left = asyncio.Event()
    async with handshake(port, executor, client=we_are_client, peer=announced, left=left) as skin:
        if we_are_client:
            skin.start()
        (ours,) = [AiortcFingerprint(algorithm, value.upper()) for algorithm, value in fingerprints(OURS)]
        await aiortc.start(RTCDtlsParameters(fingerprints=[ours]))
        keys = await skin.done
        assert aiortc.state == "connected"

        packet = bytes.fromhex("80600001000000020badcafe") + b"sixteen bytes :)"
        session = Srtp(keys)
        assert aiortc._rx_srtp.unprotect(session.protect(packet)) == packet
        assert session.unprotect(aiortc._tx_srtp.protect(packet)) == packet

        await aiortc.stop()
        await asyncio.wait_for(left.wait(), 5)
    theirs.transport.close()


@pytest.mark.parametrize("profile", list(SrtpProfile))
@pytest.mark.parametrize("kind", ["ec", "rsa"])
async def test_an_openssl_client_derives_the_same_keys(
    profile: SrtpProfile, kind: str, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    port = await Port.bind()
    pem, announced = write_pem(tmp_path, kind)
    left = asyncio.Event()
    async with handshake(port, executor, client=False, peer=announced, left=left) as skin:
        address = "{}:{}".format(*port.address)
        async with openssl("s_client", "-connect", address, "-mtu", "400", *common(pem, profile)) as process:
            block = await keying_material(process)
            keys = await skin.done
            assert keys.profile is profile
            assert (keys.remote, keys.local) == split_block(profile, block)
            assert process.stdin is not None
            process.stdin.write(b"Q\n")
            await asyncio.wait_for(left.wait(), 5)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
async def test_an_openssl_server_derives_the_same_keys(kind: str, tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    profile = SrtpProfile.AES128_CM_SHA1_80
    port = await Port.bind()
    pem, announced = write_pem(tmp_path, kind)
    arguments = ("-accept", "127.0.0.1:0", "-4", "-Verify", "1", "-mtu", "400", *common(pem, profile))
    async with openssl("s_server", *arguments) as process:
        listening = await printed(process, r"ACCEPT 127\.0\.0\.1:(\d+)")
        port.peer = ("127.0.0.1", int(listening))
        async with handshake(port, executor, client=True, peer=announced, left=asyncio.Event()) as skin:
            skin.start()
            keys = await skin.done
            assert keys.profile is profile
            assert (keys.local, keys.remote) == split_block(profile, await keying_material(process))


class Srtp:
    """SRTP both ways under our keys."""

    def __init__(self, keys: SrtpKeys) -> None:
        self.protect = libsrtp.session(keys.profile, keys.local, inbound=False).protect
        self.unprotect = libsrtp.session(keys.profile, keys.remote, inbound=True).unprotect


def write_pem(folder: Path, kind: str) -> tuple[Path, list[tuple[str, str]]]:
    """Write a key and its certificate for openssl; return the fingerprint as well."""
    key = new_key(kind)
    certificate = self_signed(key)
    pem = folder / "peer.pem"
    plain = serialization.NoEncryption()
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return pem, [("sha-256", sha256(certificate))]


def common(pem: Path, profile: SrtpProfile) -> tuple[str, ...]:
    length = 2 * (profile.key_bytes + profile.salt_bytes)
    export = ("-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", str(length))
    return ("-dtls1_2", "-cert", str(pem), "-key", str(pem), "-use_srtp", f"SRTP_{profile.name}", *export)


@contextlib.asynccontextmanager
async def openssl(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec("openssl", *arguments, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def printed(process: Process, pattern: str) -> str:
    """Read what a process prints until it matches; return the group."""
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(10):
        while True:
            line = await process.stdout.readline()
            assert line, text
            text += line.decode()
            if found := re.search(pattern, text):
                return found[1]


async def keying_material(process: Process) -> bytes:
    return bytes.fromhex(await printed(process, r"Keying material: ([0-9A-F]+)"))


def split_block(profile: SrtpProfile, block: bytes) -> tuple[bytes, bytes]:
    """Cut exported keying material into the client's and the server's key||salt (RFC 5764 section 4.2)."""
    edges = [profile.key_bytes, profile.key_bytes, profile.salt_bytes, profile.salt_bytes]
    parts = []
    for size in edges:
        parts.append(block[:size])
        block = block[size:]
    client_key, server_key, client_salt, server_salt = parts
    return client_key + client_salt, server_key + server_salt
