"""What a scene is made of, for the renderer: props with their poses over time, lamps, and a camera path.

Right-handed metres, z up. A pose is either constant ([3] / [3, 3]) or one per instant ([N, 3] / [N, 3, 3]).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # floats, of either width
SHEET = 21  # a sheet prop is SHEET x SHEET vertices
RINGS, SPOKES = 12, 14  # a lathe prop is RINGS x SPOKES vertices


@dataclass(frozen=True, kw_only=True)
class Look:
    """A texture to put on props. wrap "flat" lies in the prop's x-y plane, `repeat` times across it (or per
    metre when `uniform`); "cube" is for solids."""

    image: NDArray[np.uint8]
    wrap: str = "flat"
    repeat: tuple[float, float] = (1.0, 1.0)
    uniform: bool = False


@dataclass(kw_only=True, eq=False)
class Prop:
    """One rigid or deforming thing.

    kind: box, sphere, ellipsoid, capsule, cylinder, plane (size in MuJoCo's half extents; capsules and
    cylinders: radius, radius, half length along z), sheet (size[:2] half extents; heights [SHEET, SHEET] or
    [N, SHEET, SHEET] m) or lathe (mesh = vertices [RINGS * SPOKES, 3]).
    round: a sheet's square is drawn as a disc. shown: None or [N] bool.
    """

    kind: str
    size: tuple[float, ...] = (0.1, 0.1, 0.1)
    pos: Array = field(default_factory=lambda: np.zeros(3))
    rot: Array = field(default_factory=lambda: np.eye(3))
    rgba: tuple[float, ...] | Array = (1.0, 1.0, 1.0, 1.0)
    look: Look | None = None
    specular: float = 0.1
    shininess: float = 0.3
    emission: float = 0.0
    heights: Array | None = None
    mesh: Array | None = None
    repeat: float = 1.0
    round: bool = False
    casts: bool = False
    shown: NDArray[np.bool_] | None = None

    @property
    def moving(self) -> bool:
        return self.pos.ndim == 2 or self.rot.ndim == 3 or self.shown is not None

    def outline(self) -> Array:
        """Points [K, 3] of a prop that stands still whose hull holds it, in what it is posed in. Not for sheets."""
        s = np.asarray(self.size, float)
        if self.kind == "lathe":
            assert self.mesh is not None
            own = np.asarray(self.mesh, float) * s
        elif self.kind in ("box", "plane"):
            own = np.stack(np.meshgrid(*[(-1.0, 1.0)] * 3), -1).reshape(-1, 3) * s
            own[:, 2] *= self.kind == "box"
        elif self.kind in ("cylinder", "capsule"):
            a = np.arange(16) * np.pi / 8
            ring = np.stack([s[0] * np.cos(a), s[0] * np.sin(a)], 1)
            ends = s[2] + (s[0] if self.kind == "capsule" else 0.0)
            own = np.concatenate([np.c_[ring, np.full(16, z)] for z in (-ends, ends)])
        else:
            own = np.concatenate([np.eye(3), -np.eye(3)]) * s[0 if self.kind == "sphere" else slice(None)]
        return np.asarray(own @ self.rot.T + self.pos)


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A light: direction it shines in (directional), colours 0..1."""

    direction: tuple[float, float, float]
    diffuse: tuple[float, float, float]
    ambient: tuple[float, float, float] = (0.0, 0.0, 0.0)
    specular: tuple[float, float, float] = (0.3, 0.3, 0.3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """A camera over time: pos, forward, up [N, 3] (unit, orthogonal); fovy [N] radians; aspect = width / height."""

    pos: Array
    forward: Array
    up: Array
    fovy: Array
    aspect: float

    def project(self, points: Array) -> tuple[Array, Array, Array]:
        """Points [N, ..., 3] to picture fractions x, y (0..1, y down) and distance along the axis, m."""
        extra = points.ndim - 2
        shape = (len(self.pos),) + (1,) * extra + (3,)
        d = points - self.pos.reshape(shape)
        right = np.cross(self.forward, self.up).reshape(shape)
        z = (d * self.forward.reshape(shape)).sum(-1)
        scale = np.tan(self.fovy / 2).reshape(shape[:-1]) * np.maximum(z, 1e-3)
        x = (d * right).sum(-1) / (scale * self.aspect)
        y = (d * self.up.reshape(shape)).sum(-1) / scale
        return 0.5 + 0.5 * x, 0.5 - 0.5 * y, z


def disc(x: Array, y: Array, half: float) -> tuple[Array, Array]:
    """The square of half extent `half` mapped onto the disc of that radius."""
    u, v = x / half, y / half
    return x * np.sqrt(1 - v * v / 2), y * np.sqrt(1 - u * u / 2)


def turn(axis: Array, angle: Array | float) -> Array:
    """Rotation matrices [..., 3, 3] about unit `axis` [..., 3] by `angle` [...] (Rodrigues)."""
    axis = np.asarray(axis, float)
    a = np.asarray(angle, float)
    c, s = np.cos(a)[..., None, None], np.sin(a)[..., None, None]
    x, y, z = np.moveaxis(np.broadcast_to(axis, (*a.shape, 3)) if a.ndim else axis, -1, 0)
    o = np.zeros_like(x)
    k = np.stack([np.stack([o, -z, y], -1), np.stack([z, o, -x], -1), np.stack([-y, x, o], -1)], -2)
    return np.asarray(np.eye(3) + s * k + (1 - c) * (k @ k))


def along(z: Array, hint: Array | None = None) -> Array:
    """Rotations [..., 3, 3] whose third column is the direction z [..., 3], the first as near `hint` as can be."""
    z = np.asarray(z, float)
    z = z / np.maximum(np.linalg.norm(z, axis=-1, keepdims=True), 1e-9)
    if hint is None:
        hint = np.where(np.abs(z[..., 2:3]) > 0.9, np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    x = hint - (hint * z).sum(-1, keepdims=True) * z
    x = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
    return np.stack([x, np.cross(z, x), z], -1)


def limb(a: Array, b: Array, radius: float, **kw: Any) -> Prop:
    """A capsule from a to b ([3] or [N, 3]); its length is taken from the mean distance."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    d = b - a
    half = float(np.linalg.norm(d, axis=-1).mean()) / 2
    return Prop(kind="capsule", size=(radius, radius, half), pos=(a + b) / 2, rot=along(d), **kw)


def lathe(profile: Array) -> Array:
    """Vertices [RINGS * SPOKES, 3] of a solid of revolution from a profile of (r, z) rows."""
    s = np.linspace(0, 1, len(profile))
    u = np.linspace(0, 1, RINGS)
    r, z = np.interp(u, s, profile[:, 0]), np.interp(u, s, profile[:, 1])
    a = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    return np.stack(
        [r[:, None] * np.cos(a), r[:, None] * np.sin(a), np.repeat(z[:, None], SPOKES, 1)], -1
    ).reshape(-1, 3)


def boulder(rng: np.random.Generator, rough: float = 0.25) -> Array:
    """A lumpy ball of radius about 1, vertices [RINGS * SPOKES, 3]: rocks, crumpled bags and paper."""
    polar = np.linspace(0, np.pi, RINGS)
    base = lathe(np.stack([np.sin(polar), -np.cos(polar)], -1)).reshape(RINGS, SPOKES, 3)
    bump = np.zeros((RINGS, SPOKES))
    for _ in range(14):
        axis = rng.standard_normal(3)
        axis /= np.linalg.norm(axis)
        bump += rng.uniform(-1, 1) * np.maximum(0, base @ axis - rng.uniform(0.2, 0.8))
    base = base * (1 + rough * bump)[..., None] * (1 + rough * 0.3 * rng.standard_normal((RINGS, SPOKES, 1)))
    base[0], base[-1] = base[0].mean(0), base[-1].mean(0)
    return base.reshape(-1, 3)
