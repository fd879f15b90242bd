"""One object: a material made particular by its size, its modes and its own bit of luck."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from weft.synthesis.materials import STICK, Bubbles, Friction, Grains, Material, Modes
from weft.synthesis.modal import partial_ratios
from weft.synthesis.seeds import log_uniform, stream


@dataclass(frozen=True, kw_only=True, eq=False)
class Voice:
    """Everything needed to play an object; built from a material or analysed from a recording.

    mode_hz, mode_decay (1/s), mode_gain (linear, of an ideal impulse): [K].
    body_hz, body_db (per octave), body_t60 (s): [B] anchors, ascending in frequency; B may be 0.
    modes_db, body_db_total: peak of each part against the other. level_db: peak at strength 1, depth 0.2,
    dBFS.
    """

    name: str
    mode_hz: np.ndarray
    mode_decay: np.ndarray
    mode_gain: np.ndarray
    modes_db: float
    body_hz: np.ndarray
    body_db: np.ndarray
    body_t60: np.ndarray
    body_total_db: float
    contact_s: float
    level_db: float
    stick_db: float
    friction: Friction
    grains: Grains | None = None
    bubbles: Bubbles | None = None
    position_spread: float = 1.0
    """How much the place of a blow changes the modes' balance: 0 not at all, 1 as a real object."""


def _draw_modes(
    modes: Modes, pitch: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = modes.shapes[int(rng.integers(len(modes.shapes)))]
    lowest = log_uniform(rng, *modes.lowest_hz) * pitch
    loss = log_uniform(rng, *modes.loss)
    support = log_uniform(rng, *modes.support)
    ratios = partial_ratios(shape, modes.count, rng)
    tilt = modes.tilt_db + rng.uniform(-0.8, 0.8)
    spread = np.exp(0.2 * rng.standard_normal(len(ratios)))
    luck = rng.standard_normal(len(ratios))
    hz = lowest * ratios
    decay = (support + np.pi * hz * loss) * spread
    gain = 10 ** ((tilt * np.log2(ratios) + 3.5 * luck) / 20)
    keep = hz < 19000
    return hz[keep], decay[keep], gain[keep]


def _times(pair: tuple[float, float], factor: float) -> tuple[float, float]:
    return pair[0] * factor, pair[1] * factor


def build_voice(material: Material, size: float, seed: int, track: str) -> Voice:
    """The object named by (seed, material, track) at `size` 0 (small, high) .. 1 (large, low).

    Pitch runs over a factor of 3 with size; damping and spectrum over about 2 by chance.
    """
    rng = stream(seed, "object", material.name, track)
    pitch = 3.0 ** (0.5 - size)
    empty = np.zeros(0)
    hz, decay, gain = _draw_modes(material.modes, pitch, rng) if material.modes else (empty, empty, empty)
    # A ground or a wall is larger than what strikes it: its thud follows the size far less than a pitch does.
    shift = pitch**0.4 * log_uniform(rng, 0.82, 1.22)
    stretch = log_uniform(rng, 0.75, 1.35)
    tuning = pitch**0.4 * log_uniform(rng, 0.78, 1.28)
    body_db = np.array([band.db for band in material.body])
    return Voice(
        name=material.name,
        mode_hz=hz,
        mode_decay=decay,
        mode_gain=gain,
        modes_db=material.modes.level_db if material.modes else -200.0,
        body_hz=np.array([band.hz for band in material.body]) * shift,
        body_db=body_db + rng.normal(0, 1.2, len(body_db)),
        body_t60=np.array([band.t60 for band in material.body]) * stretch,
        body_total_db=material.body_db + rng.uniform(-2, 2),
        contact_s=log_uniform(rng, *material.contact_ms) * 1e-3,
        level_db=material.level_db,
        stick_db=material.stick_db,
        friction=material.friction,
        grains=material.grains
        and replace(
            material.grains,
            hz=_times(material.grains.hz, tuning),
            t60=_times(material.grains.t60, stretch),
            rate=material.grains.rate * log_uniform(rng, 0.7, 1.4),
        ),
        bubbles=material.bubbles
        and replace(
            material.bubbles,
            radius_mm=_times(material.bubbles.radius_mm, 1 / tuning),
            count=round(material.bubbles.count * log_uniform(rng, 0.6, 1.6)),
        ),
    )


def build_stick(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Modes (hz, decay, gain) of the one drumstick a take is played with."""
    return _draw_modes(STICK, 1.0, stream(seed, "stick"))
