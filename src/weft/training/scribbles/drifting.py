"""Motion without a sound: smooth random paths, the shapes that follow them, and the unsteady camera."""

from __future__ import annotations

import numpy as np

from weft.training.scribbles.shapes import Shape, sprite


def wander(rng: np.random.Generator, clock: np.ndarray, size: float, rate: float) -> np.ndarray:
    """A smooth random path `[2, n]` of about `size` at about `rate` Hz."""
    span = clock[-1] - clock[0]
    knots = max(4, int(span * rate * 2) + 2)
    at = np.linspace(clock[0], clock[-1], knots)
    from scipy.interpolate import CubicSpline

    return size * CubicSpline(at, rng.standard_normal((knots, 2)))(clock).T


def drifter(rng: np.random.Generator, clock: np.ndarray) -> Shape:
    """A silent mover: wanders, sways, waves fast and smoothly, trembles, or enters and leaves."""
    kind = rng.choice(["wander", "sway", "wave", "tremble", "enter"])
    x, y = wander(rng, clock, rng.uniform(0.02, 0.15), 0.4)
    angle = 0.5 * wander(rng, clock, 1.0, 0.5)[0]
    if kind in ("sway", "wave"):
        rate = rng.uniform(0.3, 1.2) if kind == "sway" else rng.uniform(1.2, 3.5)
        size = rng.uniform(0.05, 0.2)
        way = rng.uniform(0, 2 * np.pi)
        beat = np.sin(2 * np.pi * rate * clock + rng.uniform(0, 6))
        x, y, angle = (
            x + size * np.cos(way) * beat,
            y + size * np.sin(way) * beat,
            angle + rng.normal(0, 0.6) * beat,
        )
    elif kind == "tremble":
        x, y = x + 0.006 * rng.standard_normal(len(clock)).cumsum() / 10, y
    elif kind == "enter":
        at, slow = rng.uniform(0.3, 3.5), rng.uniform(0.08, 0.3)
        x = x + rng.choice([-1, 1]) * 0.7 * (0.5 - 0.5 * np.tanh((clock - at) / slow))
    return Shape(
        x=rng.uniform(-0.45, 0.45) + x,
        y=rng.uniform(-0.3, 0.3) + y,
        angle=rng.uniform(0, 6) + angle,
        half=(rng.uniform(0.03, 0.25), rng.uniform(0.02, 0.15)),
        sprite=sprite(rng),
    )


def camera_path(rng: np.random.Generator, clock: np.ndarray, jolts: list[float]) -> np.ndarray:
    """Shift x, y (widths), zoom, turn `[4, n]`: still, hand held, panning, jolted by impacts, or cut."""
    out = np.zeros((4, len(clock)))
    out[2] = 1.0
    mode = rng.choice(["still", "still", "hand", "hand", "pan"])
    if mode != "still":
        out[:2] += wander(rng, clock, rng.uniform(0.002, 0.02), 1.0)
        out[:2] += wander(rng, clock, rng.uniform(0.0, 0.003), 5.0)
        out[3] += wander(rng, clock, rng.uniform(0.0, 0.02), 0.8)[0]
    if mode == "pan":
        out[:2] += wander(rng, clock, rng.uniform(0.05, 0.2), 0.25)
        out[2] += wander(rng, clock, rng.uniform(0.0, 0.08), 0.3)[0]
    size = rng.uniform(0.002, 0.015)
    for t in jolts:
        since = np.maximum(clock - t, 0)
        out[1] += size * np.exp(-since / 0.06) * np.sin(since * 60) * (clock > t)
    if rng.random() < 0.12:
        after = clock > rng.uniform(0.5, 3.5)
        out[0, after] += rng.uniform(-0.3, 0.3)
        out[2, after] *= rng.uniform(0.7, 1.4)
    return out
