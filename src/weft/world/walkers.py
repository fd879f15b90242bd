"""What walks: a person and a four-legged beast, posed on their gait."""

from __future__ import annotations

import numpy as np

from weft.world.arms import reach
from weft.world.colours import hsv, skin_tone
from weft.world.gait import Gait
from weft.world.props import Array, Prop, along, limb, turn


def person(t: Array, rng: np.random.Generator, *, gait: Gait, hip: Array, tall: float) -> list[Prop]:
    """A person `tall` m at times t [N], the hips at `hip` [N, 3]."""
    h = tall
    skin = (*skin_tone(rng), 1.0)
    top = (*hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.05, 1)), 1.0)
    legs = (
        *hsv(rng.choice([0.6, 0.62, 0.08, rng.random()]), rng.uniform(0, 0.6), rng.uniform(0.05, 0.6)),
        1.0,
    )
    shoe = (*hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.03, 0.95)), 1.0)
    shin = legs if rng.random() < 0.7 else skin
    stout = float(rng.uniform(0.85, 1.25))
    pace = np.gradient(gait.x(t), t) if len(t) > 1 else np.zeros(1)
    lean = np.clip(0.04 * pace, 0, 0.25)
    up = np.stack([np.sin(lean), 0 * t, np.cos(lean)], -1)
    found = []
    swings = []
    for k, side in enumerate((1.0, -1.0)):
        x, z, pitch = gait.foot(k, t)
        ankle = np.stack([x, np.full(len(t), gait.lateral[k]), z + 0.06 * h], -1)
        joint = hip + np.array([0, side * 0.05 * h, 0])
        knee, _ = reach(joint, ankle, 0.245 * h, 0.235 * h, np.array([1.0, 0, 0]))
        found.append(limb(joint, knee, 0.042 * h * stout, rgba=legs, casts=True))
        found.append(limb(knee, ankle, 0.03 * h * stout, rgba=shin, casts=True))
        sole = turn(np.array([0, 1.0, 0]), pitch)
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.075 * h, 0.03 * h, 0.032 * h),
                pos=ankle + np.array([0.03 * h, 0, -0.03 * h]),
                rot=sole,
                rgba=shoe,
                casts=True,
            )
        )
        swings.append(x - hip[:, 0])
    chest = hip + up * 0.2 * h
    trunk = along(up, np.array([1.0, 0, 0]))
    found.append(
        Prop(
            kind="ellipsoid",
            size=(0.07 * h * stout, 0.1 * h * stout, 0.19 * h),
            pos=chest,
            rot=trunk,
            rgba=top,
            casts=True,
        )
    )
    found.append(
        Prop(
            kind="ellipsoid",
            size=(0.065 * h * stout, 0.085 * h * stout, 0.07 * h),
            pos=hip + np.array([0, 0, 0.02 * h]),
            rgba=legs,
        )
    )
    head = hip + up * 0.43 * h
    found.append(
        Prop(kind="ellipsoid", size=(0.052 * h, 0.045 * h, 0.066 * h), pos=head, rgba=skin, casts=True)
    )
    hair = (*hsv(0.08, rng.uniform(0, 0.7), rng.uniform(0.05, 0.7)), 1.0)
    found.append(
        Prop(
            kind="ellipsoid",
            size=(0.054 * h, 0.05 * h, 0.05 * h),
            pos=head + np.array([-0.012 * h, 0, 0.03 * h]),
            rgba=hair,
        )
    )
    bent = float(rng.uniform(0.1, 1.2))
    for k, side in enumerate((1.0, -1.0)):
        shoulder = hip + up * 0.33 * h + np.array([0, side * 0.115 * h * stout, 0])
        a = np.clip(swings[1 - k] / (0.35 * h), -1, 1) * rng.uniform(0.3, 0.7)
        d = np.stack([np.sin(a), np.full(len(t), side * 0.12), -np.cos(a)], -1)
        elbow = shoulder + d * 0.165 * h
        b = a + bent
        d2 = np.stack([np.sin(b), np.full(len(t), side * 0.05), -np.cos(b)], -1)
        found.append(limb(shoulder, elbow, 0.028 * h, rgba=top))
        found.append(limb(elbow, elbow + d2 * 0.16 * h, 0.022 * h, rgba=top if rng.random() < 0.5 else skin))
        found.append(Prop(kind="sphere", size=(0.027 * h,) * 3, pos=elbow + d2 * 0.18 * h, rgba=skin))
    return found


def beast(t: Array, rng: np.random.Generator, *, gait: Gait, hip: Array, tall: float) -> list[Prop]:
    """An animal on four legs, `tall` m, at times t [N], the middle of its body at `hip` [N, 3]."""
    h = tall
    coat = (*hsv(0.08, rng.uniform(0, 0.6), rng.uniform(0.08, 0.95)), 1.0)
    found = []
    for k in range(4):
        x, z, _ = gait.foot(k, t)
        paw = np.stack([x, np.full(len(t), gait.lateral[k]), z + 0.03 * h], -1)
        joint = hip + np.array([gait.ahead[k], gait.lateral[k] * 0.8, 0.0])
        bend = np.array([1.0 if k >= 2 else -1.0, 0, 0])
        knee, _ = reach(joint, paw, 0.32 * h, 0.32 * h, bend)
        found.append(limb(joint, knee, 0.06 * h, rgba=coat, casts=True))
        found.append(limb(knee, paw, 0.04 * h, rgba=coat, casts=True))
    found.append(
        Prop(
            kind="ellipsoid",
            size=(0.55 * h, 0.17 * h, 0.2 * h),
            pos=hip + np.array([0, 0, 0.08 * h]),
            rgba=coat,
            casts=True,
        )
    )
    nod = 0.03 * h * np.sin(2 * np.pi * 1.7 * t)[:, None] * np.array([0, 0, 1.0])
    head = hip + np.array([0.62 * h, 0, 0.42 * h]) + nod
    found.append(limb(hip + np.array([0.4 * h, 0, 0.15 * h]), head, 0.1 * h, rgba=coat))
    found.append(
        Prop(
            kind="ellipsoid",
            size=(0.2 * h, 0.12 * h, 0.13 * h),
            pos=head + np.array([0.06 * h, 0, 0]),
            rgba=coat,
            casts=True,
        )
    )
    for s in (-1, 1):
        found.append(
            Prop(
                kind="ellipsoid",
                size=(0.05 * h, 0.03 * h, 0.09 * h),
                pos=head + np.array([-0.06 * h, s * 0.1 * h, 0.1 * h]),
                rgba=coat,
            )
        )
    wag = 0.5 * np.sin(2 * np.pi * rng.uniform(1.5, 4) * t)
    tail = hip + np.array([-0.5 * h, 0, 0.15 * h])
    tip = tail + np.stack([-0.25 * h + 0 * t, 0.3 * h * np.sin(wag), 0.25 * h + 0 * t], -1)
    found.append(limb(tail, tip, 0.035 * h, rgba=coat))
    return found
