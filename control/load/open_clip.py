"""Opens the clip that load publishers send: a file of the user's, or the test pattern of this package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from .clip import Clip, ClipError, Track


def open_clip(path: Path | None) -> Clip:
    """The clip of a file that FFmpeg reads; without a path the test pattern. Raises ClipError."""
    if path is None:
        return _test_pattern()
    try:
        from .transcode import transcode_file
    except ImportError:
        raise ClipError("--publish-file needs PyAV: pip install 'fanwire[load]'") from None
    return transcode_file(path)


def _test_pattern() -> Clip:
    """The clip that `python -m fanwire.control.load.transcode` makes."""
    folder = files(__package__)
    return Clip(*(Track.from_ivf((folder / f"pattern.{kind}.ivf").read_bytes()) for kind in ("video", "audio")))
