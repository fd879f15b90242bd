"""Synchformer: by how much sound and picture are apart. It gives DeSync, as av-benchmark measures it.

Iashin et al. 2024, the model 24-01-04T16-39-21 trained on AudioSet. Both branches look at segments of 0.64 s every
0.32 s; a transformer over 14 of them (4.8 s) chooses one of 21 offsets from -2 to 2 s. A positive offset means that the
sound comes before its picture. The resolution is 0.2 s, and clips under 4.8 s cannot be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from weft.encoders.loading import filled
from weft.encoders.synchformer_audio import RATE, TINY_AUDIO, AudioConfig, SynchformerAudio
from weft.encoders.synchformer_visual import FPS, TINY_VISUAL, SynchformerVisual, VisualConfig
from weft.encoders.windows import at_rate
from weft.weights import published
from weft.weights.published import Published

PUBLISHED = Published(
    file="synchformer_state_dict.pth",
    url="https://github.com/hkchengrex/MMAudio/releases/download/v0.1/synchformer_state_dict.pth",
    licence="MIT",
    sha256="8aff082f2df5c3bc52759db0c865c7ee772ae6400b860d1b7e90413f2defb67c",
    md5="5b2f5594b0730f70e41e549b7c94390c",
)
OFFSETS: tuple[float, ...] = tuple(round(-2 + 0.2 * i, 1) for i in range(21))
SEGMENTS = 14  # what one judgement sees: 13 * 0.32 + 0.64 = 4.8 s


@dataclass(frozen=True, kw_only=True)
class SynchformerConfig:
    """The published size. depth, heads: of the transformer that compares the two branches; both have its width."""

    visual: VisualConfig = field(default_factory=VisualConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    depth: int = 3
    heads: int = 8


TINY_SYNCHFORMER = SynchformerConfig(visual=TINY_VISUAL, audio=TINY_AUDIO, depth=2, heads=4)


class SynchformerNet(nn.Module):
    """Both branches and the head that compares them. Tensors carry the names of the published file."""

    def __init__(self, config: SynchformerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.visual.width
        self.vfeat_extractor = SynchformerVisual(config.visual)
        self.afeat_extractor = SynchformerAudio(config.audio)
        self.vproj, self.aproj = nn.Linear(width, width), nn.Linear(width, width)
        self.transformer = _Compare(width, config.depth, config.heads)

    def compare(self, seen: Tensor, heard: Tensor) -> Tensor:
        """Return logits `[B, 21]` over OFFSETS from 14 segments of each branch, `[B, 14, 8, D]` and `[B, 14, 6, D]`.

        Raises ValueError for another number of segments: the places of the tokens are learnt for 14.
        """
        if seen.shape[1] != SEGMENTS or heard.shape[1] != SEGMENTS:
            raise ValueError(
                f"Synchformer compares {SEGMENTS} segments (4.8 s), not {seen.shape[1]} seen and {heard.shape[1]} heard"
            )
        return self.transformer(self.vproj(seen).flatten(1, 2), self.aproj(heard).flatten(1, 2))


class _Compare(nn.Module):
    """A transformer over [OFF] pictures [MOD] sound; the first token names the offset."""

    def __init__(self, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.vis_in_lnorm, self.aud_in_lnorm, self.ln_f = (nn.LayerNorm(width) for _ in range(3))
        self.OFF_tok = nn.Parameter(torch.zeros(1, 1, width))
        self.MOD_tok = nn.Parameter(torch.zeros(1, 1, width))
        places = torch.zeros(1, 2 + SEGMENTS * (8 + 6), width)
        self.pos_emb_cfg = nn.ParameterDict({"pos_emb": nn.Parameter(places)})
        self.blocks = nn.Sequential(*[_CompareBlock(width, heads) for _ in range(depth)])
        self.off_head = nn.Linear(width, len(OFFSETS))

    def forward(self, seen: Tensor, heard: Tensor) -> Tensor:
        off, mod = (token.expand(len(seen), -1, -1) for token in (self.OFF_tok, self.MOD_tok))
        x = torch.cat([off, self.vis_in_lnorm(seen), mod, self.aud_in_lnorm(heard)], 1)
        x = self.blocks(x + self.pos_emb_cfg["pos_emb"])
        return self.off_head(self.ln_f(x[:, 0]))


class _CompareBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict(
            {name: nn.Linear(width, width) for name in ("key", "query", "value", "proj")}
        )
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        given = self.ln1(x)
        q, k, v = (
            self.attn[name](given).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )
        x = x + self.attn["proj"](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp(self.ln2(x))


class Synchformer:
    """The published model on sound and pictures. Frames may have any size of 25 fps; their middle square is seen."""

    name = "synchformer"
    windows = "0.64 s every 0.32 s, 8 picture and 6 sound vectors each; an offset from the first and last 14 (4.8 s)"
    rate, fps, size = RATE, FPS, (224, 224)

    def __init__(self, net: SynchformerNet, sha256: str) -> None:
        self.net, self.sha256 = net.eval(), sha256
        self.d = net.config.visual.width

    @classmethod
    def load(cls) -> Synchformer:
        """Return the user's copy of the published weights. Raises WeightsError when it is not there or does not fit."""
        net = filled(lambda: SynchformerNet(SynchformerConfig()), published.load(PUBLISHED), PUBLISHED)
        return cls(net, published.sha256(published.path_of(PUBLISHED)))

    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 25 fps into vectors float32 `[8 S, D]`, S = (T - 16) // 8 + 1."""
        return self.net.vfeat_extractor.encode(frames).flatten(0, 1)

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound `[B, N]` at `rate` Hz into vectors float32 `[B, 6 S, D]`.

        S = (n - 10240) // 5120 + 1 of the n samples at 16 kHz.
        """
        return self._hear(wave, rate).flatten(1, 2)

    def offset_logits(self, frames: np.ndarray, wave: Tensor, rate: int) -> Tensor:
        """Return logits `[2, 21]` over OFFSETS: of the first and the last 4.8 s, the same twice for a clip of 4.8 s.

        frames: uint8 `[T, H, W, 3]` at 25 fps. wave: the mono sound `[N]` at `rate` Hz that starts with them; what one
        of them has more than the other is left out. Raises ValueError when they share less than 4.8 s.
        """
        if wave.dim() != 1:
            raise ValueError(f"the sound of one clip must be mono [N], not {list(wave.shape)}")
        seconds = len(frames) / self.fps, len(wave) / rate
        if min(seconds) < 4.8:
            raise ValueError(
                f"Synchformer needs 4.8 s of picture and of sound, not {seconds[0]:.2f} s and {seconds[1]:.2f} s"
            )
        seen, heard = self.net.vfeat_extractor.encode(frames), self._hear(wave[None], rate)[0]
        shared = min(len(seen), len(heard))
        starts = (0, shared - SEGMENTS)
        device = self.net.vproj.weight.device
        pair = [torch.stack([x[s : s + SEGMENTS] for s in starts]).to(device) for x in (seen, heard)]
        with torch.inference_mode():
            return self.net.compare(pair[0], pair[1]).cpu()

    def _hear(self, wave: Tensor, rate: int) -> Tensor:
        return self.net.afeat_extractor.encode(at_rate(wave, rate, RATE))


def load_visual() -> SynchformerVisual:
    """Return the visual branch alone from the user's copy, for MMAudio's condition. Raises WeightsError."""
    branch = "vfeat_extractor."
    tensors = published.load(PUBLISHED)
    own = {key.removeprefix(branch): value for key, value in tensors.items() if key.startswith(branch)}
    return filled(lambda: SynchformerVisual(VisualConfig()), own, PUBLISHED)


def desync(logits: Tensor) -> float:
    """Return the mean absolute offset in seconds of logits `[..., 21]`: DeSync of one clip, or of a whole set."""
    if logits.shape[-1] != len(OFFSETS) or not logits.numel():
        raise ValueError(f"DeSync needs logits [..., {len(OFFSETS)}], not {list(logits.shape)}")
    return float(torch.tensor(OFFSETS)[logits.argmax(-1)].abs().mean())
