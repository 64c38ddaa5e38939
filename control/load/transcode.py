"""Transcodes a file to a clip of VP8 and Opus, with PyAV. Run as a script, makes the test pattern."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.audio.resampler import AudioResampler

from .clip import Clip, ClipError, Track

MOST_SECONDS = 60.0  # of a file, because the encoded clip stays in memory
VIDEO_BPS, AUDIO_BPS = 1_500_000, 64_000
_VIDEO_HZ, _AUDIO_HZ = 90_000, 48_000
_OPUS_SAMPLES = 960  # 20 ms
_PATTERN_S, _PATTERN_BPS, _PATTERN_FPS = 2, 330_000, 30


def transcode_file(path: Path) -> Clip:
    """Encode the first minute of a file. Raises ClipError for a file without readable video and audio."""
    try:
        return Clip(video_track(str(path)), audio_track(str(path)))
    except (OSError, av.FFmpegError) as error:
        raise ClipError(f"{path}: {error.strerror or error}") from None


def video_track(
    source: str, *, container: str | None = None, bps: int = VIDEO_BPS, most_s: float = MOST_SECONDS
) -> Track | None:
    """The video of a file in VP8, encoded as libwebrtc does, but with a keyframe every second."""
    with av.open(source, format=container) as opened:
        if not opened.streams.video:
            return None
        stream = opened.streams.video[0]
        rate = stream.average_rate or Fraction(30)
        encoder = av.CodecContext.create("libvpx", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height = stream.width // 2 * 2, stream.height // 2 * 2
        encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, _VIDEO_HZ), bps
        encoder.options = {
            "deadline": "realtime",
            "cpu-used": "4",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "g": str(round(rate)),
            "error-resilient": "1",
        }
        frames = []
        interval = round(_VIDEO_HZ / rate)
        for index, frame in enumerate(opened.decode(stream)):
            if index * interval >= most_s * _VIDEO_HZ:
                break
            frame = frame.reformat(encoder.width, encoder.height, "yuv420p")
            frame.pts, frame.time_base = index * interval, encoder.time_base
            frame.pict_type = 0
            frames += [(index * interval, bytes(packet)) for packet in encoder.encode(frame)]
    if not frames:
        raise ClipError(f"{source}: its video has no frame")
    return Track(b"VP80", _VIDEO_HZ, (encoder.width, encoder.height), tuple(frames), len(frames) * interval)


def audio_track(
    source: str, *, container: str | None = None, bps: int = AUDIO_BPS, most_s: float = MOST_SECONDS
) -> Track | None:
    """The audio of a file in Opus, in packets of 20 ms."""
    with av.open(source, format=container) as opened:
        if not opened.streams.audio:
            return None
        encoder = av.CodecContext.create("libopus", "w")
        assert isinstance(encoder, av.AudioCodecContext)
        encoder.sample_rate, encoder.layout, encoder.format = _AUDIO_HZ, "stereo", "s16"
        encoder.time_base, encoder.bit_rate = Fraction(1, _AUDIO_HZ), bps
        frames: list[tuple[int, bytes]] = []
        for frame in _resampled(opened):
            if len(frames) * _OPUS_SAMPLES >= most_s * _AUDIO_HZ:
                break
            frames += [(0, bytes(packet)) for packet in encoder.encode(frame)]
    timed = tuple((index * _OPUS_SAMPLES, data) for index, (_, data) in enumerate(frames))
    return Track(b"OPUS", _AUDIO_HZ, (0, 0), timed, len(timed) * _OPUS_SAMPLES) if timed else None


def _resampled(opened: av.container.InputContainer) -> Iterator[av.AudioFrame]:
    resampler = AudioResampler("s16", "stereo", _AUDIO_HZ, _OPUS_SAMPLES)
    samples = 0
    for decoded in opened.decode(opened.streams.audio[0]):
        for frame in resampler.resample(decoded):
            frame.pts, frame.time_base = samples, Fraction(1, _AUDIO_HZ)
            samples += frame.samples
            yield frame


def make_test_pattern(folder: Path) -> None:
    """Write the test pattern: a moving picture and a tone."""
    picture = f"testsrc2=size=640x360:rate={_PATTERN_FPS}:duration={_PATTERN_S}"
    tone = f"sine=frequency=440:sample_rate={_AUDIO_HZ}:duration={_PATTERN_S}"
    tracks: dict[Literal["video", "audio"], Track | None] = {
        "video": video_track(picture, container="lavfi", bps=_PATTERN_BPS),
        "audio": audio_track(tone, container="lavfi", bps=24_000),
    }
    for kind, track in tracks.items():
        assert track is not None
        (folder / f"pattern.{kind}.ivf").write_bytes(track.to_ivf())


if __name__ == "__main__":
    make_test_pattern(Path(__file__).parent)
