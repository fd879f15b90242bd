"""A latent out of noise: the network, its conditions and a guidance term, run by the one sampler without waste.

What does not change from step to step is computed once (conditions projected, times embedded), all predictions that
the guidance needs are one batch, and the layers before they differ run once for all of them. Each of these is exact to
the rounding of matrix products.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from weft.diffusion.guidance import Combination, Predict, alike, standing
from weft.diffusion.process import Process, RectifiedFlow
from weft.diffusion.sampler import sample
from weft.diffusion.steering import Steer
from weft.generators.conditions import Conditions, Prepared, fit_together, joined
from weft.generators.mmdit import MMDiT


@torch.no_grad()
def latents(
    net: MMDiT,
    noise: Tensor,
    conditions: Mapping[str, Conditions],
    term: Combination,
    steps: int,
    *,
    process: Process | None = None,
    known: Tensor | None = None,
    mask: Tensor | None = None,
    steer: Steer | None = None,
    origin: Tensor | None = None,
    first: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Normalised latents [B, T, C] float32 from `noise` [B, T, C].

    `conditions` holds, by the names that `term` needs ("cond", "uncond"), what each prediction is told: for all B
    items, or for one, which is then projected once and holds for all. A negative prompt is the text of "uncond".
    `known`, `mask`, `steer`, `origin` and `first` as in `sample`. Raises KeyError for a missing name, ValueError for
    steps below 1.
    """
    if steps < 1:
        raise ValueError(f"{steps} sampler steps; give 1 or more")
    process = process or RectifiedFlow()
    batch, frames = noise.shape[:2]
    prepared = {name: _for_all(net, conditions[name], batch, frames) for name in term.needs}
    predict = guided_velocity(net, prepared, term, process.timesteps(steps).to(noise.device))
    return sample(
        predict,
        process,
        noise,
        steps,
        known=known,
        mask=mask,
        steer=steer,
        origin=origin,
        first=first,
        on_step=on_step,
    )


def guided_velocity(
    net: MMDiT, prepared: Mapping[str, Prepared], term: Combination, times: Tensor | None = None
) -> Predict:
    """The prediction that `term` makes of the network's, for a sampler: one pass of the network a call.

    Where the conditions have different numbers of tokens it is a pass for each. `times` are those the sampler will ask
    for: they are embedded together at once; any other time is embedded when it comes.
    """
    grouped: dict[tuple[str, ...], list[Prepared]] = {}
    embedded = {} if times is None else dict(zip(times.tolist(), net.t_embed(times).split(1), strict=True))

    def told(names: tuple[str, ...]) -> list[Prepared]:
        if names not in grouped:
            parts = [prepared[name] for name in names]
            grouped[names] = [joined(parts)] if fit_together(parts) else parts
        return grouped[names]

    def predict(z: Tensor, t: Tensor) -> Tensor:
        now = standing(term, t)
        time = embedded.get(float(t[0])) if alike(t) else None
        time = net.t_embed(t) if time is None else time.expand(len(z), -1)
        outs = [net.flow(z, time, group) for group in told(now.needs)]
        return now(dict(zip(now.needs, torch.cat(outs).split(len(z)), strict=True)))

    return predict


def _for_all(net: MMDiT, conditions: Conditions, batch: int, frames: int) -> Prepared:
    """Conditions of `batch` items, or of one for all of them."""
    given = (conditions.clip, conditions.sync, conditions.text, conditions.reference)
    counts = {len(value) for value in given if value is not None}
    if counts <= {1} and batch > 1:
        return joined([net.prepare(conditions, 1, frames)] * batch)
    return net.prepare(conditions, batch, frames)
