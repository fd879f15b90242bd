"""Domain *walks* (Walking The Maps): a figure walks, runs and stops over changing ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.cues.vocabulary import MATERIALS
from weft.world import reactions, sets, surfaces, textures
from weft.world.arms import reach
from weft.world.camera import Operator, View
from weft.world.colours import hsv, skin_tone
from weft.world.gait import Gait, sample_gait
from weft.world.lens import Lens, sample_lens
from weft.world.plan import Contact, sample_aspect
from weft.world.props import Array, Lamp, Look, Prop, along, limb, turn


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A stretch of ground along the path, from start to end m, of one material."""

    start: float
    end: float
    material: str


@dataclass(kw_only=True, eq=False)
class Walks:
    """See weft.world.plan.Plan."""

    material: str
    action: str
    contacts: list[Contact]
    operator: Operator
    lens: Lens
    lamps: list[Lamp]
    floor: float | None
    seed: int
    gait: Gait
    tall: float
    beast: bool
    still: list[Prop]
    away: Array
    distractors: int
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
        found += self._beast(t, rng) if self.beast else self._figure(t, rng)
        found += reactions.grains(t, self.contacts, rng, colours=self.colours, floor=0.0, scale=0.5)
        found += sets.distractors(rng, t, self.distractors, reach=3.0, away=self.away)
        return found

    def _figure(self, t: Array, rng: np.random.Generator) -> list[Prop]:
        h = self.tall
        skin = (*skin_tone(rng), 1.0)
        top = (*hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.05, 1)), 1.0)
        legs = (
            *hsv(rng.choice([0.6, 0.62, 0.08, rng.random()]), rng.uniform(0, 0.6), rng.uniform(0.05, 0.6)),
            1.0,
        )
        shoe = (*hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.03, 0.95)), 1.0)
        shin = legs if rng.random() < 0.7 else skin
        stout = float(rng.uniform(0.85, 1.25))
        hip = self.body(t)
        pace = np.gradient(self.gait.x(t), t) if len(t) > 1 else np.zeros(1)
        lean = np.clip(0.04 * pace, 0, 0.25)
        up = np.stack([np.sin(lean), 0 * t, np.cos(lean)], -1)
        found = []
        swings = []
        for k, side in enumerate((1.0, -1.0)):
            x, z, pitch = self.gait.foot(k, t)
            ankle = np.stack([x, np.full(len(t), self.gait.lateral[k]), z + 0.06 * h], -1)
            joint = hip + np.array([0, side * 0.05 * h, 0])
            knee, _ = reach(joint, ankle, 0.245 * h, 0.235 * h, np.array([1.0, 0, 0]))
            found.append(limb(joint, knee, 0.042 * h * stout, rgba=legs, casts=True))
            found.append(limb(knee, ankle, 0.03 * h * stout, rgba=shin, casts=True))
            sole = turn(np.array([0, 1.0, 0]), pitch)
            found.append(
                Prop(
                    kind="ellipsoid",
                    size=(0.075 * h, 0.03 * h, 0.032 * h),
                    pos=ankle + np.array([0.03 * h, 0, -0.03 * h]),
                    rot=sole,
                    rgba=shoe,
                    casts=True,
                )
            )
            swings.append(x - hip[:, 0])
        chest = hip + up * 0.2 * h
        trunk = along(up, np.array([1.0, 0, 0]))
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.07 * h * stout, 0.1 * h * stout, 0.19 * h),
                pos=chest,
                rot=trunk,
                rgba=top,
                casts=True,
            )
        )
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.065 * h * stout, 0.085 * h * stout, 0.07 * h),
                pos=hip + np.array([0, 0, 0.02 * h]),
                rgba=legs,
            )
        )
        head = hip + up * 0.43 * h
        found.append(
            Prop(kind="ellipsoid", size=(0.052 * h, 0.045 * h, 0.066 * h), pos=head, rgba=skin, casts=True)
        )
        hair = (*hsv(0.08, rng.uniform(0, 0.7), rng.uniform(0.05, 0.7)), 1.0)
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.054 * h, 0.05 * h, 0.05 * h),
                pos=head + np.array([-0.012 * h, 0, 0.03 * h]),
                rgba=hair,
            )
        )
        bent = float(rng.uniform(0.1, 1.2))
        for k, side in enumerate((1.0, -1.0)):
            shoulder = hip + up * 0.33 * h + np.array([0, side * 0.115 * h * stout, 0])
            a = np.clip(swings[1 - k] / (0.35 * h), -1, 1) * rng.uniform(0.3, 0.7)
            d = np.stack([np.sin(a), np.full(len(t), side * 0.12), -np.cos(a)], -1)
            elbow = shoulder + d * 0.165 * h
            b = a + bent
            d2 = np.stack([np.sin(b), np.full(len(t), side * 0.05), -np.cos(b)], -1)
            found.append(limb(shoulder, elbow, 0.028 * h, rgba=top))
            found.append(
                limb(elbow, elbow + d2 * 0.16 * h, 0.022 * h, rgba=top if rng.random() < 0.5 else skin)
            )
            found.append(Prop(kind="sphere", size=(0.027 * h,) * 3, pos=elbow + d2 * 0.18 * h, rgba=skin))
        return found

    def _beast(self, t: Array, rng: np.random.Generator) -> list[Prop]:
        h = self.tall
        coat = (*hsv(0.08, rng.uniform(0, 0.6), rng.uniform(0.08, 0.95)), 1.0)
        hip = self.body(t)
        found = []
        for k in range(4):
            x, z, _ = self.gait.foot(k, t)
            paw = np.stack([x, np.full(len(t), self.gait.lateral[k]), z + 0.03 * h], -1)
            joint = hip + np.array([self.gait.ahead[k], self.gait.lateral[k] * 0.8, 0.0])
            bend = np.array([1.0 if k >= 2 else -1.0, 0, 0])
            knee, _ = reach(joint, paw, 0.32 * h, 0.32 * h, bend)
            found.append(limb(joint, knee, 0.06 * h, rgba=coat, casts=True))
            found.append(limb(knee, paw, 0.04 * h, rgba=coat, casts=True))
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.55 * h, 0.17 * h, 0.2 * h),
                pos=hip + np.array([0, 0, 0.08 * h]),
                rgba=coat,
                casts=True,
            )
        )
        nod = 0.03 * h * np.sin(2 * np.pi * 1.7 * t)[:, None] * np.array([0, 0, 1.0])
        head = hip + np.array([0.62 * h, 0, 0.42 * h]) + nod
        found.append(limb(hip + np.array([0.4 * h, 0, 0.15 * h]), head, 0.1 * h, rgba=coat))
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.2 * h, 0.12 * h, 0.13 * h),
                pos=head + np.array([0.06 * h, 0, 0]),
                rgba=coat,
                casts=True,
            )
        )
        for s in (-1, 1):
            found.append(
                Prop(
                    kind="ellipsoid",
                    size=(0.05 * h, 0.03 * h, 0.09 * h),
                    pos=head + np.array([-0.06 * h, s * 0.1 * h, 0.1 * h]),
                    rgba=coat,
                )
            )
        wag = 0.5 * np.sin(2 * np.pi * rng.uniform(1.5, 4) * t)
        tail = hip + np.array([-0.5 * h, 0, 0.15 * h])
        tip = tail + np.stack([-0.25 * h + 0 * t, 0.3 * h * np.sin(wag), 0.25 * h + 0 * t], -1)
        found.append(limb(tail, tip, 0.035 * h, rgba=coat))
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
    operator, away = _operator(rng, kind, tall, duration)
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
    still += sets.unblocked(extra, operator.path(clock, hips, hips[4], duration).pos, hips)
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


def _operator(rng: np.random.Generator, kind: str, tall: float, duration: float) -> tuple[Operator, Array]:
    side = float(rng.choice([-1, 1])) * np.pi / 2
    fovy = float(rng.uniform(0.5, 1.0))
    low = -0.38 * tall
    spec = {
        "across": (
            side + rng.normal(0, 0.3),
            rng.uniform(0.0, 0.4),
            rng.uniform(0.8, 1.9) * tall,
            0.0,
            rng.choice([0.0, 0.0, 0.6, 1.0]),
            0.0,
        ),
        "follow": (
            side + rng.normal(0, 0.6),
            rng.uniform(0.0, 0.4),
            rng.uniform(0.5, 1.3) * tall,
            1.0,
            1.0,
            0.0,
        ),
        "feet": (
            side + rng.normal(0, 0.8),
            rng.uniform(0.05, 0.6),
            rng.uniform(0.16, 0.4) * tall,
            rng.choice([0.0, 1.0, 1.0]),
            1.0,
            low,
        ),
        "front": (
            rng.normal(0, 0.2),
            rng.uniform(0.0, 0.35),
            rng.uniform(0.8, 2.0) * tall,
            rng.choice([0.0, 0.0, 1.0]),
            1.0,
            0.0,
        ),
        "behind": (
            np.pi + rng.normal(0, 0.2),
            rng.uniform(0.1, 0.4),
            rng.uniform(0.6, 1.6) * tall,
            rng.choice([0.0, 1.0]),
            1.0,
            0.0,
        ),
        "own": (np.pi + rng.normal(0, 0.1), rng.uniform(1.25, 1.45), 0.45 * tall, 1.0, 1.0, low),
    }[kind]
    azimuth, elevation, half, follow, turns, offset = (float(v) for v in spec)
    distance = half / np.tan(fovy / 2)
    if kind in ("front", "behind"):
        distance = max(distance, 3.2) if follow < 0.5 else max(distance, 1.2)
    if kind == "own":
        fovy, distance = 1.0, 0.72 * tall
    view = View(
        azimuth=azimuth,
        elevation=elevation,
        distance=float(distance),
        fovy=fovy,
        follow=follow,
        turns=turns,
        offset=(
            float(rng.normal(0, 0.1)) * tall + (0.25 * tall if kind == "own" else 0),
            0.0,
            offset + float(rng.normal(0, 0.04)) * tall,
        ),
        swing=float(rng.normal(0, 0.2)) if rng.random() < 0.2 else 0.0,
        zoom=float(rng.normal(0, 0.3)) if rng.random() < 0.12 else 0.0,
        roll=float(rng.normal(0, 0.05)),
    )
    moving = follow > 0.5
    shake = (
        0.0
        if rng.random() < (0.1 if moving else 0.35)
        else float(np.exp(rng.uniform(np.log(0.001), np.log(0.016))))
    )
    away = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    return Operator(
        views=(view,), aspect=sample_aspect(rng), shake=shake, seed=int(rng.integers(2**31))
    ), away
