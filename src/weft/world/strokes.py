"""How a clip of hits is played: the tool, the rhythm, and each arm's blows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.world import surfaces, things
from weft.world.arms import Arm, Blow
from weft.world.colours import hsv, skin_tone
from weft.world.props import Array


@dataclass(frozen=True, kw_only=True)
class Style:
    """How the clip is played: tools, and speeds that count as full strength (m/s)."""

    tools: tuple[str, ...]
    scratches: float
    period: tuple[float, float]
    regular: bool
    few: bool
    chops: bool = False
    full: float = 5.5
    full_speed: float = 0.9
    height: tuple[float, float] = (0.06, 0.32)


def sample_style(rng: np.random.Generator) -> Style:
    """Draw how a clip is played."""
    draw = rng.random()
    if draw > 0.95:
        return Style(
            tools=("racket",),
            scratches=0.0,
            period=(0.9, 1.9),
            regular=rng.random() < 0.5,
            few=rng.random() < 0.3,
            full=6.0,
            height=(0.35, 0.8),
        )
    scratches = 0.0 if rng.random() < 0.72 else float(rng.choice([0.5, 1.0]))
    if draw < 0.10:
        return Style(
            tools=("stick", "stick"),
            scratches=0.0,
            period=(0.12, 0.45),
            regular=rng.random() < 0.7,
            few=False,
            height=(0.05, 0.3),
        )
    if draw < 0.16:
        hand = str(rng.choice(["palm", "finger"]))
        return Style(
            tools=(hand, hand),
            scratches=0.0,
            period=(0.14, 0.5),
            regular=rng.random() < 0.7,
            few=False,
            full=3.5,
            height=(0.04, 0.2),
        )
    if draw < 0.25:
        return Style(
            tools=("knife",),
            scratches=0.0,
            period=(0.16, 0.7),
            regular=True,
            few=False,
            chops=True,
            full=3.0,
            height=(0.03, 0.12),
        )
    if draw < 0.40:
        tool = str(rng.choice(["hammer", "hammer", "mallet"]))
        return Style(
            tools=(tool,),
            scratches=0.0,
            period=(0.3, 1.1),
            regular=rng.random() < 0.6,
            few=rng.random() < 0.2,
            height=(0.08, 0.4),
        )
    if draw < 0.55:
        tool = str(rng.choice(["palm", "fist", "finger"]))
        return Style(
            tools=(tool,),
            scratches=scratches if tool != "fist" else 0.0,
            period=(0.2, 1.2),
            regular=rng.random() < 0.5,
            few=rng.random() < 0.3,
            full=3.5,
            height=(0.04, 0.25),
        )
    tool = str(rng.choice(["stick", "stick", "stick", "spoon", "brush"]))
    if tool == "brush":
        scratches = 1.0
    return Style(
        tools=(tool,),
        scratches=scratches,
        period=(0.2, 1.3),
        regular=rng.random() < 0.45,
        few=rng.random() < 0.3,
    )


def _times(rng: np.random.Generator, style: Style, duration: float) -> list[float]:
    """Times of the blows: once or twice, a steady beat, or an uneven one with bursts."""
    if style.few:
        return sorted(rng.uniform(0.25, duration - 0.2, int(rng.integers(1, 4))).tolist())
    lo, hi = style.period
    period = float(np.exp(rng.uniform(np.log(lo), np.log(hi))))
    t, found = float(rng.uniform(0.1, 0.7)), []
    while t < duration - 0.05:
        found.append(t)
        if style.regular:
            t += period * float(np.exp(rng.normal(0, 0.04)))
            if rng.random() < 0.06:
                t += period * float(rng.integers(1, 4))
        else:
            t += max(0.11, period * float(np.exp(rng.normal(0, 0.5))))
    return found


def sample_arms(
    rng: np.random.Generator,
    style: Style,
    thing: things.Thing,
    finish: surfaces.Finish,
    wall: bool,
    duration: float,
) -> list[Arm]:
    person = float(rng.uniform(0.25, 0.6))
    yaw = float(rng.uniform(-np.pi, np.pi)) if not wall else float(rng.uniform(-2.6, -0.5))
    skin, sleeve = (
        (*skin_tone(rng), 1.0),
        (*hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.05, 0.95)), 1.0),
    )
    if rng.random() < 0.12:
        skin = (*hsv(rng.random(), rng.uniform(0, 0.8), rng.uniform(0.1, 0.9)), 1.0)  # gloved
    stick = hsv(rng.uniform(0.06, 0.12), rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.95))
    if rng.random() < 0.3:
        stick = hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.05, 0.95))
    steel = hsv(0.6, 0.05, rng.uniform(0.35, 0.85))
    times = _times(rng, style, duration)
    hands: list[list[float]] = [[] for _ in style.tools]
    for i, t in enumerate(times):
        mine = i % len(hands) if rng.random() < 0.9 else int(rng.integers(len(hands)))
        if hands[mine] and t - hands[mine][-1] < 0.1:
            continue
        hands[mine].append(t)
    spread = 0.7 if len(hands) == 2 else 0.0
    arms = []
    full = float(np.exp(rng.normal(-0.15, 0.3)))
    lead = rng.random()
    for n, own in enumerate(hands):
        blows: list[Blow] = []
        home = rng.uniform(-0.7, 0.7, 2) * thing.reach
        centre = thing.spots[int(rng.integers(len(thing.spots)))]
        step = 0.0 if rng.random() < 0.4 else 0.6
        for i, t in enumerate(own):
            gap = t - (blows[-1].t + blows[-1].dwell if blows else -1.0)
            if gap < 0.1:
                continue
            lo, hi = style.height
            # a longer wait allows a higher lift: what limits a drummer limits this arm
            height = float(
                np.clip(full * np.exp(rng.uniform(np.log(lo), np.log(hi))), 0.02, 0.06 + 0.5 * gap)
            )
            down = float(np.clip(rng.uniform(0.07, 0.16) * (0.5 + 2.0 * height), 0.045, 0.5 * gap))
            spot = home + step * rng.uniform(-0.6, 0.6, 2) * thing.reach
            spot = np.clip(spot, -np.asarray(thing.reach), thing.reach)
            if len(thing.spots) > 1 and rng.random() < 0.45:
                centre = thing.spots[int(rng.integers(len(thing.spots)))]
            spot = spot + centre
            scratch = rng.random() < style.scratches
            room = (own[i + 1] if i + 1 < len(own) else duration) - t - 0.25
            if scratch and room > 0.15:
                blows.append(_scratch(rng, t, spot, room, thing, height))
            elif rng.random() < 0.05 and gap > 0.4:
                blows.append(
                    Blow(
                        t=t,
                        spot=tuple(spot),
                        height=height,
                        down=down * 1.5,
                        misses=float(rng.uniform(0.3, 0.7)),
                    )
                )
            else:
                if style.tools[n] == "racket":
                    blows.append(
                        Blow(
                            t=t,
                            spot=(float(spot[0]), float(spot[1])),
                            height=height,
                            down=down,
                            dwell=0.7,
                            sink=0.5 * height,
                        )
                    )
                    continue
                rebound = finish.rebound * float(rng.uniform(0.3, 1.1)) * (0.5 if style.chops else 1.0)
                dwell = (
                    float(rng.uniform(0.05, 0.3))
                    if rng.random() < (0.5 if style.chops else 0.15) and room > 0.2
                    else 0.0
                )
                soft = (
                    finish.give * float(np.clip(height / down / style.full, 0.1, 1))
                    if finish.give > 0.008
                    else 0.0
                )
                blows.append(
                    Blow(
                        t=t,
                        spot=tuple(spot),
                        height=height,
                        down=down,
                        rebound=rebound,
                        dwell=min(dwell, max(room, 0)),
                        sink=soft,
                    )
                )
        rise = {
            "hammer": 0.12,
            "mallet": 0.12,
            "palm": 0.15,
            "fist": 0.5,
            "knife": 0.15,
            "finger": 0.6,
            "racket": 0.2,
        }.get(style.tools[n], float(rng.uniform(0.12, 0.75)))
        arms.append(
            Arm(
                blows=tuple(blows),
                tool=style.tools[n],
                yaw=yaw + spread * (n - 0.5) * 2 * (len(hands) == 2),
                rise=rise,
                share=float(rng.uniform(0.35, 1.0)),
                rest=float(rng.uniform(0.4, 1.0)),
                person=person if not wall else 0.3,
                skin=skin,
                sleeve=sleeve if rng.random() < 0.8 else skin,
                wood=(*stick, 1.0),
                metal=(*steel, 1.0),
                bare=float(rng.uniform(0.15, 0.95)),
                girth=float(rng.uniform(0.85, 1.2)),
                seed=int(rng.integers(2**31)),
                up=(0.0, 1.0, 0.0) if wall else (0.0, 0.0, 1.0),
                arrives=float(own[0] - 0.35) if lead < 0.35 and own and own[0] > 0.6 else -1.0,
                leaves=float(own[-1] + 0.5)
                if lead > 0.75 and own and own[-1] < duration - 0.9 and not style.scratches
                else 1e9,
            )
        )
    return arms


def _scratch(
    rng: np.random.Generator, t: float, spot: Array, room: float, thing: things.Thing, height: float
) -> Blow:
    """A scratch to and fro from `spot`, as long as there is room."""
    dwell = float(min(rng.uniform(0.25, 1.6), room))
    strokes = max(1.0, np.round(dwell * rng.uniform(1.0, 4.0)))
    u = np.linspace(0, 1, 41)
    angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.0)
    away = np.array([np.cos(angle), np.sin(angle)]) * np.maximum(thing.reach, 0.05) * size
    sweep = 0.5 - 0.5 * np.cos(np.pi * strokes * u)
    slide = np.asarray(spot) + (sweep - 0.5)[:, None] * 2 * away * (1 if rng.random() < 0.5 else -1)
    return Blow(
        t=t,
        spot=tuple(slide[0]),
        height=max(height * 0.5, 0.03),
        down=0.25,
        rebound=0.2,
        dwell=dwell,
        slide=slide,
    )
