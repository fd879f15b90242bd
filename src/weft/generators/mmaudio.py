"""MMAudio's published sizes (Cheng et al. 2024, table A6) as configs of the MM-DiT, and the lengths of their streams.

A clip's pictures come at 8 a second for CLIP and 25 for Synchformer, whose segments of 16 frames, one each 8, give 8
tokens. The networks were trained on 8 s: 64 CLIP tokens and 192 of Synchformer beside 250 or 345 latent frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from weft.generators.conditions import Conditions
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.generators.placement import Pace
from weft.weights import published
from weft.weights.published import Published

CLIP_FPS = 8
SYNC_FPS = 25
SEGMENT_FRAMES = 16
SEGMENT_STRIDE = 8
SEGMENT_TOKENS = 8
TRAINED_S = 8.0
OLD_BUFFERS = ("latent_rot", "clip_rot", "t_embed.freqs")
"""Tables that old checkpoints carry beside their weights; they follow from the config."""
_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How many of everything a clip has, and at which pace the tokens pass."""

    latent: int
    """Latent frames."""
    clip: int
    """CLIP tokens: pictures at 8 a second."""
    sync: int
    """Synchformer tokens."""
    sync_frames: int
    """Pictures at 25 a second that these tokens are made from; beyond the clip's end the last picture is repeated."""
    samples: int
    """Samples of sound to keep of those that the latent decodes to."""
    clip_pace: Pace | None = None
    sync_pace: Pace | None = None

    def conditions(
        self, *, clip: Tensor | None = None, sync: Tensor | None = None, text: Tensor | None = None
    ) -> Conditions:
        """Conditions of this length. What is None is not given: its learned null, as long, takes its place.

        clip: [B, clip, 1024], or one picture's [B, 1, 1024], which then stands throughout. sync: [B, sync, 768]. text:
        [B, 77, 1024]. Raises ValueError when the number of tokens is another.
        """
        if clip is not None and clip.shape[1] == 1:
            clip = clip.expand(-1, self.clip, -1)
        for name, given, wanted in (("CLIP", clip, self.clip), ("Synchformer", sync, self.sync)):
            if given is not None and given.shape[1] != wanted:
                raise ValueError(f"{given.shape[1]} {name} tokens; a clip of this length has {wanted}")
        return Conditions(
            clip=clip,
            sync=sync,
            text=text,
            clip_tokens=self.clip,
            sync_tokens=self.sync,
            clip_pace=self.clip_pace,
            sync_pace=self.sync_pace,
        )


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A published network and the sound it speaks of: `rate_hz` samples a second, `hop` of them a latent frame."""

    config: MMDiTConfig
    rate_hz: int
    hop: int

    def lengths(self, duration_s: float, *, compat: bool = False) -> Lengths:
        """Lengths for a clip of `duration_s` seconds; trained on 8, good to about 10, so play longer clips in windows.

        Tokens pass at the pace of training, and pictures are asked for to the clip's end. With `compat` lengths are the
        reference's: tokens are stretched over the latent whatever its length (so all but 8-s clips hear pictures early
        or late), the last frames may not be seen, and the sound is as long as its latent, up to 32 ms over. Raises
        ValueError for a duration that is not above 0, or too short for the reference (0.64 s).
        """
        if not (math.isfinite(duration_s) and duration_s > 0):
            raise ValueError(f"a clip of {duration_s} s; give a duration above 0")
        latent = math.ceil(duration_s * self.rate_hz / self.hop)
        if compat:
            segments = math.floor((duration_s * SYNC_FPS - SEGMENT_FRAMES) / SEGMENT_STRIDE) + 1
            if segments < 1:
                raise ValueError(
                    f"a clip of {duration_s:g} s; the reference needs 0.64 s, so leave `compat` out"
                )
            clip = int(duration_s * CLIP_FPS)
            return Lengths(
                latent=latent,
                clip=clip,
                sync=segments * SEGMENT_TOKENS,
                sync_frames=_pictures(segments),
                samples=latent * self.hop,
            )
        trained = self.lengths(TRAINED_S, compat=True)
        segments = math.ceil(duration_s * trained.sync / SEGMENT_TOKENS / TRAINED_S - _ROUNDING)
        return Lengths(
            latent=latent,
            clip=max(1, math.ceil(duration_s * CLIP_FPS - _ROUNDING)),
            sync=max(1, segments) * SEGMENT_TOKENS,
            sync_frames=_pictures(max(1, segments)),
            samples=max(1, round(duration_s * self.rate_hz)),
            clip_pace=Pace(tokens=trained.clip, frames=trained.latent),
            sync_pace=Pace(tokens=trained.sync, frames=trained.latent),
        )


def _pictures(segments: int) -> int:
    return (segments - 1) * SEGMENT_STRIDE + SEGMENT_FRAMES


_SMALL_16K = MMDiTConfig(latent_dim=20, hidden=448, heads=7, joint=4, fused=8)
_SMALL_44K = replace(_SMALL_16K, latent_dim=40)
_MEDIUM_44K = replace(_SMALL_44K, hidden=896, heads=14)
_LARGE_44K = replace(_MEDIUM_44K, joint=7, fused=14)

VARIANTS = {
    "small_16k": Variant(config=_SMALL_16K, rate_hz=16000, hop=512),
    "small_44k": Variant(config=_SMALL_44K, rate_hz=44100, hop=1024),
    "medium_44k": Variant(config=_MEDIUM_44K, rate_hz=44100, hop=1024),
    "large_44k": Variant(config=_LARGE_44K, rate_hz=44100, hop=1024),
    "large_44k_v2": Variant(config=replace(_LARGE_44K, v2=True), rate_hz=44100, hop=1024),
}


def network(
    config: MMDiTConfig, tensors: dict[str, Tensor], given: Published, dtype: torch.dtype = torch.float32
) -> MMDiT:
    """The network of an official checkpoint's `tensors`, for inference, its weights in `dtype`.

    Tables of old checkpoints are dropped by name; every other key must be the network's own. Float32 weights are taken
    over without a copy. Raises WeightsError, naming `given`'s file, for keys that are missing, unexpected or of another
    shape.
    """
    with torch.device("meta"):
        net = MMDiT(config)
    published.fit(net, {key: value for key, value in tensors.items() if key not in OLD_BUFFERS}, given)
    return net.eval().requires_grad_(False).lowered(dtype)
