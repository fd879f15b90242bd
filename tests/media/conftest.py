"""Clips made on the spot: each frame carries its own number, so a test can tell which one it was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

BITS = 8


def numbered(k: int, width: int, height: int) -> np.ndarray:
    """Frame k, uint8 `[H, W, 3]`: eight upright bars, black or white, the bits of k; a red square top left."""
    bits = [(k >> (BITS - 1 - i)) & 1 for i in range(BITS)]
    row = np.array(bits)[np.arange(width) * BITS // width] * 255
    image = np.repeat(np.repeat(row[None, :, None], height, 0), 3, 2).astype(np.uint8)
    image[: height // 4, : width // 4] = (255, 0, 0)
    return image


def number_of(frame: np.ndarray) -> int:
    """The number a frame carries, read near its lower edge."""
    height, width = frame.shape[:2]
    centres = (np.arange(BITS) * 2 + 1) * width // (2 * BITS)
    bits = frame[height * 3 // 4, centres].mean(axis=1) > 127
    return int("".join("1" if b else "0" for b in bits), 2)


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 150 and pixel[1] < 100 and pixel[2] < 100)


def write_clip(
    path: Path,
    *,
    rate: Fraction | int = 25,
    count: int = 50,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    start: float = 0.0,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    bframes: int = 0,
    gop: int = 12,
    rotate: int | None = None,
    mirror: bool = False,
    aspect: Fraction | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 44100,
    sound_codec: str = "aac",
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    subtitle: str | None = None,
) -> Path:
    """A clip of numbered frames at k / rate + start, or at `pts` in `time_base`; sound `[C, N]` from 0 on."""
    base = time_base or 1 / Fraction(rate)
    stamps = list(pts) if pts is not None else [round(Fraction(k) / rate / base) for k in range(count)]
    offset = round(Fraction(start).limit_denominator(10**6) / base)
    with av.open(str(path), "w", container_options=options or {}) as sink:
        sink.metadata.update(metadata or {})
        stream = sink.add_stream(codec, rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        context = stream.codec_context
        context.time_base = base
        context.gop_size, context.max_b_frames, context.thread_count = gop, bframes, 1
        if codec == "libx264":
            context.options = {"preset": "ultrafast", "crf": "10", "sc_threshold": "0", "bf": str(bframes)}
            if bframes:
                context.options = {**context.options, "b-pyramid": "normal", "b-adapt": "0"}
        if codec == "libx265":
            context.options = {"x265-params": "log-level=none"}
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if rotate is not None:
            stream.set_display_rotation(-rotate, hflip=mirror)
        if sound is not None:
            voice = sink.add_stream(sound_codec, rate=sound_rate)
            voice.codec_context.layout = "mono" if sound.shape[0] == 1 else "stereo"
        for k, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(numbered(k, *size), format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = stamp + offset, base
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
        if sound is not None:
            form = {"aac": "fltp", "pcm_s16le": "s16"}[sound_codec]
            data = sound if form == "fltp" else (sound * 32767).astype(np.int16).T.reshape(1, -1)
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(data), format=form, layout=voice.codec_context.layout.name
            )
            block.sample_rate, block.pts, block.time_base = sound_rate, 0, Fraction(1, sound_rate)
            sink.mux(voice.encode(block))
            sink.mux(voice.encode(None))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """`clip(name, **options)` writes a clip into the test's folder; options of `write_clip`."""

    def make(name: str = "clip.mp4", **options: object) -> Path:
        return write_clip(tmp_path / name, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def number() -> Callable[[np.ndarray], int]:
    return number_of
