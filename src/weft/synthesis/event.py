"""One sounding event: what a cue sheet's onset or a world's contact asks the synthesiser to play."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.errors import UserError

SUSTAINED = ("scratch", "roll")
_DEFAULT_SUSTAIN_S = 0.4


@dataclass(frozen=True, kw_only=True, eq=False)
class SoundEvent:
    """An event at time `t`.

    t: seconds from the start of the clip; the sound's first energy falls there (near ear).
    strength: (0, 1], sets loudness and brightness. material, action: see `weft.cues.vocabulary`.
    duration: seconds, used by the sustained actions (scratch, roll); 0 there means a short default.
    pan: -1 left .. 1 right. depth: 0 near .. 1 far. size: object size 0 small (high) .. 1 large (low).
    gain_curve: [n] speed 0..1 along the duration of a sustained event (resampled linearly; None: a bell).
    pan_curve, depth_curve: [n] the same for a source that moves while it sounds (None: pan, depth hold).
    track: names the object; two events with one material and track strike the same object.
    Raises UserError for a value outside these ranges.
    """

    t: float
    strength: float = 1.0
    material: str = "wood"
    action: str = "hit"
    duration: float = 0.0
    pan: float = 0.0
    depth: float = 0.2
    size: float = 0.5
    gain_curve: np.ndarray | None = None
    pan_curve: np.ndarray | None = None
    depth_curve: np.ndarray | None = None
    track: str = ""

    def __post_init__(self) -> None:
        if self.material not in MATERIALS:
            raise UserError(f"unknown material {self.material!r}: use one of {', '.join(MATERIALS)}")
        if self.action not in ACTIONS:
            raise UserError(f"unknown action {self.action!r}: use one of {', '.join(ACTIONS)}")
        if not math.isfinite(self.t):
            raise UserError(f"event time {self.t} is not a number of seconds")
        if not (math.isfinite(self.duration) and self.duration >= 0):
            raise UserError(f"event duration {self.duration} must be 0 or more seconds")
        for name, low in (("strength", 0.0), ("pan", -1.0), ("depth", 0.0), ("size", 0.0)):
            value = getattr(self, name)
            if not low <= value <= 1.0:
                raise UserError(f"event {name} {value} must lie between {low:g} and 1")
        for name, low in (("gain_curve", 0.0), ("pan_curve", -1.0), ("depth_curve", 0.0)):
            curve = getattr(self, name)
            if curve is None:
                continue
            curve = np.asarray(curve, dtype=np.float64)
            if curve.ndim != 1 or curve.size == 0 or not np.all((curve >= low) & (curve <= 1.0)):
                raise UserError(f"event {name} must be one row of numbers between {low:g} and 1")
            object.__setattr__(self, name, curve)

    @property
    def sustained(self) -> bool:
        return self.action in SUSTAINED

    @property
    def sounding_s(self) -> float:
        """How long the hand (not the ringing) is active, seconds."""
        return (self.duration or _DEFAULT_SUSTAIN_S) if self.sustained else 0.0


def curve_at(curve: np.ndarray | None, hold: float, where: np.ndarray) -> np.ndarray:
    """Values of a curve spread evenly over 0..1, at `where` (0..1); `hold` when there is no curve."""
    if curve is None:
        return np.full(where.shape, hold)
    return np.interp(where, np.linspace(0.0, 1.0, len(curve)), curve)
