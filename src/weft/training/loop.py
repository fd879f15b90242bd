"""The one training loop: codec, generator and spotter are all trained by `train`.

What is learnt is given by two functions: `batch_at(step)`, a pure function of the step, and
`step(batch, generator)`, which returns the losses. All else (optimiser, schedule, clipping, moving average,
log, checkpoints, resuming, clean stops) is here, the same on CPU and CUDA. A run that is stopped and
resumed ends in the same bits as one that never stopped, unless `minutes` ties the schedule to the clock.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from weft.training.checkpoint import CHECKPOINT, Kept, ema_weights, restore, save
from weft.training.muon import Muon
from weft.training.processes import ALONE, Processes
from weft.training.schedule import cosine, rise, stairs
from weft.training.stopping import stop_requests

__all__ = [
    "AVERAGES",
    "CHECKPOINT",
    "LOG",
    "LoopConfig",
    "NotFinite",
    "Outcome",
    "ema_weights",
    "learning_rate",
    "train",
]

log = logging.getLogger(__name__)

LOG = "log.jsonl"
AVERAGES = "averages"
"""The folder, in the run's, of the snapshots of post-hoc averages."""


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How to train. `steps` is where the run ends; with `minutes` it ends at whichever comes first."""

    steps: int
    minutes: float | None = None  # over all resumed parts; ties the schedule to the clock
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8  # of AdamW
    weight_decay: float = 1e-2
    warmup: int = 200  # steps of linear rise
    schedule: Literal["cosine", "stairs"] = "cosine"
    floor: float = 0.02  # of the learning rate, at the end of the cosine
    milestones: tuple[float, ...] = (0.8, 0.9)  # shares of the run after which the stairs go down
    factor: float = 0.1  # ... and by how much
    clip: float = 1.0  # global norm of the gradient
    ema: float | None = 0.999  # None keeps no such average
    averages: tuple[float, ...] = ()  # widths of post-hoc averages (see `weft.training.averages`)
    average_every: int = 1  # steps
    snapshot_every: int = 5000  # steps between snapshots of the averages; the last step is always one
    half_snapshots: bool = True  # in half precision
    bf16: bool = False  # autocast around `step`
    optimiser: Literal["adamw", "muon"] = "adamw"
    seed: int = 0
    device: str = "cpu"
    log_every: int = 50
    checkpoint_minutes: float = 5.0
    tolerance: int = 3  # updates in a row that may be skipped as not finite before the run is given up


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where a call of `train` ended: `finished` is False when a signal stopped it."""

    step: int
    finished: bool
    minutes: float


class NotFinite(RuntimeError):
    """The loss or its gradient stopped being a number; the message names the step."""


def learning_rate(config: LoopConfig, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine from `learning_rate` to `floor` of it, or stairs. `progress` 0..1 is over
    the run."""
    if config.schedule == "stairs":
        share = stairs(progress, config.milestones, config.factor)
    else:
        share = cosine(progress, config.floor)
    return config.learning_rate * rise(step, config.warmup) * share


def train(
    module: nn.Module,
    step: Callable[[Any, torch.Generator], dict[str, Tensor]],
    batch_at: Callable[[int], Any],
    config: LoopConfig,
    folder: Path,
    *,
    on_checkpoint: Callable[[int], None] | None = None,
    across: Processes = ALONE,
) -> Outcome:
    """Train `module` in place; log to `folder/log.jsonl`, keep `folder/checkpoint.pt`, resume from it if
    there.

    `step(batch, generator)` returns a dict whose `"loss"` is minimised; what else it holds is only logged.
    Its randomness must come from `generator` (on the config's device). `batch_at(n)` must be a pure
    function of n; tensors in it (alone, or in a tuple, list or dict) are moved to the device. Only
    parameters that require a gradient are trained. SIGINT and SIGTERM end the run after the current step,
    with a checkpoint; a second one acts as usual. `on_checkpoint(step)` runs after each checkpoint is in
    place. With `config.averages` snapshots are kept in `folder/averages`.

    Among several processes (`across`) `step` must be the module itself, each process gives the losses of its
    share of the batch, gradients are their mean, and the first process writes the files.

    Raises NotFinite after more than `config.tolerance` steps in a row whose loss or gradient is not finite,
    ValueError when, among several processes, `step` is not the module or the clock is to end the run.
    """
    if across.count > 1 and step is not module:
        raise ValueError(f"among {across.count} processes only the module's own forward shares its gradients")
    if across.count > 1 and config.minutes is not None:
        raise ValueError("several processes would read several clocks: give steps alone, and no minutes")
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device(across.device or config.device)
    module.to(device).train()
    forward = across.wrapped(module) if step is module else step
    optimiser = _optimiser(module, config)
    generator = torch.Generator(device).manual_seed(config.seed)
    kept = Kept.of(module, config, first=across.first)
    at, spent, skipped = 0, 0.0, 0
    if (folder / CHECKPOINT).is_file():
        at, spent, skipped = restore(folder / CHECKPOINT, module, optimiser, kept, generator)
        if across.first:
            _append(folder / LOG, {"step": at, "resumed": True})
    across.wait()
    begun = saved = logged = time.monotonic()
    sums: dict[str, tuple[float, int]] = {}  # by name: a step need not report every loss
    count = 0

    def progress() -> float:
        by_clock = (
            0.0 if config.minutes is None else (spent + (time.monotonic() - begun) / 60) / config.minutes
        )
        return max(at / config.steps, by_clock)

    def checkpoint() -> None:
        minutes = spent + (time.monotonic() - begun) / 60
        if across.first:
            save(folder / CHECKPOINT, module, optimiser, kept, generator, (at, minutes, skipped))
            if on_checkpoint is not None:
                on_checkpoint(at)

    def snapshot() -> None:
        dtype = torch.float16 if config.half_snapshots else torch.float32
        if kept.averages is not None:
            kept.averages.write(folder / AVERAGES, at, dtype)

    with stop_requests() as stop:
        while (done := progress()) < 1 and not _anywhere(stop.is_set(), device, across):
            rate = learning_rate(config, at, done)
            for group in optimiser.param_groups:
                group["lr"] = rate
            with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
                losses = forward(_to(batch_at(at), device), generator)
            optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()
            norm = nn.utils.clip_grad_norm_(module.parameters(), config.clip)
            bad = not (math.isfinite(float(losses["loss"].detach())) and math.isfinite(float(norm)))
            if not _anywhere(bad, device, across):
                optimiser.step()
                kept.update(module, at, config)
                skipped = 0
            else:
                skipped += 1
                if across.first:
                    _append(folder / LOG, {"step": at, "skipped": "not finite"})
                if skipped > config.tolerance:
                    values = {k: float(v.detach()) for k, v in losses.items()}
                    raise NotFinite(
                        f"step {at}: gradient norm {float(norm)}, {values}; the last checkpoint is good"
                    )
            for key, value in (*losses.items(), ("gradient", norm)):
                total, times = sums.get(key, (0.0, 0))
                sums[key] = total + float(value.detach()), times + 1
            at, count = at + 1, count + 1
            if at % config.snapshot_every == 0:
                snapshot()
            if at % config.log_every == 0 and across.first:
                now = time.monotonic()
                line = {"step": at, "minutes": round(spent + (now - begun) / 60, 3), "rate": rate}
                line |= {key: round(total / times, 6) for key, (total, times) in sums.items()}
                _append(folder / LOG, line | {"steps_per_s": round(count / max(1e-9, now - logged), 3)})
                log.info("step %d loss %.4f", at, line["loss"])
                sums, count, logged = {}, 0, now
            if (time.monotonic() - saved) / 60 >= config.checkpoint_minutes:
                checkpoint()
                saved = logged = time.monotonic()
                sums, count = {}, 0
        finished = progress() >= 1
        if finished and at % config.snapshot_every:
            snapshot()
        checkpoint()
        across.wait()
    return Outcome(step=at, finished=finished, minutes=spent + (time.monotonic() - begun) / 60)


def _optimiser(module: nn.Module, config: LoopConfig) -> torch.optim.Optimizer | Muon:
    trained = [p for p in module.parameters() if p.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "muon":
        return Muon(trained, lr=rate, betas=config.betas, weight_decay=decay)
    return torch.optim.AdamW(trained, lr=rate, betas=config.betas, weight_decay=decay, eps=config.epsilon)


def _anywhere(here: bool, device: torch.device, across: Processes) -> bool:
    """Whether something is so in any process."""
    return here if across.count == 1 else bool(across.summed(torch.tensor(float(here), device=device)) > 0)


def _to(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: _to(value, device) for key, value in batch.items()}
    if isinstance(batch, list | tuple):
        return [_to(value, device) for value in batch]
    return batch


def _append(path: Path, line: dict[str, Any]) -> None:
    """Append one JSON line in a single write, so that no reader and no second writer ever sees half of it."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, (json.dumps(line) + "\n").encode())
    finally:
        os.close(handle)
