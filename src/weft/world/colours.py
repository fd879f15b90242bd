"""Colours, red green blue in 0..1: from hue, saturation and value, along a ramp, and of people's skin."""

from __future__ import annotations

import numpy as np

from weft.world.fields import Field


def hsv(h: float, s: float, v: float) -> Field:
    """A colour [3] from hue, saturation, value in 0..1."""
    k = (np.array([5.0, 3.0, 1.0]) + h * 6) % 6
    return np.asarray(v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1), np.float32)


def ramp(field: Field, *colours: tuple[float, float, float] | Field) -> Field:
    """Colours read along a 0..1 field, [N, N, 3]."""
    table = np.asarray(colours, np.float32)
    where = np.linspace(0, 1, len(table))
    return np.stack([np.interp(field, where, table[:, c]) for c in range(3)], -1).astype(np.float32)


def skin_tone(rng: np.random.Generator) -> Field:
    """A human skin colour [3], light to dark."""
    light = rng.uniform(0.25, 0.95)
    return hsv(rng.uniform(0.03, 0.08), rng.uniform(0.3, 0.6) * (1.15 - 0.5 * light), light)
