"""The multi-modal diffusion transformer of MMAudio (Cheng et al. 2024) and of weft-mini: one class, two
configs.

Pictures, text and the noisy latent are three streams that attend to each other (joint blocks), then the
latent
goes on alone (fused blocks). A frame-aligned stream (Synchformer features in MMAudio, the cue sheet's
controls in
weft-mini) modulates every latent token by itself. Keys and shapes are those of the published checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.generators.blocks import FinalLayer, JointBlock, StreamBlock
from weft.generators.layers import Conv1d, GatedMLP, TimeEmbedding, gated_width
from weft.generators.rope import rotations


@dataclass(frozen=True, kw_only=True)
class MMDiTConfig:
    """Sizes of the network. The defaults are MMAudio's; the last group exists only in weft-mini."""

    latent_dim: int
    hidden: int
    heads: int
    joint: int
    fused: int
    clip_dim: int = 1024
    sync_dim: int = 768
    text_dim: int = 1024
    text_length: int = 77
    sync_segment: int = 8  # tokens of one segment that share learned positions; 0: none
    mlp_ratio: float = 4.0
    mlp_multiple: int = 256
    v2: bool = False  # SiLU in the projections, another time embedding

    kernel: int = 3  # along time, latent blocks' output projection
    ffn_kernel: int = 3  # ... and feed-forward
    clip_kernel: int = 3  # ... and the picture stream
    input_kernel: int = 7  # of the MLP behind the latent's first convolution
    sync_kernel: int = 3  # ... and behind the frame-aligned stream's
    modulation_rank: int = 0  # 0: full
    reference_dim: int = 0  # 0: no reference sound
    frames_in_final: bool = False  # MMAudio's final layer sees only the global condition: see `MMDiT.forward`
    frames_at_input: bool = False  # the frame-aligned stream is also added to the latent's tokens


SMALL_16K = MMDiTConfig(latent_dim=20, hidden=448, heads=7, joint=4, fused=8)
SMALL_44K = replace(SMALL_16K, latent_dim=40)
MEDIUM_44K = MMDiTConfig(latent_dim=40, hidden=896, heads=14, joint=4, fused=8)
LARGE_44K = replace(MEDIUM_44K, joint=7, fused=14)
LARGE_44K_V2 = replace(LARGE_44K, v2=True)
MMAUDIO = {
    "small_16k": SMALL_16K,
    "small_44k": SMALL_44K,
    "medium_44k": MEDIUM_44K,
    "large_44k": LARGE_44K,
    "large_44k_v2": LARGE_44K_V2,
}


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the latent is made from. None is "not given": the learned null of that condition takes its place.

    clip: picture tokens [B, Lc, clip_dim] spread evenly over the clip. sync: frame-aligned [B, Ls, sync_dim].
    text: [B, text_length, text_dim]. reference: tokens of a sound to resemble [B, Lr, reference_dim].
    *_given: [B] bool, False where an item of the batch has none. *_tokens: how many tokens the null has when
    nothing is given (MMAudio repeats its nulls to 64 and 192 for 8 s).
    """

    clip: Tensor | None = None
    sync: Tensor | None = None
    text: Tensor | None = None
    reference: Tensor | None = None
    clip_given: Tensor | None = None
    sync_given: Tensor | None = None
    text_given: Tensor | None = None
    reference_given: Tensor | None = None
    clip_tokens: int = 1
    sync_tokens: int = 8
    reference_tokens: int = 1


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Conditions after the part of the network that does not see the noisy latent: once per take, not per
    step.
    """

    clip: Tensor  # [B, Lc, D]
    text: Tensor  # [B, Lt (+ Lr), D]
    frames: Tensor  # [B, T, D]
    whole: Tensor  # [B, D]


class MMDiT(nn.Module):
    """Velocity of the noisy latent: `forward(latent [B, T, C], t [B], conditions) -> [B, T, C]`."""

    def __init__(self, config: MMDiTConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.hidden
        wide = gated_width(dim, config.mlp_ratio, config.mlp_multiple)
        activation: type[nn.Module] = nn.SiLU if config.v2 else nn.SELU
        between = [nn.SiLU()] if config.v2 else []
        self.audio_input_proj = nn.Sequential(
            Conv1d(config.latent_dim, dim, 7), activation(), GatedMLP(dim, wide, config.input_kernel)
        )
        self.clip_input_proj = nn.Sequential(
            nn.Linear(config.clip_dim, dim), *between, GatedMLP(dim, wide, config.clip_kernel)
        )
        self.sync_input_proj = nn.Sequential(
            Conv1d(config.sync_dim, dim, 7), activation(), GatedMLP(dim, wide, config.sync_kernel)
        )
        self.text_input_proj = nn.Sequential(nn.Linear(config.text_dim, dim), *between, GatedMLP(dim, wide))
        self.clip_cond_proj = nn.Linear(dim, dim)
        self.text_cond_proj = nn.Linear(dim, dim)
        self.global_cond_mlp = GatedMLP(dim, wide)
        self.t_embed = TimeEmbedding(dim if config.v2 else 256, dim, 1e4 if config.v2 else 1.0)
        self.joint_blocks = nn.ModuleList(
            JointBlock(
                dim,
                config.heads,
                wide,
                kernel=config.kernel,
                ffn_kernel=config.ffn_kernel,
                clip_kernel=config.clip_kernel,
                rank=config.modulation_rank,
                pre_only=i == config.joint - 1,
            )
            for i in range(config.joint)
        )
        self.fused_blocks = nn.ModuleList(
            StreamBlock(
                dim,
                config.heads,
                wide,
                kernel=config.kernel,
                ffn_kernel=config.ffn_kernel,
                rank=config.modulation_rank,
            )
            for _ in range(config.fused)
        )
        self.final_layer = FinalLayer(dim, config.latent_dim, config.modulation_rank)
        self.latent_mean = nn.Parameter(torch.zeros(1, 1, config.latent_dim), requires_grad=False)
        self.latent_std = nn.Parameter(torch.ones(1, 1, config.latent_dim), requires_grad=False)
        self.empty_string_feat = nn.Parameter(torch.zeros(config.text_length, config.text_dim))
        self.empty_clip_feat = nn.Parameter(torch.zeros(1, config.clip_dim))
        self.empty_sync_feat = nn.Parameter(torch.zeros(1, config.sync_dim))
        if config.sync_segment:
            self.sync_pos_emb = nn.Parameter(torch.zeros(1, 1, config.sync_segment, config.sync_dim))
        if config.reference_dim:
            self.reference_input_proj = nn.Sequential(
                nn.Linear(config.reference_dim, dim), GatedMLP(dim, wide)
            )
            self.reference_cond_proj = nn.Linear(dim, dim)
            self.empty_reference_feat = nn.Parameter(torch.zeros(1, config.reference_dim))

    def prepare(self, conditions: Conditions, batch: int, frames: int) -> Prepared:
        """Project the conditions of `batch` items to `frames` latent frames."""
        config = self.config
        clip_null = self.empty_clip_feat.expand(conditions.clip_tokens, -1)
        sync_null = self.empty_sync_feat.expand(conditions.sync_tokens if config.sync_segment else frames, -1)
        clip = _or_null(conditions.clip, conditions.clip_given, clip_null, batch)
        sync = _or_null(conditions.sync, conditions.sync_given, sync_null, batch)
        text = _or_null(conditions.text, conditions.text_given, self.empty_string_feat, batch)
        if config.sync_segment:
            sync = (sync.unflatten(1, (-1, config.sync_segment)) + self.sync_pos_emb).flatten(1, 2)
        clip, sync, text = self.clip_input_proj(clip), self.sync_input_proj(sync), self.text_input_proj(text)
        pooled = self.clip_cond_proj(clip.mean(1)) + self.text_cond_proj(text.mean(1))
        if config.reference_dim:
            null = self.empty_reference_feat.expand(conditions.reference_tokens, -1)
            reference = _or_null(conditions.reference, conditions.reference_given, null, batch)
            reference = self.reference_input_proj(reference)
            pooled = pooled + self.reference_cond_proj(reference.mean(1))
            text = torch.cat([text, reference], dim=1)
        if sync.shape[1] != frames:
            sync = F.interpolate(sync.transpose(1, 2), size=frames, mode="nearest-exact").transpose(1, 2)
        return Prepared(clip=clip, text=text, frames=sync, whole=self.global_cond_mlp(pooled))

    def velocity(self, latent: Tensor, t: Tensor, prepared: Prepared) -> Tensor:
        """Velocity [B, T, C] of the normalised noisy latent [B, T, C] at time t [B] (0 noise, 1 data)."""
        config = self.config
        whole = (self.t_embed(t) + prepared.whole)[:, None]
        frames = whole + prepared.frames
        dim, length, clip_length = config.hidden // config.heads, latent.shape[1], prepared.clip.shape[1]
        turn = rotations(length, dim).to(latent.device)
        clip_turn = rotations(clip_length, dim, scale=length / clip_length).to(latent.device)
        x = self.audio_input_proj(latent)
        if config.frames_at_input:
            x = x + prepared.frames
        clip, text = prepared.clip, prepared.text
        for block in self.joint_blocks:
            x, clip, text = block(x, clip, text, whole, frames, turn, clip_turn)
        for block in self.fused_blocks:
            x = block(x, frames, turn)
        # MMAudio hands its final layer the global condition, not the frame-aligned one: a slip its authors
        # acknowledge (issue #55 there) and its weights depend on.
        return self.final_layer(x, frames if config.frames_in_final else whole)

    def forward(self, latent: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        return self.velocity(latent, t, self.prepare(conditions, *latent.shape[:2]))


def _or_null(given: Tensor | None, which: Tensor | None, null: Tensor, batch: int) -> Tensor:
    """The condition where it is given, its learned null [1 or L, D] elsewhere: [B, L, D]."""
    if given is None:
        return null.expand(batch, -1, -1)
    if which is None:
        return given
    null = null[:1] if len(null) != given.shape[1] else null
    return torch.where(which[:, None, None], given, null)
