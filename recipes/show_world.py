"""Draw contact sheets of the world: each domain, and each material, a few frames of a clip in a row.

python recipes/show_world.py [--out docs/pictures] [--seed 0]

The frame under the red bar is the one nearest a sound; the green box is the label's.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from weft.cues.vocabulary import MATERIALS
from weft.world import DOMAINS, Scene, sample_scene, split_seed
from weft.world.clip import region_boxes, render_frames

SIZE = (128, 96)
STEPS_S = (-0.16, -0.08, 0.0, 0.08, 0.2)


def strip(scene: Scene, steps: tuple[float, ...] = STEPS_S, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Frames of a clip around its middle sound, side by side: uint8 [H, W * len(steps), 3]."""
    seen = [e.t for e, v in zip(scene.events, scene.visible, strict=True) if v] or [scene.duration / 2]
    times = (seen[len(seen) // 2] + np.asarray(steps)) * scene.fps
    which = np.clip(np.round(times), 0, scene.frame_count - 1).astype(int)
    boxes = region_boxes(scene)[0][which]
    frames = render_frames(scene, size, which)
    cells = []
    for k, step in enumerate(steps):
        cell = Image.fromarray(frames[k])
        pen = ImageDraw.Draw(cell)
        if step == 0.0:
            pen.rectangle((0, 0, size[0], 2), fill=(255, 0, 0))
            if np.isfinite(boxes[k]).all():
                pen.rectangle(
                    [float(v) * s for v, s in zip(boxes[k], size * 2, strict=True)], outline=(0, 255, 0)
                )
        cells.append(np.asarray(cell))
    return np.concatenate(cells, 1)


def named(row: np.ndarray, name: str) -> np.ndarray:
    picture = Image.fromarray(row)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 7 * len(name) + 4, 13), fill=(0, 0, 0))
    pen.text((3, 1), name, fill=(255, 255, 255))
    return np.asarray(picture)


def save(picture: np.ndarray, path: Path) -> None:
    """A PNG of few colours: noise does not compress, and these lie in the repository."""
    for colours in (192, 96, 48, 24):
        Image.fromarray(picture).quantize(colours).save(path, optimize=True)
        if path.stat().st_size <= 500_000:
            return
    raise SystemExit(f"{path} is still {path.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for domain in DOMAINS:
        drawn = (sample_scene(domain, split_seed("val", 5000 + args.seed + i)) for i in range(40))
        scenes = list(islice((s for s in drawn if 2 * sum(s.visible) > len(s.visible)), 8))
        rows = [named(strip(s), f"{s.material}, {s.fps:.4g} fps") for s in scenes]
        save(np.concatenate(rows, 0), args.out / f"world_{domain}.png")
        print(args.out / f"world_{domain}.png", flush=True)
    small, steps = (112, 84), (-0.12, 0.0, 0.12)
    rows = []
    for m in (*MATERIALS, MATERIALS[0]):
        pair = [sample_scene("hits", split_seed("val", 6000 + args.seed + i), material=m) for i in range(20)]
        seen = [s for s in pair if s.material == m and sum(s.visible) >= 2][:1]
        rows.append(named(strip(seen[0], steps, small), m))
    half = len(rows) // 2
    sheet = np.concatenate([np.concatenate(rows[:half], 0), np.concatenate(rows[half:], 0)], 1)
    save(sheet, args.out / "world_materials.png")
    print(args.out / "world_materials.png")


if __name__ == "__main__":
    main()
