"""Clips of the world as the miniature of MMAudio sees and hears them: small pictures, sound, words and truth, on disk.

A part is an .npz of clips in the order of their place in the split; it is written aside and renamed, so drawing that
was stopped goes on with the parts that are missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weft.media.atomic import written_aside
from weft.training.pairs import DURATION, at_pictures
from weft.world import MIX, render_clip, sample_scene, split_seed

PER_PART = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """A clip of 4 s. frames uint8 `[50, 72, 96, 3]`, 12.5 a second; audio float32 `[2, N]`, 44.1 kHz; onsets: s of all
    contacts, and `visible`, of each whether the picture shows it. name: its split and place in it."""

    name: str
    frames: NDArray[np.uint8]
    audio: NDArray[np.float32]
    captions: list[str]
    material: str
    action: str
    onsets: NDArray[np.float64]
    visible: NDArray[np.bool_]


def draw(split: str, index: int) -> Film:
    """Draw and hear clip `index` of a split of the world. Raises as `weft.world.render_clip`."""
    scene = sample_scene(MIX[index % len(MIX)], split_seed(split, index), duration=DURATION)
    clip = render_clip(scene, size=(96, 72))
    assert clip.frames is not None
    assert clip.audio is not None
    return Film(
        name=f"{split}-{index:08d}",
        frames=at_pictures(clip.frames, clip.fps),
        audio=clip.audio,
        captions=list(clip.captions),
        material=clip.material,
        action=clip.action,
        onsets=np.array([e.t for e in clip.events]),
        visible=np.array(clip.visible, bool),
    )


def draw_films(folder: Path, split: str, indices: range, say: Callable[[str], None]) -> list[Path]:
    """Draw the clips `indices` of a split into parts under `folder`; those that are there are kept. Returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for first in range(indices.start, indices.stop, PER_PART):
        span = range(first, min(first + PER_PART, indices.stop))
        path = folder / f"films-{split}-{first:08d}-{span[-1]:08d}.npz"
        paths.append(path)
        if not path.exists():
            _write(path, [draw(split, i) for i in span])
            say(f"{path.name}: {len(span)} films")
    return paths


def read_films(paths: list[Path]) -> Iterator[Film]:
    """Yield the clips of parts, one at a time."""
    for path in paths:
        with np.load(path) as part:
            frames, audio, rows = part["frames"], part["audio"], json.loads(str(part["rows"]))
        for seen, heard, row in zip(frames, audio, rows, strict=True):
            yield Film(
                name=row["name"],
                frames=seen,
                audio=heard.astype(np.float32) / 32767,
                captions=row["captions"],
                material=row["material"],
                action=row["action"],
                onsets=np.array(row["onsets"]),
                visible=np.array(row["visible"], bool),
            )


def _write(path: Path, films: list[Film]) -> None:
    rows = [
        {
            "name": f.name,
            "captions": f.captions,
            "material": f.material,
            "action": f.action,
            "onsets": f.onsets.tolist(),
            "visible": f.visible.tolist(),
        }
        for f in films
    ]
    with written_aside(path) as aside, aside.open("wb") as file:
        np.savez(
            file,
            frames=np.stack([f.frames for f in films]),
            audio=np.stack([np.round(f.audio * 32767).astype(np.int16) for f in films]),
            rows=np.array(json.dumps(rows)),
        )
