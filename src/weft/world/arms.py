"""Arms that strike: when the tip of the tool meets the surface it is there to a hair; how it comes and goes is
a swing about the wrist, carried by the hand, on a two-link arm from the shoulder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from weft.world.props import Array, Prop, along, turn

TOOLS = ("stick", "hammer", "knife", "spoon", "palm", "fist", "finger", "mallet", "brush")
LENGTH = {"stick": 0.3, "hammer": 0.27, "knife": 0.2, "spoon": 0.16, "mallet": 0.27, "brush": 0.22}
LENGTH |= {"palm": 0.10, "fist": 0.05, "finger": 0.13}


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One meeting of tip and surface: at `t` s, at `spot` [2] m (across, along the surface), from `height` m,
    `down` s on the way, leaving at `rebound` of the arriving speed and staying `dwell` s, sinking `sink` m.
    A feint (`misses`) turns back at that fraction of the height. `slide` [n, 2]: a scratch path over dwell."""

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
    the tool over the surface at contact; share: how much of the swing is the wrist's (the rest lifts the hand)."""

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
    seed: int = 0

    def chest(self) -> Array:
        """About where the body is, in surface axes [3]."""
        toward = np.array([np.cos(self.yaw), np.sin(self.yaw), 0.0])
        return np.asarray(toward * (0.55 + 0.7 * LENGTH[self.tool]) + [0, 0, self.person - 0.1])

    def height(self, t: Array) -> Array:
        """Height of the tip above the surface (negative: sunk in), m, at times t [N]."""
        knots: list[tuple[float, float, float]] = []  # t, height, slope
        blows = self.blows
        for i, b in enumerate(blows):
            low = b.height * b.misses
            v = (
                0.0
                if b.misses or b.slide is not None
                else min(2.2 * b.height / b.down, 2.9 * (b.height - low) / b.down)
            )
            end = b.t + b.dwell
            before = blows[i - 1].t + blows[i - 1].dwell if i else -10.0
            after = blows[i + 1].t if i + 1 < len(blows) else 1e9
            down = min(b.down, 0.55 * (b.t - before))
            knots.append((b.t - down, b.height, 0.0))
            knots.append((b.t, low, -v))
            if b.sink and not b.misses:
                knots.append((b.t + 0.035, -b.sink, 0.0))
                end = max(end, b.t + 0.08)
                knots.append((end, -0.3 * b.sink, 0.02))
            elif b.dwell > 0.02:
                knots.append((b.t + 0.012, low + 1e-4, 0.0))
                knots.append((end, low + 1e-4, 0.0))
            up = b.rebound * v
            gap = after - end
            back = min(0.2, 0.4 * gap)
            peak = float(np.clip(up * back / 2.2, 0.12 * b.height, 0.8 * b.height)) + low
            knots.append((end + back, peak, 0.0 if gap > 0.5 else 0.3 * (b.height - peak) / max(gap, 0.1)))
            if gap > 0.9:
                knots.append((end + 0.65, max(peak, self.rest * b.height), 0.0))
            if knots[-2][0] < b.t + 1e-6 or up > 0 and b.dwell <= 0.02 and not b.sink:
                # leave at the rebound speed: a second knot just after the touch
                knots.append((b.t + 0.008, low + 0.008 * up, up))
        knots.sort()
        kept: list[tuple[float, float, float]] = []
        for k in knots:
            if kept and k[0] - kept[-1][0] < 1e-3:
                continue
            kept.append(k)
        if not kept:
            return np.full(len(t), 0.25 + 0.02 * np.sin(t))
        ts, hs, vs = (np.array(c) for c in zip(*kept, strict=True))
        curve = CubicHermiteSpline(ts, hs, vs)(np.clip(t, ts[0], ts[-1]))
        gone = 0.6
        away = np.clip((self.arrives - t) / 0.5, 0, 1) ** 1.5 + np.clip((t - self.leaves) / 0.5, 0, 1) ** 1.5
        return np.asarray(curve + gone * away)

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
        """Hand, tool, arm and shoulder at times t; `frame` [3, 3] has the surface's across, along, normal as columns."""
        tip = self.tip(t)
        length = LENGTH[self.tool] * self.girth
        swing = np.clip(self.share * np.maximum(tip[:, 2], -0.02) / length, -0.3, 1.9)
        e = self.rise - swing
        toward = np.array([np.cos(self.yaw), np.sin(self.yaw), 0.0])
        d = np.cos(e)[:, None] * toward + np.sin(e)[:, None] * np.array([0, 0, 1.0])  # from tip to hand
        side = np.cross(toward, [0, 0, 1.0])
        hand = tip + d * length
        shoulder = toward * (0.42 + length * 0.7) * self.girth + np.array([0, 0, self.person]) + 0.12 * side
        shoulder = (
            shoulder
            + 0.25 * (hand - hand[0])
            + 0.5 * (hand.mean(0) * (1, 1, 0) - toward * length * np.cos(self.rise))
        )
        elbow, wrist = reach(shoulder, hand + d * 0.02, 0.30 * self.girth, 0.28 * self.girth, side)
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
        parts.append(p.limb(fore, cuff, 0.030 * g, self.skin))
        parts.append(p.limb(cuff, elbow, 0.040 * g, self.sleeve))
        parts.append(p.limb(elbow, shoulder, 0.048 * g, self.sleeve))
        if not self.body:
            return parts
        torso = shoulder + toward * 0.12 + np.array([0, 0, -0.22]) - side * 0.16
        lean = np.broadcast_to(np.stack([side, toward, np.array([0, 0, 1.0])], -1), (len(t), 3, 3))
        parts.append(p.solid("ellipsoid", (0.22 * g, 0.15 * g, 0.36 * g), torso, lean, self.sleeve))
        head = torso + np.array([0, 0, 0.52]) - toward * 0.03
        parts.append(p.solid("ellipsoid", (0.085, 0.1, 0.125), head, lean, self.skin))
        parts.append(
            p.solid("ellipsoid", (0.09, 0.1, 0.09), head + toward * 0.025 + [0, 0, 0.055], lean, self.wood)
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
                p.solid("ellipsoid", (0.042 * g, 0.05 * g, 0.016 * g), hand + axis * 0.01, rot, self.skin)
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
                p.solid("ellipsoid", (0.036 * g, 0.046 * g, 0.034 * g), hand - palm * 0.012, rot, self.skin)
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


class _Posed:
    """Makes props from points in surface axes, turned into the world."""

    def __init__(self, frame: Array) -> None:
        self.frame = frame

    def limb(self, a: Array, b: Array, radius: float, rgba: tuple[float, ...], casts: bool = False) -> Prop:
        a, b = np.broadcast_arrays(a, b)
        d = b - a
        half = float(np.median(np.linalg.norm(d, axis=-1))) / 2
        rot = self.frame @ along(d)
        big = radius > 0.02
        return Prop(
            kind="capsule", size=(radius, radius, half), pos=(a + b) / 2 @ self.frame.T, rot=rot, rgba=rgba, casts=casts or big,
            specular=0.1,
        )  # fmt: skip

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
            kind=kind, size=size, pos=at @ self.frame.T, rot=self.frame @ rot, rgba=rgba, casts=casts or max(size) > 0.03,
            specular=0.15,
        )  # fmt: skip


def reach(
    a: Array, b: Array, first: float, second: float, pole: Array, drop: float = 0.7
) -> tuple[Array, Array]:
    """The elbow of a two-link arm from a to b (law of cosines), bent towards `pole` and (`drop`) down; where b
    is out of reach the hand keeps b and the links stretch. Returns (elbow, b)."""
    a, b = np.broadcast_arrays(a, b)
    d = b - a
    r = np.linalg.norm(d, axis=-1, keepdims=True)
    u = d / np.maximum(r, 1e-6)
    c = np.clip(r, abs(first - second) + 1e-3, first + second - 1e-3)
    x = (first**2 - second**2 + c**2) / (2 * c)
    y = np.sqrt(np.maximum(first**2 - x**2, 0))
    bend = 0.7 * np.asarray(pole) + np.array([0, 0, -drop])
    bend = bend - (bend * u).sum(-1, keepdims=True) * u
    bend = bend / np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-6)
    return a + u * (x * r / c) + bend * y, np.asarray(b)


def spin(axis: Array, angle: Array) -> Array:
    """Rotations about a constant axis, see props.turn."""
    return turn(axis, angle)
