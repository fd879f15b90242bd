"""Train weft's codec, in stages: render sounds, train, freeze, teach the decoder alone, freeze again.

    python recipes/train_codec.py pool --data DIR --parts 0:12
    python recipes/train_codec.py train --data DIR --run first --minutes 45
    python recipes/train_codec.py freeze --data DIR --run first
    python recipes/train_codec.py strokes --data DIR --run strokes --minutes 5 --rate 3e-3
    python recipes/train_codec.py freeze --data DIR --run strokes
    python recipes/train_codec.py decoder --data DIR --run second --minutes 45
    python recipes/train_codec.py freeze --data DIR --run second

After the first freeze the encoder never changes, so latents (and generators of them) stay valid.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from weft.codecs.stft_vae import StftVae
from weft.training.adversary import DecoderLesson, decoder_step
from weft.training.codec import CodecLossConfig, Pool, codec_step, heard_step, measure
from weft.training.loop import LoopConfig, ema_weights, train
from weft.training.sounds import training_sound

LOOP = LoopConfig(
    steps=60_000, learning_rate=1e-3, betas=(0.8, 0.99), weight_decay=1e-3, ema=0.998, bf16=True, warmup=200
)
BATCH, CROP_FRAMES = 4, 40
CLIPS_A_PART = 256
VALIDATION_SEEDS = range(50_000_000, 50_000_016)


def pool(folder: Path, parts: range) -> None:
    """Render part after part of 256 clips of 4 s; what is there already is left."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        path = folder / f"part-{part:03d}.npy"
        if path.exists():
            continue
        sounds = np.stack(
            [
                np.round(training_sound(part * CLIPS_A_PART + k) * 32767).astype(np.int16)
                for k in range(CLIPS_A_PART)
            ]
        )
        with path.with_suffix(".aside").open("wb") as file:
            np.save(file, sounds)
        path.with_suffix(".aside").replace(path)
        print(path, flush=True)


def validate(codec: StftVae) -> dict[str, dict[str, float]]:
    """Mean errors on sounds never trained on: physical ones and wild ones."""
    table = {}
    for kind, share in (("physical", 1.0), ("wild", 0.0)):
        rows = []
        for seed in VALIDATION_SEEDS:
            audio = torch.from_numpy(training_sound(seed, physical_share=share))
            with torch.no_grad():
                made = codec.decode(codec.encode(audio[None]), audio.shape[1])[0]
            rows.append(measure(audio, made))
        table[kind] = {key: round(float(np.nanmean([row[key] for row in rows])), 3) for key in rows[0]}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["pool", "train", "strokes", "decoder", "freeze"])
    parser.add_argument("--data", type=Path, required=True, help="folder of the pool and the run")
    parser.add_argument("--run", default="run", help="name of the run inside the folder")
    parser.add_argument("--parts", default="0:40", help="which parts of the pool to render, first:last")
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--rate", type=float, default=LOOP.learning_rate, help="learning rate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--start", type=Path, help="state dict to begin from")
    parser.add_argument("--set", nargs="*", default=[], help="loss weights, name=value")
    parser.add_argument("--out", type=Path, default=Path("src/weft/weights/weft-codec.safetensors"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    logging.basicConfig(level=logging.INFO)
    if args.stage == "pool":
        first, last = (int(x) for x in args.parts.split(":"))
        pool(args.data / "pool", range(first, last))
    elif args.stage in ("train", "strokes", "decoder"):
        run(args)
    else:
        freeze(args)


def run(args: argparse.Namespace) -> None:
    """Train all of the codec, or its decoder with a critic, or only the gain within its frames."""
    folder = args.data / args.run
    module: torch.nn.Module
    torch.manual_seed(0)
    step: Callable[..., dict[str, torch.Tensor]]
    if args.stage == "strokes":
        module = codec = StftVae.load(args.start or "weft-codec")
        codec.stroke.requires_grad_(True)
        step = heard_step
    elif args.stage == "decoder":
        codec = StftVae.load(args.start or "weft-codec").requires_grad_(True)
        module, step = DecoderLesson(codec), decoder_step
    else:
        module, step = (codec := StftVae()), codec_step
        if args.start is not None:
            codec.load_state_dict(torch.load(args.start, weights_only=True))
    losses = dataclasses.replace(
        CodecLossConfig(), **{k: float(v) for k, v in (s.split("=") for s in args.set)}
    )
    print(f"{sum(p.numel() for p in codec.parameters()) / 1e6:.2f} M parameters", flush=True)
    sounds, opened = Pool(args.data / "pool"), time.monotonic()

    def batch_at(step: int) -> dict[str, object]:
        nonlocal sounds, opened  # the pool may still be growing
        if time.monotonic() - opened > 60:
            sounds, opened = Pool(args.data / "pool"), time.monotonic()
        return {
            "audio": sounds.batch(step, size=BATCH, samples=CROP_FRAMES * codec.hop, seed=0),
            "step": step,
        }

    def report(step: int) -> None:
        judged = StftVae(codec.config).eval()
        judged.load_state_dict(codec_weights(folder))
        with (folder / "validation.jsonl").open("a") as file:
            file.write(json.dumps({"step": step} | validate(judged)) + "\n")

    config = dataclasses.replace(LOOP, minutes=args.minutes, device=args.device, learning_rate=args.rate)
    print(train(module, partial(step, module, losses), batch_at, config, folder, on_checkpoint=report))


def codec_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The averaged weights of the codec of a run; a decoder's run holds its critic beside it."""
    averaged = ema_weights(folder)
    inside = {k.removeprefix("codec."): v for k, v in averaged.items() if k.startswith("codec.")}
    return inside or averaged


def freeze(args: argparse.Namespace) -> None:
    """Write the run's averaged weights; the first time, with latents normalised by their statistics."""
    codec = StftVae()
    codec.load_state_dict(codec_weights(args.data / args.run))
    codec.eval()
    if bool((codec.latent_std == 1).all()):
        normalise(codec, Pool(args.data / "pool"))
    lines = (args.data / args.run / "validation.jsonl").read_text().splitlines()
    codec.save(args.out, trained=f"recipes/train_codec.py, {args.run}", validation=json.loads(lines[-1]))
    print(args.out, lines[-1])


def normalise(codec: StftVae, sounds: Pool) -> None:
    """Set the latents' mean and spread to those over the pool, so that what leaves the encoder is near N(0, 1)."""
    with torch.no_grad():
        latents = [
            codec.encode(sounds.batch(k, size=8, samples=64 * codec.hop, seed=77)).flatten(0, 1)
            for k in range(40)
        ]
    latent = torch.cat(latents)
    codec.latent_mean.copy_(latent.mean(0))
    codec.latent_std.copy_(latent.std(0).clamp_min(1e-3))


if __name__ == "__main__":
    main()
