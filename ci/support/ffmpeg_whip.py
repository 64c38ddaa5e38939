"""Publishes the barcode and a tone with FFmpeg's WHIP muxer: `python -m support.ffmpeg_whip URL FOLDER TONE_HZ`.

FOLDER gets the certificate. Prints "publishing" once it publishes; runs until SIGTERM.
"""

from __future__ import annotations

import datetime
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path
from types import FrameType

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import barcode
from .tone import RATE_HZ, tone

FRAMES_PER_S = 30
_CHUNK = RATE_HZ // FRAMES_PER_S


class Stop(Exception):
    """Raised at SIGTERM."""


def publish(url: str, folder: Path, tone_hz: float) -> None:
    """Publishes to a WHIP URL until Stop."""
    certificate, key = _write_certificate(folder)
    options = {"cert_file": str(certificate), "key_file": str(key), "handshake_timeout": "10000"}
    with av.open(url, "w", format="whip", options=options) as container:
        video, audio = _add_streams(container)
        container.start_encoding()
        print("publishing", flush=True)
        started = time.monotonic()
        try:
            for i in range(sys.maxsize):
                time.sleep(max(0.0, started + i / FRAMES_PER_S - time.monotonic()))
                picture = barcode.draw()
                picture.pts, picture.time_base = i, Fraction(1, FRAMES_PER_S)
                container.mux(video.encode(picture))
                sound = av.AudioFrame("s16", "stereo", _CHUNK)
                sound.planes[0].update(tone(tone_hz, i * _CHUNK, _CHUNK, channels=2))
                sound.sample_rate, sound.pts, sound.time_base = RATE_HZ, i * _CHUNK, Fraction(1, RATE_HZ)
                container.mux(audio.encode(sound))
        except Stop:
            pass


def _add_streams(container: av.container.OutputContainer) -> tuple[VideoStream, AudioStream]:
    """Constrained-baseline H264, a keyframe each half second since the muxer ignores PLI, and Opus."""
    video = container.add_stream("libx264", rate=FRAMES_PER_S)
    video.width, video.height, video.pix_fmt = barcode.WIDTH, barcode.HEIGHT, "yuv420p"
    video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(FRAMES_PER_S // 2)}
    audio = container.add_stream("libopus", rate=RATE_HZ, layout="stereo")
    return video, audio


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed P-256 certificate: the muxer's own would be RSA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "publisher")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stop


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    publish(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
