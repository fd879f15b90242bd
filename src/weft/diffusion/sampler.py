"""From noise to data: Euler's method on any process, and noise that belongs to an item and a place, not to
a batch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from weft.diffusion.guidance import Predict
from weft.diffusion.process import Process
from weft.diffusion.steering import Moment, Steer

NOISE_BLOCK = 64
"""Latent frames drawn together; a frame's noise is a function of its absolute place alone."""


def frame_noise(seed: int, item: int, start: int, frames: int, channels: int) -> Tensor:
    """Standard normal noise [frames, channels] float32 for latent frames start .. start + frames of one item.

    The same (seed, item, absolute frame) always gets the same numbers: whatever window it falls in, whatever
    other items run beside it. Values of `seed` and `item` are any integers >= 0.
    """
    first, last = start // NOISE_BLOCK, -(-(start + frames) // NOISE_BLOCK)
    blocks = [
        np.random.default_rng([seed, item, block, channels]).standard_normal(
            (NOISE_BLOCK, channels), dtype=np.float32
        )
        for block in range(first, max(last, first + 1))
    ]
    offset = start - first * NOISE_BLOCK
    return torch.from_numpy(np.concatenate(blocks)[offset : offset + frames])


@torch.no_grad()
def sample(
    predict: Predict,
    process: Process,
    noise: Tensor,
    steps: int,
    *,
    known: Tensor | None = None,
    mask: Tensor | None = None,
    steer: Steer | None = None,
    origin: Tensor | None = None,
    first: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Integrate from `noise` [B, T, D] to data with `steps` deterministic Euler steps.

    Each step splits the mixture into the data and the noise the prediction implies and mixes them again at
    the
    next time: Euler's step for a flow, DDIM's for a diffusion. An item's result depends on its own noise and
    condition only, to the rounding of batched matrix products (about 1e-5).

    The state and the times are in float32 or finer whatever the noise's type: steps smaller than its rounding would
    be lost.

    known, mask: where `mask` [B, T, 1] is 1 the result is `known` [B, T, D]; the rest is made to fit it.
    origin, first: begin at step `first` from data `origin` [B, T, D] with the noise of that time in it, not from noise
    alone (SDEdit, Meng et al. 2022, section 3); `first` = `steps` gives `origin` back.
    steer: may push the mixture after each step (see `weft.diffusion.steering`).
    """
    if steps < 1:
        raise ValueError(f"{steps} sampler steps; give 1 or more")
    if not 0 <= first <= steps:
        raise ValueError(f"first step {first} of {steps}; give 0 to {steps}")
    z = noise.to(torch.promote_types(noise.dtype, torch.float32))
    eps = z
    times = process.timesteps(steps).to(z.device)
    if origin is not None:
        z = process.noise(origin.to(z), eps, times[first].expand(len(z)))
    for i in range(first, steps):
        now, then = times[i].expand(len(z)), times[i + 1].expand(len(z))
        if known is not None and mask is not None:
            z = torch.where(mask > 0, process.noise(known, eps, now), z)
        out = predict(z, now).to(z.dtype)
        before, z = z, process.noise(process.x0(z, now, out), process.eps(z, now, out), then)
        if steer is not None:
            z = steer(
                Moment(
                    step=i,
                    steps=steps,
                    process=process,
                    before=before,
                    now=now,
                    then=then,
                    out=out,
                    z=z,
                    predict=predict,
                )
            )
        if on_step is not None:
            on_step(i + 1)
    if known is not None and mask is not None:
        z = torch.where(mask > 0, known, z)
    return z
