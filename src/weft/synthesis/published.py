"""What the literature says the materials should measure, and how to measure it on a wave.

The loss factor (tan phi) is the one acoustic property of a material that does not depend on an object's shape
(Wildes & Richards 1988; van den Doel & Pai 1998); a struck object rings at T60 = 2.2 / (f loss) at most, as
hands, floors and the air take their part. Soft grounds have no loss factor to speak of, and a shower of
grains or bubbles no single T60: there only the rest is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Published:
    """Ranges: loss factor of the bare material; T60 (s) and spectral centroid (Hz) of one hit on everyday
    objects.
    """

    loss: tuple[float, float] | None
    t60: tuple[float, float] | None
    centroid: tuple[float, float]
    source: str


_CREMER = "loss: Cremer, Heckl & Petersson 2005, Structure-Borne Sound"
_WALK = "soft grounds below 1 kHz, loose grounds 1-8 kHz: Visell et al. 2009; Fontana & Bresin 2003"

PUBLISHED: dict[str, Published] = {
    "carpet": Published(loss=None, t60=(0.03, 0.2), centroid=(60, 500), source=_WALK),
    "ceramic": Published(loss=(2e-3, 1.2e-2), t60=(0.03, 0.5), centroid=(900, 7000), source=_CREMER),
    "cloth": Published(loss=None, t60=(0.03, 0.35), centroid=(300, 3500), source=_WALK),
    "dirt": Published(loss=None, t60=(0.03, 0.25), centroid=(80, 900), source=_WALK),
    "drywall": Published(loss=(6e-3, 3e-2), t60=(0.08, 0.35), centroid=(80, 900), source=_CREMER),
    "glass": Published(loss=(6e-4, 2e-3), t60=(0.1, 1.0), centroid=(1500, 9000), source=_CREMER),
    "grass": Published(loss=None, t60=(0.05, 0.8), centroid=(2000, 9000), source=_WALK),
    "gravel": Published(loss=None, t60=None, centroid=(1200, 8000), source=_WALK),
    "leaf": Published(loss=None, t60=None, centroid=(1200, 7000), source=_WALK),
    "metal": Published(loss=(1e-4, 2e-3), t60=(0.3, 4.0), centroid=(400, 8000), source=_CREMER),
    "paper": Published(
        loss=None, t60=None, centroid=(500, 7000), source="clicks 1-15 kHz: Houle & Sethna 1996"
    ),
    "plastic": Published(loss=(2e-2, 1e-1), t60=(0.02, 0.25), centroid=(300, 3000), source=_CREMER),
    "plastic-bag": Published(
        loss=None, t60=None, centroid=(3000, 12000), source="clicks 1-15 kHz: Houle & Sethna 1996"
    ),
    "rock": Published(loss=(4e-3, 2e-2), t60=(0.015, 0.15), centroid=(1200, 9000), source=_CREMER),
    "tile": Published(loss=(4e-3, 2e-2), t60=(0.03, 0.2), centroid=(700, 6000), source=_CREMER),
    "water": Published(
        loss=None,
        t60=None,
        centroid=(600, 5000),
        source="bubbles 0.5-3.5 kHz: Minnaert 1933; van den Doel 2005",
    ),
    "wood": Published(loss=(8e-3, 3e-2), t60=(0.04, 0.4), centroid=(200, 2500), source=_CREMER),
}


def measure_t60(wave: np.ndarray, rate: int) -> float:
    """T60 (s) of mono [n]: line through -5 .. -30 dB of the backward-integrated energy (Schroeder 1965)."""
    energy = np.cumsum((wave.astype(np.float64) ** 2)[::-1])[::-1]
    level = 10 * np.log10(energy / (energy[0] + 1e-30) + 1e-15)
    span = np.flatnonzero((level < -5) & (level > -30))
    return float(-60 / np.polyfit(span / rate, level[span], 1)[0])


def measure_centroid(wave: np.ndarray, rate: int) -> float:
    """Power-weighted mean frequency (Hz) of mono [n]."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float((power * np.fft.rfftfreq(len(wave), 1 / rate)).sum() / (power.sum() + 1e-20))


def measure_inharmonicity(partials_hz: np.ndarray) -> float:
    """How far partials stand from whole multiples of the lowest, 0 harmonic .. about 0.25 anywhere."""
    ratios = np.sort(partials_hz) / np.min(partials_hz)
    return float(np.abs(ratios[1:] - np.rint(ratios[1:])).mean()) if len(ratios) > 1 else 0.0
