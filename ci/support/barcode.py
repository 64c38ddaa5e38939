"""Draws and reads the test picture's barcode in video frames; see ci/support/web/barcode.js for its layout."""

from __future__ import annotations

import time

from av import VideoFrame

WIDTH, HEIGHT = 320, 240
COLUMNS = 8
ROWS = 6
WRAP_MS = 2**24
BLACK, GREY, WHITE = 16, 128, 235


def _checksum(value: int) -> int:
    return (0x5A + 3 * (value >> 16) + 5 * ((value >> 8) & 0xFF) + 7 * (value & 0xFF)) & 0xFF


def draw() -> VideoFrame:
    """Draws the current wall clock as a barcode picture."""
    value = time.time_ns() // 1_000_000 % WRAP_MS
    bits = f"{value << 8 | _checksum(value):032b}"
    luma = bytearray()
    for row in range(ROWS):
        levels = [WHITE if bit == "1" else BLACK for bit in bits[row * COLUMNS : (row + 1) * COLUMNS]]
        line = b"".join(bytes([level]) * (WIDTH // COLUMNS) for level in levels or [GREY] * COLUMNS)
        luma += line * (HEIGHT // ROWS)
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, data in zip(frame.planes, (bytes(luma), *[bytes([GREY]) * (len(luma) // 4)] * 2), strict=True):
        plane.update(data)
    return frame


def read(frame: VideoFrame) -> int | None:
    """Reads the stamp in a picture of any size (first plane luma); None if unreadable."""
    luma, line_bytes = bytes(frame.planes[0]), frame.planes[0].line_size
    bits = 0
    for i in range(32):
        x = (2 * (i % COLUMNS) + 1) * frame.width // (2 * COLUMNS)
        y = (2 * (i // COLUMNS) + 1) * frame.height // (2 * ROWS)
        block = [luma[(y + dy) * line_bytes + x + dx] for dy in (-2, 0, 2) for dx in (-2, 0, 2)]
        bits = bits << 1 | (sum(block) > len(block) * GREY)
    value = bits >> 8
    return value if bits & 0xFF == _checksum(value) else None
