"""Domain *hits* (Greatest Hits): somebody strikes or scratches something with a tool or a bare hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from weft.cues.vocabulary import MATERIALS
from weft.world import reactions, sets, surfaces, textures, things
from weft.world.arms import Arm
from weft.world.colours import hsv
from weft.world.fields import coarse, fractal
from weft.world.framing import blocks, clear_of_sight, frame_blows, toward
from weft.world.lens import sample_lens
from weft.world.plan import Contact, ball
from weft.world.planned import Planned
from weft.world.props import SHEET, Array, Look, Prop, turn
from weft.world.strokes import Style, sample_arms, sample_style

WHOLE_M = 1.0
"""A thing longer than this has no end in sight."""


@dataclass(kw_only=True, eq=False)
class Hits(Planned):
    """See weft.world.plan.Plan."""

    arms: list[Arm]
    thing: things.Thing
    frame: Array
    origin: Array
    view_scale: float
    finish: surfaces.Finish
    patch: Look | None = None
    patch_half: float = 0.5
    relief: Array = field(default_factory=lambda: np.zeros((SHEET, SHEET)))

    def focus(self, t: Array) -> Array:
        return np.broadcast_to(self.origin, (len(t), 3)).copy()

    def region(self, t: Array) -> Array:
        """The whole thing that is struck, the one of several nearest in time; of what has no end in sight (a floor, a
        wall, a long rail) the region of impact."""
        things = [p @ self.frame.T + self.origin for p in self.thing.outlines()]
        if not things or max(float(np.ptp(p, axis=0).max()) for p in things) > WHOLE_M:
            return ball(self._spots(t), min(self.thing.body, 0.14))
        spots = np.c_[np.array(self.thing.spots), np.zeros(len(things))] @ self.frame.T + self.origin
        nearest = np.square(self._struck(t)[:, None] - spots[None]).sum(2).argmin(1)
        return np.stack(things)[nearest]

    def _struck(self, t: Array) -> Array:
        """The point struck nearest in time, [N, 3]."""
        if not self.contacts:
            return self.focus(t)
        times = np.array([c.t + c.duration / 2 for c in self.contacts])
        where = np.stack([np.atleast_2d(c.where).mean(0) for c in self.contacts])
        return where[np.abs(t[:, None] - times[None]).argmin(1)]

    def _spots(self, t: Array) -> Array:
        """From the point struck last to the one struck next, [N, 3]."""
        if not self.contacts:
            return self.focus(t)
        times = np.array([c.t + c.duration / 2 for c in self.contacts])
        where = np.stack([np.atleast_2d(c.where).mean(0) for c in self.contacts])
        order = np.argsort(times)
        return np.stack([np.interp(t, times[order], where[order][:, k]) for k in range(3)], -1)

    def props(self, t: Array) -> list[Prop]:
        rng = np.random.default_rng([self.seed, 21])
        found = list(self.still)
        found += self._thing(t, rng)
        if self.patch is not None:
            found.append(
                reactions.patch(
                    t,
                    self.contacts,
                    rng,
                    material=self.material,
                    finish=self.finish,
                    look=self.patch,
                    round_=self.thing.floor < 0,
                    half=self.patch_half,
                    relief=self.relief,
                    origin=self.origin,
                    frame=self.frame,
                )
            )
        for arm in self.arms:
            posed = arm.props(t, self.frame)
            for p in posed:
                p.pos = p.pos + self.origin
            found += posed
        if self.arms[0].tool == "racket":
            found.append(self._shuttle(t, rng))
        look = self.patch or next((p.look for p in self.thing.props if p.look is not None), None)
        found += reactions.grains(
            t, self.contacts, rng, colours=reactions.colours_of(look), floor=float(self.origin[2])
        )
        found += sets.distractors(
            rng, t, self.distractors, reach=self.view_scale, away=self.away, floor=float(self.floor or 0.0)
        )
        return found

    def _shuttle(self, t: Array, rng: np.random.Generator) -> Prop:
        """The ball that the racket meets: it comes from where the blow sends it."""
        pos = np.full((len(t), 3), -50.0)
        normal = self.frame[:, 2]
        r = float(rng.uniform(0.02, 0.05))
        times = [c.t for c in self.contacts]
        for i, c in enumerate(self.contacts):
            start = 0.5 * (times[i - 1] + c.t) if i else -1e9
            end = 0.5 * (c.t + times[i + 1]) if i + 1 < len(times) else 1e9
            mine = (t >= start) & (t < end)
            s = (t - c.t)[mine, None]
            fast = np.where(s < 0, rng.uniform(3, 7), 4 + 7 * c.strength)
            drift = rng.normal(0, 0.4, 3) * [1, 0, 0]
            rise = np.array([0, 0, 1.0]) * (
                np.where(s < 0, -rng.uniform(0, 2), rng.uniform(0.5, 3.5)) * s - 2.5 * s * s
            )
            place = np.atleast_2d(c.where)[0] - normal * np.abs(s) * fast + np.sign(s) * drift * s + rise
            place[:, 2] = np.abs(place[:, 2] - r) + r
            pos[mine] = place
        tone = (0.95, 0.95, 0.9, 1.0) if rng.random() < 0.5 else (0.8, 0.95, 0.2, 1.0)
        return Prop(kind="sphere", size=(r, r, r), pos=pos, rgba=tone, casts=True)

    def tip(self, t: Array) -> Array:
        """Tips of the tools [arms, N, 3], world."""
        return np.stack([a.tip(t) @ self.frame.T + self.origin for a in self.arms])

    def _thing(self, t: Array, rng: np.random.Generator) -> list[Prop]:
        """The struck thing, jumping and trembling where it is loose."""
        shove, lean = np.zeros(len(t)), np.zeros(len(t))
        rate, fade = rng.uniform(4, 11), rng.uniform(0.05, 0.16)
        for c in self.contacts:
            s = np.maximum(t - c.t, 0)
            ring = (
                c.strength * np.exp(-s / fade) * np.sin(2 * np.pi * rate * s) * (t >= c.t) * (c.duration == 0)
            )
            shove, lean = shove + ring, lean + ring
        axis = np.array([np.cos(a := rng.uniform(0, 2 * np.pi)), np.sin(a), 0.0])
        tilt = turn(axis, lean * self.thing.loose * 4)
        sink = np.zeros((len(t), 3))
        sink[:, 2] = -np.abs(shove) * self.thing.loose * 0.5
        found = []
        for p in self.thing.props:
            if self.thing.loose > 0:
                base = np.array([0, 0, self.thing.floor])
                jumping = (p.pos - base) @ np.swapaxes(tilt, -1, -2) + base + sink
                pos, rot = jumping @ self.frame.T + self.origin, self.frame @ tilt @ p.rot
            else:
                pos, rot = self.frame @ p.pos + self.origin, self.frame @ p.rot
            found.append(replace(p, pos=pos, rot=rot))
        return found


_CHOPPED_ON = ("wood", "plastic", "metal", "ceramic", "tile", "paper", "rock", "glass")
_PLAYED = ("plastic", "wood", "metal")  # what bats and rackets are made of
_FLOORS = ("wood", "tile", "carpet", "dirt", "grass", "rock", "plastic", "cloth", "drywall", "metal")


def plan(rng: np.random.Generator, seed: int, duration: float, *, material: str | None = None) -> Hits:
    """Draw one clip of the domain."""
    style, material, thing = _cast(rng, material)
    finish = surfaces.finish(material, rng)
    wall = abs(thing.normal[1]) > 0.5
    upright = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # across, up the wall, out of it
    frame = upright if wall else np.eye(3)
    if wall:  # its props were made standing: bring them into surface axes
        for p in thing.props:
            p.pos, p.rot = upright.T @ p.pos, upright.T @ p.rot
    origin = np.array([0, 0, -thing.floor if not wall else -thing.floor + 0.3])
    relief, half = np.zeros((SHEET, SHEET)), 0.5
    look = Look(image=textures.texture(material, rng), repeat=(1, 1))
    if thing.soft:
        half = 0.97 * thing.body if thing.floor < 0 else float(rng.uniform(0.35, 0.7))
        relief = coarse(fractal(rng, 1.3), SHEET) * finish.bumps * (0.5 if thing.floor < 0 else 1.0)
    arms = sample_arms(rng, style, thing, finish, wall, duration)
    contacts = _contacts(arms, style, thing, material, frame, origin, seed)
    action = "scratch" if sum(c.action == "scratch" for c in contacts) * 2 > len(contacts) else "hit"
    operator, scale = frame_blows(
        rng,
        contacts,
        duration,
        body=thing.body,
        yaw=arms[0].yaw,
        wall=wall,
        racket=arms[0].tool == "racket",
    )
    if any(blocks(arms[0].chest() @ frame.T + origin, view, origin) for view in operator.views):
        arms = [replace(a, body=False) for a in arms]
    away = toward(operator.views[0].azimuth, operator.views[0].elevation)
    outdoors = (sets.is_outdoor(material) and thing.floor == 0) or rng.random() < 0.2
    ground, patch = _ground(rng, thing, material, look, half)
    still = [ground]
    if rng.random() < 0.25 and not (thing.soft and thing.floor == 0):  # a table instead of the floor
        ground.pos = np.array([0, 0, -0.75])
        still.append(_table(rng))
    for view in operator.views:
        far = float(rng.uniform(1.2, 5.0)) + scale
        still.append(sets.backdrop(rng, toward=-toward(view.azimuth), distance=far, outdoors=bool(outdoors)))
    if rng.random() < 0.75:
        flat = np.array([away[0], away[1], 0.0]) / max(np.hypot(away[0], away[1]), 1e-6)
        extra = sets.clutter(
            rng,
            int(rng.integers(0, 9)),
            reach=max(3 * scale, 2.5 * thing.body),
            keep=thing.body * 1.5 + 0.1,
            away=flat,
        )
        watched = np.broadcast_to(origin, (9, 3))
        still += clear_of_sight(extra, operator, watched, duration, margin=0.5 * thing.body)
    if style.chops:
        still += _food(rng, origin)
    return Hits(
        material=material,
        action=action,
        contacts=contacts,
        operator=operator,
        lens=sample_lens(rng),
        lamps=sets.lamps(rng),
        floor=0.0,
        seed=seed,
        arms=arms,
        thing=thing,
        frame=frame,
        origin=origin,
        still=still,
        away=away,
        view_scale=max(scale, 0.3),
        distractors=int(rng.choice([0, 0, 0, 1, 1, 2])),
        finish=finish,
        patch=patch,
        patch_half=half,
        relief=relief,
    )


def _cast(rng: np.random.Generator, wanted: str | None) -> tuple[Style, str, things.Thing]:
    """Who plays on what: a style, and a thing of a material (the wanted one, if any) that suits it."""
    material = wanted or str(rng.choice(MATERIALS))
    style = sample_style(rng)
    if wanted is not None and material not in _PLAYED and style.tools == ("racket",):
        style = replace(style, tools=("stick",), height=(0.06, 0.32))
    if style.chops and material not in _CHOPPED_ON:
        style = replace(style, chops=False, tools=("stick",))
    if style.tools == ("racket",):
        material = material if material in _PLAYED else "plastic"
        return style, material, things.make(material, rng, "air")
    flat = style.chops and "slab" in things.FORMS[material]
    thing = things.make(material, rng, "slab" if flat else None)
    if len(style.tools) == 2 or rng.random() < 0.1:
        things.repeat(thing, rng)
    return style, material, thing


def _contacts(
    arms: list[Arm],
    style: Style,
    thing: things.Thing,
    material: str,
    frame: Array,
    origin: Array,
    seed: int,
) -> list[Contact]:
    """What is heard of the arms' blows, in order of time."""
    found = []
    size = float(np.clip(np.log(thing.body / 0.04) / np.log(0.35 / 0.04), 0, 1))
    for b in (b for arm in arms for b in arm.blows if not b.misses):
        if b.slide is None:
            path, speed = np.asarray(b.spot)[None], None
            strength = b.height / b.down / style.full
        else:
            path = b.slide
            v = np.linalg.norm(np.gradient(path, b.dwell / (len(path) - 1), axis=0), axis=1)
            speed = np.clip(v / style.full_speed, 0, 1)
            strength = float(speed.max())
        found.append(
            Contact(
                t=b.t,
                strength=float(np.clip(strength, 0.06, 1)),
                material=material,
                action="hit" if b.slide is None else "scratch",
                where=np.concatenate([path, np.zeros((len(path), 1))], 1) @ frame.T + origin,
                duration=0.0 if b.slide is None else b.dwell,
                size=size,
                gain_curve=speed,
                track=f"thing{seed}",
            )
        )
    return sorted(found, key=lambda c: c.t)


def _ground(
    rng: np.random.Generator, thing: things.Thing, material: str, look: Look, half: float
) -> tuple[Prop, Look | None]:
    """The floor, and the look of the soft patch (half width `half` m) that blows dent, if the thing is soft.

    A soft thing that is the floor itself wears the same texture there as all around.
    """
    is_floor = thing.soft and thing.floor == 0
    base = material if is_floor else str(rng.choice(_FLOORS))
    tile = float(rng.uniform(0.35, 1.0) if thing.soft else rng.uniform(0.4, 1.4))
    ground = sets.ground(base, rng, tile_m=tile)
    if not is_floor:
        return ground, Look(image=look.image, repeat=(1.5, 1.5)) if thing.soft else None
    tiles = 2 * 12.0 / tile
    ground.look = Look(image=look.image, repeat=(tiles, tiles))
    return ground, Look(image=look.image, repeat=(2 * half / tile, 1))


def _table(rng: np.random.Generator) -> Prop:
    r = float(rng.uniform(0.4, 0.9))
    return Prop(
        kind="box",
        size=(r, r * float(rng.uniform(0.6, 1.0)), 0.02),
        pos=np.array([0, 0, -0.021]),
        **sets.solid(str(rng.choice(["wood", "plastic", "metal", "wood"])), rng),
    )


def _food(rng: np.random.Generator, origin: Array) -> list[Prop]:
    """Something to chop, beside where the blade comes down."""
    colour = hsv(rng.choice([0.02, 0.08, 0.15, 0.25, 0.3]), rng.uniform(0.3, 0.9), rng.uniform(0.5, 1))
    found = []
    a = rng.uniform(0, 2 * np.pi)
    for k in range(int(rng.integers(1, 7))):
        r = float(rng.uniform(0.012, 0.05))
        off = np.array([np.cos(a + 0.3 * k), np.sin(a + 0.3 * k), 0.0]) * rng.uniform(0.03, 0.12)
        tone = (*np.clip(colour * rng.uniform(0.8, 1.2), 0, 1), 1.0)
        found.append(
            Prop(
                kind="ellipsoid",
                size=(r, r * 1.5, r * 0.7),
                pos=origin + off + np.array([0, 0, r * 0.6]),
                rgba=tone,
                casts=True,
            )
        )
    return found
