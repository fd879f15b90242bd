"""Train weft-mini: `data` renders and encodes clips with the frozen codec, `train` learns from them,
`export` writes weights.

    python recipes/train_generator.py data  --folder DIR --families 5000
    python recipes/train_generator.py train --folder DIR --minutes 55
    python recipes/train_generator.py train --folder AGAIN --start DIR --clips DIR --rate 6e-4 --minutes 60
    python recipes/train_generator.py export --folder DIR --out src/weft/weights/weft-mini.safetensors

`data` may run on while `train` reads: new shards are taken in as they appear.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weft.codecs.stft_vae import StftVae
from weft.diffusion.process import RectifiedFlow
from weft.encoders.text import TextEncoder
from weft.generators.mmdit import MMDiT
from weft.systems.weft_mini_files import save
from weft.training.generator import (
    Clips,
    Drops,
    batch_of,
    encode_sounds,
    examples,
    flow_loss,
    load_clips,
    mini_config,
    write_sounds,
)
from weft.training.loop import CHECKPOINT, LoopConfig, ema_weights, train


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the outcome."""

    seed: int = 20261121
    voices: int = 3
    shard_families: int = 40
    batch: int = 8
    frames: tuple[int, ...] = (173, 173, 173, 173, 173, 128, 96, 48)  # crop lengths, one drawn per step
    text_length: int = 16
    refresh: int = 200  # steps between looks for new shards
    drops: Drops = field(default_factory=Drops)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=100_000,
            minutes=55,
            learning_rate=2e-3,
            betas=(0.9, 0.98),
            weight_decay=0.02,
            warmup=150,
            ema=0.998,
            bf16=True,
            checkpoint_minutes=4,
        )
    )


def sounds(folder: Path, recipe: Recipe, families: range) -> None:
    """Write shards `sounds-*.npz`; those that exist are left alone."""
    begun, done = time.time(), 0
    for first in range(families.start, families.stop, recipe.shard_families):
        path = folder / f"sounds-{first:06d}.npz"
        if path.exists():
            continue
        span = range(first, min(first + recipe.shard_families, families.stop))
        done += write_sounds(examples(recipe.seed, span, voices=recipe.voices), path)
        print(f"{path.name}: {done} clips, {done / (time.time() - begun):.1f} a second", flush=True)


def encode(sounds: Path, clips: Path, codec: str) -> None:
    """Encode every `sounds-*.npz` that has no `clips-*.npz` yet."""
    vae = StftVae.load(codec)
    for path in sorted(sounds.glob("sounds-??????.npz")):
        out = clips / path.name.replace("sounds", "clips")
        if not out.exists():
            begun = time.time()
            count = encode_sounds(vae.encode, path, out)
            print(f"{out.name}: {count / (time.time() - begun):.1f} clips a second", flush=True)


def learn(folder: Path, recipe: Recipe, shards: Path, start: Path | None = None) -> None:
    """Train in `folder` on the shards there are, and those that come; with `start`, from the moving average of an
    earlier run, on a schedule and with examples of its own."""
    text = TextEncoder.load()
    torch.manual_seed(recipe.seed)
    net = MMDiT(mini_config(text.dim, recipe.text_length))
    print(f"{sum(p.numel() for p in net.parameters()) / 1e6:.2f} M parameters", flush=True)
    past = 0
    if start is not None:
        net.load_state_dict(ema_weights(start))
        past = int(torch.load(start / CHECKPOINT, map_location="cpu", weights_only=True)["counters"][0])
    process, clips = RectifiedFlow(), Growing(shards)

    def words(texts: list[str]) -> Tensor:
        return text.tokens(texts, recipe.text_length)[0]

    def batch_at(step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([recipe.seed, past + step])
        now = clips.at(step, recipe.refresh)
        return batch_of(now, words, recipe.batch, int(rng.choice(recipe.frames)), recipe.drops, rng)

    train(
        net, lambda batch, generator: flow_loss(net, process, batch, generator), batch_at, recipe.loop, folder
    )


class Growing:
    """The clips on disk, looked at again every so often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[Path] = []
        self.clips: Clips | None = None

    def at(self, step: int, every: int) -> Clips:
        if self.clips is None or step % every == 0:
            paths = sorted(self.folder.glob("clips-??????.npz"))
            if paths != self.paths:
                self.paths, self.clips = paths, load_clips(paths)
                print(f"step {step}: {len(self.clips)} clips", flush=True)
        assert self.clips is not None
        return self.clips


def export(folder: Path, recipe: Recipe, out: Path, codec: str) -> None:
    """Write the moving average as weft-mini's weights, with the training curve's last line."""
    text = TextEncoder.load()
    net = MMDiT(mini_config(text.dim, recipe.text_length))
    net.load_state_dict(ema_weights(folder))
    state = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["counters"]
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    loss = float(np.mean([line["loss"] for line in lines[-6:] if "loss" in line]))
    notes = {"steps": state[0], "minutes": round(state[1], 1), "loss": round(loss, 4), "batch": recipe.batch}
    save(net, StftVae.load(codec), out, **notes)
    print(f"{out}: {out.stat().st_size / 2**20:.1f} MiB, {notes}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("sounds", "encode", "train", "export"))
    parser.add_argument("--folder", type=Path, required=True, help="of the run")
    parser.add_argument("--sounds", type=Path, help="folder of the sounds (default: --folder)")
    parser.add_argument("--clips", type=Path, help="folder of the encoded clips (default: --folder)")
    parser.add_argument("--first", type=int, default=0, help="first family")
    parser.add_argument("--families", type=int, default=5000)
    parser.add_argument("--codec", default="weft-codec")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--start", type=Path, help="an earlier run to go on from, with a schedule of its own")
    parser.add_argument("--rate", type=float, help="learning rate at its highest")
    parser.add_argument("--out", type=Path, default=Path("src/weft/weights/weft-mini.safetensors"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe()
    if options.minutes is not None:
        recipe = replace(recipe, loop=replace(recipe.loop, minutes=options.minutes))
    if options.rate is not None:
        recipe = replace(recipe, loop=replace(recipe.loop, learning_rate=options.rate))
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    if options.stage == "sounds":
        span = range(options.first, options.first + options.families)
        sounds(options.sounds or folder, recipe, span)
    elif options.stage == "encode":
        encode(options.sounds or folder, options.clips or folder, options.codec)
    elif options.stage == "train":
        learn(folder, recipe, options.clips or folder, options.start)
    else:
        export(folder, recipe, options.out, options.codec)


if __name__ == "__main__":
    main()
