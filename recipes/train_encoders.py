"""Train weft's own audio, video and text encoders: draw clips, learn, write the weights.

    python recipes/train_encoders.py draw --data DATA --kind sounds --first 60000 --count 3000
    python recipes/train_encoders.py draw --data DATA --kind films --first 10000 --count 1900 [--cache CACHE]
    python recipes/train_encoders.py draw --data DATA --kind films --split val --count 200 [--cache CACHE]
    python recipes/train_encoders.py train --data DATA --run RUN --minutes 45
    python recipes/train_encoders.py train --data DATA --run SECOND --start RUN --minutes 20
    python recipes/train_encoders.py export --run SECOND --start RUN
    python recipes/train_encoders.py all --data DATA --run RUN

Films have pictures. With --cache they are taken from what `recipes/build_world_cache.py` drew, else drawn here, slower.
Clips of the training split only; no other recipe draws its sounds from 60000 on. Drawing may go on while training runs:
it takes in what is new.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import weft.weights
from weft.encoders.audio_net import AudioNetConfig
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNetConfig
from weft.encoders.video_net import VideoNetConfig
from weft.training import pairs
from weft.training.cache import drawn
from weft.training.encoders import Lesson, LessonConfig, Shelf, batch_of
from weft.training.loop import CHECKPOINT, LOG, LoopConfig, ema_weights, train

SEED = 20261121_3
PER_PART = 100
REFRESH = 50  # steps between looks for newly drawn parts
LOOP = LoopConfig(
    steps=100_000,
    minutes=40,
    learning_rate=2e-3,
    betas=(0.9, 0.98),
    weight_decay=0.02,
    warmup=60,
    ema=0.99,
    bf16=True,
    seed=SEED,
    log_every=20,
    checkpoint_minutes=3,
)
SHIPPED = Path(__file__).parents[1] / "src/weft/weights/weft-encoders.safetensors"
CURVE = Path(__file__).parents[1] / "results/encoders_training.json"


def draw(data: Path, kind: str, split: str, indices: range, cache: Path | None) -> None:
    """Draw what is not there yet, a hundred clips a part."""
    data.mkdir(parents=True, exist_ok=True)
    for first in range(indices.start, indices.stop, PER_PART):
        folder = data / f"{kind}-{split}-{first:06d}"
        if folder.is_dir():
            continue
        part = range(first, min(first + PER_PART, indices.stop))
        if kind == "sounds":
            made = pairs.sounds(split, part)
        elif cache is None:
            made = pairs.drawn_pairs(split, part)
        else:
            made = pairs.cached_pairs(c for c in drawn(cache, split) if c.label["index"] in part)
        made.save(folder)
        print(f"{folder.name}: {len(made)} clips", flush=True)


class Growing:
    """The parts on disk, looked at again every so often."""

    def __init__(self, data: Path, kind: str) -> None:
        self.data, self.kind, self.names = data, kind, list[str]()
        self.shelf = Shelf([])

    def at(self, step: int) -> Shelf:
        if step % REFRESH == 0 or not len(self.shelf):
            names = sorted(p.name for p in self.data.glob(f"{self.kind}-*"))
            if names != self.names:
                self.names, self.shelf = names, Shelf(list(pairs.parts(self.data, self.kind)))
                print(f"step {step}: {len(self.shelf)} {self.kind}", flush=True)
        return self.shelf


def lesson() -> Lesson:
    torch.manual_seed(SEED)
    return Lesson(AudioNetConfig(), VideoNetConfig(), TextNetConfig(), LessonConfig())


def learn(data: Path, run: Path, minutes: float, start: Path | None) -> None:
    """Train, or go on; with `start`, from what fits of the moving average of an earlier run."""
    module, text = lesson(), TextEncoder.load()
    if start is not None and not (run / CHECKPOINT).is_file():
        own, past = module.state_dict(), ema_weights(start)
        fits = {k: v for k, v in past.items() if k in own and own[k].shape == v.shape}
        module.load_state_dict(own | fits)
        print(f"{len(fits)} of {len(own)} tensors from {start}", flush=True)
    past = 0 if start is None else 1  # other examples than the earlier run
    films, sounds = Growing(data, "films-train"), Growing(data, "sounds-train")
    length = module.text.config.length

    def batch_at(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([SEED, past, step])
        return batch_of(films.at(step), sounds.at(step), text, module.config, length, rng)

    print(train(module, module.losses, batch_at, replace(LOOP, minutes=minutes), run), flush=True)


def export(run: Path, out: Path, curve: Path, start: Path | None, note: str) -> None:
    """Write the moving average of the three networks, and the curve of the run and of the one it started from."""
    module = lesson()
    module.load_state_dict(ema_weights(run))
    step, minutes, _ = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)["counters"]
    tensors = {
        f"{name}.{key}": value.half() if value.is_floating_point() else value
        for name in ("audio", "video", "text")
        for key, value in getattr(module, name).state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    metadata = {name: asdict(getattr(module, name).config) for name in ("audio", "video", "text")}
    metadata |= {"licence": "Apache-2.0", "trained": "recipes/train_encoders.py", "seed": SEED}
    if start is not None:
        metadata["started from"] = len(losses(start)) * LOOP.log_every
    metadata |= {"steps": step, "minutes": round(minutes, 1), "words": weft.weights.sha256("weft-text")}
    weft.weights.save(out, tensors, metadata)
    what = f"weft's encoders: losses in nats, means over {LOOP.log_every} steps; one core, shared; bfloat16"
    table = {"what": what, "note": note, "lesson": asdict(module.config)}
    table |= {"started from": [] if start is None else losses(start), "curve": losses(run)}
    curve.write_text(json.dumps(table, indent=1) + "\n")
    print(f"{out}: {out.stat().st_size / 2**20:.2f} MiB, step {step}, {minutes:.1f} minutes")


def losses(run: Path) -> list[dict[str, float]]:
    """The logged means of a run."""
    lines = [json.loads(line) for line in (run / LOG).read_text().splitlines()]
    return [line for line in lines if "loss" in line]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("draw", "train", "export", "all"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--run", type=Path, default=Path("run"))
    parser.add_argument("--cache", type=Path, help="a world cache to take films from")
    parser.add_argument("--kind", choices=("sounds", "films"), default="films")
    parser.add_argument("--split", default="train")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=LOOP.minutes)
    parser.add_argument("--start", type=Path, help="an earlier run to go on from, with a schedule of its own")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--note", default="", help="to be kept beside the curve")
    parser.add_argument("--curve", type=Path, default=CURVE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO)
    if given.stage == "draw":
        span = range(given.first, given.first + given.count)
        draw(given.data, given.kind, given.split, span, given.cache)
    if given.stage == "all":
        draw(given.data, "films", "train", range(10000, 11900), given.cache)
        draw(given.data, "sounds", "train", range(60000, 63000), None)
    if given.stage in ("train", "all"):
        learn(given.data, given.run, given.minutes, given.start)
    if given.stage in ("export", "all"):
        export(given.run, given.out, given.curve, given.start, given.note)


if __name__ == "__main__":
    main()
