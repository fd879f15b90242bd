"""What sensors, codecs and converters do to pictures."""

from __future__ import annotations

import numpy as np


def spoil(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """Gain, flicker, sensor noise, blocky compression (8 x 8 quantised)."""
    gain = rng.uniform(0.6, 1.3) * (1 + rng.choice([0.0, 0.02]) * rng.standard_normal((len(frames), 1, 1)))
    out = frames * gain.astype(np.float32) + np.float32(rng.uniform(-20, 20))
    out += np.float32(rng.choice([0.5, 2.0, 5.0])) * rng.standard_normal(out.shape, dtype=np.float32)
    if rng.random() < 0.4:
        out = _blocks(out, float(rng.uniform(4, 24)))
    return np.clip(out, 0, 255).astype(np.uint8)


def _blocks(frames: np.ndarray, step: float) -> np.ndarray:
    """Quantise the frequencies of 8 x 8 blocks, the fine ones more coarsely."""
    from scipy.fft import dctn, idctn

    count, height, width = frames.shape
    tiles = frames.reshape(count, height // 8, 8, width // 8, 8)
    spectrum = dctn(tiles, axes=(2, 4), norm="ortho")
    order = np.arange(8)
    steps = (step * (1 + 0.4 * (order[:, None] + order[None])))[:, None, :]
    return np.asarray(idctn(np.round(spectrum / steps) * steps, axes=(2, 4), norm="ortho")).reshape(
        frames.shape
    )


def repeat(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """Frames shown again in place of the next, `[T, ...]`: every second one, or some now and then."""
    keep = np.arange(len(frames))
    if rng.random() < 0.5:
        keep = keep // 2 * 2
    else:
        lost = rng.random(len(frames)) < 0.15
        keep = np.maximum.accumulate(np.where(lost, 0, keep))
    return frames[keep]
