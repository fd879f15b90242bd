"""The spotter's losses: when and where from motion, the material from colours.

Colours reach only the material branch, which is trained by itself on descriptions of the pictures.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.cues.vocabulary import ACTIONS
from weft.spotting import motion
from weft.spotting.appearance import looks
from weft.spotting.network import PICTURE_RATE, Seen, SpotterNet
from weft.training.examples import READINGS, Examples

ONSET_WIDTH_S = 0.022
FLOOR = 1e-3  # RMS below which levels are alike
SUSTAINED = tuple(ACTIONS.index(a) for a in ("scratch", "roll"))


def losses(net: SpotterNet, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The losses of one batch of `batch`; "loss" is their weighted sum."""
    out = net.read(Seen(**{f.name: given[f.name] for f in fields(Seen)}))
    events = given["events"]
    time = torch.arange(out["onset"].shape[1], device=events.device) / motion.RATE
    apart = events[:, None, :, 0] - time[None, :, None]  # [B, T, E]
    nearest = apart.abs().argmin(2, keepdim=True)
    gap = apart.gather(2, nearest)[..., 0]
    of_nearest = events.gather(1, nearest.expand(-1, -1, 4))  # [B, T, 4]
    target = torch.exp(-0.5 * (gap / ONSET_WIDTH_S).square())
    close = (gap.abs() < 0.06).float()
    about = close.sum().clamp_min(1.0)
    result = {
        "onset": F.binary_cross_entropy_with_logits(out["onset"], target, weight=1 + 4 * target),
        "offset": ((out["offset"] - gap) / 0.04).abs().clamp(max=4).mul(close).sum() / about,
        "strength": (out["strength"] - of_nearest[..., 1]).abs().mul(close).sum() / about,
    }
    box = given["box"]
    known = box.isfinite().all(-1).float()
    filled = box.nan_to_num(0.5)
    count = known.sum().clamp_min(1.0)
    result["box"] = ((out["box"] - filled).abs().mean(-1) * known).sum() / count
    # Boxes span a factor of ten: a share of the true size is what overlap feels.
    size, true_size = ((x[..., 2:] - x[..., :2]).clamp_min(0.02).log() for x in (out["box"], filled))
    result["size"] = ((size - true_size).abs().mean(-1) * known).sum() / count
    result["iou"] = ((1 - iou(out["box"], filled)) * known).sum() / count
    result["heat"] = (_surprise(out["heat"], filled) * known).sum() / count
    # Which of all that moves has struck: without being told, finding out takes long among things that only move.
    told_where = known * close
    result["struck"] = (_surprise(out["struck"], filled) * told_where).sum() / told_where.sum().clamp_min(1.0)
    seen = given["depth"].isfinite().float()
    result["depth"] = (
        (out["depth"] - given["depth"].nan_to_num()).abs() * seen
    ).sum() / seen.sum().clamp_min(1.0)
    real = int((given["material"] >= 0).sum())  # the world's examples, which come first
    told = given["level"].isfinite().all(1)
    if told.any():
        wanted = torch.pow(10.0, given["level"][told] / 20)
        made = out["level"][told]
        result["level"] = ((made + FLOOR).log10() - (wanted + FLOOR).log10()).abs().mean()
        result["envelope"] = 1 - _correlation(made, wanted).mean()
    if real:
        acting = (close > 0) & (of_nearest[..., 2] >= 0)
        if acting.any():
            result["action"] = F.cross_entropy(out["action"][acting], of_nearest[..., 2][acting].long())
        lasting = torch.zeros_like(gap[:real])
        for a in SUSTAINED:
            during = (
                (-apart[:real] >= 0)
                & (-apart[:real] < events[:real, None, :, 3])
                & (events[:real, None, :, 2] == a)
            )
            lasting = torch.maximum(lasting, during.any(2).float())
        result["sustained"] = F.binary_cross_entropy_with_logits(out["sustained"][:real], lasting)
    weights = {
        "onset": 4.0, "offset": 0.15, "strength": 0.5, "box": 2.0, "size": 0.7, "iou": 1.5, "depth": 0.5, "level": 0.5,
        "envelope": 0.7, "action": 0.2, "sustained": 0.2, "heat": 0.3, "struck": 0.3,
    }  # fmt: skip
    result["loss"] = torch.stack([weights[k] * v for k, v in result.items()]).sum()
    return result


def looked(world: list[Examples], rng: np.random.Generator, times: int = 2) -> tuple[Tensor, Tensor]:
    """Describe every clip's pictures, varied anew `times` times: (`looks` `[M, 855]`, material `[M]`), clip by clip.

    Heat stands where the true box is, give or take; a box that is unknown gives flat heat.
    """
    rows, columns = motion.GRID
    y, x = (np.arange(rows)[:, None] + 0.5) / rows, (np.arange(columns)[None] + 0.5) / columns
    found, said = [], []
    for part, i in ((p, i) for p in world for i in np.repeat(np.arange(len(p)), times)):
        shown = rng.choice(8, 2, replace=False)
        pictures = _look(part.pictures[i][shown], rng)
        heat = []
        for k in shown:
            x1, y1, x2, y2 = part.box[i, min(int(k * motion.RATE / PICTURE_RATE), READINGS - 1)]
            cx = (x1 + x2) / 2 + 0.06 * rng.standard_normal()
            cy = (y1 + y2) / 2 + 0.06 * rng.standard_normal()
            spot = np.exp(-0.5 * (np.square((x - cx) / 0.1) + np.square((y - cy) / 0.12)))
            heat.append(spot if np.isfinite(spot).all() and spot.sum() > 0.05 else np.ones((rows, columns)))
        warm = torch.from_numpy(np.stack(heat).astype(np.float32))
        found.append(looks(torch.from_numpy(pictures), warm))
        said += [int(part.material[i])] * len(shown)
    return torch.cat(found), torch.tensor(said)


def look_loss(
    net: SpotterNet, described: Tensor, material: Tensor, generator: torch.Generator, *, noise: float
) -> dict[str, Tensor]:
    """The loss of the appearance branch on `looked` rows; `noise`, in spreads, is added to the descriptions, and
    every row is mixed with another (Zhang et al. 2018, mixup, with Beta(1/2, 1/2)): there are few clips."""
    rows = described + noise * torch.randn(described.shape, generator=generator) * net.look.spread
    other = torch.randperm(len(rows), generator=generator)
    share = torch.sin(torch.pi / 2 * torch.rand(len(rows), generator=generator)).square()
    told = net.material(net.look.learn(torch.lerp(rows[other], rows, share[:, None]))).float()
    lost = [
        F.cross_entropy(told, m, label_smoothing=0.05, reduction="none") for m in (material, material[other])
    ]
    right = (told.argmax(1) == material).float().mean()
    return {"loss": (share * lost[0] + (1 - share) * lost[1]).mean(), "right": right}


def _look(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pictures uint8 `[S, 96, 128, 3]` to float `[S, 3, 96, 128]`, light varied."""
    out = pictures.astype(np.float32).transpose(0, 3, 1, 2) / 255
    tint = np.exp(0.1 * rng.standard_normal((1, 3, 1, 1))) * np.exp(0.25 * rng.standard_normal())
    out = out * tint.astype(np.float32) + np.float32(0.06 * rng.standard_normal())
    out = out + np.float32(rng.choice([0.0, 0.02, 0.05])) * rng.standard_normal(out.shape, dtype=np.float32)
    if rng.random() < 0.15:
        out = np.repeat(out.mean(1, keepdims=True), 3, 1)
    return np.clip(out, 0, 1).astype(np.float32)


def _surprise(heat: Tensor, box: Tensor) -> Tensor:
    """Cross entropy `[B, T]` of heat `[B, T, rows, columns]` against a blot at the centre of the box: soft-argmax alone
    learns from a flat start too slowly."""
    rows, columns = heat.shape[-2:]
    y = (torch.arange(rows, device=heat.device)[:, None] + 0.5) / rows
    x = (torch.arange(columns, device=heat.device)[None] + 0.5) / columns
    cx, cy = ((box[..., i] + box[..., i + 2])[..., None, None] / 2 for i in (0, 1))
    blot = torch.exp(-0.5 * (((x - cx) * columns).square() + ((y - cy) * rows).square()))
    blot = blot / blot.sum((-2, -1), keepdim=True).clamp_min(1e-6)
    return -(blot * (heat + 1e-6).log()).sum((-2, -1))


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1) + 1e-9).sqrt()


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union `[...]` of boxes `[..., 4]`."""
    overlap = (
        (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp_min(0).prod(-1)
    )
    total = (a[..., 2:] - a[..., :2]).clamp_min(0).prod(-1) + (b[..., 2:] - b[..., :2]).clamp_min(0).prod(-1)
    return overlap / (total - overlap + 1e-6)
