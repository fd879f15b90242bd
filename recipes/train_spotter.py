"""Train weft's spotter: measure the motion of the training clips, learn, write the weights.

    python recipes/train_spotter.py measure --world CACHE --out MEASURED     (again whenever the cache has grown)
    python recipes/train_spotter.py train --data MEASURED --run RUN --minutes 60
    python recipes/train_spotter.py export --run RUN

CACHE holds the world's parts (`recipes/build_world_cache.py`): train-*, val-*, test-*. Scribbles are drawn here.
"""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

import weft.weights
from weft.spotting.network import SpotterConfig, SpotterNet
from weft.training import spotter
from weft.training.loop import LoopConfig, ema_weights, train

SCRIBBLES_PER_PART = 50
WORLDS, DRAWINGS = 5, 3
REFRESH = 100  # steps between looks for newly measured parts
SHIPPED = Path(__file__).parents[1] / "src/weft/weights/weft-spotter.safetensors"


def measure(world: Path, out: Path, scribbles: int, seconds: float) -> None:
    """Measure what is not measured yet; with `seconds`, wait for more until they are over."""
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    drawn = 0
    while True:
        parts = [p for p in sorted(world.glob("*-*")) if (p / "labels.json").is_file() and p.name[0] != "."]
        new = [p for p in parts if not (out / f"{p.name}.npz").is_file()]
        while drawn < scribbles and (out / f"drawn-{drawn:04d}.npz").is_file():
            drawn += 1
        for part in new:
            spotter.from_world(part).save(out / f"{part.name}.npz")
            print("measured", part.name, flush=True)
        if drawn < scribbles:
            seeds = range(drawn * SCRIBBLES_PER_PART, (drawn + 1) * SCRIBBLES_PER_PART)
            spotter.from_scribbles(seeds).save(out / f"drawn-{drawn:04d}.npz")
        elif not new:
            if time.monotonic() > end:
                return
            time.sleep(20)


class Pool:
    """The measured examples, read again when more have appeared."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.seen: list[Path] = []
        self.world: spotter.Examples | None = None
        self.drawn: spotter.Examples | None = None

    def batch(self, step: int) -> dict[str, torch.Tensor]:
        """The batch of a step: a pure function of it once the data have stopped growing."""
        if step % REFRESH == 0 or self.world is None:
            found = sorted(p for p in self.data.glob("*.npz") if ".part" not in p.name)
            if found != self.seen:
                self.seen = found
                self.world = spotter.Examples.load([p for p in found if p.name.startswith("train")])
                self.drawn = spotter.Examples.load([p for p in found if p.name.startswith("drawn")])
        assert self.world is not None and self.drawn is not None
        rng = np.random.default_rng((step, 77))
        return spotter.batch(self.world, self.drawn, rng, worlds=WORLDS, drawings=DRAWINGS)


def learn(data: Path, run: Path, minutes: float, steps: int) -> None:
    torch.manual_seed(0)
    net = SpotterNet(SpotterConfig())
    pool = Pool(data)
    config = LoopConfig(
        steps=steps, minutes=minutes, learning_rate=1.5e-3, bf16=True, ema=0.995, warmup=100, log_every=25
    )
    train(net, lambda given, _: spotter.losses(net, given), pool.batch, config, run)


def export(run: Path, out: Path, note: str) -> None:
    """Write the moving average as float16 with the configuration beside it."""
    net = SpotterNet(SpotterConfig())
    tensors = ema_weights(run)
    net.load_state_dict(tensors)
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    weft.weights.save(out, half, {"config": asdict(net.config), "threshold": 0.4, "trained": note})
    print(out, f"{out.stat().st_size / 2**20:.1f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    m = commands.add_parser("measure")
    m.add_argument("--world", type=Path, required=True)
    m.add_argument("--out", type=Path, required=True)
    m.add_argument("--scribbles", type=int, default=40, help="parts of 50 drawn clips")
    m.add_argument("--seconds", type=float, default=0.0, help="keep waiting for new parts this long")
    t = commands.add_parser("train")
    t.add_argument("--data", type=Path, required=True)
    t.add_argument("--run", type=Path, required=True)
    t.add_argument("--minutes", type=float, default=60.0)
    t.add_argument("--steps", type=int, default=20000)
    e = commands.add_parser("export")
    e.add_argument("--run", type=Path, required=True)
    e.add_argument("--out", type=Path, default=SHIPPED)
    e.add_argument("--note", default="")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    if given.command == "measure":
        measure(given.world, given.out, given.scribbles, given.seconds)
    elif given.command == "train":
        learn(given.data, given.run, given.minutes, given.steps)
    else:
        export(given.run, given.out, given.note)


if __name__ == "__main__":
    main()
