"""How a figure or an animal walks: when each foot comes down, where, and how it swings between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.world.props import Array

_STEP_S = 0.002


@dataclass(frozen=True, kw_only=True, eq=False)
class Gait:
    """Where body and feet are. clock, body: time and distance along the path; falls: per foot, the times it
    touches down; stance: share of a stride a foot stays down; lift: how high it swings, m."""

    clock: Array
    body: Array
    falls: tuple[Array, ...]
    stance: float
    lift: float
    lateral: tuple[float, ...]
    ahead: tuple[float, ...]

    def x(self, t: Array) -> Array:
        """Distance along the path, m, at times t."""
        return np.asarray(np.interp(t, self.clock, self.body))

    def plants(self, foot: int) -> Array:
        """Where foot `foot` comes down, m along the path, one per fall."""
        falls = self.falls[foot]
        gap = np.diff(falls, append=falls[-1] + 0.6) if len(falls) else falls
        return self.x(falls + 0.5 * self.stance * np.minimum(gap, 1.2)) + self.ahead[foot]

    def foot(self, foot: int, t: Array) -> tuple[Array, Array, Array]:
        """x along the path, height and pitch (rad) of a foot at times t [N]."""
        falls, plants = self.falls[foot], self.plants(foot)
        if not len(falls):
            return self.x(t) + self.ahead[foot], np.zeros(len(t)), np.zeros(len(t))
        i = np.clip(np.searchsorted(falls, t, side="right") - 1, -1, len(falls) - 1)
        nxt = np.minimum(i + 1, len(falls) - 1)
        start = np.where(
            i >= 0, plants[np.maximum(i, 0)], plants[0] - (self.x(falls[:1]) - self.x(falls[:1] - 1.0))
        )
        t0 = np.where(i >= 0, falls[np.maximum(i, 0)], falls[0] - 1.1)
        gap = np.where(i + 1 < len(falls), falls[nxt] - t0, 1e9)
        # a foot that waits for a walker who stands still leaves the ground late
        swing = np.minimum((1 - self.stance) * gap, 0.55)
        u = np.clip((t - (t0 + gap - swing)) / swing, 0, 1)
        ease = u * u * (3 - 2 * u)
        x = start + (plants[nxt] - start) * ease * (i + 1 < len(falls))
        z = self.lift * np.sin(np.pi * u**0.85) ** 1.0 * (u > 0)
        pitch = 0.7 * np.sin(2 * np.pi * np.clip(u * 0.95 + 0.02, 0, 1)) * (u > 0)
        return x, np.maximum(z, 0), pitch


def sample_gait(rng: np.random.Generator, tall: float, beast: bool, duration: float) -> Gait:
    """A walk with changes of pace: stroll, walk, run, stop and go."""
    clock = np.arange(-1.5, duration + 1.5, _STEP_S)
    leg = tall / 1.75 if not beast else tall / 0.7
    base = float(rng.choice([rng.uniform(0.7, 1.7), rng.uniform(2.2, 3.6)], p=(0.75, 0.25))) * np.sqrt(leg)
    speed = np.full(len(clock), base)
    change = rng.random()
    if change < 0.45:
        at = rng.uniform(0.2, 0.8) * duration
        other = 0.0 if change < 0.28 else base * float(rng.uniform(0.4, 2.0))
        back = at + rng.uniform(0.6, 1.6)
        speed = np.where((clock > at) & (clock < back), other, speed)
        if change < 0.1:  # stands first, then walks
            speed = np.where(clock < at, 0.0, base)
    kernel = np.hanning(int(0.35 / _STEP_S))
    speed = np.convolve(np.pad(speed, len(kernel) // 2, mode="edge"), kernel / kernel.sum(), "same")[
        len(kernel) // 2 : len(kernel) // 2 + len(clock)
    ]
    body = np.cumsum(speed) * _STEP_S
    body -= np.interp(duration / 2, clock, body)
    run = base > 1.9 * np.sqrt(leg)
    per_s = np.where(speed > 0.15, (1.1 + 0.55 * speed / np.sqrt(leg)) / np.sqrt(leg), 0.0)
    phase = np.cumsum(per_s) * _STEP_S + rng.random()
    steps = np.flatnonzero(np.diff(np.floor(phase)) > 0)
    limp = float(rng.normal(0, 0.02))
    times = clock[steps] + limp * (np.arange(len(steps)) % 2)
    if not beast:
        return Gait(
            clock=clock,
            body=body,
            falls=(times[0::2], times[1::2]),
            stance=0.36 if run else 0.6,
            lift=float(rng.uniform(0.07, 0.13) if not run else rng.uniform(0.14, 0.26)) * tall / 1.75,
            lateral=(0.055 * tall, -0.055 * tall),
            ahead=(0.0, 0.0),
        )
    gap = np.median(np.diff(times)) if len(times) > 1 else 0.3
    trot = rng.random() < 0.5
    lag = 0.0 if trot else 0.5 * gap
    a, b = times[0::2], times[1::2]
    fore, hind = 0.38 * tall, -0.38 * tall
    return Gait(
        clock=clock,
        body=body,
        falls=(a, b, b + lag + 0.012, a + lag + 0.012),
        stance=0.5 if trot else 0.62,
        lift=0.18 * tall,
        lateral=(0.13 * tall, -0.13 * tall, 0.13 * tall, -0.13 * tall),
        ahead=(fore, fore, hind, hind),
    )
