"""World clips on disk: playable samples with their cue sheets, and WebDataset shards for training.

A shard is a tar of (mp4, flac, json) triples with common stems, as WebDataset reads them. It is written aside
and renamed when whole, so a build that was stopped goes on with the shards that are missing.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.errors import UserError
from weft.media.atomic import refuse_existing, written_aside
from weft.progress import Progress, silent
from weft.world.clip import RATE, WorldClip, render_clip
from weft.world.scene import DOMAINS, Scene, sample_scene, split_seed

PER_SHARD = 64
_HEIGHT = 240


def sample(
    folder: str | Path,
    *,
    domain: str = "hits",
    count: int = 4,
    seed: int = 0,
    duration: float = 4.0,
    overwrite: bool = False,
) -> Iterator[Path]:
    """Write `count` clips to look at and listen to; yield the path of each as it is done.

    DOMAIN-SEED.mp4 in the scene's own aspect (240 lines) with sound, DOMAIN-SEED.json its exact cue sheet;
    seeds run from `seed` up. Creates `folder`. Raises UserError (bad domain, file there already, no OpenGL).
    """
    root = Path(folder)
    targets = [root / f"{domain}-{seed + i:06d}.mp4" for i in range(count)]
    for path in targets:
        for made in (path, path.with_suffix(".json")):
            refuse_existing(made, overwrite)
    for i, path in enumerate(targets):
        scene = sample_scene(domain, seed + i, duration=duration)
        root.mkdir(parents=True, exist_ok=True)
        clip = render_clip(scene, size=_display_size(scene))
        with written_aside(path, overwrite) as aside:
            aside.write_bytes(_mp4(clip, quality=18, sound=True))
        clip.sheet.save(path.with_suffix(".json"), overwrite=overwrite)
        yield path


def build(
    domains: Sequence[str],
    *,
    split: str,
    folder: str | Path,
    count: int,
    start: int = 0,
    size: tuple[int, int] = (160, 120),
    duration: float = 4.0,
    fps: float | None = None,
    per_shard: int = PER_SHARD,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Path]:
    """Write clips `start` .. `start + count` of a split as shards of `per_shard`; return all shards' paths.

    Clip i is of domain i mod len(domains), drawn from split_seed(split, i); frames are squashed to `size`. Shards
    that exist are kept, whatever they hold. `workers` processes draw shards beside each other. Raises UserError.
    """
    domains = list(domains)
    for d in domains:
        if d not in DOMAINS:
            raise UserError(f"unknown world domain {d!r}: use {', '.join(DOMAINS)}")
    if not domains or count < 1 or per_shard < 1 or workers < 1:
        raise UserError(
            f"nothing to build from domains {domains}, count {count}, workers {workers}: all must be 1 or more"
        )
    split_seed(split, start + count - 1)
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    jobs = []
    for first in range(start, start + count, per_shard):
        indices = list(range(first, min(first + per_shard, start + count)))
        path = root / f"{split}-{first:08d}-{indices[-1]:08d}.tar"
        jobs.append((path, domains, split, indices, size, duration, fps))
    report = progress or silent
    waiting = [job for job in jobs if not job[0].exists()]
    done = len(jobs) - len(waiting)
    report("draw", done / len(jobs))
    if workers == 1 or len(waiting) < 2:
        for job in waiting:
            _shard(job)
            done += 1
            report("draw", done / len(jobs))
    else:
        with multiprocessing.get_context("spawn").Pool(min(workers, len(waiting))) as pool:
            for _ in pool.imap_unordered(_shard, waiting):
                done += 1
                report("draw", done / len(jobs))
    return [job[0] for job in jobs]


def labels(clip: WorldClip, index: int) -> dict[str, Any]:
    """A clip's labels as plain JSON: what it is, its events, boxes and depth per frame, and its cue sheet."""
    events = []
    for event, seen in zip(clip.events, clip.visible, strict=True):
        row = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(event).items()}
        events.append({**row, "visible": seen})
    boxes = [b.round(4).tolist() if np.isfinite(b).all() else None for b in clip.boxes]
    return {
        "index": index,
        "seed": clip.seed,
        "domain": clip.domain,
        "material": clip.material,
        "action": clip.action,
        "fps": clip.fps,
        "captions": list(clip.captions),
        "events": events,
        "boxes": boxes,
        "depth": clip.depth.round(4).tolist(),
        "sheet": json.loads(clip.sheet.to_json()),
    }


def _shard(job: tuple[Path, list[str], str, list[int], tuple[int, int], float, float | None]) -> Path:
    path, domains, split, indices, size, duration, fps = job
    if path.exists():
        return path
    with written_aside(path) as aside, tarfile.open(aside, "w") as tar:
        for i in indices:
            scene = sample_scene(domains[i % len(domains)], split_seed(split, i), duration=duration, fps=fps)
            clip = render_clip(scene, size=size)
            stem = f"{split}-{i:08d}"
            _add(tar, f"{stem}.mp4", _mp4(clip, quality=20, sound=False))
            _add(tar, f"{stem}.flac", _flac(clip))
            _add(tar, f"{stem}.json", json.dumps(labels(clip, i)).encode())
    return path


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _flac(clip: WorldClip) -> bytes:
    import soundfile

    assert clip.audio is not None
    box = io.BytesIO()
    soundfile.write(box, clip.audio.T, RATE, format="FLAC", subtype="PCM_16")
    return box.getvalue()


def _mp4(clip: WorldClip, *, quality: int, sound: bool) -> bytes:
    """The clip as MP4: x264 at a constant rate factor, frame k at k / fps; AAC sound if asked."""
    import av

    assert clip.frames is not None and clip.audio is not None
    rate = Fraction(clip.fps).limit_denominator(1001)
    even = _even(clip.frames)
    box = io.BytesIO()
    with av.open(box, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.height, stream.width = even.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(quality), "preset": "veryfast", "threads": "1", "bf": "0"}
        voice = out.add_stream("aac", rate=RATE, layout="stereo") if sound else None
        for frame in even:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode(None))
        if voice is not None:
            block = np.ascontiguousarray(clip.audio, np.float32)
            heard = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            heard.sample_rate = RATE
            out.mux(voice.encode(heard))
            out.mux(voice.encode(None))
    return box.getvalue()


def _even(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    h, w = frames.shape[1:3]
    return np.pad(frames, ((0, 0), (0, h % 2), (0, w % 2), (0, 0)), mode="edge")


def _display_size(scene: Scene) -> tuple[int, int]:
    """240 lines in the scene's own shape; for tall scenes 240 columns."""
    if scene.aspect >= 1:
        return 2 * round(_HEIGHT * scene.aspect / 2), _HEIGHT
    return _HEIGHT, 2 * round(_HEIGHT / scene.aspect / 2)
