"""Draw world clips into a cache that training reads by memory map: raw frames, raw sound, exact labels.

python recipes/build_world_cache.py OUT --split train --count 3000

writes OUT/SPLIT-00000/ , OUT/SPLIT-00001/ ... of --per-part clips each:
  frames.npy  uint8 [sum of T, H, W, 3]   all clips' frames one after another, each clip at its own rate
  audio.npy   int16 [n, 2, N]             44.1 kHz stereo, full scale 32767
  labels.json list of n: first (row of its first frame), frames (T), fps, duration, domain, split index, seed,
              material, action, aspect, captions, boxes [T][4] (x1 y1 x2 y2 fractions; null when off screen),
              depth [T], events [{t, strength, duration, material, action, pan, depth, visible}]
A part is written aside and renamed when it is whole, so a stopped build goes on where it was, and every folder
that is there can be read. Frames are squashed to 256 x 192, what the spotter reads, whatever the clip's aspect.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weft.spotting.closer import SIZE
from weft.world import MIX, render_clip, sample_scene, split_seed


@dataclass(frozen=True, kw_only=True)
class Config:
    size: tuple[int, int] = SIZE
    duration: float = 4.0
    per_part: int = 50


def label(clip, aspect: float, index: int, first: int) -> dict:
    def number(x: float) -> float | None:
        return round(float(x), 4) if np.isfinite(x) else None

    boxes = [[number(v) for v in b] if np.isfinite(b).all() else None for b in clip.boxes]
    events = [
        {
            "t": number(e.t),
            "strength": number(e.strength),
            "duration": number(e.duration),
            "material": e.material,
            "action": e.action,
            "pan": number(e.pan),
            "depth": number(e.depth),
            "visible": bool(seen),
        }
        for e, seen in zip(clip.events, clip.visible, strict=True)
    ]
    return {
        "first": first,
        "frames": len(clip.frames),
        "fps": clip.fps,
        "duration": clip.sheet.clip.duration,
        "domain": clip.domain,
        "index": index,
        "seed": clip.seed,
        "material": clip.material,
        "action": clip.action,
        "aspect": number(aspect),
        "captions": list(clip.captions),
        "boxes": boxes,
        "depth": [number(d) for d in clip.depth],
        "events": events,
    }


def write_part(folder: Path, split: str, indices: range, config: Config) -> None:
    frames, audio, labels, rows = [], [], [], 0
    for i in indices:
        scene = sample_scene(MIX[i % len(MIX)], split_seed(split, i), duration=config.duration)
        clip = render_clip(scene, size=config.size)
        labels.append(label(clip, scene.aspect, i, rows))
        frames.append(clip.frames)
        audio.append(np.round(clip.audio * 32767).astype(np.int16))
        rows += len(clip.frames)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True)
    np.save(aside / "frames.npy", np.concatenate(frames))
    np.save(aside / "audio.npy", np.stack(audio))
    (aside / "labels.json").write_text(json.dumps(labels))
    if folder.exists():
        shutil.rmtree(aside)
    else:
        aside.rename(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument(
        "--start", type=int, default=0, help="index of the first clip (a multiple of --per-part)"
    )
    parser.add_argument("--per-part", type=int, default=Config.per_part)
    args = parser.parse_args()
    config = Config(per_part=args.per_part)
    last = args.start + args.count
    for start in range(args.start, last, config.per_part):
        folder = args.out / f"{args.split}-{start // config.per_part:05d}"
        if folder.exists():
            continue
        began, cpu = time.time(), time.process_time()
        indices = range(start, min(start + config.per_part, last))
        write_part(folder, args.split, indices, config)
        n = len(indices)
        worked, passed = (time.process_time() - cpu) / n, (time.time() - began) / n
        print(f"{folder.name}: {n} clips, {worked:.2f} CPU-s and {passed:.2f} s each", flush=True)


if __name__ == "__main__":
    main()
