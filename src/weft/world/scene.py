"""Scenes: every random choice of a clip, made from one seed; pictures and sound are rendered from it later."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weft.cues.vocabulary import MATERIALS
from weft.errors import UserError
from weft.synthesis.event import SoundEvent
from weft.world.camera import depth_of
from weft.world.plan import Contact, Plan
from weft.world.props import Array, Path

DOMAINS = ("hits", "walks", "drops")
MIX = (
    "hits",
    "walks",
    "hits",
    "drops",
    "hits",
    "hits",
    "walks",
    "hits",
    "drops",
    "hits",
)  # of ten clips in a row
SPLITS = {"train": 0, "val": 1, "test": 2}
_RATES = (12, 14.96, 15, 20, 21.5, 24000 / 1001, 24, 25, 30000 / 1001, 30)
_RATE_ODDS = (0.03, 0.04, 0.08, 0.04, 0.05, 0.09, 0.12, 0.27, 0.14, 0.14)
_OFFSET = 2**40


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One clip, decided but not drawn. events carry pan and depth as the camera sees them; visible [n] says
    which of them the picture shows (the spotter is not asked for the others). `aspect` is width / height."""

    domain: str
    seed: int
    duration: float
    fps: float
    aspect: float
    material: str
    action: str
    events: tuple[SoundEvent, ...]
    visible: tuple[bool, ...]
    plan: Plan
    room: str | None = "auto"
    noise_db: float | None = None
    gain: float = 1.0

    @property
    def frame_count(self) -> int:
        return max(1, round(self.duration * self.fps))

    @property
    def times(self) -> Array:
        """The time of each frame, s: its exposure is centred there."""
        return np.arange(self.frame_count) / self.fps

    def path(self, t: Array) -> Path:
        """The camera at times t."""
        middle = self.plan.focus(np.array([self.duration / 2]))[0]
        return self.plan.operator.path(t, self.plan.focus(t), middle, self.duration)


def split_seed(split: str, index: int) -> int:
    """The seed of clip `index` (0 .. 2**40) of a split; no seed belongs to two splits.

    Raises UserError for an unknown split or an index out of range.
    """
    if split not in SPLITS:
        raise UserError(f"unknown split {split!r}: use one of {', '.join(SPLITS)}")
    if not 0 <= index < _OFFSET:
        raise UserError(f"clip index {index} must lie between 0 and {_OFFSET - 1}")
    return SPLITS[split] * _OFFSET + index


def sample_scene(
    domain: str, seed: int, *, duration: float = 4.0, fps: float | None = None, material: str | None = None
) -> Scene:
    """Draw a scene of `domain` ("hits", "walks", "drops") from `seed`.

    duration in seconds (0.5 .. 60). fps None draws one of the rates people's clips have (12 .. 30). `material`
    forces the leading material. The same arguments give the same scene.
    Raises UserError for an unknown domain or material, or a duration out of range.
    """
    if domain not in DOMAINS:
        raise UserError(f"unknown world domain {domain!r}: use one of {', '.join(DOMAINS)}")
    if not 0.5 <= duration <= 60:
        raise UserError(f"duration {duration} s: a world clip lasts 0.5 to 60 s")
    if material is not None and material not in MATERIALS:
        raise UserError(f"unknown material {material!r}: use one of {', '.join(MATERIALS)}")
    rng = np.random.default_rng([seed, DOMAINS.index(domain)])
    rate = float(rng.choice(_RATES, p=_RATE_ODDS)) if fps is None else float(fps)
    if not 1 <= rate <= 120:
        raise UserError(f"fps {fps}: a world clip has 1 to 120 frames per second")
    module: Any = importlib.import_module(f"weft.world.{domain}")
    plan: Plan = module.plan(rng, seed, duration, material=material)
    scene = Scene(
        domain=domain,
        seed=seed,
        duration=duration,
        fps=rate,
        aspect=plan.operator.aspect,
        material=plan.material,
        action=plan.action,
        events=(),
        visible=(),
        plan=plan,
        noise_db=float(rng.uniform(-72, -46)) if rng.random() < 0.5 else None,
        gain=float(10 ** (rng.uniform(-9, 3) / 20)),
    )
    events, visible = [], []
    for c in sorted(plan.contacts, key=lambda c: c.t):
        if 0 <= c.t < duration:
            event, seen = _heard(scene, c)
            events.append(event)
            visible.append(seen)
    return replace(scene, events=tuple(events), visible=tuple(visible))


def _heard(scene: Scene, c: Contact) -> tuple[SoundEvent, bool]:
    """A contact as the camera hears and sees it."""
    where = np.atleast_2d(c.where)
    t = c.t + np.linspace(0, c.duration, len(where)) if len(where) > 1 else np.array([c.t])
    path = scene.path(t)
    x, y, z = path.project(where)
    distance = np.linalg.norm(where - path.pos, axis=-1)
    ahead = z > 0.02
    azimuth = np.arctan2(
        (x - 0.5) * 2 * np.tan(path.fovy / 2) * path.aspect * np.where(ahead, 1, -1), np.where(ahead, 1, -1)
    )
    pan = np.where(ahead, np.clip(2 * x - 1, -1, 1), np.sign(np.sin(azimuth)))
    depth = depth_of(distance)
    seen = ahead & (x > -0.02) & (x < 1.02) & (y > -0.02) & (y < 1.02)
    several = len(where) > 1
    event = SoundEvent(
        t=c.t,
        strength=c.strength,
        material=c.material,
        action=c.action,
        duration=min(c.duration, scene.duration - c.t),
        pan=float(pan[0] if not several else pan.mean()),
        depth=float(depth[0] if not several else depth.mean()),
        size=c.size,
        gain_curve=c.gain_curve,
        pan_curve=pan if several else None,
        depth_curve=depth if several else None,
        track=c.track,
    )
    return event, bool(seen[0])
