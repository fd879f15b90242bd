"""Domain *hits* (Greatest Hits): somebody strikes or scratches something with a tool or a bare hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from weft.cues.vocabulary import MATERIALS
from weft.world import reactions, sets, surfaces, textures, things
from weft.world.arms import Arm
from weft.world.camera import Operator, View
from weft.world.colours import hsv
from weft.world.fields import N, fractal
from weft.world.lens import Lens, sample_lens
from weft.world.plan import Contact, ball, sample_aspect
from weft.world.props import SHEET, Array, Lamp, Look, Prop, turn
from weft.world.strokes import Style, sample_arms, sample_style


@dataclass(kw_only=True, eq=False)
class Hits:
    """See weft.world.plan.Plan."""

    material: str
    action: str
    contacts: list[Contact]
    operator: Operator
    lens: Lens
    lamps: list[Lamp]
    floor: float | None
    seed: int
    arms: list[Arm]
    thing: things.Thing
    frame: Array
    origin: Array
    still: list[Prop]
    away: Array
    view_scale: float
    distractors: int
    finish: surfaces.Finish
    patch: Look | None = None
    patch_half: float = 0.5
    relief: Array = field(default_factory=lambda: np.zeros((SHEET, SHEET)))

    def focus(self, t: Array) -> Array:
        return np.broadcast_to(self.origin, (len(t), 3)).copy()

    def region(self, t: Array) -> Array:
        spots = self._spots(t)
        return ball(spots, min(self.thing.body, 0.14))

    def _spots(self, t: Array) -> Array:
        """The point struck next or last, nearest in time, [N, 3]."""
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
            moved = Prop(**{k: getattr(p, k) for k in p.__dataclass_fields__})
            if self.thing.loose > 0:
                base = np.array([0, 0, self.thing.floor])
                moved.pos = (p.pos - base) @ np.swapaxes(tilt, -1, -2) + base + sink
                moved.pos = moved.pos @ self.frame.T + self.origin
                moved.rot = self.frame @ tilt @ p.rot
            else:
                moved.pos = self.frame @ p.pos + self.origin
                moved.rot = self.frame @ p.rot
            found.append(moved)
        return found


_CHOPPED_ON = ("wood", "plastic", "metal", "ceramic", "tile", "paper", "rock", "glass")
_PLAYED = ("plastic", "wood", "metal")  # what bats and rackets are made of


def plan(rng: np.random.Generator, seed: int, duration: float, *, material: str | None = None) -> Hits:
    """Draw one clip of the domain."""
    forced = material is not None
    material = material or str(rng.choice(MATERIALS))
    style = sample_style(rng)
    if forced and material not in _PLAYED and style.tools == ("racket",):
        style = replace(style, tools=("stick",), height=(0.06, 0.32))
    if style.chops and material not in _CHOPPED_ON:
        style = replace(style, chops=False, tools=("stick",))
    if style.tools == ("racket",):
        material = material if material in _PLAYED else "plastic"
        thing = things.make(material, rng, "air")
    else:
        flat = style.chops and "slab" in things.FORMS[material]
        thing = things.make(material, rng, "slab" if flat else None)
        if len(style.tools) == 2 or rng.random() < 0.1:
            things.repeat(thing, rng)
    finish = surfaces.finish(material, rng)
    wall = abs(thing.normal[1]) > 0.5
    upright = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # across, up the wall, out of it
    frame = upright if wall else np.eye(3)
    if wall:  # its props were made standing: bring them into surface axes
        for p in thing.props:
            p.pos, p.rot = upright.T @ p.pos, upright.T @ p.rot
    origin = np.array([0, 0, -thing.floor if not wall else -thing.floor + 0.3])
    patch, relief, half = None, np.zeros((SHEET, SHEET)), 0.5
    look = Look(image=textures.texture(material, rng), repeat=(1, 1))
    if thing.soft:
        half = 0.97 * thing.body if thing.floor < 0 else float(rng.uniform(0.35, 0.7))
        patch = look
        rough = fractal(rng, 1.3)[:: N // SHEET, :: N // SHEET][:SHEET, :SHEET]
        relief = rough * finish.bumps * (0.5 if thing.floor < 0 else 1.0)
    arms = sample_arms(rng, style, thing, finish, wall, duration)
    contacts: list[Contact] = []
    for arm in arms:
        for b in arm.blows:
            if b.misses:
                continue
            path = b.slide if b.slide is not None else np.asarray(b.spot)[None]
            points = np.concatenate([path, np.zeros((len(path), 1))], 1) @ frame.T + origin
            speed = None
            if b.slide is not None:
                v = np.linalg.norm(np.gradient(b.slide, b.dwell / (len(b.slide) - 1), axis=0), axis=1)
                speed = np.clip(v / style.full_speed, 0, 1)
            strength = (
                b.height / b.down / style.full
                if b.slide is None
                else float(speed.max())
                if speed is not None
                else 1.0
            )
            contacts.append(
                Contact(
                    t=b.t,
                    strength=float(np.clip(strength, 0.06, 1)),
                    material=material,
                    action="scratch" if b.slide is not None else "hit",
                    where=points,
                    duration=b.dwell if b.slide is not None else 0.0,
                    size=float(np.clip(np.log(thing.body / 0.04) / np.log(0.35 / 0.04), 0, 1)),
                    gain_curve=speed,
                    track=f"thing{seed}",
                )
            )
    contacts.sort(key=lambda c: c.t)
    action = "scratch" if sum(c.action == "scratch" for c in contacts) * 2 > len(contacts) else "hit"
    operator, scale = _operator(rng, thing, arms[0], wall, duration, contacts, style)
    if any(_blocks(arms[0].chest() @ frame.T + origin, view, origin) for view in operator.views):
        arms = [replace(a, body=False) for a in arms]
    v = operator.views[0]
    away = np.array(
        [
            np.cos(v.azimuth) * np.cos(v.elevation),
            np.sin(v.azimuth) * np.cos(v.elevation),
            np.sin(v.elevation),
        ]
    )
    floor = 0.0
    outdoors = (sets.is_outdoor(material) and thing.floor == 0) or rng.random() < 0.2
    base = (
        material
        if thing.soft and thing.floor == 0
        else str(
            rng.choice(
                ["wood", "tile", "carpet", "dirt", "grass", "rock", "plastic", "cloth", "drywall", "metal"]
            )
        )
    )
    per_metre = float(rng.uniform(0.35, 1.0) if thing.soft else rng.uniform(0.4, 1.4))
    ground = sets.ground(base, rng, tile_m=per_metre)
    if thing.soft and thing.floor == 0:
        tiles = 2 * 12.0 / per_metre
        ground.look = Look(image=look.image, repeat=(tiles, tiles))
        patch = Look(image=look.image, repeat=(2 * half / per_metre, 1))
    elif thing.soft:
        patch = Look(image=look.image, repeat=(1.5, 1.5))
    still = [ground]
    if rng.random() < 0.25 and not (thing.soft and thing.floor == 0):  # a table instead of the floor
        r = float(rng.uniform(0.4, 0.9))
        ground.pos = np.array([0, 0, -0.75])
        still.append(
            Prop(
                kind="box",
                size=(r, r * float(rng.uniform(0.6, 1.0)), 0.02),
                pos=np.array([0, 0, -0.021]),
                **sets.solid(str(rng.choice(["wood", "plastic", "metal", "wood"])), rng),
            )
        )
    for view in operator.views:
        d = np.array([np.cos(view.azimuth), np.sin(view.azimuth), 0.0])
        still.append(
            sets.backdrop(
                rng, toward=-d, distance=float(rng.uniform(1.2, 5.0)) + scale, outdoors=bool(outdoors)
            )
        )
    if rng.random() < 0.75:
        flat = np.array([away[0], away[1], 0.0]) / max(np.hypot(away[0], away[1]), 1e-6)
        extra = sets.clutter(
            rng,
            int(rng.integers(0, 9)),
            reach=max(3 * scale, 2.5 * thing.body),
            keep=thing.body * 1.5 + 0.1,
            away=flat,
        )
        clock = np.linspace(0, duration, 9)
        targets = np.broadcast_to(origin, (9, 3))
        still += sets.unblocked(
            extra, operator.path(clock, targets, origin, duration).pos, targets, 0.5 * thing.body
        )
    if style.chops:
        still_food = _food(rng, style, origin)
        still += still_food
    return Hits(
        material=material,
        action=action,
        contacts=contacts,
        operator=operator,
        lens=sample_lens(rng),
        lamps=sets.lamps(rng),
        floor=floor,
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


def _blocks(body: Array, view: View, focus: Array) -> bool:
    """Whether a body at `body` [3] stands in the camera or before it."""
    az, el = view.azimuth, view.elevation
    look = np.array([np.cos(az) * np.cos(el), np.sin(az) * np.cos(el), np.sin(el)])
    spot = body - focus - np.asarray(view.offset)
    ahead = float(np.clip(spot @ look, 0, view.distance + 0.3))
    return ahead > 0.1 and float(np.linalg.norm(spot - ahead * look)) < 0.42


def _operator(
    rng: np.random.Generator,
    thing: things.Thing,
    arm: Arm,
    wall: bool,
    duration: float,
    contacts: list[Contact],
    style: Style,
) -> tuple[Operator, float]:
    """The camera: from the front, the side, above or the person's own eyes; close to far."""

    def view() -> tuple[View, float]:
        near = rng.random()
        half = float(
            np.exp(rng.uniform(np.log(0.13), np.log(0.3)))
            if near < 0.6
            else np.exp(rng.uniform(np.log(0.3), np.log(0.6)))
        )
        if near > 0.93:
            half = float(rng.uniform(0.7, 1.2))
        if arm.tool == "racket":
            half = float(np.exp(rng.uniform(np.log(0.7), np.log(2.2))))
        half = max(half, min(thing.body * 0.9, 0.25))
        kind = rng.random()
        if wall:
            azimuth, elevation = -np.pi / 2 + rng.normal(0, 0.55), rng.uniform(-0.1, 0.6)
            azimuth = float(np.clip(azimuth, -np.pi / 2 - 1.2, -np.pi / 2 + 1.2))
        elif kind < 0.15:
            azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(1.1, 1.5)
        elif kind < 0.32:  # first person: behind and above the hand
            azimuth, elevation = arm.yaw + rng.normal(0.35, 0.15), rng.uniform(0.6, 1.0)
        else:
            side = rng.choice([-1, 1]) * rng.uniform(0.7, 2.9)
            azimuth, elevation = arm.yaw + side, rng.uniform(0.1, 0.9)
        fovy = float(rng.uniform(0.5, 1.05))
        shift = tuple(half * rng.uniform(-0.35, 0.35, 3) + np.array([0, 0, 0.25 * half]))
        if arm.tool == "racket":
            shift = (shift[0], shift[1], -0.3 * half)
        if rng.random() < 0.04:  # the camera looks beside it
            shift = (shift[0] + 3.5 * half * float(rng.choice([-1, 1])), shift[1], shift[2])
        moves = rng.random()
        return View(
            azimuth=float(azimuth),
            elevation=float(elevation),
            distance=half / np.tan(fovy / 2),
            fovy=fovy,
            offset=shift,
            swing=float(rng.normal(0, 0.25)) if moves < 0.18 else 0.0,
            rise=float(rng.normal(0, 0.15)) if 0.1 < moves < 0.2 else 0.0,
            zoom=float(rng.normal(0, 0.35)) if 0.15 < moves < 0.27 else 0.0,
            roll=float(rng.normal(0, 0.06)),
        ), half

    first, half = view()
    views, cuts = [first], []
    if rng.random() < 0.07:
        cuts = [float(rng.uniform(0.25, 0.75) * duration)]
        second, _ = view()
        views.append(second)
    shake = 0.0 if rng.random() < 0.4 else float(np.exp(rng.uniform(np.log(0.0008), np.log(0.012))))
    jolts: tuple[tuple[float, float], ...] = ()
    if rng.random() < 0.08:
        jolts = tuple(
            (c.t, 0.006 * c.strength * float(rng.uniform(0.3, 1))) for c in contacts if c.duration == 0
        )
    return Operator(
        views=tuple(views),
        cuts=tuple(cuts),
        aspect=sample_aspect(rng),
        shake=shake,
        jolts=jolts,
        seed=int(rng.integers(2**31)),
    ), half


def _food(rng: np.random.Generator, style: Style, origin: Array) -> list[Prop]:
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
