"""Domain *walks* (Walking The Maps): a figure walks, runs and stops over changing ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.cues.vocabulary import MATERIALS
from weft.world import reactions, sets, surfaces, textures, walkers
from weft.world.colours import hsv
from weft.world.framing import clear_of_sight, frame_walk, toward
from weft.world.gait import Gait, sample_gait
from weft.world.lens import sample_lens
from weft.world.plan import Contact
from weft.world.planned import Planned
from weft.world.props import Array, Look, Prop


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A stretch of ground along the path, from start to end m, of one material."""

    start: float
    end: float
    material: str


@dataclass(kw_only=True, eq=False)
class Walks(Planned):
    """See weft.world.plan.Plan."""

    gait: Gait
    tall: float
    beast: bool
    colours: Array

    def body(self, t: Array) -> Array:
        """The hips [N, 3]."""
        hip = self.tall * (0.50 if not self.beast else 0.62)
        bob = 0.0
        for falls in self.gait.falls[:2]:
            for f in falls:
                s = (t - f) / 0.25
                bob = bob - 0.018 * self.tall * np.exp(-((s - 0.35) ** 2) * 4)
        return np.stack([self.gait.x(t), 0 * t, hip + bob], -1)

    def focus(self, t: Array) -> Array:
        b = self.body(t)
        b[:, 2] = self.tall * 0.45
        return b

    def region(self, t: Array) -> Array:
        """Around the feet: it is they that sound, and close pictures show no more of the walker."""
        long, wide, high = np.array([0.08, 0.05, 0.12]) * self.tall
        corners = np.array(
            [[sx * long, sy * wide, z] for sx in (-1, 1) for sy in (-1, 1) for z in (0.0, high)]
        )
        around = self.feet(t)[:, :, None] + corners  # feet, N, 8, 3
        return np.asarray(around.transpose(1, 0, 2, 3).reshape(len(t), -1, 3))

    def feet(self, t: Array) -> Array:
        """Soles [feet, N, 3]."""
        found = []
        for k in range(len(self.gait.falls)):
            x, z, _ = self.gait.foot(k, t)
            found.append(np.stack([x, np.full(len(t), self.gait.lateral[k]), z], -1))
        return np.stack(found)

    def props(self, t: Array) -> list[Prop]:
        rng = np.random.default_rng([self.seed, 22])
        found = list(self.still)
        walker = walkers.beast if self.beast else walkers.person
        found += walker(t, rng, gait=self.gait, hip=self.body(t), tall=self.tall)
        found += reactions.grains(t, self.contacts, rng, colours=self.colours, floor=0.0, scale=0.5)
        found += sets.distractors(rng, t, self.distractors, reach=3.0, away=self.away)
        return found


def plan(rng: np.random.Generator, seed: int, duration: float, *, material: str | None = None) -> Walks:
    """Draw one clip of the domain."""
    main = material or str(rng.choice(MATERIALS))
    beast = bool(rng.random() < 0.15)
    tall = float(rng.uniform(0.35, 0.75)) if beast else float(rng.uniform(1.3, 1.95))
    gait = sample_gait(rng, tall, beast, duration)
    kind = str(
        rng.choice(
            ["across", "follow", "feet", "front", "behind", "own"], p=(0.3, 0.24, 0.2, 0.12, 0.09, 0.05)
        )
    )
    if beast and kind == "own":
        kind = "feet"
    zones = _zones(rng, main, gait)
    contacts = _contacts(rng, gait, zones, tall, beast, duration, seed)
    operator = frame_walk(rng, kind, tall)
    away = toward(operator.views[0].azimuth)
    middle = np.array([float(gait.x(np.array([duration / 2]))[0]), 0, 0])
    still, colours = _ground(rng, zones)
    outdoors = sets.is_outdoor(main) or rng.random() < 0.4
    far = float(rng.uniform(3.0, 9.0)) + (0 if kind in ("across", "follow", "feet") else 6.0)
    wall = sets.backdrop(rng, toward=-away, distance=far, outdoors=outdoors)
    wall.pos = wall.pos + middle
    if kind != "own":
        wall.size = (max(wall.size[0], 14.0), max(wall.size[1], 4.0), 0.1)
        wall.pos[2] = wall.size[1] - 0.05
        wall.look = Look(image=wall.look.image, repeat=(3, 1)) if wall.look else None
        still.append(wall)
    extra = sets.clutter(rng, int(rng.integers(0, 9)), reach=4.5, keep=0.9, away=away * (1, 1, 0))
    extra = [p for p in extra if abs(p.pos[1]) > 0.45 + p.size[1]]
    for p in extra:
        p.pos = p.pos + middle
    clock = np.linspace(0, duration, 9)
    hips = np.stack([gait.x(clock), 0 * clock, 0 * clock + 0.45 * tall], -1)
    still += clear_of_sight(extra, operator, hips, duration)
    if rng.random() < 0.25:  # a post or two that pass before or behind the walker
        for _ in range(int(rng.integers(1, 4))):
            spot = middle + np.array([rng.uniform(-3, 3), rng.choice([-1, 1]) * rng.uniform(0.7, 1.6), 1.2])
            still.append(
                Prop(
                    kind="cylinder",
                    size=(0.05, 0.05, 1.2),
                    pos=spot,
                    rgba=(*hsv(rng.random(), 0.3, rng.uniform(0.1, 0.8)), 1),
                    casts=True,
                )
            )
    counts = {z.material: 0 for z in zones}
    for c in contacts:
        counts[c.material] = counts.get(c.material, 0) + 1
    lead = max(counts, key=lambda m: counts[m]) if contacts and material is None else main
    return Walks(
        material=lead,
        action="step",
        contacts=contacts,
        operator=operator,
        lens=sample_lens(rng),
        lamps=sets.lamps(rng),
        floor=0.0,
        seed=seed,
        gait=gait,
        tall=tall,
        beast=beast,
        still=still,
        away=away,
        distractors=int(rng.choice([0, 0, 1, 1, 2])),
        colours=colours,
    )


def _zones(rng: np.random.Generator, main: str, gait: Gait) -> list[Zone]:
    """The base ground everywhere, and at most two stretches of something else."""
    zones = [Zone(start=-1e3, end=1e3, material=main)]
    lo, hi = float(gait.body[0]), float(gait.body[-1])
    for _ in range(int(rng.choice([0, 1, 2], p=(0.5, 0.3, 0.2)))):
        a = rng.uniform(lo, hi)
        zones.append(
            Zone(start=float(a), end=float(a + rng.uniform(0.8, 3.0)), material=str(rng.choice(MATERIALS)))
        )
    return zones


def _contacts(
    rng: np.random.Generator,
    gait: Gait,
    zones: list[Zone],
    tall: float,
    beast: bool,
    duration: float,
    seed: int,
) -> list[Contact]:
    found = []
    weight = float(rng.uniform(0.6, 1.0)) * (0.5 if beast else 1.0)
    for k, falls in enumerate(gait.falls):
        for t, x in zip(falls, gait.plants(k), strict=True):
            if not 0 <= t < duration:
                continue
            under = [z.material for z in zones if z.start <= x < z.end][-1]
            pace = float(gait.x(np.array([t + 0.05]))[0] - gait.x(np.array([t - 0.05]))[0]) / 0.1
            strength = weight * (0.35 + 0.2 * pace) * float(np.exp(rng.normal(0, 0.12)))
            found.append(
                Contact(
                    t=float(t),
                    strength=float(np.clip(strength, 0.06, 1)),
                    material=under,
                    action="step",
                    where=np.array([x, gait.lateral[k], 0.0]),
                    size=float(np.clip(tall / 2, 0.15, 1)),
                    track=f"walker{seed}",
                )
            )
    return sorted(found, key=lambda c: c.t)


def _ground(rng: np.random.Generator, zones: list[Zone]) -> tuple[list[Prop], Array]:
    tile = float(rng.uniform(0.7, 1.6))
    base = sets.ground(zones[0].material, rng, half=24.0, tile_m=tile)
    found = [base]
    wide = float(rng.uniform(1.0, 8.0))
    for k, z in enumerate(zones[1:]):
        f = surfaces.finish(z.material, rng)
        half = (z.end - z.start) / 2
        look = Look(image=textures.texture(z.material, rng), repeat=(2 * half / tile, 2 * wide / tile))
        found.append(
            Prop(
                kind="plane",
                size=(half, wide, 0.1),
                pos=np.array([z.start + half, 0, 0.0012 * (k + 1)]),
                look=look,
                specular=f.specular * 0.6,
                shininess=f.shininess,
            )
        )
    return found, reactions.colours_of(base.look)
