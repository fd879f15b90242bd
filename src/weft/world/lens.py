"""From a clean rendering to a video a person might have shot: exposure, colour, noise, bars and compression."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Lens:
    """How a clip was shot and kept.

    level: mean brightness the exposure aims at, 0..1. gamma, white [3], vignette 0..1, noise (deviation, of 255),
    blur 0..1 (softness), drift (slow change of exposure, relative). quality: x264 constant rate factor, None:
    uncompressed. bars: fraction of the height (above 0) or width (below 0) covered by black bars. lettering: a
    caption or logo lies over it.
    """

    level: float = 0.42
    gamma: float = 1.0
    white: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    drift: float = 0.0
    quality: int | None = None
    bars: float = 0.0
    lettering: bool = False
    seed: int = 0


def sample_lens(rng: np.random.Generator) -> Lens:
    """A random camera and upload."""
    warm = rng.normal(0, 0.08)
    return Lens(
        level=float(np.clip(rng.normal(0.42, 0.1), 0.2, 0.68)),
        gamma=float(np.exp(rng.normal(-0.08, 0.2))),
        white=(float(np.exp(warm)), 1.0 + float(rng.normal(0, 0.03)), float(np.exp(-warm))),
        vignette=float(rng.uniform(0, 0.45)) if rng.random() < 0.4 else 0.0,
        noise=float(rng.gamma(1.5, 1.8)) if rng.random() < 0.8 else 0.0,
        blur=float(rng.uniform(0, 1)) if rng.random() < 0.5 else 0.0,
        drift=float(rng.uniform(0, 0.12)) if rng.random() < 0.3 else 0.0,
        quality=int(rng.integers(22, 40)) if rng.random() < 0.8 else None,
        bars=_bars(rng),
        lettering=bool(rng.random() < 0.1),
        seed=int(rng.integers(2**31)),
    )


def _bars(rng: np.random.Generator) -> float:
    if rng.random() > 0.08:
        return 0.0
    return float(rng.uniform(0.05, 0.13)) * (1 if rng.random() < 0.6 else -2)


def expose(frames: Frames, lens: Lens, fps: float) -> Frames:
    """The frames [T, H, W, 3] as `lens` would have kept them. Same size, same number."""
    if not len(frames):
        return frames
    rng = np.random.default_rng([lens.seed, 5])
    t, h, w, _ = frames.shape
    levels = np.arange(256, dtype=np.float32) / 255
    seen = max(float(frames[:: max(1, t // 8), ::4, ::4].mean()) / 255, 0.02)
    gain = np.clip(lens.level / seen, 0.6, 4.0) ** 0.8
    curve = np.clip((levels * gain)[:, None] * np.asarray(lens.white, np.float32), 0, 1.2)
    curve = np.minimum(curve**lens.gamma, 1.0) * 255
    image = np.stack([np.take(curve[:, c].astype(np.float32), frames[..., c]) for c in range(3)], -1)
    if lens.blur > 0:
        k = 0.33 * lens.blur
        for axis in (1, 2):
            low, high = (slice(None),) * axis + (slice(0, -2),), (slice(None),) * axis + (slice(2, None),)
            middle = (slice(None),) * axis + (slice(1, -1),)
            image[middle] = image[middle] * np.float32(1 - k) + np.float32(k / 2) * (image[low] + image[high])
    if lens.vignette:
        y, x = np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)[None]
        image *= (1 - lens.vignette * 0.5 * (x * x + y * y)).astype(np.float32)[None, ..., None]
    if lens.drift:
        wave = np.sin(2 * np.pi * (np.arange(t) / fps * rng.uniform(0.1, 0.6) + rng.random()))
        image *= (1 + lens.drift * wave).astype(np.float32)[:, None, None, None]
    if lens.noise:
        bank = rng.standard_normal(h * w * 3 * 5 + 1, dtype=np.float32) * np.float32(lens.noise)
        for k in range(t):
            start = int(rng.integers(0, h * w * 3 * 4))
            image[k] += bank[start : start + h * w * 3].reshape(h, w, 3)
    if lens.lettering:
        _letter(image, rng)
    if lens.bars > 0:
        n = max(1, round(h * lens.bars))
        image[:, :n] = image[:, -n:] = 0
    elif lens.bars < 0:
        n = max(1, round(-w * lens.bars))
        image[:, :, :n] = image[:, :, -n:] = 0
    out = np.clip(image, 0, 255).astype(np.uint8)
    return out if lens.quality is None else _through_h264(out, lens.quality, fps)


def _letter(image: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Lay something like a line of text or a logo over all frames [T, H, W, 3], in place."""
    _, h, w, _ = image.shape
    high, wide = max(3, int(h * rng.uniform(0.04, 0.12))), max(8, int(w * rng.uniform(0.15, 0.6)))
    y = int(rng.choice([0.04, 0.85]) * h)
    x = int(rng.uniform(0, 1) * (w - wide))
    strokes = np.repeat(rng.random((high, (wide + 1) // 2)) < 0.55, 2, axis=1)[:, :wide]
    gaps = np.repeat(rng.random((wide + 5) // 6) < 0.2, 6)[:wide]
    ink = strokes & ~gaps
    patch = image[:, y : y + high, x : x + wide]
    ink = ink[: patch.shape[1], : patch.shape[2]]
    patch[:, ink] = rng.choice([20.0, 245.0]) if rng.random() < 0.7 else 255 * rng.random(3)


def _through_h264(frames: Frames, quality: int, fps: float) -> Frames:
    """The frames after x264 at a constant rate factor, one thread (the same bytes every time)."""
    import av

    t, h, w, _ = frames.shape
    even = np.pad(frames, ((0, 0), (0, h % 2), (0, w % 2), (0, 0)), mode="edge")
    box = io.BytesIO()
    with av.open(box, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=round(fps) or 1)
        stream.width, stream.height, stream.pix_fmt = even.shape[2], even.shape[1], "yuv420p"
        stream.options = {"crf": str(quality), "preset": "superfast", "threads": "1", "g": "60", "bf": "0"}
        for frame in even:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
    box.seek(0)
    with av.open(box, "r") as back:
        back.streams.video[0].codec_context.thread_count = 1
        kept = [f.to_ndarray(format="rgb24") for f in back.decode(video=0)]
    return np.asarray(np.stack(kept)[:t, :h, :w], np.uint8)
