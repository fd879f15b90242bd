"""Time `weft eval` whole, cold and again with a warm cache; writes results/eval_speed.json.

    python recipes/benchmark_eval.py --clips 200 --seconds 8 --jobs 2

The clips are drawn here from the world's test seeds (sound only): each true sound, and beside it the same events moved
by up to 60 ms, at another level, with a little noise, so that every metric has work to do. Each run is a fresh process
with its whole start counted. The second run finds every feature in the cache; the third writes the report too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from weft.world.clip import RATE, render_clip
from weft.world.scene import sample_scene, split_seed

DOMAINS = ("hits", "walks")


def draw(job: tuple[Path, int, float]) -> str:
    """Write one pair and its cue sheet; return its row of the table."""
    root, k, seconds = job
    clip = render_clip(sample_scene(DOMAINS[k % 2], split_seed("test", k), duration=seconds), picture=False)
    assert clip.audio is not None
    rng = np.random.default_rng(k)
    moved = np.roll(clip.audio, int(rng.integers(0, round(0.06 * RATE))), 1) * rng.uniform(0.5, 1.0)
    moved = moved + rng.normal(0, 3e-4, moved.shape)
    for side, wave in (("true", clip.audio), ("made", moved)):
        soundfile.write(root / side / f"{k:04d}.wav", wave.T, RATE, subtype="PCM_16")
    clip.sheet.save(root / "cues" / f"{k:04d}.json")
    return f"true/{k:04d}.wav,made/{k:04d}.wav,cues/{k:04d}.json"


def write_set(root: Path, count: int, seconds: float, jobs: int) -> Path:
    """Draw the clips; return the table that names them."""
    for side in ("true", "made", "cues"):
        (root / side).mkdir()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        rows = pool.map(draw, [(root, k, seconds) for k in range(count)])
    table = root / "clips.csv"
    table.write_text("reference,predicted,cues\n" + "\n".join(rows) + "\n")
    return table


def run(table: Path, cache: Path, jobs: int, *more: str) -> dict[str, Any]:
    """One `weft eval` in a process of its own: wall seconds, and what it says of itself."""
    command = [sys.executable, "-m", "weft", "eval", str(table), "--protocol", "world-hits"]
    clock = time.perf_counter()
    done = subprocess.run(
        [*command, "--cache", str(cache), "--jobs", str(jobs), "--json", *more],
        capture_output=True,
        text=True,
        check=True,
    )
    wall = time.perf_counter() - clock
    said = json.loads(done.stdout)
    stages = {**said["seconds"], "start, print and all else": wall - sum(said["seconds"].values())}
    return {
        "wall_s": wall,
        "share": {name: spent / wall for name, spent in stages.items()},
        "stages_s": stages,
        "measured": said["work"]["measured"],
        "worker_s": said["worker_seconds"],
        "scores": {s["name"]: s["value"] for s in said["scores"]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/eval_speed.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        table = write_set(root, given.clips, given.seconds, given.jobs)
        cold = run(table, root / "cache", given.jobs)
        warm = run(table, root / "cache", given.jobs)
        report = run(table, root / "cache", given.jobs, "--report", str(root / "report.html"))
        kept = sum(p.stat().st_size for p in (root / "cache").rglob("*.safetensors"))
    assert warm["measured"] == 0, "the second run should find everything in the cache"
    assert warm.pop("scores") == cold.pop("scores") == report.pop("scores"), "the cache changed a number"
    total = sum(cold["worker_s"].values())
    cold["worker_share"] = {k: v / total for k, v in sorted(cold["worker_s"].items(), key=lambda i: -i[1])}
    result = {
        "what": f"weft eval --protocol world-hits, {given.clips} pairs of {given.seconds:g} s, {given.jobs} processes",
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "load_average": os.getloadavg()[0],
        "cold": cold,
        "warm": warm,
        "warm with report": report,
        "warm_is_faster": cold["wall_s"] / warm["wall_s"],
        "cache_mb": kept / 1e6,
    }
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"cold {cold['wall_s']:.1f} s, warm {warm['wall_s']:.1f} s: {result['warm_is_faster']:.1f} times")
    print({k: round(v, 3) for k, v in cold["share"].items()})


if __name__ == "__main__":
    main()
