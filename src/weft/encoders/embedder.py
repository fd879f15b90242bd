"""What an evaluation asks of a network that turns sound, pictures or words into vectors.

An embedder does its own windowing, and says so; resampling to its own rate is its own business too, by `soxr`. None
needs torchvision or torchaudio.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor


class Embedder(Protocol):
    """What every embedder says of itself: `name`; `sha256` of its weights, hexadecimal; `windows`, how it cuts time,
    in words; D dimensions."""

    name: str
    sha256: str
    windows: str
    d: int


@runtime_checkable
class AudioEmbedder(Embedder, Protocol):
    """`rate` is that of its front end, Hz."""

    rate: int

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound float `[B, N]` at `rate` Hz into embeddings float32 `[B, T, D]`, one each window."""
        ...


@runtime_checkable
class AudioClassifier(AudioEmbedder, Protocol):
    """An audio embedder that also names classes."""

    labels: tuple[str, ...]

    def logits(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound float `[B, N]` at `rate` Hz into logits `[B, C]` of the whole clip."""
        ...


@runtime_checkable
class VideoEmbedder(Embedder, Protocol):
    """`fps` and `size` (width, height) of the pictures it wants."""

    fps: float
    size: tuple[int, int]

    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at `fps` into embeddings float32 `[T', D]`, one each window."""
        ...


@runtime_checkable
class TextEmbedder(Embedder, Protocol):
    def embed_text(self, texts: list[str]) -> Tensor:
        """Turn B texts into embeddings float32 `[B, D]`."""
        ...
