"""Sounds and embedders small enough to compute by hand, at the top of a module so that worker processes find them."""

from __future__ import annotations

import signal
from dataclasses import replace

import numpy as np
import torch

from weft.errors import WeightsError
from weft.evaluation.embedders import EmbedderSpec

RATE = 16000
SECONDS = 1.0


def clicks(seed: int, *, channels: int = 2, seconds: float = SECONDS, rate: int = RATE) -> np.ndarray:
    """Three decaying bursts of noise, float32 `[N, C]`, at places and levels that `seed` decides."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    wave = np.zeros((n, channels))
    for start in np.sort(rng.uniform(0.05, 0.8 * seconds, 3)):
        at = round(start * rate)
        tail = np.exp(-np.arange(n - at) / (0.03 * rate))[:, None]
        wave[at:] += tail * rng.standard_normal((n - at, channels)) * rng.uniform(0.1, 0.3, channels)
    return wave.astype(np.float32)


class Toy:
    """Everything at once: `[mean, mean square]` of sound, pictures and letters; two classes, loud and quiet."""

    name, sha256, windows, d = "toy", "00", "the whole clip", 2
    rate, fps, size, labels = 16000, 5.0, (8, 6), ("loud", "quiet", "other")

    def embed(self, wave: torch.Tensor, rate: int) -> torch.Tensor:
        return torch.stack([wave.mean(1), wave.square().mean(1)], 1)[:, None]

    def logits(self, wave: torch.Tensor, rate: int) -> torch.Tensor:
        power = wave.square().mean(1)
        return torch.stack([100 * power, 1 - 100 * power, power * 0 - 1], 1)

    def embed_video(self, frames: np.ndarray) -> torch.Tensor:
        grey = torch.from_numpy(frames).float().reshape(len(frames), -1)
        return torch.stack([grey.mean(1), grey.square().mean(1)], 1)

    def embed_text(self, texts: list[str]) -> torch.Tensor:
        return torch.tensor([[float(len(t)), float(len(t)) ** 2] for t in texts])


def deaf(sound: object) -> dict[str, np.ndarray]:
    """A feature: whether Ctrl-C is held back in the process that measures."""
    return {"deaf": np.array(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set()))}


def sha() -> str:
    return "00"


def load() -> Toy:
    return Toy()


def missing() -> str:
    raise WeightsError("no toy.pth in there: get it from its authors (licence: MIT)")


TOY = EmbedderSpec(
    name="toy",
    summary="two numbers",
    windows="the whole clip",
    gives=("audio@", "logits@", "video@", "text@"),
    sha256=sha,
    load=load,
)
LOST = replace(TOY, name="lost", sha256=missing)


def other_sha() -> str:
    return "01"
