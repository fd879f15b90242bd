"""What every domain hands over: the contacts, and the moving picture as functions of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from weft.world.camera import Operator
from weft.world.lens import Lens
from weft.world.props import Array, Lamp, Prop


@dataclass(frozen=True, kw_only=True, eq=False)
class Contact:
    """One sounding contact before the camera is known: SoundEvent's fields with a point in the world [3]
    (or [n, 3] along a sustained one) instead of pan and depth."""

    t: float
    strength: float
    material: str
    action: str
    where: Array
    duration: float = 0.0
    size: float = 0.5
    gain_curve: Array | None = None
    track: str = ""


class Plan(Protocol):
    """A domain's clip. `material` and `action` are the leading ones."""

    material: str
    action: str
    contacts: Sequence[Contact]
    operator: Operator
    lens: Lens
    lamps: list[Lamp]
    floor: float | None

    def props(self, t: Array) -> list[Prop]:
        """Everything to draw, posed at times t [N] (s)."""

    def focus(self, t: Array) -> Array:
        """What the camera looks at, [N, 3] m."""

    def region(self, t: Array) -> Array:
        """Points [N, K, 3] whose bounding box is the sounding object or region of impact."""


def ball(centre: Array, radius: float) -> Array:
    """The 6 extreme points [N, 6, 3] of a ball around centre [N, 3]."""
    return np.asarray(centre[:, None] + radius * np.concatenate([np.eye(3), -np.eye(3)])[None])


ASPECTS = (16 / 9, 4 / 3, 9 / 16, 1.0)


def sample_aspect(rng: np.random.Generator) -> float:
    """The shape of the source picture, width / height: mostly wide, some 4:3, tall and square."""
    return float(rng.choice(ASPECTS, p=(0.55, 0.27, 0.12, 0.06)))
