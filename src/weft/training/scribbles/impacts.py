"""Motions that sound: things strike, bounce, step, recoil and rally, and the moments at which they are heard."""

from __future__ import annotations

import numpy as np

from weft.training.scribbles.drifting import wander
from weft.training.scribbles.shapes import Shape, sprite

# shapes, the main one first; time (s) and strength of every onset
Sounding = tuple[list[Shape], list[tuple[float, float]]]


def draw_impacts(rng: np.random.Generator, clock: np.ndarray, seconds: float) -> Sounding:
    """One sounding motion on the fine clock `[n]` s, of any kind."""
    kind = rng.choice(["strike", "strike", "strike", "bounce", "step", "recoil", "rally"])
    return {"strike": _strike, "bounce": _bounce, "step": _step, "recoil": _recoil, "rally": _rally}[kind](
        rng, clock, seconds
    )


def _moments(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Times of events: steady, loose, in bursts, or few."""
    gap = float(np.exp(rng.uniform(np.log(0.18), np.log(1.6))))
    jitter = float(rng.choice([0.03, 0.1, 0.3]))
    gaps = gap * np.clip(1 + jitter * rng.standard_normal(64), 0.6, 2.5)
    if rng.random() < 0.4:
        gaps = gaps + (rng.random(64) < 0.25) * rng.uniform(0.5, 1.8)
    times = rng.uniform(0, min(gap * 1.5, 1.5)) + np.cumsum(gaps) - gaps[0]
    return times[times < seconds + 0.1]


def _strike(rng: np.random.Generator, clock: np.ndarray, seconds: float) -> Sounding:
    """A lever swings onto a spot and stops or springs back; between blows it is raised, waits, or wanders."""
    moments = _moments(rng, seconds)
    strengths = np.clip(rng.uniform(0.35, 1.0) + 0.2 * rng.standard_normal(len(moments)), 0.15, 1.0)
    lift = np.zeros(len(clock))
    swing = float(np.exp(rng.uniform(np.log(0.05), np.log(0.22))))
    curve, rebound = rng.uniform(1.3, 3.0), rng.choice([0.0, 0.1, 0.3, 0.6])
    smooth_return = rng.uniform(0.8, 2.0)
    for i, t in enumerate(moments):
        before = t - (moments[i - 1] if i else t - 1.5)
        after = (moments[i + 1] if i + 1 < len(moments) else t + 1.5) - t
        down = min(swing, before * 0.5)
        height = strengths[i]
        falling = (clock >= t - down) & (clock < t)
        lift[falling] = height * (1 - ((clock[falling] - t + down) / down) ** curve)
        top_next = strengths[i + 1] if i + 1 < len(moments) else height
        rise = max(after - min(swing, after * 0.5), 0.02)
        rest = rng.uniform(0.0, 0.5) * rise * (rng.random() < 0.5)
        rising = (clock >= t) & (clock < t + rise)
        u = np.clip((clock[rising] - t - rest) / max(rise - rest, 0.02), 0, 1)
        wave = (0.5 - 0.5 * np.cos(np.pi * np.clip(u * smooth_return, 0, 1))) * top_next
        spring = rebound * height * np.exp(-(clock[rising] - t) / 0.05) * np.sin((clock[rising] - t) / 0.02)
        lift[rising] = wave + np.maximum(spring, 0) * (1 - u)
        if i == 0:
            lift[clock < t - down] = height
    length = rng.uniform(0.15, 0.6)
    arc = rng.uniform(0.3, 1.4) * rng.choice([-1, 1])
    rest_angle = (
        rng.uniform(0, 2 * np.pi) if rng.random() < 0.3 else rng.normal(0, 0.4) + (np.pi if arc > 0 else 0)
    )
    angle = rest_angle + arc * lift
    slide = rng.uniform(0, 0.15) * lift if rng.random() < 0.5 else 0.0 * lift
    drift = wander(rng, clock, rng.choice([0.0, 0.01, 0.04]), 0.7)
    px = rng.uniform(-0.3, 0.3) - length / 2 * np.cos(rest_angle) + drift[0]
    py = rng.uniform(-0.15, 0.25) - length / 2 * np.sin(rest_angle) + drift[1] - slide
    jump = _hops(rng, clock, moments) if rng.random() < 0.4 else np.zeros(len(clock))
    x, y = px + jump + length / 2 * np.cos(angle), py + length / 2 * np.sin(angle)
    thick = rng.uniform(0.012, 0.06)
    stick = Shape(x=x, y=y, angle=angle, half=(length / 2, thick), sprite=sprite(rng))
    made = [stick]
    if rng.random() < 0.6:  # the hand or the arm that holds it
        made.append(
            Shape(
                x=px + jump - 0.05 * np.cos(angle),
                y=py - 0.05 * np.sin(angle),
                angle=rest_angle + arc * lift * rng.uniform(0.2, 0.6),
                half=(rng.uniform(0.06, 0.25), rng.uniform(0.03, 0.09)),
                sprite=sprite(rng),
            )
        )
    tip = (px + length * np.cos(rest_angle), py + length * np.sin(rest_angle))
    if rng.random() < 0.6:  # what is struck; it may give
        give = np.zeros(len(clock))
        if rng.random() < 0.5:
            size = rng.uniform(0.003, 0.03)
            for t, s in zip(moments, strengths, strict=True):
                since = clock - t
                give += (
                    size
                    * s
                    * np.where(since > 0, np.exp(-since / 0.08) * np.sin(np.maximum(since, 0) * 50), 0)
                )
        target = Shape(
            x=np.full(len(clock), float(np.mean(tip[0]))),
            y=float(np.mean(tip[1])) + 0.06 + give,
            angle=np.full(len(clock), rng.normal(0, 0.2)),
            half=(rng.uniform(0.05, 0.3), rng.uniform(0.04, 0.12)),
            sprite=sprite(rng),
        )
        made.append(target)
    return made, list(zip(moments, strengths, strict=True))


def _hops(rng: np.random.Generator, clock: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """A new place for every blow, moved to between blows."""
    if len(moments) < 2:
        return np.zeros(len(clock))
    places = rng.normal(0, 0.08, len(moments))
    middle = (moments[1:] + moments[:-1]) / 2
    width = 0.2 * np.diff(moments)
    out = np.full(len(clock), places[0])
    for m, w, a, b in zip(middle, width, places[:-1], places[1:], strict=True):
        out += (b - a) * np.clip((clock - m) / (2 * w) + 0.5, 0, 1)
    return out


def _bounce(rng: np.random.Generator, clock: np.ndarray, seconds: float) -> Sounding:
    """A ball or block falls, bounces and comes to rest; perhaps again and again."""
    gravity, floor = rng.uniform(1.0, 4.0), rng.uniform(0.05, 0.32)
    y, heard = np.full(len(clock), floor), []
    t = rng.uniform(-0.2, 1.0)
    speed_x, x0 = rng.uniform(-0.25, 0.25), rng.uniform(-0.3, 0.3)
    while t < seconds:
        height, keep = rng.uniform(0.15, 0.5), rng.uniform(0.3, 0.85)
        fall = np.sqrt(2 * height / gravity)
        first = (clock >= t) & (clock < t + fall)
        y[first] = floor - height + gravity / 2 * (clock[first] - t) ** 2
        y[(clock >= t - rng.uniform(0.1, 0.6)) & (clock < t)] = floor - height
        t += fall
        v = gravity * fall
        top = v
        while v > 0.12 * top and t < seconds + 0.2:
            heard.append((t, float(np.clip((v / 2.5) ** 1.2, 0.1, 1))))
            v *= keep
            air = 2 * v / gravity
            part = (clock >= t) & (clock < t + air)
            y[part] = floor - v * (clock[part] - t) + gravity / 2 * (clock[part] - t) ** 2
            t += air
        t += rng.uniform(0.5, 3.0)
    size = rng.uniform(0.03, 0.1)
    x = x0 + speed_x * (clock - seconds / 2)
    ball = Shape(x=x, y=y, angle=x * rng.uniform(0, 15), half=(size, size), sprite=sprite(rng))
    return [ball], heard


def _step(rng: np.random.Generator, clock: np.ndarray, seconds: float) -> Sounding:
    """Two feet take turns: one stands while the other swings forward and lands. A body rides above."""
    pace = rng.uniform(0.32, 0.75)
    start, stride = rng.uniform(0, pace), rng.uniform(0.06, 0.25)
    towards = rng.random() < 0.35
    direction = rng.choice([-1, 1])
    count = int(seconds / pace) + 4
    landings = start + pace * (np.arange(count) - 1) + 0.03 * rng.standard_normal(count)
    stops = rng.random() < 0.3
    if stops:
        landings = landings[landings < rng.uniform(min(1.5, 0.4 * seconds), seconds)]
    swing = rng.uniform(0.45, 0.8) * pace
    feet_x, feet_y = np.zeros((2, len(clock))), np.zeros((2, len(clock)))
    lift = rng.uniform(0.01, 0.07)
    for i, t in enumerate(landings):
        u = np.clip((clock - (t - swing)) / swing, 0, 1)
        eased = u**1.5 * (2.5 - 1.5 * u)
        feet_x[i % 2] += 2 * stride * eased
        feet_y[i % 2] -= lift * np.sin(np.pi * u) * (1 + u) / 1.5
    body = feet_x.mean(0)
    body = np.convolve(np.pad(body, 40, mode="edge"), np.hanning(81) / np.hanning(81).sum(), "valid")
    bob = (
        0.01
        * np.convolve(np.pad(feet_y.sum(0), 20, mode="edge"), np.full(41, 1 / 41), "valid")
        / max(lift, 0.01)
    )
    followed = body if rng.random() < 0.4 or towards else np.full(len(clock), body.mean())
    legs_x = np.zeros(2) if not towards else np.array([-0.05, 0.05])
    ground = rng.uniform(0.1, 0.3)
    size = rng.uniform(0.03, 0.07)
    shapes = []
    for k in range(2):
        if towards:
            x = legs_x[k] + 0 * clock
            y = ground + feet_y[k] * 2 + 0.03 * (feet_x[k] - body) / stride
        else:
            x, y = direction * (feet_x[k] - followed), ground + feet_y[k]
        shapes.append(
            Shape(x=x, y=y, angle=0.3 * feet_y[k] / lift, half=(size * 1.4, size), sprite=sprite(rng))
        )
        bx = (x + (0 if towards else direction * (body - followed))) / 2
        shapes.append(
            Shape(
                x=bx,
                y=(y + ground - 0.25) / 2,
                angle=np.pi / 2 + 2 * (x - bx),
                half=(0.12, 0.03),
                sprite=sprite(rng),
            )
        )
    torso_x = 0 * clock if towards else direction * (body - followed)
    shapes.append(
        Shape(x=torso_x, y=ground - 0.35 + bob, angle=0 * clock, half=(0.08, 0.16), sprite=sprite(rng))
    )
    return shapes, [(t, float(rng.uniform(0.3, 0.8))) for t in landings]


def _recoil(rng: np.random.Generator, clock: np.ndarray, seconds: float) -> Sounding:
    """A thing at rest jerks and comes back: a gun fires, a dog barks, a plucked string. The sound is the jerk."""
    moments = _moments(rng, seconds)
    strengths = rng.uniform(0.4, 1.0, len(moments))
    direction, back = rng.uniform(0, 2 * np.pi), float(np.exp(rng.uniform(np.log(0.04), np.log(0.25))))
    rise, size = float(rng.uniform(0.01, 0.06)), rng.uniform(0.02, 0.12)
    jerk = np.zeros(len(clock))
    for t, s in zip(moments, strengths, strict=True):
        since = np.maximum(clock - t, 0)
        jerk += s * (1 - np.exp(-since / rise)) * np.exp(-since / back)
    drift = wander(rng, clock, 0.01, 0.5)
    shape = Shape(
        x=rng.uniform(-0.2, 0.2) + size * np.cos(direction) * jerk + drift[0],
        y=rng.uniform(-0.15, 0.15) + size * np.sin(direction) * jerk + drift[1],
        angle=rng.uniform(0, 6) + rng.normal(0, 0.3) * jerk,
        half=(rng.uniform(0.08, 0.3), rng.uniform(0.05, 0.2)),
        sprite=sprite(rng),
    )
    return [shape], list(zip(moments, strengths, strict=True))


def _rally(rng: np.random.Generator, clock: np.ndarray, seconds: float) -> Sounding:
    """Something small flies to and fro and is struck at either end; the strikers swing through without stopping."""
    gap = rng.uniform(0.4, 1.2)
    moments = rng.uniform(0, gap) + gap * (np.arange(int(seconds / gap) + 3) - 1)
    moments = moments + 0.08 * gap * rng.standard_normal(len(moments))
    side = np.where(np.arange(len(moments)) % 2 == 0, -1.0, 1.0)
    end_x = side * rng.uniform(0.1, 0.4, len(moments))
    end_y = rng.uniform(-0.15, 0.15, len(moments))
    x, y = np.interp(clock, moments, end_x), np.interp(clock, moments, end_y)
    phase = np.interp(clock, moments, np.arange(len(moments))) % 1
    y = y - rng.uniform(0.0, 0.8) * phase * (1 - phase)
    size = rng.uniform(0.015, 0.04)
    shapes = [Shape(x=x, y=y, angle=0 * clock, half=(size, size), sprite=sprite(rng))]
    for which in (-1.0, 1.0):
        mine = moments[side == which]
        swing = sum((np.tanh((clock - m) / 0.06) - np.tanh((clock - m - 0.35) / 0.15)) / 2 for m in mine)
        near = np.interp(clock, mine, end_x[side == which]) if len(mine) else 0 * clock
        nearby = np.interp(clock, mine, end_y[side == which]) if len(mine) else 0 * clock
        a = which * (1.2 - 2.4 * swing)
        r = rng.uniform(0.08, 0.2)
        shapes.append(
            Shape(
                x=near + which * r + r * np.cos(a + np.pi * (which > 0)),
                y=nearby + r * np.sin(a),
                angle=a,
                half=(r, 0.03),
                sprite=sprite(rng),
            )
        )
    return shapes, [(t, float(rng.uniform(0.4, 1.0))) for t in moments]
