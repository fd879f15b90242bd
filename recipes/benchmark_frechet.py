"""Time the Fréchet distance beside the square root of a matrix that others take; writes results/frechet_speed.json.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python recipes/benchmark_frechet.py --repeats 3

Both take the same embeddings to the same number in one process on one thread, in turns, so that a drift of the machine
meets both. The second set is 0.8 times the first plus a shift, whose distance is known in closed form; the error is
relative to it. Variances fall as 1 / k, as those of embeddings do. Seconds of wall and of processor are kept: on a busy
machine the processor's are the fair ones.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import linalg

from weft.metrics import frechet

D = 2048
ROWS = {512: 100, 8192: 3}  # N, and how many times faster it must be


def embeddings(rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Two sets `[rows, D]` and their true distance."""
    rng = np.random.default_rng(rows)
    x = rng.standard_normal((rows, D)) / np.sqrt(np.arange(1, D + 1))
    shift = rng.standard_normal(D) / np.sqrt(D)
    y = 0.8 * x + shift
    apart = x.mean(0) - y.mean(0)
    return x, y, float(apart @ apart + 0.04 * x.var(0, ddof=1).sum())


def by_square_root(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The textbook route of the public toolkits."""
    c, s = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(c.dot(s))
    apart = x.mean(0) - y.mean(0)
    return float(apart @ apart + np.trace(c) + np.trace(s) - 2 * np.trace(root).real)


def timed(
    route: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Value, seconds of wall, seconds of processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    value = route(x, y)
    return value, time.perf_counter() - wall, time.process_time() - cpu


def compare(rows: int, repeats: int) -> dict[str, object]:
    x, y, true = embeddings(rows)
    routes = {"weft": frechet.distance, "sqrtm": by_square_root}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in routes}
    error = {}
    for turn in range(repeats):
        for name, route in routes.items():
            value, wall, cpu = timed(route, x, y)
            error[name] = abs(value - true) / true
            seconds[name].append((wall, cpu))
            print(
                f"N {rows}, {name}, {turn + 1} of {repeats}: {wall:.2f} s, processor {cpu:.2f} s", flush=True
            )

    def median(name: str, which: int) -> float:
        return statistics.median(s[which] for s in seconds[name])

    return {
        "n": rows,
        "true": true,
        "routes": {
            name: {
                "wall_s": [round(w, 4) for w, _ in seconds[name]],
                "cpu_s": [round(c, 4) for _, c in seconds[name]],
                "relative_error": error[name],
            }
            for name in routes
        },
        "times_faster": {
            "wall": round(median("sqrtm", 0) / median("weft", 0), 2),
            "cpu": round(median("sqrtm", 1) / median("weft", 1), 2),
        },
        "wanted": ROWS.get(rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--out", type=Path, default=Path("results/frechet_speed.json"))
    args = parser.parse_args()
    before = os.getloadavg()[0]
    result = {
        "what": f"Fréchet distance of two sets of N embeddings of {D} dimensions, from the embeddings to the number",
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        },
        "repeats": args.repeats,
        "sizes": [compare(rows, args.repeats) for rows in args.rows],
        "load_average": [round(before, 2), round(os.getloadavg()[0], 2)],
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
