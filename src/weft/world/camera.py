"""The camera of a world clip: where it stands, and how a person's hand, a pan, a zoom and a cut move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.world.props import Array, Path

NEAR_M, FAR_M = 0.3, 20.0


@dataclass(frozen=True, kw_only=True)
class View:
    """One camera position: looks at the focus (plus `offset`) from `distance` m at azimuth, elevation (rad).

    follow: 0 the camera stands still, 1 it travels with the focus. turns: 1 it keeps turning to the focus.
    swing, rise, zoom: change over the clip of azimuth (rad), elevation (rad) and log field of view.
    """

    azimuth: float
    elevation: float
    distance: float
    fovy: float
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    follow: float = 0.0
    turns: float = 0.0
    swing: float = 0.0
    rise: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Who holds the camera: shake (rad, about 0.002 steady hand to 0.02 running), jolts at the blows (rad),
    and cuts (times, s); between cuts view k shows."""

    views: tuple[View, ...]
    cuts: tuple[float, ...] = ()
    aspect: float = 4 / 3
    shake: float = 0.0
    jolts: tuple[tuple[float, float], ...] = ()
    seed: int = 0

    def path(self, t: Array, focus: Array, middle: Array, duration: float) -> Path:
        """The camera at times t [N] for a moving focus of attention [N, 3], `middle` [3] at half time."""
        index = np.searchsorted(np.asarray(self.cuts), t, side="right")
        u = np.clip(t / duration, 0, 1)
        pos, look, fovy, roll = (
            np.zeros((len(t), 3)),
            np.zeros((len(t), 3)),
            np.zeros(len(t)),
            np.zeros(len(t)),
        )
        for k, v in enumerate(self.views):
            mine = index == k
            anchor = middle + v.follow * (focus - middle) + np.asarray(v.offset)
            az, el = v.azimuth + v.swing * (u - 0.5), np.clip(v.elevation + v.rise * (u - 0.5), -0.3, 1.55)
            arm = np.stack([np.cos(az) * np.cos(el), np.sin(az) * np.cos(el), np.sin(el)], -1)
            at = anchor + v.distance * arm
            seen = middle + max(v.turns, v.follow) * (focus - middle) + np.asarray(v.offset)
            pos[mine], look[mine] = at[mine], seen[mine]
            fovy[mine] = (v.fovy * np.exp(v.zoom * (u - 0.5)))[mine]
            roll[mine] = v.roll
        pos[:, 2] = np.maximum(pos[:, 2], 0.04)
        forward = _unit(look - pos)
        flat = np.abs(forward[:, 2:3]) > 0.995
        right = _unit(
            np.cross(forward, np.where(flat, np.array([1e-6, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])))
        )
        up = np.cross(right, forward)
        yaw, pitch, tilt = self._hand(t) * (fovy / 0.8)
        tilt = tilt + roll
        right, up = _rot(right, up, tilt)
        forward, right = _rot(forward, right, yaw)
        forward, up = _rot(forward, up, pitch)
        return Path(pos=pos, forward=forward, up=up, fovy=fovy, aspect=self.aspect)

    def _hand(self, t: Array) -> Array:
        """Yaw, pitch, roll [3, N] of the shaking hand, rad."""
        rng = np.random.default_rng([self.seed, 11])
        f = np.array([0.35, 0.7, 1.3, 2.3, 4.1, 7.5])[None, :, None] * rng.uniform(0.8, 1.25, (3, 6, 1))
        gain = np.array([2.0, 1.5, 1.0, 0.5, 0.28, 0.12])[None, :, None] * rng.uniform(0.5, 1.5, (3, 6, 1))
        sway = (gain * np.sin(2 * np.pi * (f * t + rng.random((3, 6, 1))))).sum(1) * self.shake
        for when, size in self.jolts:
            s = np.maximum(t - when, 0)
            sway[1] += size * np.exp(-s / 0.05) * np.sin(2 * np.pi * 13 * s) * (t >= when)
        sway[2] *= 0.5
        return sway


def depth_of(distance: Array) -> Array:
    """Depth 0 (near) .. 1 (far) of a distance in metres: logarithmic from 0.3 to 20 m."""
    d = np.maximum(distance, NEAR_M)
    return np.clip(np.log(d / NEAR_M) / np.log(FAR_M / NEAR_M), 0.0, 1.0)


def _unit(v: Array) -> Array:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))


def _rot(a: Array, b: Array, angle: Array) -> tuple[Array, Array]:
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return a * c + b * s, b * c - a * s
