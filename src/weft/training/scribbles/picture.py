"""Shapes as the camera sees them: the grey picture, and the box around a shape in it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from weft.training.scribbles.shapes import Shape, background

WIDTH, HEIGHT = 128, 96


def render(
    rng: np.random.Generator,
    shapes: list[Shape],
    camera: np.ndarray,
    flash: np.ndarray,
    clock: np.ndarray,
    times: np.ndarray,
) -> np.ndarray:
    """The picture at `times` `[T]` s, grey 0..255 float32 `[T, 96, 128]`, sharp or blurred by a double exposure.

    camera `[4, n]` (see camera_path) and flash `[n]` (added grey) are on the fine clock `[n]` s, as the shapes are.
    """
    shutter = rng.uniform(0.2, 1.0) / 30 if rng.random() < 0.5 else 0.0
    ground = background(rng)
    order = rng.permutation(len(shapes))
    total = None
    offsets = (0.0,) if shutter == 0 else (-shutter / 2, shutter / 2)
    for late in offsets:
        at = times + late
        cam = torch.from_numpy(np.stack([np.interp(at, clock, c) for c in camera]).astype(np.float32))
        picture = _expose(ground, [shapes[i] for i in order], cam, clock, at)
        total = picture if total is None else total + picture
    assert total is not None
    picture = total / len(offsets)
    picture += torch.from_numpy(np.interp(times, clock, flash).astype(np.float32))[:, None, None]
    return picture.clamp(0, 255).numpy()


def _expose(
    ground: torch.Tensor, shapes: list[Shape], cam: torch.Tensor, clock: np.ndarray, at: np.ndarray
) -> torch.Tensor:
    ys, xs = torch.meshgrid(
        (torch.arange(HEIGHT) + 0.5 - HEIGHT / 2) / WIDTH,
        (torch.arange(WIDTH) + 0.5 - WIDTH / 2) / WIDTH,
        indexing="ij",
    )
    cx, cy, zoom, turn = (c[:, None, None] for c in cam)
    wx = (xs * torch.cos(turn) - ys * torch.sin(turn)) * zoom + cx
    wy = (xs * torch.sin(turn) + ys * torch.cos(turn)) * zoom + cy
    grid = torch.stack([wx, wy * 4 / 3], -1)
    count = len(at)
    picture = F.grid_sample(
        ground.expand(count, -1, -1, -1), grid, padding_mode="reflection", align_corners=False
    )
    for shape in shapes:
        x, y, a = (
            torch.from_numpy(np.interp(at, clock, v).astype(np.float32))[:, None, None]
            for v in (shape.x, shape.y, np.broadcast_to(shape.angle, clock.shape))
        )
        dx, dy = wx - x, wy - y
        u = (dx * torch.cos(a) + dy * torch.sin(a)) / shape.half[0]
        v = (-dx * torch.sin(a) + dy * torch.cos(a)) / shape.half[1]
        layer = F.grid_sample(
            shape.sprite.expand(count, -1, -1, -1), torch.stack([u, v], -1), align_corners=False
        )
        alpha = layer[:, 1:]
        picture = picture + alpha * (layer[:, :1] - picture)
    return picture[:, 0]


def box_of(shape: Shape, camera: np.ndarray, clock: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The shape's bounding box as seen `[n, 4]` in fractions."""
    x, y, a, cx, cy, zoom, turn = (
        np.interp(at, clock, v)
        for v in (shape.x, shape.y, np.broadcast_to(shape.angle, clock.shape), *camera)
    )
    ex = np.abs(shape.half[0] * np.cos(a)) + np.abs(shape.half[1] * np.sin(a))
    ey = np.abs(shape.half[0] * np.sin(a)) + np.abs(shape.half[1] * np.cos(a))
    dx, dy = (x - cx) / zoom, (y - cy) / zoom
    sx, sy = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
    left, right = sx - ex / zoom + 0.5, sx + ex / zoom + 0.5
    upper, lower = (sy - ey / zoom) * WIDTH / HEIGHT + 0.5, (sy + ey / zoom) * WIDTH / HEIGHT + 0.5
    return np.clip(np.stack([left, upper, right, lower], 1), 0, 1).astype(np.float32)
