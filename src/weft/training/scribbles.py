"""Moving shapes: cheap pictures whose motion is as varied as we can make it and whose impacts are known.

The spotter must know an impact by how things move, whatever they look like. Here sticks, limbs, balls and blocks of
random texture strike, bounce, step, recoil and stop before random backgrounds and an unsteady camera, next to things
that move and make no sound. Nothing here looks like anything; that is the point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

STEP_HZ = 200.0
WIDTH, HEIGHT = 128, 96


@dataclass(frozen=True, kw_only=True)
class Scribble:
    """frames: grey uint8 `[T, 96, 128]` at times `[T]` s; onsets `[n]` s with strengths `[n]`; box `[100, 4]` of the
    one sounding shape at 25 per second, or None."""

    frames: np.ndarray
    times: np.ndarray
    onsets: np.ndarray
    strengths: np.ndarray
    box: np.ndarray | None


@dataclass(kw_only=True)
class _Shape:
    """Poses on the fine clock `[n]`: centre x, y (widths from the middle), angle, and a fixed half size."""

    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    half: tuple[float, float]
    sprite: torch.Tensor  # [2, 48, 48] grey and alpha


def draw(seed: int, *, seconds: float = 4.0) -> Scribble:
    """Draw one clip. The same seed gives the same clip."""
    rng = np.random.default_rng((seed, 0x5C21BB1E))
    clock = np.arange(-0.2, seconds + 0.2, 1 / STEP_HZ)
    shapes: list[_Shape] = []
    onsets: list[tuple[float, float]] = []
    sounding = int(rng.choice([0, 1, 1, 1, 2]))
    for _ in range(sounding):
        made, heard = _sounding(rng, clock, seconds)
        shapes += made
        onsets += heard
    for _ in range(int(rng.integers(0, 3))):
        shapes.append(_drifting(rng, clock))
    camera = _camera(rng, clock, [t for t, _ in onsets] if rng.random() < 0.25 else [])
    fps = float(rng.choice([12, 15, 15, 20, 24, 25, 25, 30, 30, 30]))
    times = np.arange(0, seconds, 1 / fps)
    flash = np.zeros(len(clock))
    if rng.random() < 0.12:
        for t, s in onsets:
            flash += 60 * s * np.where(clock >= t, np.exp(-(clock - t) / 0.03), 0)
    frames = _render(rng, shapes, camera, flash, clock, times)
    frames = _spoil(rng, frames)
    if rng.random() < 0.2:  # pictures repeated, as converters do
        times, frames = _repeat(rng, times, frames)
    onsets.sort()
    box = None
    if sounding == 1:
        box = _box(shapes[0], camera, clock, np.arange(int(seconds * 25)) / 25)
    inside = np.array([o for o in onsets if 0 <= o[0] < seconds]).reshape(-1, 2)
    return Scribble(frames=frames, times=times, onsets=inside[:, 0], strengths=inside[:, 1], box=box)


def _moments(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Times of events: steady, loose, in bursts, or few."""
    gap = float(np.exp(rng.uniform(np.log(0.18), np.log(1.6))))
    jitter = float(rng.choice([0.03, 0.1, 0.3]))
    gaps = gap * np.clip(1 + jitter * rng.standard_normal(64), 0.6, 2.5)
    if rng.random() < 0.4:
        gaps = gaps + (rng.random(64) < 0.25) * rng.uniform(0.5, 1.8)
    times = rng.uniform(0, min(gap * 1.5, 1.5)) + np.cumsum(gaps) - gaps[0]
    return times[times < seconds + 0.1]


def _sounding(
    rng: np.random.Generator, clock: np.ndarray, seconds: float
) -> tuple[list[_Shape], list[tuple[float, float]]]:
    kind = rng.choice(["strike", "strike", "strike", "bounce", "step", "recoil", "rally"])
    return {"strike": _strike, "bounce": _bounce, "step": _step, "recoil": _recoil, "rally": _rally}[kind](
        rng, clock, seconds
    )


def _strike(rng: np.random.Generator, clock: np.ndarray, seconds: float):  # type: ignore[no-untyped-def]
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
    drift = _wander(rng, clock, rng.choice([0.0, 0.01, 0.04]), 0.7)
    px = rng.uniform(-0.3, 0.3) - length / 2 * np.cos(rest_angle) + drift[0]
    py = rng.uniform(-0.15, 0.25) - length / 2 * np.sin(rest_angle) + drift[1] - slide
    jump = _hops(rng, clock, moments) if rng.random() < 0.4 else np.zeros(len(clock))
    x, y = px + jump + length / 2 * np.cos(angle), py + length / 2 * np.sin(angle)
    thick = rng.uniform(0.012, 0.06)
    stick = _Shape(x=x, y=y, angle=angle, half=(length / 2, thick), sprite=_sprite(rng))
    made = [stick]
    if rng.random() < 0.6:  # the hand or the arm that holds it
        made.append(
            _Shape(
                x=px + jump - 0.05 * np.cos(angle),
                y=py - 0.05 * np.sin(angle),
                angle=rest_angle + arc * lift * rng.uniform(0.2, 0.6),
                half=(rng.uniform(0.06, 0.25), rng.uniform(0.03, 0.09)),
                sprite=_sprite(rng),
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
        target = _Shape(
            x=np.full(len(clock), float(np.mean(tip[0]))),
            y=float(np.mean(tip[1])) + 0.06 + give,
            angle=np.full(len(clock), rng.normal(0, 0.2)),
            half=(rng.uniform(0.05, 0.3), rng.uniform(0.04, 0.12)),
            sprite=_sprite(rng),
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


def _bounce(rng: np.random.Generator, clock: np.ndarray, seconds: float):  # type: ignore[no-untyped-def]
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
    ball = _Shape(x=x, y=y, angle=x * rng.uniform(0, 15), half=(size, size), sprite=_sprite(rng))
    return [ball], heard


def _step(rng: np.random.Generator, clock: np.ndarray, seconds: float):  # type: ignore[no-untyped-def]
    """Two feet take turns: one stands while the other swings forward and lands. A body rides above."""
    pace = rng.uniform(0.32, 0.75)
    start, stride = rng.uniform(0, pace), rng.uniform(0.06, 0.25)
    towards = rng.random() < 0.35
    direction = rng.choice([-1, 1])
    count = int(seconds / pace) + 4
    landings = start + pace * (np.arange(count) - 1) + 0.03 * rng.standard_normal(count)
    stops = rng.random() < 0.3
    if stops:
        landings = landings[landings < rng.uniform(1.5, seconds)]
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
            _Shape(x=x, y=y, angle=0.3 * feet_y[k] / lift, half=(size * 1.4, size), sprite=_sprite(rng))
        )
        bx = (x + (0 if towards else direction * (body - followed))) / 2
        shapes.append(
            _Shape(
                x=bx,
                y=(y + ground - 0.25) / 2,
                angle=np.pi / 2 + 2 * (x - bx),
                half=(0.12, 0.03),
                sprite=_sprite(rng),
            )
        )
    torso_x = 0 * clock if towards else direction * (body - followed)
    shapes.append(
        _Shape(x=torso_x, y=ground - 0.35 + bob, angle=0 * clock, half=(0.08, 0.16), sprite=_sprite(rng))
    )
    return shapes, [(t, float(rng.uniform(0.3, 0.8))) for t in landings]


def _recoil(rng: np.random.Generator, clock: np.ndarray, seconds: float):  # type: ignore[no-untyped-def]
    """A thing at rest jerks and comes back: a gun fires, a dog barks, a plucked string. The sound is the jerk."""
    moments = _moments(rng, seconds)
    strengths = rng.uniform(0.4, 1.0, len(moments))
    direction, back = rng.uniform(0, 2 * np.pi), float(np.exp(rng.uniform(np.log(0.04), np.log(0.25))))
    rise, size = float(rng.uniform(0.01, 0.06)), rng.uniform(0.02, 0.12)
    jerk = np.zeros(len(clock))
    for t, s in zip(moments, strengths, strict=True):
        since = np.maximum(clock - t, 0)
        jerk += s * (1 - np.exp(-since / rise)) * np.exp(-since / back)
    wander = _wander(rng, clock, 0.01, 0.5)
    shape = _Shape(
        x=rng.uniform(-0.2, 0.2) + size * np.cos(direction) * jerk + wander[0],
        y=rng.uniform(-0.15, 0.15) + size * np.sin(direction) * jerk + wander[1],
        angle=rng.uniform(0, 6) + rng.normal(0, 0.3) * jerk,
        half=(rng.uniform(0.08, 0.3), rng.uniform(0.05, 0.2)),
        sprite=_sprite(rng),
    )
    return [shape], list(zip(moments, strengths, strict=True))


def _rally(rng: np.random.Generator, clock: np.ndarray, seconds: float):  # type: ignore[no-untyped-def]
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
    shapes = [_Shape(x=x, y=y, angle=0 * clock, half=(size, size), sprite=_sprite(rng))]
    for which in (-1.0, 1.0):
        mine = moments[side == which]
        swing = sum((np.tanh((clock - m) / 0.06) - np.tanh((clock - m - 0.35) / 0.15)) / 2 for m in mine)
        near = np.interp(clock, mine, end_x[side == which]) if len(mine) else 0 * clock
        nearby = np.interp(clock, mine, end_y[side == which]) if len(mine) else 0 * clock
        a = which * (1.2 - 2.4 * swing)
        r = rng.uniform(0.08, 0.2)
        shapes.append(
            _Shape(
                x=near + which * r + r * np.cos(a + np.pi * (which > 0)),
                y=nearby + r * np.sin(a),
                angle=a,
                half=(r, 0.03),
                sprite=_sprite(rng),
            )
        )
    return shapes, [(t, float(rng.uniform(0.4, 1.0))) for t in moments]


def _drifting(rng: np.random.Generator, clock: np.ndarray) -> _Shape:
    """A silent mover: wanders, sways, waves fast and smoothly, trembles, or enters and leaves."""
    kind = rng.choice(["wander", "sway", "wave", "tremble", "enter"])
    x, y = _wander(rng, clock, rng.uniform(0.02, 0.15), 0.4)
    angle = 0.5 * _wander(rng, clock, 1.0, 0.5)[0]
    if kind in ("sway", "wave"):
        rate = rng.uniform(0.3, 1.2) if kind == "sway" else rng.uniform(1.2, 3.5)
        size = rng.uniform(0.05, 0.2)
        way = rng.uniform(0, 2 * np.pi)
        beat = np.sin(2 * np.pi * rate * clock + rng.uniform(0, 6))
        x, y, angle = (
            x + size * np.cos(way) * beat,
            y + size * np.sin(way) * beat,
            angle + rng.normal(0, 0.6) * beat,
        )
    elif kind == "tremble":
        x, y = x + 0.006 * rng.standard_normal(len(clock)).cumsum() / 10, y
    elif kind == "enter":
        at, slow = rng.uniform(0.3, 3.5), rng.uniform(0.08, 0.3)
        x = x + rng.choice([-1, 1]) * 0.7 * (0.5 - 0.5 * np.tanh((clock - at) / slow))
    return _Shape(
        x=rng.uniform(-0.45, 0.45) + x,
        y=rng.uniform(-0.3, 0.3) + y,
        angle=rng.uniform(0, 6) + angle,
        half=(rng.uniform(0.03, 0.25), rng.uniform(0.02, 0.15)),
        sprite=_sprite(rng),
    )


def _wander(rng: np.random.Generator, clock: np.ndarray, size: float, rate: float) -> np.ndarray:
    """A smooth random path `[2, n]` of about `size` at about `rate` Hz."""
    span = clock[-1] - clock[0]
    knots = max(4, int(span * rate * 2) + 2)
    at = np.linspace(clock[0], clock[-1], knots)
    from scipy.interpolate import CubicSpline

    return size * CubicSpline(at, rng.standard_normal((knots, 2)))(clock).T


def _camera(rng: np.random.Generator, clock: np.ndarray, jolts: list[float]) -> np.ndarray:
    """Shift x, y (widths), zoom, turn `[4, n]`: still, hand held, panning, jolted by impacts, or cut."""
    out = np.zeros((4, len(clock)))
    out[2] = 1.0
    mode = rng.choice(["still", "still", "hand", "hand", "pan"])
    if mode != "still":
        out[:2] += _wander(rng, clock, rng.uniform(0.002, 0.02), 1.0)
        out[:2] += _wander(rng, clock, rng.uniform(0.0, 0.003), 5.0)
        out[3] += _wander(rng, clock, rng.uniform(0.0, 0.02), 0.8)[0]
    if mode == "pan":
        out[:2] += _wander(rng, clock, rng.uniform(0.05, 0.2), 0.25)
        out[2] += _wander(rng, clock, rng.uniform(0.0, 0.08), 0.3)[0]
    size = rng.uniform(0.002, 0.015)
    for t in jolts:
        since = np.maximum(clock - t, 0)
        out[1] += size * np.exp(-since / 0.06) * np.sin(since * 60) * (clock > t)
    if rng.random() < 0.12:
        after = clock > rng.uniform(0.5, 3.5)
        out[0, after] += rng.uniform(-0.3, 0.3)
        out[2, after] *= rng.uniform(0.7, 1.4)
    return out


def _noise(rng: np.random.Generator, height: int, width: int, octaves: tuple[int, ...]) -> torch.Tensor:
    total = torch.zeros(1, 1, height, width)
    for cell in octaves:
        grid = torch.from_numpy(
            rng.standard_normal((1, 1, height // cell + 2, width // cell + 2)).astype(np.float32)
        )
        total += F.interpolate(grid, size=(height, width), mode="bilinear") * rng.uniform(0.3, 1.0)
    return total[0, 0]


def _shades(rng: np.random.Generator, pattern: torch.Tensor) -> torch.Tensor:
    """A pattern `[H, W]` between two random greys, 0..255."""
    a, b = rng.uniform(0, 255, 2)
    return a + (b - a) * rng.uniform(0.15, 1.0) * torch.sigmoid(pattern * rng.uniform(0.5, 4.0))


def _sprite(rng: np.random.Generator) -> torch.Tensor:
    side = 48
    grey = _shades(rng, _noise(rng, side, side, ((24, 8), (16, 4), (8,), (32,))[int(rng.integers(4))]))
    axis = torch.linspace(-1, 1, side)
    y, x = axis[:, None], axis[None]
    kind = rng.integers(3)
    if kind == 0:
        inside = (x.abs() < 0.94) & (y.abs() < 0.94)
    elif kind == 1:
        inside = x * x + y * y < 0.9
    else:
        inside = x * x + y * y < 0.55 + 0.2 * _noise(rng, side, side, (16,))
    return torch.stack([grey, inside.float()])


def _background(rng: np.random.Generator) -> torch.Tensor:
    octaves = ((64, 16, 4), (96, 24), (32, 8, 3), (128, 6))[int(rng.integers(4))]
    picture = _shades(rng, _noise(rng, 240, 320, octaves))
    for _ in range(int(rng.integers(0, 7))):
        x, y, w, h = rng.integers(0, 280), rng.integers(0, 200), rng.integers(10, 120), rng.integers(10, 90)
        picture[y : y + h, x : x + w] += float(rng.uniform(-70, 70))
    return picture.clamp(0, 255)[None]


def _render(
    rng: np.random.Generator,
    shapes: list[_Shape],
    camera: np.ndarray,
    flash: np.ndarray,
    clock: np.ndarray,
    times: np.ndarray,
) -> np.ndarray:
    shutter = rng.uniform(0.2, 1.0) / 30 if rng.random() < 0.5 else 0.0
    ground = _background(rng)
    order = rng.permutation(len(shapes))
    total = None
    offsets = (0.0,) if shutter == 0 else (-shutter / 2, shutter / 2)
    for late in offsets:
        at = times + late
        cam = torch.from_numpy(np.stack([np.interp(at, clock, c) for c in camera]).astype(np.float32))
        picture = _expose(ground, [shapes[i] for i in order], cam, clock, at)
        total = picture if total is None else total + picture
    assert total is not None
    picture = total / len(offsets)
    picture += torch.from_numpy(np.interp(times, clock, flash).astype(np.float32))[:, None, None]
    return picture.clamp(0, 255).numpy()


def _expose(
    ground: torch.Tensor, shapes: list[_Shape], cam: torch.Tensor, clock: np.ndarray, at: np.ndarray
) -> torch.Tensor:
    ys, xs = torch.meshgrid(
        (torch.arange(HEIGHT) + 0.5 - HEIGHT / 2) / WIDTH,
        (torch.arange(WIDTH) + 0.5 - WIDTH / 2) / WIDTH,
        indexing="ij",
    )
    cx, cy, zoom, turn = (c[:, None, None] for c in cam)
    wx = (xs * torch.cos(turn) - ys * torch.sin(turn)) * zoom + cx
    wy = (xs * torch.sin(turn) + ys * torch.cos(turn)) * zoom + cy
    grid = torch.stack([wx, wy * 4 / 3], -1)
    count = len(at)
    picture = F.grid_sample(
        ground.expand(count, -1, -1, -1), grid, padding_mode="reflection", align_corners=False
    )
    for shape in shapes:
        x, y, a = (
            torch.from_numpy(np.interp(at, clock, v).astype(np.float32))[:, None, None]
            for v in (shape.x, shape.y, np.broadcast_to(shape.angle, clock.shape))
        )
        dx, dy = wx - x, wy - y
        u = (dx * torch.cos(a) + dy * torch.sin(a)) / shape.half[0]
        v = (-dx * torch.sin(a) + dy * torch.cos(a)) / shape.half[1]
        layer = F.grid_sample(
            shape.sprite.expand(count, -1, -1, -1), torch.stack([u, v], -1), align_corners=False
        )
        alpha = layer[:, 1:]
        picture = picture + alpha * (layer[:, :1] - picture)
    return picture[:, 0]


def _spoil(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """Gain, flicker, sensor noise, blocky compression (8 x 8 quantised)."""
    gain = rng.uniform(0.6, 1.3) * (1 + rng.choice([0.0, 0.02]) * rng.standard_normal((len(frames), 1, 1)))
    out = frames * gain.astype(np.float32) + np.float32(rng.uniform(-20, 20))
    out += np.float32(rng.choice([0.5, 2.0, 5.0])) * rng.standard_normal(out.shape, dtype=np.float32)
    if rng.random() < 0.4:
        out = _blocks(out, float(rng.uniform(4, 24)))
    return np.clip(out, 0, 255).astype(np.uint8)


def _blocks(frames: np.ndarray, step: float) -> np.ndarray:
    """Quantise the frequencies of 8 x 8 blocks, the fine ones more coarsely."""
    from scipy.fft import dctn, idctn

    count = len(frames)
    tiles = frames.reshape(count, HEIGHT // 8, 8, WIDTH // 8, 8)
    spectrum = dctn(tiles, axes=(2, 4), norm="ortho")
    order = np.arange(8)
    width = (step * (1 + 0.4 * (order[:, None] + order[None])))[:, None, :]
    return np.asarray(idctn(np.round(spectrum / width) * width, axes=(2, 4), norm="ortho")).reshape(
        frames.shape
    )


def _repeat(rng: np.random.Generator, times: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keep = np.arange(len(frames))
    if rng.random() < 0.5:
        keep = keep // 2 * 2
    else:
        lost = rng.random(len(frames)) < 0.15
        keep = np.maximum.accumulate(np.where(lost, 0, keep))
    return times, frames[keep]


def _box(shape: _Shape, camera: np.ndarray, clock: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The shape's bounding box as seen `[n, 4]` in fractions."""
    x, y, a, cx, cy, zoom, turn = (
        np.interp(at, clock, v)
        for v in (shape.x, shape.y, np.broadcast_to(shape.angle, clock.shape), *camera)
    )
    ex = np.abs(shape.half[0] * np.cos(a)) + np.abs(shape.half[1] * np.sin(a))
    ey = np.abs(shape.half[0] * np.sin(a)) + np.abs(shape.half[1] * np.cos(a))
    dx, dy = (x - cx) / zoom, (y - cy) / zoom
    sx, sy = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
    left, right = sx - ex / zoom + 0.5, sx + ex / zoom + 0.5
    upper, lower = (sy - ey / zoom) * WIDTH / HEIGHT + 0.5, (sy + ey / zoom) * WIDTH / HEIGHT + 0.5
    return np.clip(np.stack([left, upper, right, lower], 1), 0, 1).astype(np.float32)
