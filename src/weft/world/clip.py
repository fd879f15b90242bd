"""Scenes made into clips: frames, sound and exact labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Track, What, When, Where
from weft.cues.vocabulary import MATERIALS
from weft.errors import UserError
from weft.synthesis.event import SoundEvent
from weft.world.camera import depth_of
from weft.world.captions import captions
from weft.world.lens import expose
from weft.world.props import Array, Path
from weft.world.scene import Scene

RATE = 44100
_SHUTTER = 0.5  # of a frame's time
_EXPOSURES = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class WorldClip:
    """A rendered clip. frames uint8 [T, H, W, 3] or None; audio float32 [2, N] or None; boxes [T, 4] x1 y1 x2 y2
    fractions (NaN when off screen); depth [T] 0 near .. 1 far; visible: per event, whether the picture shows it."""

    frames: NDArray[np.uint8] | None
    fps: float
    audio: NDArray[np.float32] | None
    events: tuple[SoundEvent, ...]
    visible: tuple[bool, ...]
    boxes: Array
    depth: Array
    sheet: CueSheet
    captions: tuple[str, ...]
    material: str
    action: str
    domain: str
    seed: int


def render_clip(
    scene: Scene, *, size: tuple[int, int] = (160, 120), picture: bool = True, sound: bool = True
) -> WorldClip:
    """Draw and sound a scene.

    size: (width, height) of the frames, into which the scene's own aspect is squashed. Without sound the sheet
    has no envelope. Deterministic. Raises MissingExtra or UserError where MuJoCo or its OpenGL is missing.
    """
    frames = render_frames(scene, size) if picture else None
    audio = render_sound(scene) if sound else None
    boxes, depth = region_boxes(scene)
    words = scene_captions(scene)
    return WorldClip(
        frames=frames,
        fps=scene.fps,
        audio=audio,
        events=scene.events,
        visible=scene.visible,
        boxes=boxes,
        depth=depth,
        sheet=_sheet(scene, boxes, depth, audio, words[0] if words else None, size),
        captions=words,
        material=scene.material,
        action=scene.action,
        domain=scene.domain,
        seed=scene.seed,
    )


def revoice(scene: Scene, material: str) -> Scene:
    """The same contacts on another material: times, strengths, places and pictures stay.

    `render_clip(revoice(scene, m), picture=False)` is then the cheap way to its sound and captions.
    Raises UserError for an unknown material.
    """
    if material not in MATERIALS:
        raise UserError(f"unknown material {material!r}: use one of {', '.join(MATERIALS)}")
    events = tuple(replace(e, material=material) for e in scene.events)
    return replace(scene, material=material, events=events)


def render_frames(
    scene: Scene, size: tuple[int, int], which: NDArray[np.int64] | None = None
) -> NDArray[np.uint8]:
    """The picture, uint8 [T, H, W, 3]: fast movement is blurred over half a frame's time.

    which: indices of the frames wanted, None for all (exposure and compression see only those drawn).
    """
    from weft.world.stage import stage

    frames = np.arange(scene.frame_count) if which is None else np.asarray(which)
    offsets = (np.arange(_EXPOSURES) / (_EXPOSURES - 1) - 0.5) * _SHUTTER / scene.fps
    t = (scene.times[:, None] + offsets).reshape(-1)
    props = scene.plan.props(t)
    path = scene.path(t)
    speed = _screen_speed(props, path, scene.frame_count) * size[0]
    picks = ([2], [1, 3], [0, 2, 4], [0, 1, 3, 4])
    level = np.digitize(speed, (1.5, 5.0, 14.0))
    exposures = [k * _EXPOSURES + np.asarray(picks[level[k]]) for k in frames]
    drawn = stage().draw(props, scene.plan.lamps, path, exposures, size, ground=scene.plan.floor)
    return expose(drawn, scene.plan.lens, scene.fps)


def _screen_speed(props: list, path: Path, count: int) -> Array:  # type: ignore[type-arg]
    """How far the fastest visible thing moves during each exposure, as a fraction of the width [T]."""
    fastest = np.zeros(count)
    ends = np.arange(count) * _EXPOSURES
    for p in props:
        if p.pos.ndim != 2:
            continue
        points = p.pos[:, None]
        if p.kind in ("capsule", "box", "cylinder") and p.rot.ndim == 3:
            tip = p.rot[:, :, 2] * p.size[2]
            points = np.stack([p.pos + tip, p.pos - tip], 1)
        x, y, z = path.project(points)
        dx = x[ends + _EXPOSURES - 1] - x[ends]
        dy = (y[ends + _EXPOSURES - 1] - y[ends]) / path.aspect
        on = (z[ends] > 0.05) & (np.abs(x[ends] - 0.5) < 0.6) & (np.abs(y[ends] - 0.5) < 0.6)
        if p.shown is not None:
            on &= p.shown[ends][:, None]
        fastest = np.maximum(fastest, (np.hypot(dx, dy) * on).max(1))
    return np.asarray(fastest)


def render_sound(scene: Scene) -> NDArray[np.float32]:
    """The sound, float32 [2, N], N = round(duration * 44100)."""
    from weft.synthesis import render

    audio = render(scene.events, scene.duration, seed=scene.seed % 2**31, room=scene.room) * np.float32(
        scene.gain
    )
    if scene.noise_db is not None:
        audio = audio + _bed(scene.seed, audio.shape[1], scene.noise_db)
    return np.clip(audio, -1.0, 1.0).astype(np.float32)


def _bed(seed: int, n: int, level_db: float) -> NDArray[np.float32]:
    """A quiet room or street behind the sound: noise of random colour at `level_db` full scale, [2, n]."""
    rng = np.random.default_rng([seed, 31])
    size = 1 << 15
    f = np.fft.rfftfreq(size, 1 / RATE)
    colour = np.maximum(f, 40.0) ** -rng.uniform(0.2, 1.2) / (1 + (f / rng.uniform(1500, 12000)) ** 4)
    out = np.empty((2, n), np.float32)
    for c in range(2):
        loop = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * colour, size)
        loop /= loop.std()
        out[c] = np.resize(loop, n)
    return out * np.float32(10 ** (level_db / 20))


def region_boxes(scene: Scene) -> tuple[Array, Array]:
    """Box [T, 4] and depth [T] of the sounding object at every frame; NaN boxes when it is off screen."""
    t = scene.times
    path = scene.path(t)
    points = scene.plan.region(t)
    x, y, z = path.project(points)
    ok = (z > 0.02).all(1)
    raw = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], -1)
    for a, b in ((0, 2), (1, 3)):
        grow = np.maximum(0.04 - (raw[:, b] - raw[:, a]), 0) / 2
        raw[:, a], raw[:, b] = raw[:, a] - grow, raw[:, b] + grow
    box = np.clip(raw, 0.0, 1.0)
    ok &= (box[:, 2] - box[:, 0] > 0.01) & (box[:, 3] - box[:, 1] > 0.01)
    box[~ok] = np.nan
    distance = np.linalg.norm(points.mean(1) - path.pos, axis=-1)
    return box, depth_of(distance)


def scene_captions(scene: Scene) -> tuple[str, ...]:
    """What people might write about the clip."""
    rng = np.random.default_rng([scene.seed, 41])
    return tuple(captions(scene.material, scene.action, max(1, len(scene.events)), rng))


def _envelope(audio: NDArray[np.float32]) -> Envelope:
    """FoleyGRAM eq. (5): RMS, window 512, hop 128, over both channels."""
    power = (audio.astype(np.float64) ** 2).mean(0)
    total = np.concatenate([[0.0], np.cumsum(power)])
    centres = np.arange(0, len(power), 128)
    lo, hi = np.maximum(centres - 256, 0), np.minimum(centres + 256, len(power))
    return Envelope(hop=128 / RATE, rms=np.sqrt(np.maximum(total[hi] - total[lo], 0) / 512))


def _sheet(
    scene: Scene,
    boxes: Array,
    depth: Array,
    audio: NDArray[np.float32] | None,
    prompt: str | None,
    size: tuple[int, int],
) -> CueSheet:
    onsets = tuple(
        Onset(
            t=e.t, strength=max(e.strength, 0.01), duration=e.duration, material=e.material, action=e.action
        )
        for e in scene.events
    )
    seen = np.isfinite(boxes).all(1)
    tracks: tuple[Track, ...] = ()
    if seen.any():
        tracks = (Track(label=scene.material, t=scene.times[seen], box=boxes[seen], depth=depth[seen]),)
    return CueSheet(
        clip=Clip(duration=scene.duration, width=size[0], height=size[1], fps=scene.fps),
        when=When(onsets=onsets, envelope=None if audio is None else _envelope(audio), source="world"),
        where=Where(tracks=tracks, source="world"),
        what=What(prompt=prompt, source="world"),
    )
