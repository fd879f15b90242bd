"""The audio branch of Synchformer: an audio spectrogram transformer over 0.64 s, pooled over frequency.

Iashin et al. 2024 (Synchformer); Gong et al. 2021 (AST). Segments of 10 240 samples at 16 kHz start every 5 120; each
gives 6 vectors. Tensors carry the names of the published file (the AST of transformers inside).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from weft.encoders.mel import mel_spectrogram
from weft.encoders.synchformer_visual import Pool

RATE = 16000
SEGMENT, STRIDE = 10240, 5120  # samples: 0.64 s, every 0.32 s
_MEAN, _STD = -4.2677393, 4.5689974  # of AudioSet's log mel, from AST
_EPS = 1e-12


@dataclass(frozen=True, kw_only=True)
class AudioConfig:
    """The published size. width: of every token. bands, columns: of a segment's spectrogram. patch, step: pixels."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    bands: int = 128
    columns: int = 66
    patch: int = 16
    step: int = 10


TINY_AUDIO = AudioConfig(width=48, depth=2, heads=4)


class SynchformerAudio(nn.Module):
    """Spectrograms of segments to 6 vectors each."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.config = config
        self.ast = nn.ModuleDict(
            {
                "embeddings": _Embeddings(config),
                "encoder": nn.ModuleDict(
                    {
                        "layer": nn.ModuleList(
                            [_Layer(config.width, config.heads) for _ in range(config.depth)]
                        )
                    }
                ),
                "layernorm": nn.LayerNorm(config.width, eps=_EPS),
            }
        )
        self.freq_attn_agg = Pool(config.width, config.heads)

    def forward(self, mel: Tensor) -> Tensor:
        """Turn normalised log-mel segments `[B, S, bands, columns]` into vectors `[B, S, 6, width]`."""
        batch, config = mel.shape[:2], self.config
        x = self.ast["embeddings"](mel.flatten(0, 1))
        for layer in self.ast["encoder"]["layer"]:  # type: ignore[index]
            x = layer(x)
        rows = (config.bands - config.patch) // config.step + 1
        x = self.ast["layernorm"](x)[:, 2:].unflatten(1, (rows, -1)).transpose(1, 2)
        return self.freq_attn_agg(x.flatten(0, 1)).unflatten(0, (*batch, x.shape[1]))

    def segments(self, wave: Tensor) -> Tensor:
        """Turn mono sound `[B, N]` at 16 kHz into normalised log-mel segments `[B, S, 128, 66]`.

        S = (N - 10240) // 5120 + 1; samples left over are not heard. Each segment's own ends are reflected, its 65
        columns are followed by one of log mel 0. Raises ValueError below 10 240 samples (0.64 s).
        """
        if wave.dim() != 2 or wave.shape[1] < SEGMENT:
            raise ValueError(
                f"Synchformer needs mono sound [B, N] of {SEGMENT} samples or more, not {list(wave.shape)}"
            )
        mel = mel_spectrogram(
            wave.float().unfold(1, SEGMENT, STRIDE),
            rate=RATE,
            n_fft=1024,
            win=400,
            hop=160,
            n_mels=self.config.bands,
            scale="htk",
            norm=None,
            pad="reflect",
        )
        log = (mel + 1e-6).log()
        log = F.pad(log, (0, self.config.columns - log.shape[-1]))
        return (log - _MEAN) / (2 * _STD)

    @torch.inference_mode()
    def encode(self, wave: Tensor, at_once: int = 16) -> Tensor:
        """Turn mono sound `[B, N]` at 16 kHz into vectors `[B, S, 6, width]` on the CPU, `at_once` segments a pass."""
        mel = self.segments(wave)
        device = self.freq_attn_agg.cls_token.device
        flat = mel.flatten(0, 1)
        parts = [self(part[None].to(device))[0].cpu() for part in flat.split(at_once)]
        return torch.cat(parts).unflatten(0, mel.shape[:2])


class _Embeddings(nn.Module):
    """Overlapping patches, two learnt tokens before them, places added. Patches run along time fastest."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        width = config.width
        rows, columns = ((n - config.patch) // config.step + 1 for n in (config.bands, config.columns))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.distillation_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, 2 + rows * columns, width))
        self.patch_embeddings = nn.ModuleDict({"projection": nn.Conv2d(1, width, config.patch, config.step)})

    def forward(self, mel: Tensor) -> Tensor:
        x = self.patch_embeddings["projection"](mel[:, None]).flatten(2).transpose(1, 2)
        tokens = [t.expand(len(x), -1, -1) for t in (self.cls_token, self.distillation_token)]
        return torch.cat([*tokens, x], 1) + self.position_embeddings


class _Layer(nn.Module):
    """A pre-norm transformer layer under the names that transformers gives its parts."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        three = nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")})
        out = nn.ModuleDict({"dense": nn.Linear(width, width)})
        self.attention = nn.ModuleDict({"attention": three, "output": out})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 4 * width)})
        self.output = nn.ModuleDict({"dense": nn.Linear(4 * width, width)})
        self.layernorm_before = nn.LayerNorm(width, eps=_EPS)
        self.layernorm_after = nn.LayerNorm(width, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        given = self.layernorm_before(x)
        three: nn.ModuleDict = self.attention["attention"]  # type: ignore[assignment]
        q, k, v = (
            three[name](given).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        heard = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.attention["output"]["dense"](heard)  # type: ignore[index]
        return x + self.output["dense"](F.gelu(self.intermediate["dense"](self.layernorm_after(x))))
