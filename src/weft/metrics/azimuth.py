"""Where a sound comes from, in degrees: from the levels and the times of the two channels, against where it is seen.

Conventions: stereo `[2, N]`, left first; azimuth in degrees, 0 ahead, positive to the right. Sound placed by level (a
pan pot) and sound recorded by two microphones apart carry their place in different ways:

- level: the pan of the constant-power law, -1 to 1, spread over ±45°, the angles of the two loudspeakers seen from
  their middle (`from_pan`);
- time: the delay of the right channel behind the left by the generalised cross-correlation with phase transform (Knapp
  & Carter 1976), and its angle at microphones `spacing_m` apart, sin θ = -c τ / spacing (`from_delay`).

A box in the picture has the azimuth of its middle under the camera's horizontal field of view (`from_box`). The error
is unlike Spatial AV-Align, which forgives a sixth of the picture on either side: it has a sign, and no free hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.envelope import correlation
from weft.metrics.interval import HALVES
from weft.metrics.result import Result, whole_of

SOUND_M_S = 343.0
STAGE_DEG = 45.0
FIELD_DEG = 60.0  # of a camera whose lens nobody wrote down
FINER = 8  # the correlation is read between samples, at this many times the rate
DRAWS = 20
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Azimuth(Result):
    """Of `n` places: `value` (or `error`) the mean absolute error and `bias` the mean signed one (positive: heard too
    far right), degrees; `r` Pearson's r of heard and seen, NaN under two places. Baselines: the error with all sound
    ahead (`mono`), with left and right swapped (`swapped`), and from anywhere on the stage (`random`)."""

    bias: float
    r: float

    @property
    def error(self) -> float:
        """The mean absolute error, degrees."""
        return self.value

    @property
    def mono(self) -> float:
        """The error with all sound ahead."""
        return self.baselines["mono"]

    @property
    def swapped(self) -> float:
        """The error with left and right swapped."""
        return self.baselines["swapped"]


def from_pan(pan: ArrayLike) -> Array:
    """Return the azimuth `[...]` of pans in -1..1, such as `weft.metrics.space.pan` reads off the levels."""
    values = np.asarray(pan, dtype=np.float64)
    if values.size and not np.abs(values).max() <= 1 + 1e-9:
        raise ValueError(f"pan reaches {np.abs(values).max():g}: it lies within -1 (left) and 1 (right)")
    return np.asarray(STAGE_DEG * values)


def from_delay(delay_s: ArrayLike, spacing_m: float) -> Array:
    """Return the azimuth `[...]` of delays of the right channel (s) at two microphones; delays longer than sound takes
    between them count as ±90°."""
    if not spacing_m > 0:
        raise ValueError(f"microphones {spacing_m} m apart hear no delay: give a spacing above 0")
    sine = -SOUND_M_S * np.asarray(delay_s, dtype=np.float64) / spacing_m
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1, 1))))


def from_box(x: ArrayLike, field_deg: float = FIELD_DEG) -> Array:
    """Return the azimuth `[...]` of horizontal positions, fractions of the picture's width, seen by a lens whose
    picture spans `field_deg`; it lies at infinity, in front of a straight (rectilinear) lens."""
    if not 0 < field_deg < 180:
        raise ValueError(f"a field of view of {field_deg} degrees is none: give more than 0, less than 180")
    place = 2 * np.asarray(x, dtype=np.float64) - 1
    return np.asarray(np.degrees(np.arctan(place * np.tan(np.radians(field_deg) / 2))))


def delay(audio: ArrayLike, rate: int = 44100, *, most_s: float = 1e-3) -> float:
    """Return by how many seconds the right channel of `audio` `[2, N]` trails the left, within ±`most_s`.

    The peak of the GCC-PHAT, read at 8 times the rate; NaN when a channel is silent. Raises ValueError unless there are
    two channels, or for a rate or window that is not positive.
    """
    wave = checks.wave(audio)
    if wave.shape[0] != 2:
        raise ValueError(f"audio has {wave.shape[0]} channel(s), but a delay needs two")
    if not (rate > 0 and most_s > 0):
        raise ValueError(f"rate {rate} Hz and window {most_s} s must be above 0")
    if not wave.any(1).all():
        return float("nan")
    size = 2 * wave.shape[1]
    left, right = np.fft.rfft(wave, size, axis=1)
    cross = right * np.conj(left)
    strength = np.abs(cross)
    # Bins at rounding's level have a phase of their own; they would vote as loudly as the sound.
    white = np.where(strength > 1e-10 * strength.max(), cross / np.maximum(strength, 1e-300), 0.0)
    curve = np.fft.irfft(white, size * FINER)
    reach = min(max(round(most_s * rate * FINER), 1), curve.size // 2 - 1)
    near = np.concatenate([curve[-reach:], curve[: reach + 1]])
    return (int(near.argmax()) - reach) / (rate * FINER)


def evaluate(heard_deg: ArrayLike, seen_deg: ArrayLike, *, seed: int = 0, halves: int = HALVES) -> Azimuth:
    """Compare azimuths heard `[n]` with those seen `[n]`, degrees; places where nothing is heard (NaN) are left out.

    `halves`: of how many halves of the places the interval is drawn, 0 for none. Raises ValueError as `validate`.
    """
    heard, seen = validate(heard_deg, seen_deg)
    bias, r = float((heard - seen).mean()), correlation(heard, seen) if heard.size > 1 else float("nan")
    anywhere = from_pan(np.random.default_rng(seed).uniform(-1, 1, (DRAWS, seen.size)))
    pairs = list(zip(heard, seen, strict=True))

    def pooled(some: Sequence[tuple[float, float]]) -> float:
        return float(np.abs(np.array([h - s for h, s in some])).mean())

    found = whole_of(
        pairs,
        pooled,
        value=float(np.abs(heard - seen).mean()),
        of="places",
        halves=halves,
        seed=seed,
        least=0.0,
        baselines={
            "mono": float(np.abs(seen).mean()),
            "swapped": float(np.abs(-heard - seen).mean()),
            "random": float(np.abs(anywhere - seen).mean()),
        },
        parts={"bias": bias, "r": r, "places": float(heard.size)},
    )
    return Azimuth(**vars(found), bias=bias, r=r)


def validate(heard_deg: ArrayLike, seen_deg: ArrayLike) -> tuple[Array, Array]:
    """Return the azimuths of the places that are heard, float64 `[n]` each. Raises ValueError for other shapes, when
    they do not pair, when nothing is left, or for angles beyond ±180."""
    heard, seen = (np.asarray(v, dtype=np.float64) for v in (heard_deg, seen_deg))
    if heard.shape != seen.shape or heard.ndim != 1:
        raise ValueError(
            f"places have shapes {heard.shape} heard and {seen.shape} seen: they do not pair as lists"
        )
    there = ~np.isnan(heard)
    heard, seen = heard[there], seen[there]
    if not heard.size or not np.isfinite(seen).all():
        raise ValueError("no place was heard, or one that was seen is NaN: nothing to compare")
    if max(np.abs(heard).max(), np.abs(seen).max()) > 180:
        raise ValueError("azimuths reach beyond 180 degrees: did you pass pixels or milliseconds?")
    return heard, seen
