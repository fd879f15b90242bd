"""What the spotter is trained on, and its losses.

Examples are motion measured once (from the world's clips and from `scribbles`) and varied here for every step:
mirrored, shifted, slowed, quickened, smoothed, blurred, overlaid, with noise and lost cells. Either view of the
motion, the cells of flow or the grey pictures, is now and then missing altogether, so that neither is leant on alone;
colours reach only the material branch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.spotting import motion
from weft.spotting.network import PICTURE_RATE, Seen, SpotterNet, looks

READINGS = 100  # of a 4-s example
WINDOW = 80  # of a training step; what is left is room for tempo
EVENTS = 48
ONSET_WIDTH_S = 0.03
MERGED_S = 0.03  # contacts this near are one onset
NO_PICTURES, NO_CELLS, BLURRED, OVERLAID = 0.06, 0.03, 0.1, 0.07
FLOOR = 1e-3  # RMS below which levels are alike
SUSTAINED = tuple(ACTIONS.index(a) for a in ("scratch", "roll"))


@dataclass(frozen=True, kw_only=True)
class Examples:
    """N examples of 4 s. cells float16 `[N, 100, 7, 12, 16]`, overall float32 `[N, 100, 6]` (the sixth: cut), grey,
    change and clock as in `motion.Motion`; events `[N, 48, 4]`: time, strength, action, duration, time -1 where there
    is none; box `[N, 100, 4]`, depth and
    level (dB re full scale) `[N, 100]`, NaN where unknown; material `[N]`, -1 unknown; pictures uint8
    `[N, 8, 96, 128, 3]` at `PICTURE_RATE`, or N = 0 when the examples have none."""

    cells: np.ndarray
    overall: np.ndarray
    grey: np.ndarray
    change: np.ndarray
    clock: np.ndarray
    events: np.ndarray
    box: np.ndarray
    depth: np.ndarray
    level: np.ndarray
    material: np.ndarray
    pictures: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)

    def save(self, folder: Path) -> None:
        aside = folder.with_name(f".{folder.name}")
        aside.mkdir(parents=True, exist_ok=True)
        for f in fields(self):
            np.save(aside / f"{f.name}.npy", getattr(self, f.name))
        aside.replace(folder)

    @classmethod
    def load(cls, folder: Path) -> Examples:
        """Read by memory map what `save` wrote."""
        return cls(**{f.name: np.load(folder / f"{f.name}.npy", mmap_mode="r") for f in fields(cls)})

    def motion(self, i: int) -> motion.Motion:
        """Example i as the reader takes it."""
        return motion.Motion(
            cells=self.cells[i].astype(np.float32),
            overall=np.asarray(self.overall[i, :, :5]),
            cut=self.overall[i, :, 5] > 0.5,
            grey=np.array(self.grey[i]),
            change=np.array(self.change[i]),
            clock=np.array(self.clock[i]),
        )

    def onsets(self, i: int) -> np.ndarray:
        """The times of its events `[n]`, sorted."""
        t = self.events[i][:, 0]
        return np.sort(t[t >= 0])


def parts(data: Path, kind: str) -> list[Examples]:
    """The parts "train", "val", "test" or "drawn" measured so far under `data`."""
    return [Examples.load(p) for p in sorted(data.glob(f"{kind}-*"))]


def from_world(part: Path) -> Examples:
    """Measure one part of the world cache (`frames.npy`, `audio.npy`, `labels.json`)."""
    labels = json.loads((part / "labels.json").read_text())
    frames = np.load(part / "frames.npy", mmap_mode="r")
    audio = np.load(part / "audio.npy", mmap_mode="r")
    rows = []
    for i, label in enumerate(labels):
        first, count, fps = label["first"], label["frames"], label["fps"]
        clip = frames[first : first + count]
        seen = motion.join(motion.measure(((k / fps, clip[k]) for k in range(count)), READINGS / motion.RATE))
        at = np.minimum(np.round(np.arange(8) / PICTURE_RATE * fps).astype(int), count - 1)
        own = np.clip(
            np.round(np.arange(READINGS) / motion.RATE * fps).astype(int), 0, len(label["boxes"]) - 1
        )
        box = np.array([b if b is not None else [np.nan] * 4 for b in label["boxes"]], np.float32)[own]
        rows.append(
            Examples(
                cells=seen.cells.astype(np.float16),
                overall=np.concatenate([seen.overall, seen.cut[:, None]], 1).astype(np.float32),
                grey=seen.grey,
                change=seen.change,
                clock=seen.clock,
                events=_events(label["events"]),
                box=np.clip(box, 0, 1),
                depth=np.array(label["depth"], np.float32)[own],
                level=level_db(audio[i].astype(np.float32) / 32767),
                material=np.array(MATERIALS.index(label["material"])),
                pictures=clip[at],
            )
        )
    return _stack(rows)


def from_scribbles(seeds: range) -> Examples:
    """Draw and measure scribbles. They tell onsets and boxes only, and have no pictures worth looking at."""
    from weft.training import scribbles

    rows = []
    for seed in seeds:
        drawn = scribbles.draw(seed)
        seen = motion.join(
            motion.measure(zip(drawn.times, drawn.frames, strict=True), READINGS / motion.RATE)
        )
        events = [{"t": t, "strength": s} for t, s in zip(drawn.onsets, drawn.strengths, strict=True)]
        rows.append(
            Examples(
                cells=seen.cells.astype(np.float16),
                overall=np.concatenate([seen.overall, seen.cut[:, None]], 1).astype(np.float32),
                grey=seen.grey,
                change=seen.change,
                clock=seen.clock,
                events=_events(events),
                box=np.full((READINGS, 4), np.nan, np.float32) if drawn.box is None else drawn.box,
                depth=np.full(READINGS, np.nan, np.float32),
                level=np.full(READINGS, np.nan, np.float32),
                material=np.array(-1),
                pictures=np.zeros((0, 96, 128, 3), np.uint8),
            )
        )
    return _stack(rows)


def level_db(audio: np.ndarray, rate: int = 44100) -> np.ndarray:
    """RMS in dB re full scale `[100]` of `audio` `[2, N]` in windows of 60 ms around each reading."""
    total = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64).mean(0))])
    centre = np.arange(READINGS) / motion.RATE * rate
    low = np.clip(centre - 0.03 * rate, 0, len(total) - 1).astype(int)
    high = np.clip(centre + 0.03 * rate, 0, len(total) - 1).astype(int)
    power = (total[high] - total[low]) / np.maximum(high - low, 1)
    return (10 * np.log10(power + 1e-8)).astype(np.float32)


def _events(given: list[dict]) -> np.ndarray:
    table = np.full((EVENTS, 4), -1, np.float32)
    heard: list[dict] = []
    for e in sorted((e for e in given if e.get("visible", True)), key=lambda e: e["t"]):
        if heard and e["t"] - heard[-1]["t"] < MERGED_S:
            heard[-1] = heard[-1] | {"strength": max(e["strength"], heard[-1]["strength"])}
        else:
            heard.append(e)
    for row, e in zip(table, heard, strict=False):
        row[:] = (
            e["t"],
            e["strength"],
            ACTIONS.index(e["action"]) if "action" in e else -1,
            e.get("duration", 0.0),
        )
    return table


def _stack(rows: list[Examples]) -> Examples:
    return Examples(**{f.name: np.stack([getattr(r, f.name) for r in rows]) for f in fields(Examples)})


def batch(
    world: list[Examples], drawn: list[Examples], rng: np.random.Generator, *, worlds: int, drawings: int
) -> dict[str, Tensor]:
    """Return one varied batch: `worlds` of the world's examples first, then `drawings` of the scribbles."""
    picked = [_any(world, rng) for _ in range(worlds)] + [_any(drawn, rng) for _ in range(drawings)]
    made = [_vary(source, i, drawn, rng) for source, i in picked]
    return {key: torch.from_numpy(np.stack([m[key] for m in made])) for key in made[0]}


def _any(parts: list[Examples], rng: np.random.Generator) -> tuple[Examples, int]:
    part = parts[int(rng.integers(len(parts)))]
    return part, int(rng.integers(len(part)))


def _vary(source: Examples, i: int, drawn: list[Examples], rng: np.random.Generator) -> dict[str, np.ndarray]:
    cells, overall = source.cells[i].astype(np.float32), source.overall[i, :, :5].copy()
    events, box = source.events[i].copy(), source.box[i].copy()
    level, depth = source.level[i], source.depth[i]
    grey, change, clock = source.grey[i], source.change[i], source.clock[i]
    if rng.random() < OVERLAID:
        other, j = _any(drawn, rng)
        cells, overall, events = _overlay(cells, overall, events, other, j)
        there = np.abs(other.change[j].astype(np.int16)) > np.abs(change.astype(np.int16)) + 6
        grey, change = np.where(there, other.grey[j], grey), np.where(there, other.change[j], change)
        box, level = np.full_like(box, np.nan), np.full_like(level, np.nan)
    tempo = float(np.clip(np.exp(0.18 * rng.standard_normal()), 0.7, 1.24))
    start = rng.uniform(0, READINGS - 1 - (WINDOW - 1) * tempo)
    at = start + np.arange(WINDOW) * tempo
    left = np.minimum(at.astype(int), READINGS - 2)
    w = (at - left).astype(np.float32)
    nearest = np.round(at).astype(int)

    def read(x: np.ndarray) -> np.ndarray:
        v = w.reshape(-1, *([1] * (x.ndim - 1)))
        return x[left] * (1 - v) + x[left + 1] * v

    cells, overall, box, level, depth = (read(x) for x in (cells, overall, box, level, depth))
    grey, change = grey[nearest], change[nearest]
    middle = (clock[nearest, 0] + (nearest - at) / motion.RATE) / tempo
    clock = np.stack([middle, clock[nearest, 1] / tempo], 1).astype(np.float32)
    cells[:, :4] *= tempo
    overall[:, :4] *= tempo
    t = (events[:, 0] - start / motion.RATE) / tempo
    gone = (events[:, 0] < 0) | (t < -0.1) | (t > WINDOW / motion.RATE + 0.1)
    events[:, 0], events[:, 3] = t, events[:, 3] / tempo
    events[gone] = -1
    events[gone, 0] = -9
    real = source.pictures.shape[1] > 0
    flips = rng.random() < 0.5, rng.random() < (0.0 if real else 0.25)
    shift = int(rng.integers(-2, 3)), int(rng.integers(-3, 4))
    cells, overall, box = _place(cells, overall, box, flips, shift)
    cells, overall = _spoil(cells, overall, rng)
    grey, change = (_moved(x, flips, shift) for x in (grey, change))
    grey, change = _worn(grey, change, rng)
    missing = rng.random()
    if missing < NO_PICTURES:
        grey, change = np.full_like(grey, 128), np.zeros_like(change)
    elif missing < NO_PICTURES + NO_CELLS:
        cells, overall = np.zeros_like(cells), np.zeros_like(overall)
    return {
        "cells": cells,
        "overall": overall,
        "grey": grey,
        "change": change,
        "clock": clock,
        "events": events,
        "box": box,
        "level": level,
        "depth": depth,
        "material": np.array(source.material[i], dtype=np.int64),
    }


def _moved(x: np.ndarray, flips: tuple[bool, bool], shift: tuple[int, int]) -> np.ndarray:
    """Mirror and shift pictures `[T, 96, 128]` as `_place` does cells; what comes in is grey or still."""
    x = x[:, :: -1 if flips[1] else 1, :: -1 if flips[0] else 1]
    if shift == (0, 0):
        return np.ascontiguousarray(x)
    out = np.full_like(x, 128 if x.dtype == np.uint8 else 0)
    to_y, from_y = _overlap(x.shape[1], shift[0] * motion.CELL)
    to_x, from_x = _overlap(x.shape[2], shift[1] * motion.CELL)
    out[:, to_y, to_x] = x[:, from_y, from_x]
    return out


_GRAIN = np.random.default_rng(5).standard_normal(2**21, dtype=np.float32)


def _worn(grey: np.ndarray, change: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise of a small sensor, a soft lens, a picture lost here and there."""
    if rng.random() < BLURRED:
        grey, change = (_soft(x) for x in (grey, change))
    grain = float(rng.choice([0.0, 0.0, 1.5, 4.0]))
    if grain:
        first = int(rng.integers(_GRAIN.size))
        noise = np.resize(np.roll(_GRAIN, -first), change[0].size + 997)
        offsets = rng.integers(0, 997, len(change))
        added = np.stack([noise[o : o + change[0].size] for o in offsets]).reshape(change.shape)
        change = np.clip(change + grain * added, -127, 127).astype(np.int8)
    if rng.random() < 0.2:
        lost = rng.random(len(change)) < 0.06
        change[lost] = 0
    return grey, change


def _soft(x: np.ndarray) -> np.ndarray:
    blurred = F.avg_pool2d(torch.from_numpy(x).float()[:, None], 3, 1, 1)[:, 0]
    return np.asarray(blurred.round().numpy().astype(x.dtype))


def _overlay(
    cells: np.ndarray, overall: np.ndarray, events: np.ndarray, drawn: Examples, j: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put the motion of a scribble over a clip: per cell, the faster of the two is seen."""
    other, beside = drawn.cells[j].astype(np.float32), drawn.overall[j, :, :5]
    faster = np.square(other[:, 2:4]).sum(1, keepdims=True) > np.square(cells[:, 2:4]).sum(1, keepdims=True)
    both = np.concatenate([events[events[:, 0] >= 0], drawn.events[j][drawn.events[j][:, 0] >= 0]])
    table = np.full_like(events, -1)
    both = both[np.argsort(both[:, 0])][:EVENTS]
    table[: len(both)] = both
    mixed = overall.copy()
    mixed[:, 0] = np.maximum(overall[:, 0], beside[:, 0])
    mixed[:, 1] = overall[:, 1] + beside[:, 1]
    return np.where(faster, other, cells), mixed, table


def _place(
    cells: np.ndarray, overall: np.ndarray, box: np.ndarray, flips: tuple[bool, bool], shift: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mirror and shift by whole cells; what comes in is empty."""
    if flips[0]:
        cells, box = cells[..., ::-1].copy(), box[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
        cells[:, [0, 2]] *= -1
        overall[:, 2] *= -1
    if flips[1]:
        cells, box = cells[..., ::-1, :].copy(), box[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, 1, 0, 1]
        cells[:, [1, 3]] *= -1
        overall[:, 3] *= -1
    rows, columns = motion.GRID
    moved = np.zeros_like(cells)
    to_y, from_y = _overlap(rows, shift[0])
    to_x, from_x = _overlap(columns, shift[1])
    moved[..., to_y, to_x] = cells[..., from_y, from_x]
    offset = [shift[1] / columns, shift[0] / rows] * 2
    return moved, overall, np.clip(box + offset, 0, 1).astype(np.float32)


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    return slice(max(0, shift), min(size, size + shift)), slice(max(0, -shift), min(size, size - shift))


def _spoil(cells: np.ndarray, overall: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    usual = float(np.sqrt(np.square(overall[:, 0]).mean())) + 0.02
    if rng.random() < 0.3:  # slower shutters and lower frame rates smear motion over readings
        cells, overall = _smear(cells), _smear(overall)
    noise = usual * float(rng.choice([0.0, 0.03, 0.1]))
    cells[:, :4] += (
        noise * rng.standard_normal(cells[:, :4].shape, dtype=np.float32) * [[[0.3]], [[0.3]], [[1]], [[1]]]
    )
    if rng.random() < 0.3:
        cells *= rng.random((1, 1, *motion.GRID)) > 0.08
    if rng.random() < 0.3:
        cells *= rng.random((len(cells), 1, *motion.GRID)) > 0.05
    cells[:, :4] *= np.float32(np.exp(0.4 * rng.standard_normal()))
    cells[:, 4:6] *= np.float32(np.exp(0.5 * rng.standard_normal()))
    cells[:, 6] *= np.float32(np.exp(0.5 * rng.standard_normal()))
    overall[:, :4] *= np.float32(np.exp(0.4 * rng.standard_normal()))
    overall[:, 4] *= np.float32(np.exp(0.5 * rng.standard_normal()))
    return cells.astype(np.float32), overall.astype(np.float32)


def _smear(x: np.ndarray) -> np.ndarray:
    padded = np.concatenate([x[:1], x, x[-1:]])
    return 0.5 * x + 0.25 * (padded[:-2] + padded[2:])


def _look(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pictures uint8 `[S, 96, 128, 3]` to float `[S, 3, 96, 128]`, light varied."""
    out = pictures.astype(np.float32).transpose(0, 3, 1, 2) / 255
    tint = np.exp(0.1 * rng.standard_normal((1, 3, 1, 1))) * np.exp(0.25 * rng.standard_normal())
    out = out * tint.astype(np.float32) + np.float32(0.06 * rng.standard_normal())
    out = out + np.float32(rng.choice([0.0, 0.02, 0.05])) * rng.standard_normal(out.shape, dtype=np.float32)
    if rng.random() < 0.15:
        out = np.repeat(out.mean(1, keepdims=True), 3, 1)
    return np.clip(out, 0, 1).astype(np.float32)


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
    result["iou"] = ((1 - _iou(out["box"], filled)) * known).sum() / count
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
        "onset": 4.0, "offset": 0.15, "strength": 0.5, "box": 2.0, "size": 0.7, "iou": 1.0, "depth": 0.5, "level": 0.5,
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


def _iou(a: Tensor, b: Tensor) -> Tensor:
    overlap = (
        (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp_min(0).prod(-1)
    )
    total = (a[..., 2:] - a[..., :2]).clamp_min(0).prod(-1) + (b[..., 2:] - b[..., :2]).clamp_min(0).prod(-1)
    return overlap / (total - overlap + 1e-6)
