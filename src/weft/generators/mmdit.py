"""The multi-modal diffusion transformer of MMAudio (Cheng et al. 2024) and of weft-mini: one class, two configs.

Pictures, text and the noisy latent are three streams that attend to each other (joint blocks), then the latent goes
on alone (fused blocks). A frame-aligned stream (Synchformer features in MMAudio, the cue sheet's controls in weft-mini)
modulates every latent token by itself. Keys and shapes are those of the published checkpoints; the published sizes
stand in `mmaudio.py`. The network may be in bfloat16: times, angles and what it returns stay in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from weft.generators.blocks import FinalLayer, JointBlock, StreamBlock
from weft.generators.conditions import Conditions, FrameAligned, Prepared
from weft.generators.layers import Conv1d, GatedMLP, TimeEmbedding, gated_width
from weft.generators.placement import Pace, spread, three_segments, tokens_of_frames
from weft.generators.rope import rotations


@dataclass(frozen=True, kw_only=True)
class MMDiTConfig:
    """Sizes of the network. The defaults are MMAudio's; the last group is where weft-mini differs."""

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
    frames_in_final: bool = False  # MMAudio's final layer sees only the global condition: see `MMDiT.flow`
    frames_at_input: bool = False  # the frame-aligned stream is also added to the latent's tokens
    text_null_learned: bool = False  # MMAudio's is the text encoder's answer to no words, and stays


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
        self.empty_string_feat = nn.Parameter(
            torch.zeros(config.text_length, config.text_dim), requires_grad=config.text_null_learned
        )
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
        config, device = self.config, self.latent_mean.device
        clip_null = self.empty_clip_feat.expand(conditions.clip_tokens, -1)
        clip = _or_null(conditions.clip, conditions.clip_given, clip_null, batch)
        text = _or_null(conditions.text, conditions.text_given, self.empty_string_feat, batch)
        clip, text = self.clip_input_proj(clip), self.text_input_proj(text)
        pooled = self.clip_cond_proj(clip.mean(1)) + self.text_cond_proj(text.mean(1))
        if config.reference_dim:
            null = self.empty_reference_feat.expand(conditions.reference_tokens, -1)
            reference = _or_null(conditions.reference, conditions.reference_given, null, batch)
            reference = self.reference_input_proj(reference)
            pooled = pooled + self.reference_cond_proj(reference.mean(1))
            text = torch.cat([text, reference], dim=1)
        head = config.hidden // config.heads
        pace = conditions.clip_pace or Pace(tokens=clip.shape[1], frames=frames)
        clip_rotation = rotations(clip.shape[1], head, scale=pace.frames / pace.tokens)
        return Prepared(
            clip=clip,
            text=text,
            frames=self._frame_aligned(conditions, batch, frames),
            whole=self.global_cond_mlp(pooled),
            latent_rotation=rotations(frames, head).to(device),
            clip_rotation=clip_rotation.to(device),
        )

    def _frame_aligned(self, conditions: Conditions, batch: int, frames: int) -> FrameAligned:
        """The conditional synchronisation module: frame-aligned tokens, projected and laid under the latent frames."""
        segment, device = self.config.sync_segment, self.latent_mean.device
        if conditions.sync is not None:
            sync = _or_null(conditions.sync, conditions.sync_given, self.empty_sync_feat, batch)
            row = torch.arange(sync.shape[1])
        else:
            row = torch.arange(conditions.sync_tokens if segment else frames)
            if segment and 3 + 2 * (self.config.sync_kernel // 2) <= segment:  # how far the projection sees
                row = three_segments(len(row), segment)
            sync = self.empty_sync_feat.expand(batch, int(row.max()) + 1, -1)
        if segment:
            sync = (sync.unflatten(1, (-1, segment)) + self.sync_pos_emb).flatten(1, 2)
        sync, tokens = self.sync_input_proj(sync), sync.shape[1]
        if conditions.sync_pace is None and len(row) == frames == tokens:
            return FrameAligned(rows=sync)
        place = row[tokens_of_frames(len(row), frames, conditions.sync_pace)].to(device)
        if tokens >= frames:
            return FrameAligned(rows=sync[:, place])
        item = torch.arange(batch, device=device)
        return FrameAligned(
            rows=sync.flatten(0, 1), place=place + tokens * item[:, None], item=item.repeat_interleave(tokens)
        )

    def lowered(self, dtype: torch.dtype) -> MMDiT:
        """Put the weights into `dtype` for inference; the latent's mean and deviation stay in float32. Returns self."""
        mean, std = self.latent_mean.data.float(), self.latent_std.data.float()
        self.to(dtype)
        self.latent_mean.data, self.latent_std.data = mean, std
        return self

    def normalised(self, latent: Tensor) -> Tensor:
        """A codec's latent [B, T, C] as the network sees it: mean 0 and deviation 1 in each channel."""
        return (latent - self.latent_mean) / self.latent_std

    def unnormalised(self, latent: Tensor) -> Tensor:
        """The network's latent [B, T, C] as the codec's decoder takes it."""
        return latent * self.latent_std + self.latent_mean

    def velocity(self, latent: Tensor, t: Tensor, prepared: Prepared) -> Tensor:
        """Velocity [B, T, C] of the normalised noisy latent [B, T, C] at time t [B] (0 noise, 1 data)."""
        return self.flow(latent, self.t_embed(t), prepared)

    def flow(self, latent: Tensor, time: Tensor, prepared: Prepared) -> Tensor:
        """`velocity` at a time that is embedded already: `t_embed(t)` [B, D]. In the latent's own type.

        `prepared` may hold several conditions of each item, k B in all, the first of every item first: [k B, T, C]
        comes back. What does not see the conditions is computed once.
        """
        each = len(prepared.whole) // len(latent)
        whole = time.repeat(each, 1) + prepared.whole
        frames, place = prepared.frames.plus(whole), prepared.frames.place
        whole = whole[:, None]
        latent_in = latent.to(next(self.audio_input_proj.parameters()).dtype)
        x = self.audio_input_proj(latent_in).repeat(each, 1, 1)
        if self.config.frames_at_input:
            x = x + spread(prepared.frames.rows, place)
        clip, text, turn = prepared.clip, prepared.text, prepared.latent_rotation
        for block in self.joint_blocks:
            x, clip, text = block(x, clip, text, whole, frames, turn, prepared.clip_rotation, place)
        for block in self.fused_blocks:
            x = block(x, frames, turn, place)
        # MMAudio hands its final layer the global condition, not the frame-aligned one: a slip its authors
        # acknowledge (issue #55 there) and its weights depend on.
        out = (
            self.final_layer(x, frames, place) if self.config.frames_in_final else self.final_layer(x, whole)
        )
        return out.to(latent.dtype)

    def forward(self, latent: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        return self.velocity(latent, t, self.prepare(conditions, *latent.shape[:2]))


def _or_null(given: Tensor | None, which: Tensor | None, null: Tensor, batch: int) -> Tensor:
    """The condition where it is given, its learned null [1 or L, D] elsewhere: [B, L, D] in the null's type."""
    if given is None:
        return null.expand(batch, -1, -1)
    given = given.to(null.dtype)
    if which is None:
        return given
    null = null[:1] if len(null) != given.shape[1] else null
    return torch.where(which[:, None, None], given, null)
