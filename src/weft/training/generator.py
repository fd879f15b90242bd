"""What weft-mini learns from: clips of latents and controls, conditions dropped and coarsened, and the
flow's loss.

The envelope is the dial that lies: a person who changes the material keeps the envelope of the old sound.
So it is dropped nearly half of the time, else often coarsened, or taken from the same contacts on another
material, while the material stays true: the network learns that words and materials outrank it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weft.cues.controls import CHANNELS, WIDTH, control_frames
from weft.cues.sheet import CueSheet
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.diffusion.process import Process
from weft.generators.conditions import Conditions
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.generators.reference import reference_tokens
from weft.synthesis.render import render
from weft.training.patterns import Pattern, random_materials, sample_pattern, sheet_of, voiced, world_pattern
from weft.world.captions import captions

PICTURE_TOKENS = 4
PICTURE_DIM = len(MATERIALS)
"""A picture token is the spotter's material probabilities for a quarter of the clip."""
HOP = 1024
FRAME_RATE = 44100 / HOP

Words = Callable[[list[str]], Tensor]
"""Captions to text tokens [B, L, D]."""


@dataclass(frozen=True, kw_only=True)
class Drops:
    """How often each condition is hidden from the network, and what becomes of the envelope otherwise."""

    everything: float = 0.08
    text: float = 0.25
    picture: float = 0.65
    reference: float = 0.65
    onsets: float = 0.08
    pan: float = 0.05
    depth: float = 0.1
    material: float = 0.25
    soft_material: float = 0.15
    action: float = 0.4
    envelope: float = 0.33
    coarse: float = 0.1
    foreign: float = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Clips:
    """Training clips in memory. `family` numbers the pattern a clip is a voicing of; a family lies
    together."""

    latent: np.ndarray  # [n, T, D] float16
    controls: np.ndarray  # [n, T, WIDTH] float16, everything known, exact
    reference: np.ndarray  # [n, 4, D] float16
    captions: list[list[str]]
    family: np.ndarray  # [n]
    one: np.ndarray  # [n] bool: a single material throughout

    def __len__(self) -> int:
        return len(self.latent)


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One voicing of a pattern: its sound [2, N] without noise, and its sheet as if recorded with some."""

    family: int
    audio: np.ndarray
    sheet: CueSheet
    captions: list[str]


def examples(seed: int, families: range, *, duration: float = 4.0, voices: int = 3) -> Iterator[Example]:
    """Yield `voices` voicings of each family. A family is a function of (seed, its number) alone.

    Half of the clips were recorded over a quiet noise, as the world's are; it is in the envelope, never in the
    sound: a performer need not play it.
    """
    for family in families:
        rng = np.random.default_rng([seed, family])
        own = rng.random() < 0.35
        pattern = sample_pattern(rng, duration) if own else world_pattern(family, rng, duration)
        used: set[tuple[str, ...]] = set()
        while len(used) < voices:
            materials = random_materials(rng)
            if materials in used:
                continue
            used.add(materials)
            voice = voiced(pattern, materials, rng)
            audio = render(voice.events, duration, seed=int(rng.integers(2**31)), room=voice.room)
            audio = np.clip(audio * np.float32(voice.gain), -1, 1)
            noise = 10 ** (rng.uniform(-72, -46) / 20) if rng.random() < 0.5 else 0.0
            sheet = sheet_of(voice, audio, noise=noise)
            yield Example(family=family, audio=audio, sheet=sheet, captions=_captions(voice, rng))


def _captions(pattern: Pattern, rng: np.random.Generator) -> list[str]:
    events = pattern.events
    if not events:
        return ["silence", "nothing", "a quiet room"]
    names = sorted({(e.material, e.action) for e in events})
    if len({m for m, _ in names}) == 1:
        action = max(ACTIONS, key=lambda a: sum(e.action == a for e in events))
        return captions(events[0].material, action, len(events), rng)
    pairs = [captions(m, a, sum((e.material, e.action) == (m, a) for e in events), rng) for m, a in names[:2]]
    return (
        [f"{one.rstrip('.')} and {two}" for one, two in zip(*pairs, strict=True)]
        if len(pairs) > 1
        else pairs[0]
    )


def write_sounds(rows: Iterator[Example], path: Path) -> int:
    """Write a shard of sounds and their controls to `path` (.npz), ready to be encoded; returns how many."""
    sounds, controls, families, words, one = [], [], [], [], []
    for row in rows:
        frames = -(-row.audio.shape[1] // HOP)
        sounds.append(np.round(row.audio * 32767).astype(np.int16))
        controls.append(control_frames(row.sheet, frames, FRAME_RATE).astype(np.float16))
        families.append(row.family)
        words.append(row.captions)
        one.append(len({onset.material for onset in row.sheet.when.onsets or ()}) == 1)
    _write(
        path,
        audio=np.stack(sounds),
        controls=np.stack(controls),
        family=np.array(families),
        one=np.array(one),
        captions=np.array(json.dumps(words)),
    )
    return len(sounds)


def encode_sounds(encode: Callable[[Tensor], Tensor], sounds: Path, path: Path) -> int:
    """Encode a shard of `write_sounds` with the frozen codec and write the clips to `path`; returns how many."""
    with np.load(sounds) as shard:
        rows = {key: shard[key] for key in shard.files}
    latents, references = [], []
    for audio, control in zip(rows.pop("audio"), rows["controls"], strict=True):
        with torch.no_grad():
            latent = encode(torch.from_numpy(audio.astype(np.float32) / 32767)[None])[0].float()
        level = torch.from_numpy(control[:, CHANNELS["envelope"]].astype(np.float32).mean(1))
        latents.append(latent.numpy().astype(np.float16))
        references.append(reference_tokens(latent, level).numpy().astype(np.float16))
    _write(path, latent=np.stack(latents), reference=np.stack(references), **rows)
    return len(latents)


def _write(path: Path, **arrays: np.ndarray) -> None:
    """Save aside, then rename."""
    aside = path.with_name(f"part-{path.name}")
    np.savez(aside, **arrays)  # type: ignore[arg-type]
    aside.replace(path)


def load_clips(paths: list[Path]) -> Clips:
    """Read shards into memory. Raises FileNotFoundError without one."""
    if not paths:
        raise FileNotFoundError("no training shards: run the recipe's `data` step first")
    parts = []
    for path in paths:
        with np.load(path) as shard:
            parts.append({key: shard[key] for key in shard.files})
    return Clips(
        captions=[texts for part in parts for texts in json.loads(str(part["captions"]))],
        **{
            k: np.concatenate([p[k] for p in parts])
            for k in ("latent", "controls", "reference", "family", "one")
        },
    )


def batch_of(
    clips: Clips, words: Words, size: int, frames: int, drops: Drops, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Draw `size` crops of `frames` latent frames and hide conditions from them."""
    which = rng.integers(len(clips), size=size)
    start = rng.integers(clips.latent.shape[1] - frames + 1, size=size)
    latent = np.stack([clips.latent[i, s : s + frames] for i, s in zip(which, start, strict=True)])
    rows = [_controls(clips, int(i), int(s), frames, drops, rng) for i, s in zip(which, start, strict=True)]
    told = rng.random(size) >= drops.everything
    texts = [str(rng.choice(clips.captions[i])) for i in which]
    single = clips.one[which]
    picture = np.stack([_picture(clips.controls[i], rng) for i in which])
    given = {
        "sync_given": told,
        "text_given": told & (rng.random(size) >= drops.text),
        "clip_given": told & single & (rng.random(size) >= drops.picture),
        "reference_given": told & single & (rng.random(size) >= drops.reference),
    }
    return {
        "latent": torch.from_numpy(latent.astype(np.float32)),
        "sync": torch.from_numpy(np.stack(rows)),
        "text": words(texts),
        "clip": torch.from_numpy(picture),
        "reference": torch.from_numpy(clips.reference[which].astype(np.float32)),
        **{key: torch.from_numpy(value) for key, value in given.items()},
    }


def flow_loss(
    net: MMDiT, process: Process, batch: dict[str, Tensor], generator: torch.Generator
) -> dict[str, Tensor]:
    """Mean squared error of the velocity at logit-normal times (Esser et al. 2024, eq. 19), one number per
    call."""
    x0 = batch["latent"]
    device = x0.device
    t = torch.sigmoid(torch.randn(len(x0), generator=generator, device=device))
    eps = torch.randn(x0.shape, generator=generator, device=device)
    conditions = Conditions(
        clip=batch["clip"],
        sync=batch["sync"],
        text=batch["text"],
        reference=batch["reference"],
        clip_given=batch["clip_given"],
        sync_given=batch["sync_given"],
        text_given=batch["text_given"],
        reference_given=batch["reference_given"],
    )
    out = net(process.noise(x0, eps, t), t, conditions)
    return {"loss": (out.float() - process.target(x0, eps, t)).square().mean()}


def mini_config(text_dim: int, text_length: int, latent_dim: int = 64) -> MMDiTConfig:
    """weft-mini's sizes."""
    return MMDiTConfig(
        latent_dim=latent_dim,
        hidden=192,
        heads=3,
        joint=2,
        fused=4,
        clip_dim=PICTURE_DIM,
        sync_dim=WIDTH,
        text_dim=text_dim,
        text_length=text_length,
        sync_segment=0,
        mlp_ratio=3.0,
        mlp_multiple=64,
        ffn_kernel=1,
        clip_kernel=1,
        input_kernel=1,
        sync_kernel=1,
        modulation_rank=64,
        reference_dim=latent_dim,
        frames_in_final=True,
        frames_at_input=True,
        text_null_learned=True,
    )


def _controls(
    clips: Clips, clip: int, start: int, frames: int, drops: Drops, rng: np.random.Generator
) -> np.ndarray:
    """One item's control rows [frames, WIDTH] float32 with some dials hidden or made coarse."""
    rows = clips.controls[clip, start : start + frames].astype(np.float32)
    luck = rng.random(6)
    if luck[0] < drops.onsets:
        for name in ("onset", "offset", "strength", "loudness", "age", "active", "when_known"):
            rows[:, CHANNELS[name]] = 0
    for name, chance, value in (("pan", drops.pan, luck[1]), ("depth", drops.depth, luck[2])):
        if value < chance:
            rows[:, CHANNELS[name]] = 0
            rows[:, CHANNELS[f"{name}_known"]] = 0
    if luck[3] < drops.material:
        rows[:, CHANNELS["material"]] = 0
    elif luck[3] < drops.material + drops.soft_material:
        doubt = rng.dirichlet(np.full(len(MATERIALS), 0.15)) * rng.uniform(0, 0.6)
        known = rows[:, CHANNELS["material"]]
        rows[:, CHANNELS["material"]] = known * (1 - doubt.sum()) + doubt
    if luck[4] < drops.action:
        rows[:, CHANNELS["action"]] = 0
    _bend_envelope(rows, clips, clip, start, drops, float(luck[5]), rng)
    return rows


def _bend_envelope(
    rows: np.ndarray,
    clips: Clips,
    clip: int,
    start: int,
    drops: Drops,
    luck: float,
    rng: np.random.Generator,
) -> None:
    """Hide the envelope, make it coarse, or take that of the same contacts on another material; in place."""
    channel, known = CHANNELS["envelope"], CHANNELS["envelope_known"]
    if luck < drops.envelope:
        rows[:, channel] = 0
        rows[:, known] = 0
        return
    luck -= drops.envelope
    if luck < drops.foreign:
        kin = np.flatnonzero(clips.family == clips.family[clip])
        other = int(rng.choice(kin))
        rows[:, channel] = clips.controls[other, start : start + len(rows), channel]
        if rng.random() < 0.2:
            return
        rows[:, known] = 0.5
        if rng.random() < 0.5:
            return
    elif luck >= drops.foreign + drops.coarse:
        return
    rows[:, known] = 0.5
    rows[:, channel] = coarsened(rows[:, channel], rng)


def coarsened(halves: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A vague version of an envelope [T, 2] in units of 80 dB: smooth, stepped or only its peaks; louder or
    softer."""
    level = halves.reshape(-1).astype(np.float64)
    way = rng.integers(3)
    if way == 0:
        width = max(3, round(rng.uniform(0.05, 0.4) * 2 * FRAME_RATE)) | 1
        window = np.hanning(width + 2)[1:-1]
        level = np.convolve(np.pad(level, width // 2, mode="edge"), window / window.sum(), mode="valid")
    elif way == 1:
        step = rng.uniform(3, 8) / 80
        level = np.round(level / step) * step
    else:
        before = np.concatenate([[0.0], level[:-1]])
        after = np.concatenate([level[1:], [0.0]])
        level = np.where((level >= before) & (level > after), level, 0.0)
    return np.clip(level + rng.normal(0, 3) / 80, 0, 1.2).reshape(halves.shape).astype(np.float32)


def _picture(controls: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a spotter might say of the material in four parts of the clip: probabilities [4, 17], often
    wrong."""
    truth = controls[0, CHANNELS["material"]].astype(np.float64)
    sure, noise = rng.uniform(0.5, 5), rng.gumbel(size=len(truth)) * rng.uniform(0.2, 1)
    logits = sure * truth + noise + 0.3 * rng.normal(size=(PICTURE_TOKENS, len(truth)))
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return (odds / odds.sum(1, keepdims=True)).astype(np.float32)
