"""Domain *drops*: objects fall, bounce, roll and settle. MuJoCo simulates; its contact forces make the events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weft.cues.vocabulary import MATERIALS
from weft.world import reactions, sets, surfaces, things
from weft.world.colours import hsv, skin_tone
from weft.world.falling import STAIRS, STEP_S, Body, Flight, find_contacts, simulate
from weft.world.fields import coarse, fractal
from weft.world.framing import clear_of_sight, frame_fall, toward
from weft.world.lens import sample_lens
from weft.world.plan import ball
from weft.world.planned import Planned
from weft.world.props import SHEET, Array, Look, Prop, along, boulder, limb, turn

GROUND_SPEAKS = ("carpet", "dirt", "grass", "gravel", "leaf", "water", "cloth")
_BOUNCE = {
    "ceramic": 0.45,
    "cloth": 0.1,
    "drywall": 0.25,
    "glass": 0.5,
    "metal": 0.55,
    "paper": 0.25,
    "plastic": 0.6,
    "plastic-bag": 0.08,
    "rock": 0.4,
    "tile": 0.4,
    "wood": 0.5,
}
_SHAPES = {
    "ceramic": ("mug", "plate", "cylinder"),
    "cloth": ("bundle", "bundle"),
    "drywall": ("box",),
    "glass": ("sphere", "bottle", "mug"),
    "metal": ("sphere", "cylinder", "can", "coin", "box", "bowl"),
    "paper": ("bundle", "box"),
    "plastic": ("sphere", "sphere", "box", "bottle", "can"),
    "plastic-bag": ("bundle",),
    "rock": ("boulder",),
    "tile": ("slab",),
    "wood": ("box", "sphere", "log", "box"),
}


@dataclass(kw_only=True, eq=False)
class Drops(Planned):
    """See weft.world.plan.Plan."""

    bodies: list[Body]
    flight: Flight
    scale: float
    ground: str
    patch: Look | None
    follow_body: int

    def at(self, t: Array) -> tuple[Array, Array]:
        """Positions [N, n, 3] and rotations [N, n, 3, 3]."""
        f = self.flight
        u = np.clip((t - f.clock[0]) / STEP_S, 0, len(f.clock) - 1.001)
        i = u.astype(int)
        w = (u - i)[:, None, None]
        return f.pos[i] * (1 - w) + f.pos[i + 1] * w, f.rot[np.round(u).astype(int)]

    def focus(self, t: Array) -> Array:
        pos, _ = self.at(t)
        p = pos[:, self.follow_body].copy()
        p[:, 2] = np.clip(p[:, 2], 0, 0.8) * 0.6
        return np.clip(p, -2.5, 2.5)

    def region(self, t: Array) -> Array:
        pos, _ = self.at(t)
        who = np.full(len(t), self.follow_body)
        if self.contacts:
            times = np.array([c.t + 0.5 * c.duration for c in self.contacts])
            owner = np.array([int(c.track.rsplit("-", 1)[1]) for c in self.contacts])
            who = owner[np.abs(t[:, None] - times[None]).argmin(1)]
        radius = max(b.radius for b in self.bodies)
        return ball(pos[np.arange(len(t)), who], radius)

    def props(self, t: Array) -> list[Prop]:
        rng = np.random.default_rng([self.seed, 23])
        found = list(self.still)
        pos, rot = self.at(t)
        for k, b in enumerate(self.bodies):
            for look in b.looks:
                found.append(replace(look, pos=pos[:, k] + (rot[:, k] @ look.pos), rot=rot[:, k] @ look.rot))
            if b.held:
                found += self._hand(t, b, rng)
        if self.patch is not None:
            finish = surfaces.FINISH[self.ground]
            found.append(
                reactions.patch(
                    t,
                    self.contacts,
                    rng,
                    material=self.ground,
                    finish=finish,
                    look=self.patch,
                    half=0.6,
                    relief=coarse(fractal(rng, 1.3), SHEET) * finish.bumps * 0.5,
                    origin=np.zeros(3),
                    frame=np.eye(3),
                )
            )
        seen = self.patch or (self.still[0].look if self.still else None)
        found += reactions.grains(t, self.contacts, rng, colours=reactions.colours_of(seen), floor=0.0)
        found += sets.distractors(rng, t, self.distractors, reach=self.scale * 1.5, away=self.away)
        return found

    def _hand(self, t: Array, b: Body, rng: np.random.Generator) -> list[Prop]:
        """The hand that holds a body, opens when it is let go, and goes."""
        tone = (*skin_tone(rng), 1.0)
        sleeve = (*hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.05, 0.95)), 1.0)
        a = rng.uniform(0, 2 * np.pi)
        out = np.array([np.cos(a), np.sin(a), float(rng.uniform(0.2, 1.0))])
        out /= np.linalg.norm(out)
        s = np.clip((t - b.released) / 0.9, 0, 1)[:, None]
        palm = b.start + out * (b.radius + 0.02) + out * (0.02 * np.minimum(s * 8, 1) + 1.6 * s**1.5)
        open_ = np.minimum(np.maximum(t - b.released + 0.03, 0) / 0.1, 1)
        side = np.cross(out, [0, 0, 1.0])
        side /= np.linalg.norm(side)
        found = [
            Prop(
                kind="ellipsoid",
                size=(0.04, 0.045, 0.02),
                pos=palm,
                rot=along(np.broadcast_to(out, palm.shape)),
                rgba=tone,
                casts=True,
            )
        ]
        for k in range(5):
            spread = (k - 2) * 0.022
            curl = turn(side, (0.3 + 0.9 * open_) * (1 if k < 4 else -1))
            finger = curl @ (-out)
            root = palm + side * spread
            found.append(limb(root, root + finger * (b.radius * 0.6 + 0.04), 0.0105, rgba=tone))
        found.append(limb(palm + out * 0.03, palm + out * 0.2, 0.03, rgba=tone, casts=True))
        found.append(limb(palm + out * 0.2, palm + out * 0.6, 0.042, rgba=sleeve, casts=True))
        return found


def plan(rng: np.random.Generator, seed: int, duration: float, *, material: str | None = None) -> Drops:
    """Draw one clip of the domain: choose things, drop them, listen to the contacts."""
    main = material or str(rng.choice(MATERIALS))
    ground_speaks = main in GROUND_SPEAKS and not (main == "cloth" and rng.random() < 0.5)
    ground = (
        main
        if ground_speaks
        else str(
            rng.choice(
                ["wood", "tile", "rock", "wood", "metal", "plastic", "carpet"],
                p=(0.25, 0.25, 0.15, 0.1, 0.1, 0.08, 0.07),
            )
        )
    )
    count = int(rng.choice([1, 2, 3], p=(0.6, 0.25, 0.15)))
    bodies = []
    for k in range(count):
        own = main if not ground_speaks else str(rng.choice(list(_SHAPES)))
        bodies.append(_body(rng, own, ground, k, duration))
    stairs = bool(rng.random() < 0.12) and not ground_speaks
    flight = simulate(bodies, ground, duration, stairs)
    contacts = find_contacts(flight, bodies, main if ground_speaks else None, ground, duration, seed)
    rolls = sum(c.action == "roll" for c in contacts)
    action = "roll" if rolls and rolls * 2 >= len(contacts) else "bounce"
    operator, half = frame_fall(rng, max(b.radius for b in bodies))
    away = toward(operator.views[0].azimuth)
    tile = float(rng.uniform(0.4, 1.3))
    floor = sets.ground(ground, rng, tile_m=tile)
    still = [floor]
    patch = None
    if ground_speaks and surfaces.FINISH[ground].give > 0.008 and floor.look is not None:
        patch = Look(image=floor.look.image, repeat=(1.2 / tile, 1.0))
    if stairs:
        still += [
            Prop(kind="box", size=s, pos=np.array(p), casts=True, **sets.solid(ground, rng))
            for p, s in STAIRS
        ]
    outdoors = sets.is_outdoor(ground) or rng.random() < 0.15
    still.append(
        sets.backdrop(rng, toward=-away, distance=float(rng.uniform(2.0, 6.0)), outdoors=bool(outdoors))
    )
    extra = sets.clutter(rng, int(rng.integers(0, 8)), reach=max(3 * half, 1.5), keep=1.1, away=away)
    clock = np.linspace(0, duration, 12)
    where = flight.pos[np.searchsorted(flight.clock, clock).clip(0, len(flight.clock) - 1), 0]
    still += clear_of_sight(extra, operator, where * (1, 1, 0.6), duration, seen=where, margin=0.1)
    return Drops(
        material=main,
        action=action,
        contacts=contacts,
        operator=operator,
        lens=sample_lens(rng),
        lamps=sets.lamps(rng),
        floor=0.0,
        seed=seed,
        bodies=bodies,
        flight=flight,
        still=still,
        away=away,
        scale=max(half, 0.4),
        distractors=int(rng.choice([0, 0, 0, 1, 2])),
        ground=ground,
        patch=patch,
        follow_body=0,
    )


def _body(rng: np.random.Generator, material: str, ground: str, index: int, duration: float) -> Body:
    shape = str(rng.choice(_SHAPES[material]))
    look = sets.solid(material, rng)
    flat = {**look, "look": Look(image=look["look"].image)}
    r = float(np.exp(rng.uniform(np.log(0.03), np.log(0.12))))

    def prop(kind: str, size: tuple[float, ...], **kw: Any) -> Prop:
        return Prop(kind=kind, size=size, casts=True, **{**look, **kw})

    kind: str
    size: tuple[float, ...]
    if shape in ("mug", "bottle", "can", "bowl", "plate"):
        thing = things.make(material, rng, shape)
        vessel = thing.props[0]
        mesh = vessel.mesh
        assert mesh is not None
        wide, high = float(np.abs(mesh[:, 0]).max()), float(np.ptp(mesh[:, 2])) / 2
        centred = mesh - [0, 0, mesh[:, 2].min() + high]
        looks: tuple[Prop, ...] = (Prop(kind="lathe", size=(1, 1, 1), mesh=centred, casts=True, **flat),)
        kind, size, radius = "cylinder", (wide, high), float(np.hypot(wide, high)) * 0.8
    elif shape in ("bundle", "boulder"):
        mesh = boulder(rng, 0.3 if shape == "bundle" else 0.2)
        mesh = mesh / np.abs(mesh).max(0)
        flatness = float(rng.uniform(0.7, 1.0))
        looks = (Prop(kind="lathe", size=(r, r, r * flatness), mesh=mesh, casts=True, repeat=1.5, **flat),)
        kind, size, radius = "ellipsoid", (r, r * 0.97, r * flatness), r
    elif shape == "sphere":
        kind, size, radius, looks = "sphere", (r,), r, (prop("sphere", (r, r, r)),)
    elif shape in ("cylinder", "log", "coin"):
        half = {"cylinder": 1.6, "log": 3.0, "coin": 0.12}[shape] * r
        half = half if shape != "log" else min(half, 0.25)
        kind, size, radius = "cylinder", (r, half), float(np.hypot(r, half)) * 0.8
        looks = (prop("cylinder", (r, r, half)),)
    else:
        dims = r * rng.uniform(0.6, 1.6, 3)
        if shape == "slab":
            dims = np.array([0.1, 0.1, 0.008]) * rng.uniform(0.7, 1.4)
        kind, size, radius = "box", tuple(dims), float(np.linalg.norm(dims)) * 0.8
        looks = (prop("box", tuple(dims)),)
    tossed = rng.random() < 0.35
    released = float(rng.uniform(0.05, 0.9)) if index == 0 else float(rng.uniform(0.3, 0.75 * duration))
    a = rng.uniform(0, 2 * np.pi)
    start = np.array([rng.normal(0, 0.12), rng.normal(0, 0.12), rng.uniform(0.25, 1.3) + radius])
    velocity = rng.standard_normal(3) * [0.25, 0.25, 0.1]
    if tossed:
        reach = rng.uniform(0.6, 1.3)
        start[:2] = reach * np.array([np.cos(a), np.sin(a)])
        velocity = np.array(
            [-np.cos(a) * reach * 1.6, -np.sin(a) * reach * 1.6, rng.uniform(0, 1.5)]
        ) * rng.uniform(0.6, 1.2)
    if index:
        start[:2] += rng.uniform(-0.4, 0.4, 2)
    axis = rng.standard_normal(3)
    rot = turn(axis / np.linalg.norm(axis), float(rng.uniform(0, np.pi))) if rng.random() < 0.7 else np.eye(3)
    soft = {
        "carpet": 0.5,
        "dirt": 0.25,
        "grass": 0.3,
        "gravel": 0.2,
        "leaf": 0.2,
        "water": 0.0,
        "cloth": 0.3,
    }.get(ground, 1.0)
    return Body(
        kind=kind,
        size=size,
        looks=looks,
        radius=radius,
        material=material,
        bounce=float(np.clip(_BOUNCE[material] * soft * rng.uniform(0.8, 1.3), 0.02, 0.9)),
        released=released,
        start=start,
        velocity=velocity,
        spin=rng.standard_normal(3) * rng.uniform(0, 8),
        rot=rot,
        held=not tossed and rng.random() < 0.55,
    )
