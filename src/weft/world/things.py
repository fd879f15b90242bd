"""The things that are struck, scratched, dropped: shapes by material, each with the point a stick meets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weft.world import surfaces, textures
from weft.world.colours import hsv
from weft.world.props import Array, Look, Prop, boulder, lathe

# What the material is usually made into. surface: the floor or table itself; wall: upright; the rest stand on
# something.
FORMS: dict[str, tuple[str, ...]] = {
    "carpet": ("surface", "surface", "roll"),
    "ceramic": ("bowl", "mug", "plate", "vase"),
    "cloth": ("surface", "cushion", "bundle"),
    "dirt": ("surface", "mound"),
    "drywall": ("wall", "wall", "slab"),
    "glass": ("wall", "bottle", "bowl", "mug"),
    "grass": ("surface", "mound"),
    "gravel": ("surface", "mound"),
    "leaf": ("surface", "mound", "bush"),
    "metal": ("rail", "can", "bowl", "slab", "drum", "wall", "anvil"),
    "paper": ("surface", "box", "bundle", "slab"),
    "plastic": ("bucket", "box", "bottle", "slab", "drum"),
    "plastic-bag": ("bundle", "bundle", "cushion"),
    "rock": ("boulder", "boulder", "surface", "slab"),
    "tile": ("surface", "wall"),
    "water": ("surface", "basin"),
    "wood": ("slab", "box", "rail", "log", "surface", "drum"),
}
LIGHT = ("paper", "plastic", "plastic-bag", "cloth", "leaf")


@dataclass(kw_only=True, eq=False)
class Thing:
    """A thing to strike. props are posed with the struck point's neighbourhood around the origin; top(x, y)
    offsets give the surface; `normal` up or out of a wall; reach: how far from the middle one may strike, m;
    body: radius of the whole, m; loose: how far a blow shoves it (0 fixed);
    spots: middles of the things, where there are several alike."""

    props: list[Prop]
    normal: Array
    across: Array
    reach: tuple[float, float]
    body: float
    floor: float
    loose: float = 0.0
    soft: bool = False
    spots: tuple[tuple[float, float], ...] = ((0.0, 0.0),)

    def outlines(self) -> list[Array]:
        """Of each of the things that are alike, points [K, 3] whose hull holds it; none for a mere surface."""
        each = len(self.props) // len(self.spots)
        groups = [self.props[k * each : (k + 1) * each] for k in range(len(self.spots))]
        return [np.concatenate([p.outline() for p in group]) for group in groups if group]


def make(material: str, rng: np.random.Generator, form: str | None = None) -> Thing:
    """A thing of `material`, its top (or face) at the origin, standing on z = floor < 0."""
    form = form or str(rng.choice(FORMS[material]))
    f = surfaces.finish(material, rng)
    image = textures.texture(material, rng)
    flat = Look(image=image)
    cube = Look(image=image, wrap="cube")
    shiny: dict[str, Any] = {
        "specular": f.specular,
        "shininess": f.shininess,
        "rgba": (1.0, 1.0, 1.0, f.alpha),
    }
    scale = float(np.exp(rng.normal(0, 0.25)))
    up, x = np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    loose = (0.02 if material in LIGHT else 0.006) * rng.uniform(0, 1.5)

    def thing(props: list[Prop], reach: float, body: float, floor: float, **kw: Any) -> Thing:
        return Thing(
            props=props,
            normal=up,
            across=x,
            reach=(reach, reach),
            body=body,
            floor=floor,
            **{"loose": loose, **kw},
        )

    if form == "surface":
        return thing([], 0.16, 0.16, 0.0, loose=0.0, soft=True)
    if form == "air":
        low = float(rng.uniform(0.9, 1.5))
        return Thing(
            props=[], normal=np.array([0, -1.0, 0]), across=x, reach=(0.2, 0.2), body=0.14, floor=-low
        )
    if form == "wall":
        w, h = rng.uniform(0.5, 1.4), rng.uniform(0.5, 1.2)
        repeat = 1.0 if material == "glass" else float(rng.uniform(1, 2.5))
        board = Prop(
            kind="box",
            size=(w, 0.015, h),
            pos=np.array([0, 0.015, 0]),
            look=None,
            casts=False,
            **{**shiny, "rgba": (0.9, 0.9, 0.9, f.alpha)},
        )
        face = Prop(
            kind="plane",
            size=(w, h, 0.1),
            pos=np.array([0, -0.002, 0]),
            rot=np.array([[1.0, 0, 0], [0, 0, -1], [0, 1.0, 0]]),
            look=Look(image=image, repeat=(repeat, repeat)),
            **shiny,
        )
        props = [board, face]
        if material == "glass" or rng.random() < 0.4:
            colour = (*hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.2, 1)), 1)
            for sx, sz, px, pz in ((0.03, h, -w, 0), (0.03, h, w, 0), (w, 0.03, 0, h), (w, 0.03, 0, -h)):
                props.append(Prop(kind="box", size=(sx, 0.03, sz), pos=np.array([px, 0, pz]), rgba=colour))
        low = float(rng.uniform(0.3, 1.2))
        return Thing(
            props=props,
            normal=np.array([0, -1.0, 0]),
            across=x,
            reach=(min(w, 0.2), min(h, 0.15)),
            body=0.18,
            floor=-low,
        )
    if form in ("bowl", "mug", "vase", "bottle", "bucket", "can", "plate", "drum"):
        shapes = {
            "bowl": ([[0, 0], [0.3, 0], [0.75, 0.35], [1, 0.75], [0.94, 0.75], [0.6, 0.3], [0, 0.1]], 0.11),
            "mug": ([[0, 0], [0.9, 0], [1, 0.1], [1, 2.2], [0.9, 2.2], [0.88, 0.2], [0, 0.2]], 0.045),
            "vase": (
                [[0, 0], [0.6, 0], [1, 0.9], [0.85, 1.8], [0.4, 2.4], [0.5, 2.9], [0.45, 2.9], [0, 1]],
                0.08,
            ),
            "bottle": ([[0, 0], [1, 0], [1, 3.4], [0.9, 3.9], [0.35, 4.6], [0.35, 5.5], [0, 5.5]], 0.04),
            "bucket": ([[0, 0], [0.8, 0], [1, 1.8], [1.06, 1.8], [1.0, 1.72], [0.78, 0.1], [0, 0.1]], 0.14),
            "can": ([[0, 0], [0.95, 0], [1, 0.06], [1, 2.4], [0.94, 2.5], [0.9, 2.42], [0, 2.42]], 0.05),
            "plate": ([[0, 0], [0.55, 0], [0.65, 0.06], [1, 0.2], [1, 0.22], [0.6, 0.1], [0, 0.06]], 0.13),
            "drum": (
                [[0, 0], [1, 0], [1, 0.9], [1.03, 0.93], [1.03, 1.0], [0.98, 1.0], [0.96, 0.97], [0, 0.97]],
                0.17,
            ),
        }
        rows, radius = shapes[form]
        profile = np.asarray(rows) * radius * scale
        upturned = form in ("bowl", "mug", "bucket") and rng.random() < 0.45
        if upturned:
            profile = profile[::-1] * [1, -1]
            profile = profile - np.array([0, profile[:, 1].min()])
        height, wide = profile[:, 1].max(), profile[:, 0].max()
        rim = (
            0.0
            if upturned or form in ("can", "plate", "drum", "bottle")
            else wide * (0.97 if form != "vase" else 0.48)
        )
        top = Prop(
            kind="lathe",
            size=(1, 1, 1),
            mesh=lathe(profile),
            pos=np.array([rim, 0, -height]),
            look=flat,
            casts=True,
            **shiny,
        )
        props = [top]
        if form == "drum":
            head = (*hsv(0.1, rng.uniform(0, 0.2), rng.uniform(0.7, 1)), 1) if rng.random() < 0.6 else None
            skin = {**shiny, "rgba": head, "look": None} if head else {**shiny, "look": cube}
            r = wide * 0.94
            props.append(Prop(kind="cylinder", size=(r, r, 0.004), pos=np.array([0, 0, -0.004]), **skin))
        if form == "plate":
            return thing(props, wide * 0.5, wide, -height, loose=loose)
        reach = 0.008 if rim or form == "bottle" else wide * 0.55
        return thing(props, reach, max(wide, height / 2), -height)
    if form in ("slab", "box", "anvil"):
        thin = {"slab": 0.018, "box": rng.uniform(0.06, 0.15), "anvil": 0.06}[form]
        a, b = rng.uniform(0.12, 0.28) * scale, rng.uniform(0.09, 0.2) * scale
        if form == "anvil":
            a, b = a * 0.6, b * 0.5
        spin = rng.uniform(0, np.pi)
        rot = np.array([[np.cos(spin), -np.sin(spin), 0], [np.sin(spin), np.cos(spin), 0], [0, 0, 1.0]])
        props = [
            Prop(
                kind="box",
                size=(a, b, thin),
                pos=np.array([0, 0, -thin]),
                rot=rot,
                look=cube,
                casts=True,
                **shiny,
            )
        ]
        return thing(props, min(a, b) * 0.6, float(np.hypot(a, b)) * 0.8, -2 * thin)
    if form in ("rail", "log", "roll"):
        r = {
            "rail": rng.uniform(0.012, 0.03),
            "log": rng.uniform(0.05, 0.11),
            "roll": rng.uniform(0.07, 0.12),
        }[form]
        half = rng.uniform(0.4, 1.2) if form == "rail" else rng.uniform(0.2, 0.45)
        lie = np.array([[0, 0, 1.0], [0, 1.0, 0], [-1.0, 0, 0]])
        floor = -2 * r if form != "rail" else -float(rng.uniform(0.15, 0.9))
        props = [
            Prop(
                kind="cylinder",
                size=(r, r, half),
                pos=np.array([0, 0, -r]),
                rot=lie,
                look=cube,
                casts=True,
                **shiny,
            )
        ]
        if form == "rail":
            for s in (-0.85, 0.85):
                post = -floor / 2
                props.append(
                    Prop(
                        kind="cylinder",
                        size=(r, r, post),
                        pos=np.array([s * half, 0, floor + post - r]),
                        look=cube,
                        casts=True,
                        **shiny,
                    )
                )
        found = thing(props, 0.003, max(0.12, min(half, 0.25)), floor)
        found.reach = (min(half * 0.6, 0.25), 0.002)
        found.loose = 0.0 if form == "rail" else loose
        return found
    if form in ("boulder", "bundle", "mound", "bush", "cushion"):
        r = {"boulder": 0.15, "bundle": 0.12, "mound": 0.22, "bush": 0.22, "cushion": 0.2}[form] * scale
        squash = {"boulder": 0.75, "bundle": 0.7, "mound": 0.45, "bush": 0.9, "cushion": 0.4}[form]
        rough = {"boulder": 0.25, "bundle": 0.3, "mound": 0.12, "bush": 0.35, "cushion": 0.08}[form]
        mesh = boulder(rng, rough)
        peak = mesh[:, 2].max() * r * squash
        tip = mesh[int(mesh[:, 2].argmax())] * (r, r, r * squash)
        props = [
            Prop(
                kind="lathe",
                size=(r, r, r * squash),
                mesh=mesh,
                pos=np.array([-tip[0], -tip[1], -peak]),
                look=flat,
                repeat=2.0,
                casts=True,
                **shiny,
            )
        ]
        found = thing(props, 0.012, r, -peak - r * squash * (0.85 if form != "mound" else 0.1))
        return found
    if form == "basin":
        r = rng.uniform(0.18, 0.3)
        profile = np.asarray([[0, 0], [0.9, 0], [1, 0.45], [1.06, 0.45], [1.02, 0.43], [0.98, 0.4]]) * r
        wall = Prop(
            kind="lathe",
            size=(1, 1, 1),
            mesh=lathe(profile),
            pos=np.array([0, 0, -0.4 * r]),
            casts=True,
            specular=0.7,
            rgba=(*hsv(rng.random(), rng.uniform(0, 0.7), rng.uniform(0.4, 1)), 1),
        )
        return Thing(
            props=[wall], normal=up, across=x, reach=(r * 0.4, r * 0.4), body=r, floor=-0.4 * r, soft=True
        )
    raise ValueError(f"unknown form {form!r}")


def repeat(thing: Thing, rng: np.random.Generator) -> None:
    """Set one to three more of the same thing around it, their tops as high: a drum kit, a row of cans."""
    if thing.soft or not thing.props or abs(thing.normal[1]) > 0.5 or thing.reach[0] > 0.2:
        return
    wide = 2.1 * max(thing.body, 0.06)
    start = float(rng.uniform(0, 2 * np.pi))
    spots = [(0.0, 0.0)]
    props = list(thing.props)
    for k in range(int(rng.integers(1, 4))):
        a = start + 1.1 * k
        at = np.array([np.cos(a), np.sin(a), 0.0]) * wide * float(rng.uniform(1.0, 1.2))
        spots.append((float(at[0]), float(at[1])))
        props += [replace(p, pos=p.pos + at) for p in thing.props]
    thing.props, thing.spots, thing.loose = props, tuple(spots), 0.0
