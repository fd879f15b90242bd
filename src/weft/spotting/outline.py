"""The outline of what sounds: a box that motion has found, drawn to the edges that the picture shows.

Motion tells where something strikes or moves, not where it ends: a struck pot lies still. So the picture around a
found box is cut out, scaled to one size, and a small network says where in it the four edges lie.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 48  # pixels of a cut-out
ROOM = 2.6  # how much wider and higher than the found box it is
LEAST, MOST = 0.3, 1.2  # of the picture's width and height that it shows
CHANNELS = 7  # colours, three maps of what changes, what lies inside the picture
PASSES = 2  # the second one looks around the first one's box
SHARE = 0.75  # of the way from the found box to the drawn one that is gone; chosen on validation clips
NEAR = 4  # readings on either side whose changes count as the moment's
_OVER = 0.1  # of the cut-out's side by which an edge may lie outside of it


class Outline(nn.Module):
    """Cut-outs `[N, 7, 48, 48]` to boxes `[N, 4]` in fractions of the cut-out. An edge is the mean place of a
    distribution over places, for each side its own (Wang et al. 2020, side-aware boundary localization)."""

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Sequential(_halved(CHANNELS, fine), _Around(fine))
        self.middle = nn.Sequential(
            _halved(fine, middle), _Around(middle), _Around(middle, 2), _Around(middle, 4)
        )
        self.coarse = nn.Sequential(
            _halved(middle, coarse), _Around(coarse), _Around(coarse, 2), _Around(coarse)
        )
        self.back = nn.Conv2d(coarse, middle, 1)
        self.whole = nn.Linear(coarse, middle)
        self.mix = _Around(middle)
        self.attend = nn.Conv2d(
            middle, 2, 1
        )  # which rows tell the left and right edge, which columns the others
        self.along = nn.ModuleList(nn.Conv1d(middle, middle, 5, padding=2) for _ in range(2))
        self.edges = nn.ModuleList(nn.Conv1d(middle, 2, 3, padding=1) for _ in range(2))

    def forward(self, cut: Tensor) -> Tensor:
        middle = self.middle(self.stem(cut))
        coarse = self.coarse(middle)
        back = F.interpolate(self.back(coarse), size=middle.shape[-2:], mode="bilinear")
        seen = self.mix(middle + back + self.whole(coarse.mean((2, 3)))[:, :, None, None])
        attention = self.attend(seen).float()
        low, high = [], []
        for axis, (along, edges) in enumerate(zip(self.along, self.edges, strict=True)):
            across = 2 if axis == 0 else 3
            profile = (seen * attention[:, axis : axis + 1].softmax(across)).sum(across) + seen.amax(across)
            places = edges(F.interpolate(F.silu(along(profile)), scale_factor=2, mode="linear")).float()
            at = (torch.arange(places.shape[-1], device=cut.device) + 0.5) / places.shape[-1]
            first, last = (places.softmax(-1) * (at * (1 + 2 * _OVER) - _OVER)).sum(-1).unbind(1)
            low.append(first)
            high.append(last)
        return torch.stack([*low, *high], 1)


class _Around(nn.Module):
    """What lies around, added: begins as nothing."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.norm = nn.GroupNorm(8, width)
        self.out = nn.Conv2d(width, width, 1)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(F.silu(self.norm(self.look(x))))


def _halved(width: int, to: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(width, to, 3, 2, 1), nn.GroupNorm(8, to), nn.SiLU())


def views(pictures: Tensor, changes: Tensor) -> Tensor:
    """What the network looks at `[N, 6, 96, 128]`: colours `[N, 3, 96, 128]` in 0..1 and how much changes
    `[N, 3, 96, 128]` (grey levels: at the moment, over the stretch, at the onsets), in units of the picture's own."""
    mean, spread = pictures.mean((1, 2, 3), keepdim=True), pictures.std((1, 2, 3), keepdim=True)
    usual = changes.mean((2, 3), keepdim=True) + 0.2
    return torch.cat([(pictures - mean) / (spread + 0.05), torch.log1p(changes / usual)], 1)


def cut_out(seen: Tensor, box: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cut what lies around boxes `[N, 4]` out of `views` `[N, 6, H, W]`: `[N, 7, 48, 48]`, and where the left top
    corner of that lies and what it spans, `[N, 2]` each, in fractions of the picture."""
    middle = (box[:, :2] + box[:, 2:]) / 2
    span = ((box[:, 2:] - box[:, :2]) * ROOM).clamp(LEAST, MOST)
    corner = middle - span / 2
    at = (torch.arange(SIDE, device=box.device) + 0.5) / SIDE
    x, y = (2 * (corner[:, i : i + 1] + at * span[:, i : i + 1]) - 1 for i in (0, 1))
    grid = torch.stack([x[:, None, :].expand(-1, SIDE, -1), y[:, :, None].expand(-1, -1, SIDE)], -1)
    cut = F.grid_sample(seen, grid, align_corners=False)
    inside = (grid.abs() <= 1).all(-1)[:, None].to(cut)
    return torch.cat([cut, inside], 1), corner, span


def drawn(net: Outline, seen: Tensor, box: Tensor, passes: int = PASSES) -> Tensor:
    """Boxes `[N, 4]` drawn anew by the picture, fractions of it within 0..1."""
    for _ in range(passes):
        cut, corner, span = cut_out(seen, box)
        told = net(cut)
        low, high = corner + told[:, :2] * span, corner + told[:, 2:] * span
        low, high = low.clamp(0, 0.99), high.clamp(0.01, 1)
        box = torch.cat([torch.minimum(low, high - 0.01), high], 1)
    return box


def mirrored(box: Tensor) -> Tensor:
    """Boxes `[N, 4]` as they lie when left is right."""
    return torch.stack([1 - box[:, 2], box[:, 1], 1 - box[:, 0], box[:, 3]], 1)


def changed(change: np.ndarray, onset: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How much changes, grey levels float32 `[S, 3, H, W]`: around the readings `at` `[S]`, over all of `change` int8
    `[T, H, W]`, and weighted by the evidence of onsets `[T]`."""
    moved = np.abs(change.astype(np.float32))
    time = np.arange(len(moved))
    near = (np.abs(time[None] - at[:, None]) <= NEAR).astype(np.float32)
    now = np.tensordot(near / near.sum(1, keepdims=True), moved, 1)
    weight = np.square(onset.astype(np.float32)) + 1e-4
    struck = np.tensordot(weight / weight.sum(), moved, 1)
    return np.stack([now, *(np.broadcast_to(m, now.shape) for m in (moved.mean(0), struck))], 1)


@torch.inference_mode()
def redrawn(
    net: Outline, box: np.ndarray, at: np.ndarray, pictures: np.ndarray, changes: np.ndarray
) -> np.ndarray:
    """The boxes float32 `[T, 4]` of a stretch, drawn to the edges in pictures uint8 `[S, 96, 128, 3]` of its readings
    `at` `[S]`, rising, with what `changed` there. Between two pictures a box keeps between the two corrections.

    The mirror image is looked at as well, so that a mirrored clip reads the same, mirrored.
    """
    if not len(at):
        return box
    colours = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    seen = views(colours, torch.from_numpy(changes))
    first = torch.from_numpy(box[at])
    other = mirrored(drawn(net, seen.flip(-1), mirrored(first)))
    outlined = ((drawn(net, seen, first) + other) / 2).numpy()
    correction = SHARE * (_spans(outlined) - _spans(box[at]))
    time = np.arange(len(box))
    spans = _spans(box) + np.stack([np.interp(time, at, c) for c in correction.T], 1)
    size = np.exp(spans[:, 2:])
    found = np.concatenate([spans[:, :2] - size / 2, spans[:, :2] + size / 2], 1)
    return np.clip(found, 0, 1).astype(np.float32)


def _spans(box: np.ndarray) -> np.ndarray:
    """Centres and logarithms of sizes `[N, 4]`."""
    size = np.log(np.maximum(box[:, 2:] - box[:, :2], 0.01))
    return np.concatenate([(box[:, :2] + box[:, 2:]) / 2, size], 1).astype(np.float64)
