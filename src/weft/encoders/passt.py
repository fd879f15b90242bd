"""PaSST-S: 768 numbers and 527 AudioSet classes for each 10 s, of FD_PaSST and of KL in av-benchmark.

Koutini et al. 2022 (arXiv:2110.05069), in the layout of hear21passt: a vision transformer over overlapping patches of
a log-mel picture, with places told apart by frequency and by time. The embedding is the mean of its two class tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders import windows
from weft.encoders.audioset import LABELS
from weft.encoders.mel import filters_in_mel
from weft.encoders.swin import Mlp
from weft.weights import published
from weft.weights.published import Published

Compat = Literal["strict", "av-benchmark"]

FILE = Published(
    file="passt-s-f128-p16-s10-ap.476-swa.pt",
    url="https://github.com/kkoutini/PaSST/releases/tag/v0.0.1-audioset",
    licence="Apache-2.0",
    sha256="302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c",
)
RATE = 32000
WINDOW_S = 10
_MELS, _FRAMES, _PATCH, _STRIDE = 128, 998, 16, 10
_FFT, _WIN, _HOP, _TOP_HZ = 1024, 800, 320, 15000
_SHORTEST = _PATCH * _HOP
_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class PasstConfig:
    width: int = 768
    depth: int = 12
    heads: int = 12
    classes: int = 527


def log_mel(wave: Tensor) -> Tensor:
    """Return log mel pictures `[B, 128, T]` of `wave` `[B, N]` at 32 kHz: pre-emphasis .97, 25 ms symmetric Hann every
    10 ms, power in 128 Kaldi bands up to 15 kHz, (ln(mel + 1e-5) + 4.5) / 5."""
    sharp = wave[:, 1:] - 0.97 * wave[:, :-1]
    window = torch.hann_window(_WIN, periodic=False).to(wave)
    spectrum = torch.stft(sharp, _FFT, _HOP, _WIN, window, pad_mode="reflect", return_complex=True)
    weights = filters_in_mel(rate=RATE, n_fft=_FFT, n_mels=_MELS, fmin=0, fmax=_TOP_HZ)
    return ((weights.to(wave) @ spectrum.abs().square() + 1e-5).log() + 4.5) / 5


class Attention(nn.Module):
    """Attention of every token `[B, L, C]` to every other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = Attention(width, heads), Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PasstNet(nn.Module):
    """Log mel pictures `[B, 128, T]`, T from 16 to about 1000, to (embedding `[B, 768]`, logits `[B, 527]`).

    Keys as in PaSST's files; `head_dist` is there for the keys alone.
    """

    def __init__(self, config: PasstConfig) -> None:
        super().__init__()
        c = config
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(1, c.width, _PATCH, _STRIDE)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, c.width))
        self.dist_token = nn.Parameter(torch.zeros(1, 1, c.width))
        self.new_pos_embed = nn.Parameter(torch.zeros(1, 2, c.width))
        self.freq_new_pos_embed = nn.Parameter(torch.zeros(1, c.width, _MELS // _STRIDE, 1))
        self.time_new_pos_embed = nn.Parameter(torch.zeros(1, c.width, 1, _FRAMES // _STRIDE))
        self.blocks = nn.Sequential(*(Block(c.width, c.heads) for _ in range(c.depth)))
        self.norm = nn.LayerNorm(c.width, eps=1e-6)
        self.head = nn.Sequential(nn.LayerNorm(c.width), nn.Linear(c.width, c.classes))
        self.head_dist = nn.Linear(c.width, c.classes)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        patches = self.patch_embed["proj"](mel[:, None])
        places = self.time_new_pos_embed[..., : patches.shape[-1]] + self.freq_new_pos_embed
        two = torch.cat([self.cls_token, self.dist_token], 1) + self.new_pos_embed
        x = torch.cat([two.expand(len(mel), -1, -1), (patches + places).flatten(2).transpose(1, 2)], 1)
        embedding = self.norm(self.blocks(x))[:, :2].mean(1)
        return embedding, self.head(embedding)


class Passt:
    """An `AudioClassifier`. compat "av-benchmark" is for published FD_PaSST and KL: the first 10 s alone, followed by
    silence where the sound is shorter."""

    name = "passt-s"
    rate = RATE
    d = 768
    labels = LABELS

    def __init__(self, net: PasstNet, *, sha256: str = "", compat: Compat = "strict") -> None:
        self.net, self.sha256, self.compat = net.eval(), sha256, compat
        self.windows = (
            "the first 10 s, silence after a shorter sound (av-benchmark)"
            if compat == "av-benchmark"
            else "10 s side by side, the last one ends with the sound; a shorter sound as it is, silence up to 0.16 s"
        )

    @classmethod
    def load(cls, *, compat: Compat = "strict") -> Passt:
        """Return the embedder with the user's copy of `FILE`. Raises WeightsError."""
        with torch.device("meta"):
            net = PasstNet(PasstConfig())
        published.fit(net, published.load(FILE), FILE)
        return cls(net, sha256=published.sha256(published.path_of(FILE)), compat=compat)

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Return embeddings `[B, T, 768]` of mono sound `[B, N]` at `rate` Hz, about -1 to 1."""
        return self._both(wave, rate)[0]

    def logits(self, wave: Tensor, rate: int) -> Tensor:
        """Return logits `[B, 527]` of the clips `[B, N]` at `rate` Hz, the mean over the windows."""
        return self._both(wave, rate)[1].mean(1)

    @torch.inference_mode()
    def _both(self, wave: Tensor, rate: int) -> tuple[Tensor, Tensor]:
        wave, longest = windows.at_rate(wave, rate, RATE), WINDOW_S * RATE
        if self.compat == "av-benchmark":
            cut = windows.at_least(wave[:, :longest], longest)[:, None]
        elif wave.shape[-1] < longest:
            cut = windows.at_least(wave, _SHORTEST)[:, None]
        else:
            cut = windows.side_by_side(wave, longest, "silence")
        parts = [self.net(log_mel(part)) for part in cut.flatten(0, 1).split(_AT_ONCE)]
        embeddings, logits = (
            torch.cat(found).unflatten(0, cut.shape[:2]) for found in zip(*parts, strict=True)
        )
        return embeddings, logits
