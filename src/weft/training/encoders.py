"""How weft's encoders are trained: batches of pairs, what is done to them, and the losses.

One lesson for three networks: text and sound, text and pictures agree on the clip; pictures and sound agree window by
window, and disagree when the sound is shifted or of another material. Heads on the side name materials, actions and
moments of contact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.audio_net import STEP_FRAMES, AudioNet, AudioNetConfig
from weft.encoders.eye import CHANNELS
from weft.encoders.log_mel import BANDS, FLOOR_DB, add_powers, triangles
from weft.encoders.steps import STEP_HZ, pooled, summary
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNet, TextNetConfig
from weft.encoders.video_net import VideoNet, VideoNetConfig
from weft.training.contrastive import symmetric, synchrony
from weft.training.pairs import Pairs
from weft.world.captions import captions


@dataclass(frozen=True, kw_only=True)
class LessonConfig:
    """films, sounds: scenes of a step with and without pictures. steps: pictures of a film (12.5 a second). The rest
    are weights of losses, and `smooth`, of the labels."""

    films: int = 24
    sounds: int = 24
    steps: int = 36
    text: float = 1.0
    said_of_picture: float = 0.5
    sync: float = 1.0
    classes: float = 0.5
    moments: float = 0.5
    smooth: float = 0.05


class Lesson(nn.Module):
    """The three networks, and what only training needs: temperatures and heads on the side."""

    def __init__(
        self, audio: AudioNetConfig, video: VideoNetConfig, text: TextNetConfig, config: LessonConfig
    ) -> None:
        super().__init__()
        self.config = config
        self.audio, self.video, self.text = AudioNet(audio), VideoNet(video), TextNet(text)
        self.log_scale = nn.Parameter(torch.full((2,), float(np.log(10))))
        self.seen_material = nn.Linear(2 * video.width, len(MATERIALS))
        self.seen_action = nn.Linear(2 * video.width, len(ACTIONS))
        self.heard_moment = nn.Conv1d(audio.width, 1, 1)
        self.seen_moment = nn.Conv1d(video.width, 1, 1)

    def losses(self, batch: dict[str, Any], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch as `batch_of` makes it, for `weft.training.loop`."""
        c, films = self.config, self.config.films
        heard = self.audio.steps(altered(batch["mel"], generator))
        windows = self.audio.embeddings(heard, 1)
        said = self.text(batch["tokens"], batch["mask"])
        scale = self.log_scale.clamp(max=float(np.log(25))).exp()
        kind = batch["material"] * len(ACTIONS) + batch["action"]
        out = {"text": symmetric(summary(windows.float()), said.float(), kind, scale[0])}
        material, action = self.audio.classes(heard)
        named = [(material, batch["material"]), (action, batch["action"])]
        out["heard"] = sum((_named(x, y, c.smooth) for x, y in named), torch.zeros(()))
        out["moment heard"] = _moments(self.heard_moment(heard), batch["moments"], batch["audible"])
        film = batch["cells"]
        seen = self.video.steps(film)
        sights = self.video.embeddings(seen, 1)
        shown, shown_kind = slice(0, films), kind[:films]
        out["seen"] = symmetric(summary(sights.float()), said[shown].float(), shown_kind, scale[0])
        look = pooled(seen)
        named = [(self.seen_material(look), batch["material"][shown])]
        named += [(self.seen_action(look), batch["action"][shown])]
        out["named"] = sum((_named(x, y, c.smooth) for x, y in named), torch.zeros(()))
        at = batch["start"][:, None] + torch.arange(c.steps, device=film.device)
        own = batch["moments"][shown].gather(1, at)
        out["moment seen"] = _moments(self.seen_moment(seen), own, torch.ones_like(own[:, 0]))
        then = at[:, : sights.shape[1], None].expand(-1, -1, windows.shape[2])
        sound, twin = (windows[k : k + films].gather(1, then) for k in (0, films))
        active = own.unfold(1, self.audio.config.window, 1)[..., 1:-1].amax(-1) > 0
        out["sync"] = synchrony(sights, sound, twin, shown_kind, active, scale[1])
        weights = {"text": c.text, "seen": c.said_of_picture, "sync": c.sync, "heard": c.classes}
        weights |= {"named": c.classes, "moment heard": c.moments, "moment seen": c.moments}
        out["loss"] = sum((w * out[k] for k, w in weights.items()), torch.zeros(()))
        return out | {"scale text": scale[0], "scale sync": scale[1]}


def _named(logits: Tensor, label: Tensor, smooth: float) -> Tensor:
    return F.cross_entropy(logits.float(), label, label_smoothing=smooth)


def _moments(logits: Tensor, share: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy of "a contact falls into this step", over clips where it is known."""
    each = F.binary_cross_entropy_with_logits(
        logits[:, 0].float(), share, reduction="none", pos_weight=share.new_tensor(3.0)
    )
    return (each.mean(1) * known).sum() / known.sum().clamp_min(1)


def altered(mel: Tensor, generator: torch.Generator) -> Tensor:
    """Sounds `[B, F, 64]`, dB, as other microphones and rooms would give them: level, tilt, a bed of noise."""
    b = len(mel)
    device = mel.device

    def even(low: float, high: float) -> Tensor:
        drawn = torch.rand(b, 1, 1, generator=generator, device=device)
        return low + (high - low) * drawn

    band = torch.linspace(-1, 1, BANDS, device=device)
    width = 10 * torch.log10(triangles().sum(0).to(device))
    loudest = mel.amax((1, 2), keepdim=True)
    bed = loudest - even(20, 45) + (width - width.max()) + even(-6, 3) * band
    some = even(0, 1)[:, 0, 0] < 0.35
    uneven = 3 * torch.randn((int(some.sum()), *mel.shape[1:]), generator=generator, device=device)
    noisy = mel.clone()
    noisy[some] = add_powers(mel[some], bed[some] + uneven)
    return (noisy + even(-10, 6) + even(-4, 4) * band).clamp_min(FLOOR_DB)


class Shelf:
    """All parts in memory or mapped: scene `i` of those with or without pictures."""

    def __init__(self, given: list[Pairs]) -> None:
        self.parts = given
        self.where = [(p, i) for p in range(len(given)) for i in range(len(given[p]))]

    def __len__(self) -> int:
        return len(self.where)

    def rows(self, picks: np.ndarray, name: str) -> list[np.ndarray]:
        """Field `name` of the scenes `picks`."""
        return [getattr(self.parts[p], name)[i] for p, i in (self.where[k] for k in picks)]


def batch_of(
    films: Shelf,
    sounds: Shelf,
    text: TextEncoder,
    config: LessonConfig,
    length: int,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Draw a batch: B = 2 `films` + `sounds` sounds, the films' own first, then their twins on another material.

    mel `[B, 400, 64]`, material and action `[B]`, tokens `[B, L, D]` and mask of a caption each, moments `[B, 50]`
    (share of a contact in each step; of a film only what it shows) and audible `[B]`, 1 where that is all; cells
    `[films, S, 9, 9, 12]` from step `start` `[films]`.
    """
    n = config.films
    a = rng.choice(len(films), n, replace=False)
    b = rng.choice(len(sounds), config.sounds, replace=False)
    which = rng.integers(0, 2, config.sounds)
    both = films.rows(a, "mel")
    mel = [m[0] for m in both] + [m[1] for m in both]
    mel += [m[w] for m, w in zip(sounds.rows(b, "mel"), which, strict=True)]
    pair = films.rows(a, "material")
    material = [int(m[0]) for m in pair] + [int(m[1]) for m in pair]
    material += [int(m[w]) for m, w in zip(sounds.rows(b, "material"), which, strict=True)]
    action, count, onsets = (2 * films.rows(a, k) + sounds.rows(b, k) for k in ("action", "count", "onsets"))
    words = [
        captions(MATERIALS[m], ACTIONS[int(x)], int(c), rng, number=2)[int(rng.random() < 0.85)]
        for m, x, c in zip(material, action, count, strict=True)
    ]
    tokens, mask = text.tokens(words, length)
    total = mel[0].shape[0] // STEP_FRAMES
    start = rng.integers(0, total - config.steps + 1, n)
    cells = [
        changed(p[s : s + config.steps], rng) for p, s in zip(films.rows(a, "cells"), start, strict=True)
    ]
    return {
        "mel": torch.from_numpy(np.stack(mel)).float(),
        "material": torch.tensor(material),
        "action": torch.tensor([int(x) for x in action]),
        "tokens": tokens,
        "mask": mask,
        "moments": torch.from_numpy(np.stack([moments(o, total) for o in onsets])),
        "audible": torch.tensor([0.0] * 2 * n + [1.0] * config.sounds),
        "cells": torch.from_numpy(np.stack(cells)),
        "start": torch.from_numpy(start),
    }


def moments(onsets: np.ndarray, steps: int) -> np.ndarray:
    """Shares float32 `[steps]`: an onset (s) counts 1 where it is central in a step, less towards the next one."""
    out = np.zeros(steps, np.float32)
    at = onsets[onsets >= 0] * STEP_HZ - 0.5
    for shift in (0, 1):
        step = np.floor(at).astype(int) + shift
        inside = (step >= 0) & (step < steps)
        np.maximum.at(out, step[inside], (1 - np.abs(at - step))[inside].astype(np.float32))
    return out


def changed(cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The cells `[S, 9, 9, 12]` of a film, float32, as another camera would have them: mirrored, other light, contrast
    and colours."""
    out = cells[..., ::-1] if rng.random() < 0.5 else cells
    contrast = rng.uniform(0.7, 1.3)
    gain = np.full(CHANNELS, contrast)
    gain[:3] *= rng.uniform(0.9, 1.1, 3)
    light = np.zeros(CHANNELS)
    light[:3] = rng.uniform(-0.1, 0.1) + 0.5 * (1 - gain[:3])
    made = out * gain[:, None, None].astype(np.float32) + light[:, None, None].astype(np.float32)
    made[:, :3] = np.clip(made[:, :3], 0, 1)
    return made.astype(np.float32)
