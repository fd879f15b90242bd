"""Time the whole command, cold: an 8-s 720p clip to a finished file, for each performer; writes results/speed.json.

    python recipes/benchmark.py --runs 5

The clip is made here (a moving test pattern with cuts, H.264, 1280x720 at 30 fps), so anyone gets the same work.
Each run is a fresh process; the performers take turns, so that a drift of the machine meets both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np

SECONDS, FPS, WIDTH, HEIGHT = 8, 30, 1280, 720
SYSTEMS = ("weft-physical", "weft-mini")


def make_clip(path: Path) -> None:
    """A swinging bar over a textured, slowly panning ground, with two cuts; small enough to be looked at closer."""
    rng = np.random.default_rng(0)
    ground = np.kron(rng.integers(0, 200, (90, 200, 3), dtype=np.uint8), np.ones((10, 10, 1), np.uint8))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for n in range(SECONDS * FPS):
            shift = (n * 2 + 300 * (n // 90)) % (ground.shape[1] - WIDTH)
            frame = ground[:HEIGHT, shift : shift + WIDTH].copy()
            y = int(150 * abs(np.cos(n / FPS * 2 * np.pi * 0.9))) + 250
            frame[y : y + 50, 500:640] = (230, 200, 40)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


def run(clip: Path, folder: Path, system: str) -> dict[str, object]:
    """One cold run in a child of its own: wall and processor seconds, peak memory, seconds by stage."""
    command = [
        sys.executable,
        "-m",
        "weft",
        "generate",
        str(clip),
        "--system",
        system,
        "--out-dir",
        str(folder),
    ]
    child = (
        "import json, resource, subprocess, sys, time; t = time.perf_counter();"
        "p = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True);"
        "w = time.perf_counter() - t; u = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([w, u.ru_utime + u.ru_stime, u.ru_maxrss / 1024, json.loads(p.stdout)]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", child, *command, "--json", "--force"],
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu, peak, printed = json.loads(out.stdout)
    stages = printed["seconds"]
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_mb": peak,
        "stages_s": {**stages, "start": wall - sum(stages.values())},
    }


def median(runs: list[dict], key: str) -> dict[str, float]:
    values = [r[key] for r in runs]
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/speed.json"))
    args = parser.parse_args()
    runs: dict[str, list] = {name: [] for name in SYSTEMS}
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip)
        for system in SYSTEMS:
            run(clip, Path(folder), system)  # warm the disk cache, not the process
        for _ in range(args.runs):
            for system in SYSTEMS:
                runs[system].append(run(clip, Path(folder), system))
    report = {
        "what": f"weft generate, {SECONDS} s {WIDTH}x{HEIGHT} {FPS} fps, cold process",
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "load_average": os.getloadavg()[0],
        "runs": args.runs,
        "systems": {},
    }
    for system, done in runs.items():
        stages = {s: statistics.median(r["stages_s"][s] for r in done) for s in done[0]["stages_s"]}
        report["systems"][system] = {k: median(done, k) for k in ("wall_s", "cpu_s", "peak_mb")} | {
            "stages_s": stages
        }
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["systems"], indent=1))


if __name__ == "__main__":
    main()
