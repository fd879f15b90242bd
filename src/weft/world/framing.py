"""Where the camera of each domain stands, what it does there, and what must not stand in its way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weft.world import sets
from weft.world.camera import Operator, View
from weft.world.plan import Contact, sample_aspect
from weft.world.props import Array, Prop


def toward(azimuth: float, elevation: float = 0.0) -> Array:
    """The unit vector [3] from what is looked at to a camera at azimuth, elevation (rad)."""
    return np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    )


def blocks(body: Array, view: View, focus: Array) -> bool:
    """Whether a body at `body` [3] stands in the camera or before it."""
    look = toward(view.azimuth, view.elevation)
    spot = body - focus - np.asarray(view.offset)
    ahead = float(np.clip(spot @ look, 0, view.distance + 0.3))
    return ahead > 0.1 and float(np.linalg.norm(spot - ahead * look)) < 0.42


def clear_of_sight(
    props: list[Prop],
    operator: Operator,
    watched: Array,
    duration: float,
    *,
    seen: Array | None = None,
    margin: float = 0.03,
) -> list[Prop]:
    """Those still props that leave `seen` [N, 3] in sight of a camera that follows `watched` [N, 3], both evenly
    spread over the clip; without `seen`, what is watched is what must be seen."""
    clock = np.linspace(0, duration, len(watched))
    eyes = operator.path(clock, watched, watched[len(watched) // 2], duration).pos
    return sets.unblocked(props, eyes, watched if seen is None else seen, margin)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _sometimes(rng: np.random.Generator, odds: float, deviation: float) -> float:
    """A normal draw with probability `odds`, otherwise 0."""
    return float(rng.normal(0, deviation)) if rng.random() < odds else 0.0


def _shake(rng: np.random.Generator, on_tripod: float, least: float, most: float) -> float:
    """How much the hand shakes, rad: not at all with probability `on_tripod`, otherwise least .. most."""
    return 0.0 if rng.random() < on_tripod else _log_uniform(rng, least, most)


def frame_blows(
    rng: np.random.Generator,
    contacts: Sequence[Contact],
    duration: float,
    *,
    body: float,
    yaw: float,
    wall: bool,
    racket: bool,
) -> tuple[Operator, float]:
    """The camera on blows, from the front, the side, above or the person's own eyes; close to far.

    body: radius of the struck thing, m. yaw: where the first arm comes from, rad. wall: the surface stands.
    racket: a ball flies. Returns the operator and half the width of what the first view shows, m.
    """

    def view() -> tuple[View, float]:
        near = rng.random()
        half = _log_uniform(rng, 0.13, 0.3) if near < 0.6 else _log_uniform(rng, 0.3, 0.6)
        if near > 0.93:
            half = float(rng.uniform(0.7, 1.2))
        if racket:
            half = _log_uniform(rng, 0.7, 2.2)
        half = max(half, min(body * 0.9, 0.25))
        kind = rng.random()
        if wall:
            azimuth, elevation = -np.pi / 2 + rng.normal(0, 0.55), rng.uniform(-0.1, 0.6)
            azimuth = float(np.clip(azimuth, -np.pi / 2 - 1.2, -np.pi / 2 + 1.2))
        elif kind < 0.15:
            azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(1.1, 1.5)
        elif kind < 0.32:  # first person: behind and above the hand
            azimuth, elevation = yaw + rng.normal(0.35, 0.15), rng.uniform(0.6, 1.0)
        else:
            side = rng.choice([-1, 1]) * rng.uniform(0.7, 2.9)
            azimuth, elevation = yaw + side, rng.uniform(0.1, 0.9)
        fovy = float(rng.uniform(0.5, 1.05))
        shift = tuple(half * rng.uniform(-0.35, 0.35, 3) + np.array([0, 0, 0.25 * half]))
        if racket:
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
    shake = _shake(rng, 0.4, 0.0008, 0.012)
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


def frame_walk(rng: np.random.Generator, kind: str, tall: float) -> Operator:
    """The camera on a walker of `tall` m: across, follow, feet, front, behind, or the walker's own eyes."""
    side = float(rng.choice([-1, 1])) * np.pi / 2
    fovy = float(rng.uniform(0.5, 1.0))
    low = -0.38 * tall
    spec = {  # all are drawn, whichever is taken: what is drawn after them does not hang on the kind
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
        swing=_sometimes(rng, 0.2, 0.2),
        zoom=_sometimes(rng, 0.12, 0.3),
        roll=float(rng.normal(0, 0.05)),
    )
    shake = _shake(rng, 0.1 if follow > 0.5 else 0.35, 0.001, 0.016)
    return Operator(views=(view,), aspect=sample_aspect(rng), shake=shake, seed=int(rng.integers(2**31)))


def frame_fall(rng: np.random.Generator, radius: float) -> tuple[Operator, float]:
    """The camera on falling things, the largest of `radius` m, and half the width of what it shows, m."""
    half = float(np.clip(radius * _log_uniform(rng, 2.5, 9.0), 0.2, 0.85))
    fovy = float(rng.uniform(0.5, 1.05))
    top = rng.random() < 0.12
    follow = float(rng.choice([0.0, 0.0, 0.5, 0.9]))
    view = View(
        azimuth=float(rng.uniform(-np.pi, np.pi)),
        elevation=float(rng.uniform(1.0, 1.45) if top else rng.uniform(0.05, 0.8)),
        distance=half / np.tan(fovy / 2),
        fovy=fovy,
        offset=(0.0, 0.0, float(0.3 * half + rng.normal(0, 0.1) * half)),
        follow=follow * 0.5,
        turns=follow,
        swing=_sometimes(rng, 0.15, 0.25),
        zoom=_sometimes(rng, 0.1, 0.3),
        roll=float(rng.normal(0, 0.05)),
    )
    shake = _shake(rng, 0.45, 0.0008, 0.01)
    return Operator(
        views=(view,), aspect=sample_aspect(rng), shake=shake, seed=int(rng.integers(2**31))
    ), half
