"""The spotter's network: motion cells and the pictures in, readings out.

When and where come from two views of the same motion: cells of flow (channels that look alike in a drawn world and
a filmed one: camera removed, speeds relative to the clip's own), and the pictures themselves in grey with what
changes between them, small things too thin or too fast for flow. What it is made of comes from the colours. The
onset is the trunk's opinion plus the strongest local evidence anywhere in the picture (multiple-instance learning),
so that one small thing that stops is heard whatever else moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.spotting.appearance import Look
from weft.spotting.motion import GRID, RATE
from weft.spotting.outline import Outline

PICTURE_RATE = 2.0  # pictures per second for the appearance branch
_PLANES = 21
_SCALARS = 10
_PATCH = 4  # pixels


@dataclass(frozen=True, kw_only=True)
class SpotterConfig:
    """Widths of the parts; `close` and `blocks` count the layers over the cells and over squares of four cells,
    `picture` is the layer before the material, and `outline` are the widths of the outline's network."""

    patch: int = 48
    fine: int = 64
    close: int = 2
    cells: int = 80
    blocks: int = 6
    trunk: int = 192
    dilations: tuple[int, ...] = (1, 1, 2, 4, 8, 1)
    picture: int = 128
    outline: tuple[int, int, int] = (32, 64, 96)
    dropout: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A batch of `motion.Motion` as tensors: cells `[B, T, 7, 12, 16]`, overall `[B, T, 5]`, grey (uint8) and change
    (int8) `[B, T, 96, 128]`, clock `[B, T, 2]`."""

    cells: Tensor
    overall: Tensor
    grey: Tensor
    change: Tensor
    clock: Tensor


class SpotterNet(nn.Module):
    """`forward` takes what was `Seen` and pictures `[B, S, 3, 96, 128]` in 0..1, one each 1 / PICTURE_RATE s from the
    first reading on. It returns a dict: onset, offset (s), strength, level (RMS re full scale), sustained, depth
    `[B, T]` (onset and sustained as logits), box `[B, T, 4]`, heat `[B, T, 12, 16]`, struck `[B, T, 6, 8]` (where the
    evidence of an onset lies), action `[B, T, 5]` logits and material `[B, S, 17]` logits."""

    def __init__(self, config: SpotterConfig | None = None) -> None:
        super().__init__()
        c = self.config = config or SpotterConfig()
        self.patches = nn.Linear(4 * _PATCH**2, c.patch)
        self.fine = nn.Conv2d(c.patch, c.fine, 2, stride=2)
        self.planes = nn.Conv2d(_PLANES, c.fine, 3, padding=1)
        self.fine_norm = nn.GroupNorm(8, c.fine)
        self.close = nn.ModuleList(_Shifted(c.fine, reach=1, inner=c.fine // 2) for _ in range(c.close))
        self.stem = nn.Conv2d(c.fine, c.cells, 3, stride=2, padding=1)
        self.stem_norm = nn.GroupNorm(8, c.cells)
        self.blocks = nn.ModuleList(_Shifted(c.cells, reach=1 if i % 2 == 0 else 2) for i in range(c.blocks))
        self.evidence = nn.Conv2d(c.cells, 1, 1)
        self.attend = nn.Conv2d(c.cells, 4, 1)
        self.join = nn.Linear(6 * c.cells + _SCALARS, c.trunk)
        self.trunk = nn.ModuleList(_Temporal(c.trunk, d, c.dropout) for d in c.dilations)
        self.norm = nn.LayerNorm(c.trunk)
        self.per_reading = nn.Linear(c.trunk, 8)
        self.action = nn.Linear(c.trunk, len(ACTIONS))
        self.box_fine = nn.Conv2d(c.fine, 32, 3, padding=1)
        self.box_coarse = nn.Conv2d(c.cells, 32, 1)
        self.box_state = nn.Linear(c.trunk, 32)
        self.box_heat = nn.Conv2d(32, 3, 3, padding=1)  # heat, and the box's width and height if it is here
        self.box_shift = nn.Conv2d(32, 2, 3, padding=1)  # and how far from here its centre is
        for parameter in self.box_shift.parameters():
            nn.init.zeros_(parameter)
        self.mix = nn.Parameter(torch.tensor([1.0, 0.5]))
        self.look = Look(c.picture, 2 * c.dropout)
        self.material = nn.Linear(c.picture, len(MATERIALS))
        self.outline = Outline(c.outline)

    def forward(self, seen: Seen, pictures: Tensor) -> dict[str, Tensor]:
        out = self.read(seen)
        at = (torch.arange(pictures.shape[1], device=pictures.device) * (RATE / PICTURE_RATE)).long()
        at = at.clamp(max=out["onset"].shape[1] - 1).expand(len(pictures), -1)
        return out | {"material": self.see(pictures, out["heat"], at)}

    def read(self, seen: Seen) -> dict[str, Tensor]:
        """What motion alone tells: all but the material."""
        planes, scalars = describe(seen)
        batch, time = planes.shape[:2]
        fine = self.fine(F.silu(self.patches(stills(seen))).flatten(0, 1).permute(0, 3, 1, 2))
        fine = fine + self.planes(planes.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        fine = F.silu(self.fine_norm(fine))
        for block in self.close:
            fine = block(fine, batch, time)
        h = F.silu(self.stem_norm(self.stem(fine)))
        for block in self.blocks:
            h = block(h, batch, time)
        evidence = self.evidence(h).float().flatten(1)
        strongest = torch.logsumexp(2.0 * evidence, 1) / 2.0
        weight = self.attend(h).flatten(2).softmax(-1)
        pooled = torch.einsum("nks,ncs->nkc", weight, h.flatten(2)).flatten(1)
        pooled = torch.cat([pooled, h.flatten(2).amax(-1), h.flatten(2).mean(-1)], 1)
        x = self.join(torch.cat([pooled.unflatten(0, (batch, time)), scalars], -1))
        for layer in self.trunk:
            x = layer(x)
        x = self.norm(x)
        onset, offset, strength, attack, decay, bed, sustained, depth = self.per_reading(x).float().unbind(-1)
        onset = self.mix[0] * onset + self.mix[1] * strongest.unflatten(0, (batch, time)) - 2.0
        maps = self.box_fine(fine) + F.interpolate(self.box_coarse(h), size=GRID, mode="bilinear")
        maps = F.silu(maps + self.box_state(x).flatten(0, 1)[:, :, None, None])
        heat, width, height = self.box_heat(maps).float().unbind(1)
        across, down = self.box_shift(maps).float().unbind(1)
        heat = heat.flatten(1).softmax(-1).unflatten(-1, GRID)
        return {
            "onset": onset,
            "offset": 0.06 * torch.tanh(offset),
            "strength": torch.sigmoid(strength),
            "level": _level(attack, decay, bed),
            "sustained": sustained,
            "depth": torch.sigmoid(depth),
            "box": _box(heat, width, height, across, down).unflatten(0, (batch, time)),
            "heat": heat.unflatten(0, (batch, time)),
            "struck": (2.0 * evidence).softmax(1).unflatten(1, h.shape[-2:]).unflatten(0, (batch, time)),
            "action": self.action(x).float(),
        }

    def see(self, pictures: Tensor, heat: Tensor, at: Tensor) -> Tensor:
        """The material `[B, S, 17]` that pictures `[B, S, 3, 96, 128]` of the readings `at` `[B, S]` show, logits."""
        around = F.avg_pool1d(heat.detach().flatten(2).transpose(1, 2), 9, 1, 4, count_include_pad=False)
        rows = torch.arange(len(at), device=at.device)[:, None]
        seen = around.transpose(1, 2)[rows, at].unflatten(-1, GRID)
        return self.material(
            self.look(pictures.flatten(0, 1), seen.flatten(0, 1)).unflatten(0, at.shape)
        ).float()


def stills(seen: Seen) -> Tensor:
    """The pictures as the network sees them, in patches of 4 x 4 pixels `[B, T, 24, 32, 64]`: grey, and the changes
    before, here and after, all in units of the window's own contrast."""
    where = seen.grey.device.type
    kind = torch.get_autocast_dtype(where) if torch.is_autocast_enabled(where) else torch.float32
    sample = seen.grey[..., ::4, ::4].float()
    mean = sample.mean((1, 2, 3))[:, None, None, None, None]
    contrast = sample.var((1, 2, 3)).sqrt()[:, None, None, None, None] + 8
    grey = _patches(seen.grey).to(kind).sub_(mean.to(kind)).mul_((1 / contrast).to(kind))
    change = _patches(seen.change).to(kind).mul_((3 / contrast).to(kind)).clamp_(-4, 4)
    return torch.cat([grey, _behind(change), change, _ahead(change)], -1)


def _patches(x: Tensor) -> Tensor:
    """`[B, T, H, W]` to `[B, T, H / 4, W / 4, 16]`."""
    cut = x.unflatten(3, (-1, _PATCH)).unflatten(2, (-1, _PATCH))
    return cut.permute(0, 1, 2, 4, 3, 5).flatten(4)


def _level(attack: Tensor, decay: Tensor, bed: Tensor) -> Tensor:
    """RMS re full scale `[B, T]`: every reading may strike (`attack`) what then rings on (`decay`), over a `bed`."""
    struck, under = 0.05 * F.softplus(attack), 0.02 * F.softplus(bed)
    seconds = 0.03 * torch.exp(3.7 * torch.sigmoid(decay))  # 0.03 to 1.2 s
    time = torch.arange(attack.shape[1], device=attack.device) / RATE
    since = time[:, None] - time[None, :]  # T now, T then
    ringing = torch.exp(-since.clamp_min(0)[None] / seconds[:, None]) * (since >= 0)
    return torch.einsum("btk,bk->bt", ringing, struck) + under


def describe(seen: Seen) -> tuple[Tensor, Tensor]:
    """Turn readings into the network's planes `[B, T, 21, 12, 16]` and scalars `[B, T, 10]`.

    Speeds are relative to the clip's own fastest motion (the RMS of its top 2 % over the window).
    """
    cells, overall = seen.cells, seen.overall
    clock = seen.clock * RATE
    top = overall[..., 0]
    scale = top.square().mean(1, keepdim=True).sqrt().clamp_min(0.03)  # [B, 1]
    s = scale[:, :, None, None, None]
    mean, fast = cells[:, :, 0:2] / s, cells[:, :, 2:4] / s
    speed = fast.square().sum(2, keepdim=True).add(1e-8).sqrt()
    turn = torch.asinh(_ahead(fast) - fast)
    faster = torch.asinh(speed)
    change = cells[:, :, 4:5]
    usual = change.mean((1, 2, 3, 4), keepdim=True).clamp_min(1e-3)
    rows, columns = cells.shape[-2:]
    y = torch.linspace(-1, 1, rows, device=cells.device)[:, None].expand(rows, columns)
    x = torch.linspace(-1, 1, columns, device=cells.device)[None].expand(rows, columns)
    where = torch.stack([x, y]).expand(*cells.shape[:2], 2, rows, columns)
    flat = torch.stack(
        [
            torch.asinh(overall[..., 2] / scale),
            torch.asinh(overall[..., 3] / scale),
            torch.log1p(4 * overall[..., 4]),
            clock[..., 0],
            clock[..., 1],
        ],
        2,
    )[..., None, None].expand(-1, -1, -1, rows, columns)
    planes = torch.cat(
        [
            torch.asinh(4 * mean),
            torch.asinh(fast),
            faster,
            _ahead(faster) - faster,
            faster - _behind(faster),
            turn,
            torch.asinh(change / usual) / 2,
            torch.asinh(cells[:, :, 5:6] / usual) / 2,
            torch.log1p(cells[:, :, 6:7].clamp_min(0)),
            torch.log1p(20 * speed * s) / 2,
            _ahead(change / usual).sub(change / usual).asinh() / 2,
            where,
            flat,
        ],
        2,
    )
    relative = top / scale
    braking = (relative - _ahead(relative)).clamp_min(0)
    scalars = torch.stack(
        [
            relative,
            _ahead(relative) - relative,
            relative - _behind(relative),
            braking,
            torch.log(scale).expand_as(top),
            torch.asinh(4 * overall[..., 1] / scale),
            torch.log1p(4 * overall[..., 4]),
            torch.asinh((_ahead(overall[..., 2:4]) - overall[..., 2:4]).square().sum(-1).sqrt() / scale),
            clock[..., 0],
            clock[..., 1],
        ],
        -1,
    )
    return planes, scalars.clamp(-6, 6)


def _ahead(x: Tensor) -> Tensor:
    """The next reading, `[B, T, ...]`; the last is held."""
    return torch.cat([x[:, 1:], x[:, -1:]], 1)


def _behind(x: Tensor) -> Tensor:
    return torch.cat([x[:, :1], x[:, :-1]], 1)


class _Shifted(nn.Module):
    """A residual 3 x 3 convolution that sees `reach` readings before and after: a quarter of the channels is
    shifted each way in time (Lin et al. 2019, TSM). With `inner`, a bottleneck of that width."""

    def __init__(self, width: int, reach: int, inner: int | None = None) -> None:
        super().__init__()
        self.reach, self.quarter = reach, width // 4
        self.conv = nn.Conv2d(width, inner or width, 3, padding=1)
        self.norm = nn.GroupNorm(8, inner or width)
        self.out = nn.Conv2d(inner, width, 1) if inner else nn.Identity()
        if inner:
            for parameter in self.out.parameters():  # begins as nothing
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, batch: int, time: int) -> Tensor:
        q, r = self.quarter, self.reach
        seq = x.unflatten(0, (batch, time))
        ahead = F.pad(seq[:, r:, :q], (0, 0, 0, 0, 0, 0, 0, min(r, time)))[:, :time]
        behind = F.pad(seq[:, : max(time - r, 0), q : 2 * q], (0, 0, 0, 0, 0, 0, min(r, time), 0))[:, :time]
        mixed = torch.cat([ahead, behind, seq[:, :, 2 * q :]], 2).flatten(0, 1)
        return x + self.out(F.silu(self.norm(self.conv(mixed))))


class _Temporal(nn.Module):
    """ConvNeXt-like block over time `[B, T, D]`."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.mix(x.transpose(1, 2)).transpose(1, 2))
        return x + self.drop(self.down(F.silu(self.up(h))))


def _box(heat: Tensor, width: Tensor, height: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """The box `[N, 4]`: soft-argmax of heat `[N, 12, 16]` for the cell, and what the maps `[N, 12, 16]` of its sizes
    and of the way to its centre tell there."""
    rows, columns = heat.shape[-2:]
    y = (torch.arange(rows, device=heat.device) + 0.5) / rows
    x = (torch.arange(columns, device=heat.device) + 0.5) / columns
    cy, cx = (heat.sum(2) * y).sum(1), (heat.sum(1) * x).sum(1)
    cx, cy = (c + 0.15 * torch.tanh((heat * s).sum((1, 2))) for c, s in ((cx, across), (cy, down)))
    hw, hh = (torch.sigmoid((heat * size).sum((1, 2)) - 1.5) / 2 for size in (width, height))
    return torch.stack([cx - hw, cy - hh, cx + hw, cy + hh], 1)
