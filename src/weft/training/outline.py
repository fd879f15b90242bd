"""What the outline is trained on: boxes as the motion part finds them on training clips, and the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weft.spotting.motion import RATE
from weft.spotting.network import PICTURE_RATE
from weft.spotting.outline import Outline, changed, cut_out, drawn, mirrored, views
from weft.spotting.reader import Reader
from weft.training.arrays import Arrays
from weft.training.examples import Examples
from weft.training.spotter import iou

LEVELS = 4.0  # a map of changes is kept in quarters of a grey level, up to 64
STRAY = (0.0, 0.1, 0.2)  # spreads of what is added to a found box, in its own sizes
NEAR = 0.3  # share of the examples that start about the true box, as a second pass does
ASTRAY = (0.25, 0.3)  # how far that start lies off: centre in sizes, size in logarithms


@dataclass(frozen=True, kw_only=True)
class Found(Arrays):
    """N pictures uint8 `[N, 96, 128, 3]`, what changes in them uint8 `[N, 3, 96, 128]` (quarters of a grey level), the
    true box and the one that the motion part found, fractions `[N, 4]`."""

    pictures: np.ndarray
    changes: np.ndarray
    box: np.ndarray
    found: np.ndarray

    def __len__(self) -> int:
        return len(self.box)

    def taken(self, rows: np.ndarray) -> Found:
        return Found(
            pictures=self.pictures[rows],
            changes=self.changes[rows],
            box=self.box[rows],
            found=self.found[rows],
        )

    def views(self) -> Tensor:
        """What the network looks at, as drawn."""
        pictures = torch.from_numpy(self.pictures).float().permute(0, 3, 1, 2) / 255
        return views(pictures, torch.from_numpy(self.changes).float() / LEVELS)


def found(part: Examples, reader: Reader) -> Found:
    """What the motion part finds in the pictures of examples, where a true box is known."""
    rows = []
    at = np.round(np.arange(part.pictures.shape[1]) * RATE / PICTURE_RATE).astype(int)
    for i in range(len(part)):
        known = np.isfinite(part.box[i][at]).all(1)
        if not known.any():
            continue
        readings = reader.read_motion(part.motion(i))
        changes = changed(part.change[i], readings.onset, at)
        rows.append(
            Found(
                pictures=part.pictures[i][known],
                changes=np.clip(np.round(LEVELS * changes), 0, 255).astype(np.uint8)[known],
                box=part.box[i][at][known],
                found=readings.box[at][known],
            )
        )
    return Found.joined(rows)


def read(folders: list[Path]) -> Found:
    """Join kept parts in memory."""
    return Found.joined([Found.load(f) for f in folders])


def batch(data: Found, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    """`count` examples varied: light and grain, mirrored or not, and where the first look is."""
    some = data.taken(np.sort(rng.integers(0, len(data), count)))
    pictures = torch.from_numpy(some.pictures).float().permute(0, 3, 1, 2) / 255
    noise = torch.Generator().manual_seed(int(rng.integers(2**62)))

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=noise)

    pictures = (
        pictures * torch.exp(0.12 * normal(count, 3, 1, 1) + 0.25 * normal(count, 1, 1, 1))
        + 0.06 * normal(count, 1, 1, 1)
        + 0.02 * torch.rand(count, 1, 1, 1, generator=noise) * normal(*pictures.shape)
    )
    colourless = torch.rand(count, 1, 1, 1, generator=noise) < 0.15
    pictures = torch.where(colourless, pictures.mean(1, keepdim=True), pictures)
    seen = views(pictures, torch.from_numpy(some.changes).float() / LEVELS)
    true = torch.from_numpy(some.box).float()
    spread = torch.from_numpy(rng.choice(STRAY, (count, 1)).astype(np.float32))
    start = _astray(torch.from_numpy(some.found).float(), spread * normal(count, 4), 0.05)
    about = torch.tensor([ASTRAY[0], ASTRAY[0], ASTRAY[1], ASTRAY[1]]) * normal(count, 4)
    near = torch.rand(count, 1, generator=noise) < NEAR
    start = torch.where(near, _astray(true, about, 0.03), start)
    if rng.random() < 0.5:
        seen, true, start = seen.flip(-1), mirrored(true), mirrored(start)
    return {"seen": seen, "true": true, "start": start}


def _astray(box: Tensor, by: Tensor, least: float) -> Tensor:
    """A box whose centre lies off by `by[:, :2]` of its size, and whose size by `by[:, 2:]` in logarithms."""
    size = (box[:, 2:] - box[:, :2]).clamp_min(least)
    middle = (box[:, :2] + box[:, 2:]) / 2 + by[:, :2] * size
    size = size * by[:, 2:].exp()
    return torch.cat([middle - size / 2, middle + size / 2], 1)


def losses(net: Outline, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses of a batch: "edges", how far they lie off in cut-outs, and 1 - IoU."""
    cut, corner, span = cut_out(given["seen"], given["start"])
    told = net(cut).float()
    true = given["true"]
    wanted = torch.cat([(true[:, :2] - corner) / span, (true[:, 2:] - corner) / span], 1).clamp(-0.1, 1.1)
    box = torch.cat([corner + told[:, :2] * span, corner + told[:, 2:] * span], 1)
    result = {"edges": (told - wanted).abs().mean(), "iou": (1 - iou(box, true)).mean()}
    result["loss"] = 2 * result["edges"] + result["iou"]
    return result


@torch.inference_mode()
def score(net: Outline, data: Found, passes: int) -> tuple[float, float]:
    """Mean IoU of the found boxes, and of those drawn anew."""
    net.eval()
    outlined = []
    for first in range(0, len(data), 128):
        some = data.taken(np.arange(first, min(first + 128, len(data))))
        outlined.append(drawn(net, some.views(), torch.from_numpy(some.found).float(), passes))
    true = torch.from_numpy(np.array(data.box)).float()
    before = iou(torch.from_numpy(np.array(data.found)).float(), true)
    return float(before.mean()), float(iou(torch.cat(outlined), true).mean())
