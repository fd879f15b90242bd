"""The off-screen renderer: MuJoCo's own, fed with props directly so that no model is compiled per clip.

One `Stage` per process holds one OpenGL context and a model that is nothing but slots: textures and meshes
whose contents are replaced for every clip. Shadows are props flattened onto the ground along the key light
(MuJoCo's shadow maps cost ten times the picture on a software renderer).
"""

from __future__ import annotations

import atexit
import importlib
import os
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.errors import MissingExtra, UserError
from weft.world.props import RINGS, SHEET, SPOKES, Array, Lamp, Path, Prop

_FLAT, _CUBE, _SHEETS, _LATHES = 14, 8, 3, 8
_TEX, _CUBE_TEX = 128, 64
_MAX_GEOMS = 400
_SHIFTS = ((-0.3, 0.15), (0.3, -0.15), (0.0, 0.35), (-0.1, -0.35), (0.15, 0.05))  # of a pixel
_KINDS = {
    "plane": 0,
    "sphere": 2,
    "capsule": 3,
    "ellipsoid": 4,
    "cylinder": 5,
    "box": 6,
    "sheet": 7,
    "lathe": 7,
}


def load_mujoco() -> Any:
    """The mujoco module. Raises MissingExtra where it is not installed."""
    os.environ.setdefault("MUJOCO_GL", "osmesa")
    os.environ.setdefault(
        "LP_NUM_THREADS", "1"
    )  # OSMesa's drawing threads: one, or they fight over the cores
    try:
        import mujoco
    except ImportError as e:
        if e.name == "mujoco":
            raise MissingExtra("weft world", "world") from e
        raise UserError(_no_gl()) from e
    except AttributeError as e:  # PyOpenGL, where the library itself is missing
        raise UserError(_no_gl()) from e
    return mujoco


def _gl_context(size: tuple[int, int]) -> Any:
    """An off-screen context of the kind MUJOCO_GL names, whatever mujoco chose when it was imported."""
    backend = "mujoco.egl" if os.environ.get("MUJOCO_GL", "").lower() == "egl" else "mujoco.osmesa"
    try:
        return importlib.import_module(backend).GLContext(*size)
    except Exception as e:  # PyOpenGL raises whatever it likes where a library is missing
        raise UserError(_no_gl()) from e


def _no_gl() -> str:
    return (
        f"weft world found no off-screen OpenGL for MUJOCO_GL={os.environ.get('MUJOCO_GL')}: "
        "install libosmesa6 (apt install libosmesa6), or set MUJOCO_GL=egl on a machine with a GPU driver"
    )


class Stage:
    """Draws props. `size` is the largest picture (width, height) it can draw."""

    def __init__(self, size: tuple[int, int] = (512, 512)) -> None:
        self._mj = mj = load_mujoco()
        self.size = size
        self._model = mj.MjModel.from_xml_string(_slots_xml(size))
        self._gl = _gl_context(size)
        self._gl.make_current()
        self._con = mj.MjrContext(self._model, mj.mjtFontScale.mjFONTSCALE_50)
        mj.mjr_setBuffer(mj.mjtFramebuffer.mjFB_OFFSCREEN, self._con)
        self._scene = mj.MjvScene(self._model, maxgeom=_MAX_GEOMS)
        self._scene.flags[:] = 0
        atexit.register(self._gl.free)
        self._faces = {"sheet": _sheet_faces(), "lathe": _lathe_faces()}

    def draw(
        self,
        props: list[Prop],
        lamps: list[Lamp],
        path: Path,
        exposures: list[NDArray[np.int64]],
        size: tuple[int, int],
        *,
        ground: float | None = 0.0,
        haze: tuple[float, float, float] | None = None,
    ) -> NDArray[np.uint8]:
        """Frames [T, H, W, 3]: frame k is the mean of the pictures at the instants exposures[k] (motion blur).

        Instants index the N poses of props and path. `ground` is the
        height shadows fall on (None: no shadows).
        """
        mj, scene = self._mj, self._scene
        self._gl.make_current()
        self._light(lamps)
        slots = self._dress(props)
        moving = self._place(props, slots, lamps, ground)
        w, h = size
        fine = _drawn(size, self.size)
        out = np.zeros((len(exposures), h, w, 3), np.uint8)
        last: dict[int, int] = {}
        for k, instants in enumerate(exposures):
            # one instant is drawn larger and shrunk; several are shifted by parts of a pixel instead
            wide, high = fine if len(instants) == 1 else size
            view = mj.MjrRect(0, 0, wide, high)
            pixels = np.empty((high, wide, 3), np.uint8)
            acc = np.zeros((high, wide, 3), np.uint16)
            for i, shift in zip(instants, _SHIFTS[: len(instants)], strict=True):
                self._pose(moving, int(i), lamps, ground)
                self._deform(props, slots, int(i), last)
                self._aim(path, int(i), high, shift if len(instants) > 1 else (0.0, 0.0))
                mj.mjr_render(view, scene, self._con)
                mj.mjr_readPixels(pixels, None, view, self._con)
                acc += pixels
            out[k] = _shrink(acc[::-1], size, len(instants))
        return out

    # ---- once per clip -------------------------------------------------------------------------------------

    def _light(self, lamps: list[Lamp]) -> None:
        self._scene.nlight = len(lamps)
        for light, lamp in zip(self._scene.lights, lamps, strict=False):
            light.pos[:] = 0
            light.dir[:] = np.asarray(lamp.direction) / np.linalg.norm(lamp.direction)
            light.type = self._mj.mjtLightType.mjLIGHT_DIRECTIONAL
            light.attenuation[:] = (1, 0, 0)
            light.cutoff, light.exponent, light.castshadow, light.headlight = 180, 0, 0, 0
            light.ambient[:], light.diffuse[:], light.specular[:] = lamp.ambient, lamp.diffuse, lamp.specular

    def _dress(self, props: list[Prop]) -> dict[int, tuple[int, int]]:
        """Upload textures and meshes; per prop (by id): (material id or -1, mesh id or -1)."""
        looks: dict[int, int] = {}
        used = {"flat": 0, "cube": 0, "sheet": 0, "lathe": 0}
        meshes: dict[int, int] = {}
        found = {}
        for p in props:
            mat = mesh = -1
            if p.look is not None:
                key = id(p.look)
                if key not in looks:
                    looks[key] = self._upload_look(p.look, used)
                mat = looks[key]
            if p.kind in ("sheet", "lathe"):
                key = id(p.mesh) if p.kind == "lathe" else id(p)
                if key not in meshes:
                    meshes[key] = (0 if p.kind == "sheet" else _SHEETS) + used[p.kind]
                    used[p.kind] += 1
                    if used["sheet"] > _SHEETS or used["lathe"] > _LATHES:
                        raise ValueError(f"a scene may have {_SHEETS} sheets and {_LATHES} lathes")
                    self._upload_mesh(p, meshes[key], 0)
                mesh = meshes[key]
            found[id(p)] = (mat, mesh)
        return found

    def _upload_look(self, look: Any, used: dict[str, int]) -> int:
        m = self._model
        slot = used[look.wrap]
        used[look.wrap] += 1
        if slot >= (_FLAT if look.wrap == "flat" else _CUBE):
            raise ValueError(f"a scene may have {_FLAT} flat and {_CUBE} cube looks")
        index = slot if look.wrap == "flat" else _FLAT + slot
        image = look.image if look.wrap == "flat" else np.tile(_half(look.image), (6, 1, 1))
        start = m.tex_adr[index]
        m.tex_data[start : start + image.size] = image.reshape(-1)
        self._mj.mjr_uploadTexture(m, self._con, index)
        self._con.mat_texrepeat[2 * index : 2 * index + 2] = look.repeat
        self._con.mat_texuniform[index] = look.uniform
        return index

    def _upload_mesh(self, p: Prop, mesh: int, instant: int) -> None:
        m = self._model
        a, n = m.mesh_vertadr[mesh], m.mesh_vertnum[mesh]
        if p.kind == "sheet":
            heights = np.zeros((SHEET, SHEET)) if p.heights is None else p.heights
            z = heights[instant] if heights.ndim == 3 else heights
            u = np.linspace(-1, 1, SHEET)
            vertices = np.stack([*np.meshgrid(u * p.size[0], u * p.size[1], indexing="ij"), z], -1).reshape(
                -1, 3
            )
        else:
            assert p.mesh is not None
            vertices = p.mesh * np.asarray(p.size)
        m.mesh_vert[a : a + n] = vertices
        b = m.mesh_normaladr[mesh]
        m.mesh_normal[b : b + n] = _normals(vertices, self._faces[p.kind])
        c = m.mesh_texcoordadr[mesh]
        m.mesh_texcoord[c : c + n] = _UV[p.kind] * p.repeat
        self._mj.mjr_uploadMesh(m, self._con, mesh)

    def _place(
        self, props: list[Prop], slots: dict[int, tuple[int, int]], lamps: list[Lamp], ground: float | None
    ) -> list[tuple[Any, Prop, bool, Array]]:
        """Fill the scene; the list of (geom, prop, is shadow, rgba) that must be posed at every instant."""
        scene, moving, n = self._scene, [], 0
        key = np.asarray(lamps[0].direction, float)
        for p in reversed(props):  # the near first, so that what they hide is not shaded
            for shadow in (False, True) if p.casts and ground is not None else (False,):
                if n >= _MAX_GEOMS:
                    break
                g = scene.geoms[n]
                n += 1
                rgba = np.asarray((0, 0, 0, 0.27) if shadow else p.rgba, np.float32)
                colour = rgba if rgba.ndim == 1 else rgba[0]
                size = np.asarray(p.size, float)
                if p.kind in ("sheet", "lathe"):
                    size = np.ones(3)
                elif p.kind in ("capsule", "cylinder"):
                    size = size[[0, 2, 2]]
                self._mj.mjv_initGeom(g, _KINDS[p.kind], size, np.zeros(3), np.eye(3).ravel(), colour)
                mat, mesh = slots[id(p)]
                g.matid = -1 if shadow else mat
                g.specular, g.shininess, g.emission, g.reflectance = p.specular, p.shininess, p.emission, 0.0
                if shadow:
                    g.specular = 0.0
                g.transparent = int(colour[3] < 0.99)
                g.segid, g.camdist = -1, (1.0 if shadow else 0.5)
                if mesh >= 0:
                    g.dataid = 2 * mesh
                    g.texcoord = int(mat >= 0 and not shadow)
                if shadow:
                    _flatten(g, _at(p.pos, 0, 1), _at(p.rot, 0, 2), key, float(ground or 0.0))
                else:
                    g.pos[:], g.mat[:] = _at(p.pos, 0, 1), _at(p.rot, 0, 2)
                if p.moving or rgba.ndim == 2:
                    moving.append((g, p, shadow, rgba))
        scene.ngeom = n
        return moving

    # ---- once per instant ----------------------------------------------------------------------------------

    def _pose(
        self, moving: list[tuple[Any, Prop, bool, Array]], i: int, lamps: list[Lamp], ground: float | None
    ) -> None:
        key = np.asarray(lamps[0].direction, float)
        for g, p, shadow, rgba in moving:
            pos, rot = _at(p.pos, i, 1), _at(p.rot, i, 2)
            if p.shown is not None and not p.shown[i]:
                g.pos[:] = (0, 0, -1e4)
            elif shadow:
                _flatten(g, pos, rot, key, float(ground or 0.0))
            else:
                g.pos[:], g.mat[:] = pos, rot
            if rgba.ndim == 2:
                g.rgba[:] = rgba[i]

    def _deform(
        self, props: list[Prop], slots: dict[int, tuple[int, int]], i: int, last: dict[int, int]
    ) -> None:
        for p in props:
            if p.kind == "sheet" and p.heights is not None and p.heights.ndim == 3:
                mesh = slots[id(p)][1]
                before = last.get(mesh)
                if before is None or not np.array_equal(p.heights[before], p.heights[i]):
                    self._upload_mesh(p, mesh, i)
                    last[mesh] = i

    def _aim(self, path: Path, i: int, lines: int, shift: tuple[float, float]) -> None:
        near = 0.02
        top = near * np.tan(path.fovy[i] / 2)
        pixel = 2 * top / lines
        across, down = shift[0] * pixel, shift[1] * pixel
        for camera in self._scene.camera:
            camera.pos[:], camera.forward[:], camera.up[:] = path.pos[i], path.forward[i], path.up[i]
            camera.frustum_near, camera.frustum_far = near, 80.0
            camera.frustum_top, camera.frustum_bottom = top + down, -top + down
            camera.frustum_center, camera.frustum_width = across, top * path.aspect
            camera.orthographic = 0


@lru_cache(maxsize=1)
def stage() -> Stage:
    """This process's stage."""
    return Stage()


def _drawn(size: tuple[int, int], limit: tuple[int, int]) -> tuple[int, int]:
    """The size drawn for pictures of `size`: half as large again where it fits, against jagged edges."""
    w, h = size
    if w % 2 or h % 2 or w * 3 // 2 > limit[0] or h * 3 // 2 > limit[1]:
        if w > limit[0] or h > limit[1]:
            raise UserError(f"picture size {w}x{h}: the world draws at most {limit[0]}x{limit[1]}")
        return w, h
    return w * 3 // 2, h * 3 // 2


def _shrink(total: NDArray[np.uint16], size: tuple[int, int], count: int) -> NDArray[np.uint8]:
    """The sum of `count` pictures, averaged and (3 pixels to 2, by area) brought to `size`."""
    if total.shape[1] == size[0]:
        return (total // count).astype(np.uint8)
    a, b, c = total[0::3], total[1::3], total[2::3]
    rows = np.empty((size[1], *total.shape[1:]), np.float32)
    rows[0::2], rows[1::2] = 2.0 * a + b, b + 2.0 * c
    a, b, c = rows[:, 0::3], rows[:, 1::3], rows[:, 2::3]
    out = np.empty((size[1], size[0], 3), np.float32)
    out[:, 0::2], out[:, 1::2] = 2 * a + b, b + 2 * c
    return np.asarray(out * (1 / (9.0 * count)), np.uint8)


def _at(value: Array, i: int, rank: int) -> Array:
    return value[i] if value.ndim > rank else value


def _flatten(g: Any, pos: Array, rot: Array, light: Array, ground: float) -> None:
    """Pose g as the shadow of a prop on the plane z = ground: x' = x - light * (x_z - ground) / light_z."""
    shear = np.array([[1.0, 0, -light[0] / light[2]], [0, 1.0, -light[1] / light[2]], [0, 0, 0.0]])
    p = shear @ (pos - (0, 0, ground))
    g.pos[:] = (p[0], p[1], ground + 0.004)
    shear[2, 2] = 0.002
    g.mat[:] = shear @ rot


def _half(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    a = image.astype(np.uint16)
    return ((a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) // 4).astype(np.uint8)


def _sheet_faces() -> NDArray[np.int64]:
    i = np.arange(SHEET * SHEET).reshape(SHEET, SHEET)
    a, b, c, d = i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def _lathe_faces() -> NDArray[np.int64]:
    i = np.arange(RINGS * SPOKES).reshape(RINGS, SPOKES)
    j = np.roll(i, -1, 1)
    a, b, c, d = i[:-1], j[:-1], j[1:], i[1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def _uv() -> dict[str, Array]:
    u = np.linspace(0, 1, SHEET)
    sheet = np.stack(np.meshgrid(u, u, indexing="ij"), -1).reshape(-1, 2)
    r, s = np.meshgrid(
        np.linspace(0, 1, RINGS), np.abs(np.linspace(-1, 1, SPOKES, endpoint=False)), indexing="ij"
    )
    return {"sheet": sheet, "lathe": np.stack([s, r], -1).reshape(-1, 2)}


_UV = _uv()


def _normals(v: Array, faces: NDArray[np.int64]) -> Array:
    t = v[faces]
    n = np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0])
    out = np.zeros_like(v)
    for k in range(3):
        for c in range(3):
            out[:, c] += np.bincount(faces[:, k], n[:, c], len(v))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def _slots_xml(size: tuple[int, int]) -> str:
    def row(a: Array) -> str:
        return " ".join(f"{x:.6g}" for x in np.asarray(a).ravel())

    rng = np.random.default_rng(0)
    u = np.linspace(-1, 1, SHEET)
    sheet = np.stack([*np.meshgrid(u, u, indexing="ij"), 0.1 * rng.random((SHEET, SHEET))], -1)
    ball = np.concatenate(
        [0.3 + rng.random((RINGS * SPOKES, 2)), np.repeat(np.arange(RINGS), SPOKES)[:, None]], 1
    )
    parts = []
    for kind, count, vertices, faces in (
        ("sheet", _SHEETS, sheet, _sheet_faces()),
        ("lathe", _LATHES, ball, _lathe_faces()),
    ):
        for i in range(count):
            parts.append(
                f'<mesh name="{kind}{i}" inertia="shell" smoothnormal="true" vertex="{row(vertices)}" '
                f'face="{row(faces)}" texcoord="{row(_UV[kind])}"/>'
            )
    for i in range(_FLAT):
        parts.append(f'<texture name="f{i}" type="2d" builtin="flat" width="{_TEX}" height="{_TEX}"/>')
    for i in range(_CUBE):
        parts.append(
            f'<texture name="c{i}" type="cube" builtin="flat" width="{_CUBE_TEX}" height="{_CUBE_TEX * 6}"/>'
        )
    parts += [f'<material name="f{i}" texture="f{i}"/>' for i in range(_FLAT)]
    parts += [f'<material name="c{i}" texture="c{i}"/>' for i in range(_CUBE)]
    quality = '<quality offsamples="0" shadowsize="0" numslices="10" numstacks="5" numquads="2"/>'
    visual = f'<visual>{quality}<global offwidth="{size[0]}" offheight="{size[1]}"/></visual>'
    return f"<mujoco>{visual}<asset>{''.join(parts)}</asset></mujoco>"
