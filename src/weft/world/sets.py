"""The set around the action: ground, backdrop, lamps, clutter, and moving things that make no sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.world import surfaces, textures
from weft.world.colours import hsv, skin_tone
from weft.world.props import Array, Lamp, Look, Prop, along, limb

_OUTDOOR = ("dirt", "grass", "gravel", "leaf", "rock", "water")


def solid(material: str, rng: np.random.Generator) -> dict[str, Any]:
    """Keyword arguments of a solid prop made of `material`."""
    f = surfaces.finish(material, rng)
    return {
        "look": Look(image=textures.texture(material, rng), wrap="cube"),
        "specular": f.specular,
        "shininess": f.shininess,
        "rgba": (1.0, 1.0, 1.0, f.alpha),
    }


def lamps(rng: np.random.Generator) -> list[Lamp]:
    """One key light from above and one or two fills, colours from candle to sky."""
    a, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.1)
    warm = rng.normal(0, 0.1)
    tint = np.array([1 + warm, 1.0, 1 - warm])
    key = rng.uniform(0.4, 0.85)
    ambient = rng.uniform(0.18, 0.5)
    down = (float(np.cos(a) * lean), float(np.sin(a) * lean), -1.0)
    found = [
        Lamp(
            direction=down,
            diffuse=tuple(tint * key),
            ambient=tuple(ambient * (2 - tint)),
            specular=tuple(tint * rng.uniform(0.2, 0.8)),
        )
    ]
    for _ in range(int(rng.integers(0, 3))):
        b = rng.uniform(0, 2 * np.pi)
        found.append(
            Lamp(
                direction=(float(np.cos(b)), float(np.sin(b)), float(rng.uniform(-0.8, 0.1))),
                diffuse=tuple(rng.uniform(0.05, 0.3) * (1 + rng.normal(0, 0.15, 3))),
                specular=(0.15, 0.15, 0.15),
            )
        )
    return found


def ground(
    material: str, rng: np.random.Generator, *, half: float = 12.0, z: float = 0.0, tile_m: float = 1.0
) -> Prop:
    """A wide floor of `material`; one texture covers tile_m metres."""
    f = surfaces.finish(material, rng)
    repeat = 2 * half / tile_m
    return Prop(
        kind="plane",
        size=(half, half, 0.1),
        pos=np.array([0.0, 0.0, z]),
        look=Look(image=textures.texture(material, rng), repeat=(repeat, repeat)),
        specular=f.specular * 0.6,
        shininess=f.shininess,
    )


def backdrop(rng: np.random.Generator, *, toward: Array, distance: float, outdoors: bool) -> Prop:
    """A picture wall `distance` m from the origin in the horizontal direction `toward` [3], facing it."""
    flat = np.array([toward[0], toward[1], 0.0])
    flat = flat / max(np.linalg.norm(flat), 1e-6)
    wide = max(distance * 2.6, 6.0)
    rot = np.stack([np.cross([0, 0, 1.0], -flat), np.array([0, 0, 1.0]), -flat], -1)
    return Prop(
        kind="plane",
        size=(wide, wide * 0.4, 0.1),
        pos=flat * distance + np.array([0, 0, wide * 0.4 - 0.05]),
        rot=rot,
        look=Look(image=textures.backdrop(rng, outdoors)),
        specular=0.0,
        emission=0.35 if outdoors else 0.1,
    )


def clutter(
    rng: np.random.Generator, count: int, *, reach: float, keep: float, away: Array, floor: float = 0.0
) -> list[Prop]:
    """Still things around the origin, none within `keep` m of it nor between it and the camera (`away`, unit)."""
    looks = [
        Look(image=textures.texture(str(rng.choice(list(textures.FAMILIES))), rng), wrap="cube")
        for _ in range(2)
    ]
    found: list[Prop] = []
    for _ in range(count * 4):
        if len(found) >= count:
            break
        a, r = rng.uniform(0, 2 * np.pi), keep + (reach - keep) * np.sqrt(rng.random())
        spot = np.array([np.cos(a) * r, np.sin(a) * r, floor])
        ahead = float(spot @ away)
        if ahead > -keep * 0.5 and np.linalg.norm(spot - ahead * away) < keep + 0.3 * ahead:
            continue
        s = reach * rng.uniform(0.04, 0.16)
        size = tuple(s * rng.uniform(0.5, 1.6, 3))
        kind = str(rng.choice(["box", "cylinder", "sphere", "ellipsoid", "box"]))
        if kind == "cylinder":
            size = (size[0], size[0], size[2])
        height = size[2] if kind in ("box", "cylinder", "ellipsoid") else size[0]
        spin = rng.uniform(0, 2 * np.pi)
        rot = np.array([[np.cos(spin), -np.sin(spin), 0], [np.sin(spin), np.cos(spin), 0], [0, 0, 1.0]])
        textured = rng.random() < 0.6
        found.append(
            Prop(
                kind=kind,
                size=size,
                pos=spot + np.array([0, 0, height]),
                rot=rot,
                look=looks[int(rng.integers(2))] if textured else None,
                rgba=(1, 1, 1, 1)
                if textured
                else (*hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.1, 1)), 1),
                specular=float(rng.uniform(0, 0.8)),
                casts=bool(rng.random() < 0.5),
            )
        )
    return found


def unblocked(props: list[Prop], eyes: Array, seen: Array, margin: float = 0.03) -> list[Prop]:
    """Those still props that keep clear of the lines of sight from eyes [N, 3] to seen [N, 3]."""
    kept = []
    line = seen - eyes
    length = np.maximum((line**2).sum(-1), 1e-9)
    for p in props:
        u = np.clip(((p.pos - eyes) * line).sum(-1) / length, 0, 1)[:, None]
        gap = np.linalg.norm(eyes + u * line - p.pos, axis=-1).min()
        if gap > float(np.linalg.norm(p.size)) + margin:
            kept.append(p)
    return kept


def distractors(
    rng: np.random.Generator, t: Array, count: int, *, reach: float, away: Array, floor: float = 0.0
) -> list[Prop]:
    """Moving things that make no sound: passing balls and people, waving cloths, pendulums, flickering screens.

    They stay on the far side of the origin or well to the side (`away` points to the camera).
    """
    found: list[Prop] = []
    side = np.array([-away[1], away[0], 0.0])
    side = side / max(np.linalg.norm(side), 1e-6)
    back = -np.array([away[0], away[1], 0.0])
    for _ in range(count):
        colour = (*hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.1, 1)), 1)
        base = (
            back * reach * rng.uniform(0.5, 1.3)
            + side * reach * rng.uniform(-0.9, 0.9)
            + np.array([0, 0, floor])
        )
        kind = int(rng.integers(0, 5))
        s = reach * rng.uniform(0.04, 0.14)
        if kind == 0:  # a ball or blob drifting past
            start, speed = rng.uniform(-1.5, 1.5), rng.choice([-1, 1]) * rng.uniform(0.2, 1.0)
            pos = base + side * (reach * (start + speed * (t - t.mean())))[:, None] + np.array([0, 0, s])
            found.append(
                Prop(kind="ellipsoid", size=(s, s, s * rng.uniform(0.8, 2)), pos=pos, rgba=colour, casts=True)
            )
        elif kind == 1:  # something waved or swaying to and fro
            swing = rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * (rng.uniform(0.3, 2.2) * t + rng.random()))
            tilt = np.stack([side[0] * np.sin(swing), side[1] * np.sin(swing), np.cos(swing)], -1)
            length = reach * rng.uniform(0.2, 0.6)
            found.append(limb(base + 0 * tilt, base + tilt * length, s * 0.3, rgba=colour, casts=True))
            if rng.random() < 0.6:
                flag = base + tilt * length
                found.append(Prop(kind="box", size=(s, s * 0.1, s), pos=flag, rot=along(tilt), rgba=colour))
        elif kind == 2:  # a pendulum: turns sharply at its ends but touches nothing
            top = base + np.array([0, 0, reach * rng.uniform(0.6, 1.2)])
            swing = rng.uniform(0.2, 0.7) * np.sin(2 * np.pi * (rng.uniform(0.5, 1.3) * t + rng.random()))
            bob = (
                top
                - np.stack([side[0] * np.sin(-swing), side[1] * np.sin(-swing), np.cos(swing)], -1)
                * reach
                * 0.5
            )
            found.append(Prop(kind="sphere", size=(s, s, s), pos=bob, rgba=colour))
            found.append(limb(top + 0 * bob, bob, s * 0.1, rgba=(0.2, 0.2, 0.2, 1)))
        elif kind == 3:  # a screen that flickers
            steps = rng.random((64, 3))[(np.floor(t * rng.uniform(1, 9)).astype(int)) % 64]
            rgba = np.concatenate([0.2 + 0.8 * steps, np.ones((len(t), 1))], 1)
            rot = np.stack([side, np.array([0, 0, 1.0]), np.cross(side, [0, 0, 1.0])], -1)
            found.append(
                Prop(
                    kind="box",
                    size=(2 * s, 1.3 * s, 0.02),
                    pos=base + np.array([0, 0, 2 * s]),
                    rot=rot,
                    rgba=rgba,
                    emission=0.7,
                )
            )
        else:  # a person passing, bent by no care
            h = reach * rng.uniform(0.5, 0.9)
            walk = rng.choice([-1, 1]) * rng.uniform(0.2, 0.6) * reach
            pos = base + back * reach * 0.4 + side * (walk * (t - t.mean()))[:, None]
            phase = 2 * np.pi * 0.9 * t
            found.append(
                Prop(
                    kind="ellipsoid",
                    size=(h * 0.13, h * 0.13, h * 0.22),
                    pos=pos + np.array([0, 0, h * 0.62]),
                    rgba=colour,
                )
            )
            found.append(
                Prop(
                    kind="sphere",
                    size=(h * 0.08,) * 3,
                    pos=pos + np.array([0, 0, h * 0.93]),
                    rgba=(*skin_tone(rng), 1),
                )
            )
            for leg in (0, np.pi):
                foot = pos + side * (0.18 * h * np.sin(phase + leg))[:, None]
                found.append(
                    limb(pos + np.array([0, 0, h * 0.45]), foot, h * 0.05, rgba=(0.15, 0.15, 0.25, 1))
                )
    return found


def is_outdoor(material: str) -> bool:
    return material in _OUTDOOR
