"""Arms that strike: when the tip of the tool meets the surface it is there to a hair; how it comes and goes is
a swing about the wrist, carried by the hand, on a two-link arm from the shoulder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.world.props import Array, Prop, along

TOOLS = ("stick", "hammer", "knife", "spoon", "palm", "fist", "finger", "mallet", "brush", "racket")
LENGTH = {
    "stick": 0.3,
    "hammer": 0.27,
    "knife": 0.2,
    "spoon": 0.16,
    "mallet": 0.27,
    "brush": 0.22,
    "racket": 0.5,
}
LENGTH |= {"palm": 0.10, "fist": 0.05, "finger": 0.13}


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One meeting of tip and surface: at `t` s, at `spot` [2] m (across, along the surface), from `height` m,
    `down` s on the way, leaving at `rebound` of the arriving speed and staying `dwell` s, sinking `sink` m.
    A feint (`misses`) turns back at that fraction of the height. `slide` [n, 2]: a scratch path over
    dwell. A deep sink (over 0.1 m) is a follow-through."""

    t: float
    spot: tuple[float, float]
    height: float
    down: float
    rebound: float = 0.3
    dwell: float = 0.0
    sink: float = 0.0
    misses: float = 0.0
    slide: Array | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm:
    """An arm with a tool. yaw: direction (rad, in the surface) from the spot towards the person; rise: angle of
    the tool over the surface at contact; share: how much of the swing is the wrist's (the rest lifts the hand).
    up: the world's up, in surface axes."""

    blows: tuple[Blow, ...]
    tool: str
    yaw: float
    rise: float
    share: float
    rest: float
    person: float
    skin: tuple[float, ...]
    sleeve: tuple[float, ...]
    wood: tuple[float, ...]
    metal: tuple[float, ...]
    bare: float = 0.5
    girth: float = 1.0
    arrives: float = -1.0
    leaves: float = 1e9
    body: bool = True
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    seed: int = 0

    def chest(self) -> Array:
        """About where the body is, in surface axes [3]."""
        toward = np.array([np.cos(self.yaw), np.sin(self.yaw), 0.0])
        return np.asarray(
            toward * (0.55 + 0.7 * LENGTH[self.tool])
            + np.array([0, 0, self.person])
            - 0.1 * np.asarray(self.up)
        )

    def height(self, t: Array) -> Array:
        """Height of the tip above the surface (negative: sunk in), m, at times t [N]."""
        curve = _swing(np.array(self._knots()), t) if self.blows else 0.25 + 0.02 * np.sin(t)
        gone = 0.6
        away = np.clip((self.arrives - t) / 0.5, 0, 1) ** 1.5 + np.clip((t - self.leaves) / 0.5, 0, 1) ** 1.5
        return np.asarray(curve + gone * away)

    def _knots(self) -> list[tuple[float, float, float, float]]:
        """Rows of time, height, slope coming in, slope going out."""
        rows: list[tuple[float, float, float, float]] = []
        for i, b in enumerate(self.blows):
            low = b.height * b.misses
            soft = b.misses > 0 or b.slide is not None
            v = 0.0 if soft else 2.4 * b.height / b.down
            if not rows:
                rows.append((b.t - b.down, b.height, 0.0, 0.0))
            up = b.rebound * v
            until = self.blows[i + 1].t if i + 1 < len(self.blows) else 1e9
            if b.sink and not b.misses:
                end = b.t + min(max(b.dwell, 0.08), 0.45 * (until - b.t))
                rows.append((b.t, low, -v, -v))
                deepest = 0.3 * (end - b.t) if b.sink > 0.1 else 0.45 * min(0.08, end - b.t)
                rows.append((b.t + deepest, low - b.sink, 0.0, 0.0))
                rows.append((end, low, 0.3, 0.3))
            elif b.dwell > 0.02:
                end = b.t + b.dwell
                rows.append((b.t, low, -v, 0.0))
                rows.append((end, low, 0.0, 0.0))
            else:
                end = b.t
                rows.append((b.t, low, -v, up))
            after = self.blows[i + 1] if i + 1 < len(self.blows) else None
            gap = (after.t - end) if after else 10.0
            down = min(after.down, 0.55 * gap) if after else 0.0
            back = 0.2 if gap > 0.6 else 0.4 * (gap - down)
            peak = low + float(np.clip(up * back / 2.2, 0.12 * b.height, 0.8 * b.height))
            top = after.height if after else 0.0
            if back < 0.05:  # no time for a rebound of its own: one rise, one fall
                rows.append((end + 0.5 * (gap - down), max(top, peak), 0.0, 0.0))
                continue
            rows.append((end + back, peak, 0.0, 0.0))
            if gap > 0.9:
                rows.append((end + 0.65, max(peak, self.rest * b.height), 0.0, 0.0))
            if after:
                rows.append((after.t - down, max(top, 0.02), 0.0, 0.0))
        return rows

    def tip(self, t: Array) -> Array:
        """The tip over time [N, 3] in surface axes: across, along, height."""
        rng = np.random.default_rng([self.seed, 3])
        where = np.zeros((len(t), 2))
        if self.blows:
            ts: list[float] = []
            spots: list[Array] = []
            for b in self.blows:
                if b.slide is not None:
                    ts += list(b.t + np.linspace(0, b.dwell, len(b.slide)))
                    spots += list(b.slide)
                else:
                    ts += [b.t - 0.02, b.t + max(b.dwell, 0.02)]
                    spots += [np.asarray(b.spot)] * 2
            order = np.argsort(ts, kind="stable")
            tt = np.maximum.accumulate(np.asarray(ts)[order] + 1e-6 * np.arange(len(ts)))
            where = np.stack([np.interp(t, tt, np.asarray(spots)[order][:, k]) for k in (0, 1)], -1)
        h = self.height(t)
        loose = np.clip(h / 0.1, 0, 1)[:, None]
        f = rng.uniform(0.3, 1.2, 2)
        sway = 0.02 * np.sin(2 * np.pi * (f * t[:, None] + rng.random(2)))
        gone = np.clip((self.arrives - t) / 0.5, 0, 1) + np.clip((t - self.leaves) / 0.5, 0, 1)
        out = np.array([np.cos(self.yaw), np.sin(self.yaw)]) * (0.6 * gone)[:, None]
        return np.concatenate([where + sway * loose + out, h[:, None]], -1)

    def props(self, t: Array, frame: Array) -> list[Prop]:
        """Hand, tool, arm and body at times t. frame [3, 3]: the surface's across, along and normal as columns."""
        tip = self.tip(t)
        length = LENGTH[self.tool] * self.girth
        swing = np.clip(
            self.share * np.maximum(tip[:, 2], -0.5 if self.tool == "racket" else -0.02) / length, -1.0, 1.9
        )
        e = self.rise - swing
        toward = np.array([np.cos(self.yaw), np.sin(self.yaw), 0.0])
        d = np.cos(e)[:, None] * toward + np.sin(e)[:, None] * np.array([0, 0, 1.0])  # from tip to hand
        side = np.cross(toward, [0, 0, 1.0])
        hand = tip + d * length
        up = np.asarray(self.up)
        shoulder = toward * (0.42 + length * 0.7) * self.girth + np.array([0, 0, self.person]) + 0.12 * side
        shoulder = (
            shoulder
            + 0.25 * (hand - hand[0])
            + 0.5 * (hand.mean(0) * (1, 1, 0) - toward * length * np.cos(self.rise))
        )
        elbow, wrist = reach(
            shoulder, hand + d * 0.02, 0.30 * self.girth, 0.28 * self.girth, 0.7 * side - 0.7 * up
        )
        world = frame
        p = _Posed(world)
        g = self.girth
        parts: list[Prop] = []
        axis = d  # along the tool, tip to hand
        sideways = np.broadcast_to(side, d.shape)
        palm = np.cross(axis, sideways)  # out of the palm: down, for a flat tool
        parts += self._tool(p, tip, hand, axis, sideways, palm, length)
        parts += self._hand(p, hand, axis, sideways, palm, wrist, elbow)
        fore = wrist + (elbow - wrist) * np.array([0.12])
        cuff = wrist + (elbow - wrist) * self.bare
        parts.append(p.limb(fore, cuff, 0.030 * g, self.skin, casts=True))
        parts.append(p.limb(cuff, elbow, 0.040 * g, self.sleeve))
        parts.append(p.limb(elbow, shoulder, 0.048 * g, self.sleeve))
        if not self.body:
            return parts
        front = toward - (toward @ up) * up if abs(toward @ up) < 0.7 else np.array([0.0, 0.0, 1.0])
        front = front / np.linalg.norm(front)
        beside = np.cross(front, up)
        torso = shoulder + front * 0.12 - up * 0.22 - beside * 0.16
        lean = np.broadcast_to(np.stack([beside, -front, up], -1), (len(t), 3, 3))
        parts.append(p.solid("ellipsoid", (0.2 * g, 0.14 * g, 0.36 * g), torso, lean, self.sleeve))
        head = torso + 0.52 * up - front * 0.03
        parts.append(p.solid("ellipsoid", (0.085, 0.1, 0.125), head, lean, self.skin))
        parts.append(
            p.solid("ellipsoid", (0.09, 0.1, 0.09), head + front * 0.025 + up * 0.055, lean, self.wood)
        )
        return parts

    def _hand(
        self, p: _Posed, hand: Array, axis: Array, side: Array, palm: Array, wrist: Array, elbow: Array
    ) -> list[Prop]:
        g = self.girth
        rot = np.stack([side, axis, -palm], -1)
        parts = []
        if self.tool in ("palm", "finger"):
            parts.append(
                p.solid(
                    "ellipsoid",
                    (0.042 * g, 0.05 * g, 0.016 * g),
                    hand + axis * 0.01,
                    rot,
                    self.skin,
                    casts=True,
                )
            )
            for k in range(4):
                o = side * ((k - 1.5) * 0.021 * g)
                if self.tool == "finger" and k != 1:
                    parts.append(
                        p.limb(
                            hand + o - axis * 0.03 * g,
                            hand + o - axis * 0.05 * g - palm * 0.03,
                            0.010 * g,
                            self.skin,
                        )
                    )
                else:
                    reach = (0.1 if k in (1, 2) else 0.085) * g
                    parts.append(
                        p.limb(hand + o - axis * 0.03 * g, hand + o - axis * reach, 0.0095 * g, self.skin)
                    )
            parts.append(
                p.limb(hand + side * 0.03 * g, hand + side * 0.07 * g - axis * 0.04, 0.011 * g, self.skin)
            )
        else:
            parts.append(
                p.solid(
                    "ellipsoid",
                    (0.036 * g, 0.046 * g, 0.034 * g),
                    hand - palm * 0.012,
                    rot,
                    self.skin,
                    casts=True,
                )
            )
            for k in range(4):
                o = axis * ((k - 1.5) * 0.021 * g)
                knuckle = hand + o + side * 0.030 * g - palm * 0.004
                parts.append(
                    p.limb(knuckle, hand + o + side * 0.022 * g + palm * 0.030 * g, 0.0115 * g, self.skin)
                )
            parts.append(
                p.limb(
                    hand - side * 0.024 * g,
                    hand - axis * 0.05 * g - side * 0.012 + palm * 0.01,
                    0.012 * g,
                    self.skin,
                )
            )
        parts.append(p.limb(hand - palm * 0.008, wrist, 0.027 * g, self.skin))
        return parts

    def _tool(
        self, p: _Posed, tip: Array, hand: Array, axis: Array, side: Array, palm: Array, length: float
    ) -> list[Prop]:
        g, wood, metal = self.girth, self.wood, self.metal
        end = hand + axis * 0.06 * g
        if self.tool == "stick":
            return [
                p.limb(tip + axis * 0.008, end, 0.0075 * g, wood, casts=True),
                p.limb(tip + axis * 0.35 * length, end, 0.0095 * g, wood),
            ]
        if self.tool in ("hammer", "mallet"):
            stout = 0.017 if self.tool == "hammer" else 0.035
            reach = 0.05 if self.tool == "hammer" else 0.06
            colour = metal if self.tool == "hammer" else wood
            # the face, not the end of the handle, is the tip: the head stands across the handle
            head = tip - palm * reach * g
            far = head - palm * reach * g
            return [
                p.limb(head, end - palm * reach * g * 0.6, 0.012 * g, wood, casts=True),
                p.cylinder(tip, far, stout * g, colour, casts=True),
            ]
        if self.tool == "knife":
            blade = tip + axis * 0.02 - palm * 0.022
            rot = np.stack([side, axis, -palm], -1)
            return [
                p.solid("box", (0.0018, 0.10 * g, 0.022), blade, rot, metal, casts=True),
                p.limb(hand - axis * 0.055 - palm * 0.015, end, 0.012 * g, wood),
            ]
        if self.tool == "racket":
            rot = np.stack([side, axis, -palm], -1)
            return [
                p.solid("ellipsoid", (0.11 * g, 0.14 * g, 0.008), tip, rot, metal, casts=True),
                p.limb(tip + axis * 0.13, end, 0.011, wood, casts=True),
            ]
        if self.tool == "spoon":
            rot = np.stack([side, axis, -palm], -1)
            return [
                p.solid(
                    "ellipsoid",
                    (0.02, 0.03, 0.008),
                    tip + axis * 0.026 - palm * 0.004,
                    rot,
                    metal,
                    casts=True,
                ),
                p.limb(tip + axis * 0.05, end, 0.004, metal),
            ]
        if self.tool == "brush":
            rot = np.stack([side, axis, -palm], -1)
            return [
                p.solid("box", (0.03, 0.02, 0.022), tip + axis * 0.02 - palm * 0.015, rot, metal, casts=True),
                p.limb(tip + axis * 0.03 - palm * 0.02, end, 0.011, wood),
            ]
        return []


def _swing(knots: Array, t: Array) -> Array:
    """Cubic pieces through knots (time, height, slope in, slope out) that never overshoot: slopes are held to
    three times the chord's, as Fritsch and Carlson (1980) show is enough."""
    ts, hs = knots[:, 0], knots[:, 1]
    step = np.maximum(np.diff(ts), 1e-6)
    chord = np.diff(hs) / step
    lo, hi = np.minimum(0, 3 * chord), np.maximum(0, 3 * chord)
    out, into = np.clip(knots[:-1, 3], lo, hi), np.clip(knots[1:, 2], lo, hi)
    i = np.clip(np.searchsorted(ts, t, side="right") - 1, 0, len(step) - 1)
    u = np.clip((t - ts[i]) / step[i], 0, 1)
    a, b = hs[i], hs[i + 1]
    h00, h10 = (1 + 2 * u) * (1 - u) ** 2, u * (1 - u) ** 2
    h01, h11 = u * u * (3 - 2 * u), u * u * (u - 1)
    return np.asarray(h00 * a + h10 * step[i] * out[i] + h01 * b + h11 * step[i] * into[i])


class _Posed:
    """Makes props from points in surface axes, turned into the world."""

    def __init__(self, frame: Array) -> None:
        self.frame = frame

    def limb(self, a: Array, b: Array, radius: float, rgba: tuple[float, ...], casts: bool = False) -> Prop:
        a, b = np.broadcast_arrays(a, b)
        d = b - a
        half = float(np.median(np.linalg.norm(d, axis=-1))) / 2
        rot = self.frame @ along(d)
        return Prop(
            kind="capsule",
            size=(radius, radius, half),
            pos=(a + b) / 2 @ self.frame.T,
            rot=rot,
            rgba=rgba,
            casts=casts,
            specular=0.1,
        )

    def cylinder(
        self, a: Array, b: Array, radius: float, rgba: tuple[float, ...], casts: bool = False
    ) -> Prop:
        made = self.limb(a, b, radius, rgba, casts)
        made.kind, made.specular = "cylinder", 0.6
        return made

    def solid(
        self,
        kind: str,
        size: tuple[float, ...],
        at: Array,
        rot: Array,
        rgba: tuple[float, ...],
        casts: bool = False,
    ) -> Prop:
        return Prop(
            kind=kind,
            size=size,
            pos=at @ self.frame.T,
            rot=self.frame @ rot,
            rgba=rgba,
            casts=casts,
            specular=0.15,
        )


def reach(a: Array, b: Array, first: float, second: float, pole: Array) -> tuple[Array, Array]:
    """The joint of a two-link limb from a to b (law of cosines), bent towards `pole` [3]; where b is out of reach
    b is kept and the links stretch. Returns (joint, b)."""
    a, b = np.broadcast_arrays(a, b)
    d = b - a
    r = np.linalg.norm(d, axis=-1, keepdims=True)
    u = d / np.maximum(r, 1e-6)
    c = np.clip(r, abs(first - second) + 1e-3, first + second - 1e-3)
    x = (first**2 - second**2 + c**2) / (2 * c)
    y = np.sqrt(np.maximum(first**2 - x**2, 0))
    bend = np.asarray(pole, float)
    bend = bend - (bend * u).sum(-1, keepdims=True) * u
    bend = bend / np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-6)
    return a + u * (x * r / c) + bend * y, np.asarray(b)
