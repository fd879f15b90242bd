"""Train AudioLDM in miniature: the published classes, small, on sounds of the world, to be guided in experiments.

    python recipes/train_audio_ldm_mini.py all --data DATA --run RUN --out OUT

is all there is to it. Stopped and called again, it goes on where it was. Its stages: "draw" hears scenes of the
training split (each twice, on two materials; no other recipe draws sounds from 100000 on), "vae" and "vocoder" learn
from the sounds, "unet" from their latents and captions, "export" writes OUT/audio-ldm-mini.safetensors, "evaluate" what
it does on clips of the test split, to results/audio_ldm_mini.json. "vocoder" may run beside "vae" and "unet".

The weights are not in the package, which is at its limit: this recipe makes them.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from weft import weights
from weft.codecs.audio_ldm import AudioLdmCodec
from weft.cues.sheet import Clip, CueSheet, What
from weft.cues.vocabulary import MATERIALS
from weft.diffusion.ddpm import Ddpm
from weft.encoders.own import WeftEncoders, WeftText
from weft.generators.audio_ldm import AudioLdmNet
from weft.metrics.interval import bootstrap
from weft.systems import audio_ldm_mini
from weft.systems.performer import Request
from weft.training import audio_ldm as lessons
from weft.training.audio_ldm import MINI_CODEC, MINI_NET, Lesson
from weft.training.loop import CHECKPOINT, LOG, LoopConfig, ema_weights, train
from weft.training.mono_sounds import DURATION, SAMPLES, MonoSounds, heard, mono_at, parts
from weft.world.clip import render_clip
from weft.world.scene import DOMAINS, sample_scene, split_seed

SEED = 20261122_5
FIRST, PER_PART = 100_000, 100
LESSON = Lesson()
LOOP = LoopConfig(
    steps=0,
    learning_rate=1e-3,
    betas=(0.9, 0.98),
    weight_decay=0.01,
    warmup=50,
    seed=SEED,
    log_every=50,
    checkpoint_minutes=2,
)
LOOPS = {
    "vae": replace(LOOP, steps=1600, learning_rate=2e-3, ema=0.99, bf16=True),
    "vocoder": replace(LOOP, steps=1400, learning_rate=2e-3, ema=0.99),
    "unet": replace(LOOP, steps=4500, learning_rate=1.5e-3, warmup=100, ema=0.998),
}
CURVE = Path(__file__).parents[1] / "results/audio_ldm_mini.json"


def draw(data: Path, scenes: int) -> None:
    """Hear what is not there yet, a hundred scenes a part."""
    data.mkdir(parents=True, exist_ok=True)
    for first in range(FIRST, FIRST + scenes, PER_PART):
        folder = data / f"mono-train-{first:06d}"
        if not folder.is_dir():
            heard("train", range(first, min(first + PER_PART, FIRST + scenes))).save(folder)
            print(folder.name, flush=True)


def sounds(data: Path) -> MonoSounds:
    found = list(parts(data))
    if not found:
        raise SystemExit(f"no mono-* in {data}: run the draw stage first")
    return MonoSounds.joined(found)


def networks() -> tuple[AudioLdmNet, AudioLdmCodec]:
    torch.manual_seed(SEED)
    net, codec = AudioLdmNet.build(MINI_NET), AudioLdmCodec.build(MINI_CODEC)
    lessons.begin(codec.vocoder)
    return net, codec


def ended(run: Path, stage: str, module: torch.nn.Module) -> dict[str, Any]:
    """Put the moving average of a finished stage into `module`; returns where it ended."""
    if not (run / stage / CHECKPOINT).is_file():
        raise SystemExit(f"no checkpoint of {stage} in {run}: run that stage first")
    module.load_state_dict(ema_weights(run / stage))
    step, minutes, _ = torch.load(run / stage / CHECKPOINT, map_location="cpu", weights_only=True)["counters"]
    return {"steps": step, "minutes": round(minutes, 1)}


def learn(stage: str, data: Path, run: Path, steps: int, most: int | None) -> bool:
    """Train a stage, or go on. True when it came to its end, False when it was stopped."""
    net, codec = networks()
    module: torch.nn.Module
    batch_at: Callable[[int], Any]
    step: Callable[[Any, torch.Generator], dict[str, Tensor]]
    if stage == "unet":
        module = net
        batch_at, step = lesson_of_latents(encoded(data, run, codec, most), net)
    else:
        module = codec.vae if stage == "vae" else codec.vocoder
        wave = sounds(data).wave
        size = LESSON.vae if stage == "vae" else LESSON.vocoder

        def batch_at(at: int) -> Tensor:
            return lessons.crops(wave, *size, np.random.default_rng([SEED, at]))

        def step(batch: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
            if stage == "vae":
                return lessons.vae_losses(codec.vae, batch, generator, LESSON.kl)
            return lessons.vocoder_losses(codec.vocoder, batch)

    outcome = train(module, step, batch_at, replace(LOOPS[stage], steps=steps), run / stage)
    print(stage, outcome, flush=True)
    return outcome.finished


def lesson_of_latents(
    kept: dict[str, np.ndarray], net: AudioLdmNet
) -> tuple[Callable[[int], dict[str, Tensor]], Callable[..., dict[str, Tensor]]]:
    """Batches of latents and what is said of them, and the denoiser's step on one."""
    size, frames = LESSON.unet
    process = Ddpm()
    latent, words, unsaid = kept["latent"], kept["words"], kept["unsaid"]

    def batch_at(at: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([SEED, at])
        which, start = (
            rng.integers(len(latent), size=size),
            rng.integers(latent.shape[1] - frames + 1, size=size),
        )
        # The template comes first among a clip's captions, and is what tests say.
        said = np.where(rng.random(size) < LESSON.template, 0, rng.integers(words.shape[1], size=size))
        told = words[which, said].astype(np.float32)
        told[rng.random(size) < LESSON.unsaid] = unsaid
        cut = np.stack([latent[i, s : s + frames] for i, s in zip(which, start, strict=True)])
        scale = np.float32(kept["scaling"])
        return {"latent": torch.from_numpy(cut.astype(np.float32) * scale), "words": torch.from_numpy(told)}

    def step(batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        return lessons.unet_losses(net, batch["latent"], batch["words"], process, generator)

    return batch_at, step


def encoded(data: Path, run: Path, codec: AudioLdmCodec, most: int | None) -> dict[str, np.ndarray]:
    """Latents float16 [N, 100, 128] by the trained autoencoder, not scaled, their `scaling`, and vectors of captions
    [N, 6, 128] with that of none, `unsaid`; kept in the run."""
    path = run / "encoded.npz"
    told = sounds(data)
    told = MonoSounds(**{k: v[:most] for k, v in vars(told).items()})
    of = [ended(run, "vae", codec.vae)["steps"], len(told)]
    if path.is_file():
        with np.load(path) as kept:
            if kept["of"].tolist() != of:
                raise SystemExit(
                    f"{path} is of {kept['of'].tolist()} steps and sounds, not {of}: delete it and {run / 'unet'}"
                )
    else:
        codec.eval()
        text = WeftText.load(audio_ldm_mini.WORDS)
        latent = np.concatenate(
            [
                lessons.latents_of(codec, torch.from_numpy(part.astype(np.float32) / 32767)).half().numpy()
                for part in np.split(told.wave, range(20, len(told), 20))
            ]
        )
        said, back = np.unique(told.captions, return_inverse=True)
        vectors = np.concatenate(
            [text.embed_text(list(map(str, p))).numpy() for p in np.split(said, range(500, len(said), 500))]
        )
        words = vectors[back.reshape(told.captions.shape)].astype(np.float16)
        aside = run / "part-encoded.npz"
        np.savez(
            aside,
            of=np.array(of),
            latent=latent,
            words=words,
            unsaid=text.embed_text([""])[0].numpy(),
            scaling=np.array(lessons.spread(latent)),
        )
        aside.replace(path)
    with np.load(path) as kept:
        return {k: kept[k] for k in kept.files}


def export(run: Path, out: Path) -> None:
    """Write the moving averages of the three networks as one file."""
    net, codec = networks()
    stages = {k: ended(run, k, m) for k, m in (("vae", codec.vae), ("vocoder", codec.vocoder), ("unet", net))}
    with np.load(run / "encoded.npz") as kept:
        config = replace(MINI_CODEC, scaling=float(kept["scaling"]))
    path = audio_ldm_mini.save(
        out, net, codec, (MINI_NET, config), trained=Path(__file__).name, stages=stages
    )
    print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, {stages}")


@torch.inference_mode()
def evaluate(run: Path, out: Path, results: Path, clips: int) -> None:
    """What the miniature does with clips of the test split: their materials as weft's judging ear names them, of the
    true sound at 16 kHz, of that through autoencoder and vocoder, and of takes of the clip's caption; how far the
    codec's mel and sound are from the true ones."""
    small, judge = audio_ldm_mini.load(out), WeftEncoders.load()
    rows: list[dict[str, float]] = []
    for index in range(clips):
        scene = sample_scene(DOMAINS[index % 3], split_seed("test", index), duration=DURATION)
        clip = render_clip(scene, picture=False)
        true = torch.from_numpy(mono_at(clip.audio, 44100, SAMPLES))[None]
        latent = lessons.latents_of(small.codec, true) * small.codec.scaling
        mel, coded = small.codec.decode_mel(latent), small.codec.decode(latent, SAMPLES)[:, 0]
        request = Request(
            sheet=CueSheet(clip=Clip(duration=DURATION), what=What(prompt=clip.captions[0])),
            duration=DURATION,
            take=index,
        )
        sounds_of = {"true": true, "coded": coded, "made": small.play(request)[None]}
        row = {
            "nepers the autoencoder misses": apart(mel, lessons.picture_of(true)[:, 0]),
            "nepers the codec misses": apart(lessons.picture_of(coded), lessons.picture_of(true)),
        }
        said = judge.embed_text([clip.captions[0]])[0]
        for name, wave in sounds_of.items():
            named = judge.logits(wave, small.rate)[0].argmax() == MATERIALS.index(clip.material)
            heard = torch.nn.functional.normalize(judge.embed(wave, small.rate)[0].mean(0), dim=-1)
            row |= {f"material, {name}": float(named), f"cosine to the words, {name}": float(heard @ said)}
        rows.append(row)
    told = {k: bootstrap([r[k] for r in rows]).to_json() for k in rows[0]}
    net, codec = networks()
    stages = {k: ended(run, k, m) for k, m in (("vae", codec.vae), ("vocoder", codec.vocoder), ("unet", net))}
    table: dict[str, Any] = {
        "what": "AudioLDM in miniature, learnt in the world; test clips of 4 s, one take each, 30 steps, scale 2.5",
        "command": "python recipes/train_audio_ldm_mini.py all --data DATA --run RUN --out OUT",
        "weights": {"file": audio_ldm_mini.FILE, "sha256": weights.sha256(out / audio_ldm_mini.FILE)},
        "parameters": {"unet": size(net), "autoencoder": size(codec.vae), "vocoder": size(codec.vocoder)},
        "sizes": {"unet": asdict(MINI_NET), "codec": asdict(MINI_CODEC), "lesson": asdict(LESSON)},
        "stages": stages,
        "clips": told,
    }
    table["curves"] = {k: curve(run / k / LOG) for k in LOOPS}
    results.write_text(json.dumps(table, indent=1) + "\n")
    print(json.dumps(told, indent=1))


def apart(one: Tensor, other: Tensor) -> float:
    """Mean distance of two pictures, in nepers."""
    return float((one - other).abs().mean())


def curve(log: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; none of a run too short for one."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []


def size(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("draw", "vae", "vocoder", "unet", "export", "evaluate", "all"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="folder of the weights [RUN]")
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--latents", type=int, default=None, help="sounds the unet learns from [all]")
    for stage, loop in LOOPS.items():
        parser.add_argument(f"--{stage}-steps", type=int, default=loop.steps)
    parser.add_argument("--clips", type=int, default=100, help="test clips to evaluate on")
    parser.add_argument("--results", type=Path, default=CURVE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO)
    out = given.out or given.run
    if given.stage in ("draw", "all"):
        draw(given.data, given.scenes)
    for stage in LOOPS:
        steps = getattr(given, f"{stage}_steps")
        if given.stage in (stage, "all") and not learn(stage, given.data, given.run, steps, given.latents):
            raise SystemExit("stopped before the last step: the same command goes on; nothing was exported")
    if given.stage in ("export", "all"):
        export(given.run, out)
    if given.stage in ("evaluate", "all"):
        evaluate(given.run, out, given.results, given.clips)


if __name__ == "__main__":
    main()
