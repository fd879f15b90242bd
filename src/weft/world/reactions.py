"""What the struck ground does: it dents, ripples, and throws up loose pieces or drops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weft.world.plan import Contact
from weft.world.props import SHEET, Array, Look, Prop, disc, turn
from weft.world.surfaces import Finish

_GRAVITY = 9.81
_MOST_GRAINS = 80


def patch(
    t: Array,
    contacts: Sequence[Contact],
    rng: np.random.Generator,
    *,
    material: str,
    finish: Finish,
    look: Look,
    half: float,
    relief: Array,
    origin: Array,
    frame: Array,
    round_: bool = False,
) -> Prop:
    """A square of ground of half extent `half` m about `origin`, with `relief` [SHEET, SHEET] m, moved by every
    sudden contact. frame [3, 3]: its axes and normal as columns."""
    u = np.linspace(-half, half, SHEET)
    x, y = np.meshgrid(u, u, indexing="ij")
    if round_:
        x, y = disc(x, y, half)
    edge = np.clip((half - np.maximum(np.abs(x), np.abs(y))) / (0.3 * half), 0, 1)
    moves = finish.give > 0.008
    heights = np.repeat(relief[None], len(t), 0) if moves else relief
    if moves and material == "water":
        k, w = rng.uniform(12, 30), rng.uniform(3, 7)
        heights = heights + 0.003 * np.sin(k * (x + 0.6 * y) - w * t[:, None, None])
    for c in contacts if moves else ():
        if c.duration > 0:
            continue
        p = (np.atleast_2d(c.where)[0] - origin) @ frame
        r = np.hypot(x - p[0], y - p[1])
        s = (t - c.t)[:, None, None]
        if material == "water":
            front = np.clip((s * 0.7 - r) / 0.08, 0, 1) * np.exp(-s / 0.7) * np.exp(-r / 0.3)
            heights = heights + 0.028 * c.strength * front * np.cos(38 * (r - 0.7 * s)) * (s > 0)
        else:
            dent = np.exp(-((r / (0.05 + finish.give)) ** 2))
            press = np.where(s < 0, 0, np.where(s < 0.035, s / 0.035, np.exp(-(s - 0.035) / 0.12)))
            heights = heights - finish.give * c.strength * press * dent
    return Prop(
        kind="sheet",
        size=(half, half, 1.0),
        heights=heights * edge,
        look=look,
        repeat=float(look.repeat[0]),
        pos=origin + frame @ np.array([0, 0, 0.002]),
        rot=frame,
        specular=finish.specular,
        shininess=finish.shininess,
        round=round_,
    )


def grains(
    t: Array,
    contacts: Sequence[Contact],
    rng: np.random.Generator,
    *,
    colours: Array,
    floor: float,
    scale: float = 1.0,
) -> list[Prop]:
    """Loose pieces, drops or leaves flying up from every sudden contact on a material that has them."""
    from weft.world.surfaces import FINISH

    found: list[Prop] = []
    for c in contacts:
        count = 9 if c.material == "water" else FINISH[c.material].grains
        if not count or c.duration > 0 or len(found) > _MOST_GRAINS:
            continue
        spot = np.atleast_2d(c.where)[0]
        leafy = c.material in ("leaf", "grass")
        for _ in range(max(1, round(count * scale * (0.3 + 0.7 * c.strength)))):
            v = rng.standard_normal(3) * [0.45, 0.45, 0.2] + np.array([0, 0, rng.uniform(0.4, 1.7)])
            v = v * (0.5 + 0.7 * c.strength)
            s = (t - c.t)[:, None]
            late = np.maximum(s, 0)
            fall = _GRAVITY * (0.35 if c.material == "leaf" else 1.0)
            drift = np.exp(-0.5 * late) if c.material == "leaf" else 1.0
            pos = spot + v * late * drift + np.array([0, 0, -0.5 * fall]) * late**2
            shown = (s[:, 0] > 0) & (pos[:, 2] > floor - 0.01)
            r = rng.uniform(0.004, 0.011)
            size = (2.4 * r, 1.2 * r, 0.25 * r) if leafy else (r, r * 0.8, r * 0.7)
            axis = rng.standard_normal(3)
            tone = (
                (0.85, 0.92, 0.95)
                if c.material == "water"
                else tuple(colours[int(rng.integers(len(colours)))])
            )
            rot = turn(axis / np.linalg.norm(axis), t * rng.uniform(2, 20))
            found.append(Prop(kind="ellipsoid", size=size, pos=pos, rot=rot, rgba=(*tone, 1.0), shown=shown))
    return found


def colours_of(look: Look | None) -> Array:
    """A few colours [8, 3] of a texture."""
    if look is None:
        return np.full((8, 3), 0.5)
    return np.asarray(look.image[::37, ::41].reshape(-1, 3)[:8] / 255.0)
