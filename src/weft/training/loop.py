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
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from weft.training.muon import Muon

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How to train. `steps` is where the run ends; with `minutes` it ends at whichever comes first."""

    steps: int
    minutes: float | None = None  # over all resumed parts; ties the schedule to the clock
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-2
    warmup: int = 200  # steps of linear rise
    floor: float = 0.02  # of the learning rate, at the end of the cosine
    clip: float = 1.0  # global norm of the gradient
    ema: float = 0.999
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
    """Linear warm-up, then a cosine from `learning_rate` to `floor` of it. `progress` 0..1 is over the
    run."""
    cosine = config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup)) * cosine


def ema_weights(folder: Path) -> dict[str, Tensor]:
    """Return the moving average of the weights from the checkpoint in `folder`, on the CPU."""
    return dict(torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["ema"])


def train(
    module: nn.Module,
    step: Callable[[Any, torch.Generator], dict[str, Tensor]],
    batch_at: Callable[[int], Any],
    config: LoopConfig,
    folder: Path,
    *,
    on_checkpoint: Callable[[int], None] | None = None,
) -> Outcome:
    """Train `module` in place; log to `folder/log.jsonl`, keep `folder/checkpoint.pt`, resume from it if
    there.

    `step(batch, generator)` returns a dict whose `"loss"` is minimised; what else it holds is only logged.
    Its randomness must come from `generator` (on the config's device). `batch_at(n)` must be a pure
    function of n; tensors in it (alone, or in a tuple, list or dict) are moved to the device. Only
    parameters that require a gradient are trained. SIGINT and SIGTERM end the run after the current step,
    with a checkpoint; a second one acts as usual. `on_checkpoint(step)` runs after each checkpoint is in
    place.

    Raises NotFinite after more than `config.tolerance` steps in a row whose loss or gradient is not finite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device(config.device)
    module.to(device).train()
    optimiser = (Muon if config.optimiser == "muon" else torch.optim.AdamW)(
        [p for p in module.parameters() if p.requires_grad],
        lr=config.learning_rate,
        betas=config.betas,
        weight_decay=config.weight_decay,
    )
    generator = torch.Generator(device).manual_seed(config.seed)
    ema = {k: v.detach().clone() for k, v in module.state_dict().items()}
    at, spent, skipped = 0, 0.0, 0
    if (folder / CHECKPOINT).is_file():
        at, spent, skipped = _restore(folder / CHECKPOINT, module, optimiser, ema, generator)
        _append(folder / LOG, {"step": at, "resumed": True})
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
        _save(folder / CHECKPOINT, module, optimiser, ema, generator, (at, minutes, skipped))
        if on_checkpoint is not None:
            on_checkpoint(at)

    with _stop_requests() as stop:
        while (done := progress()) < 1 and not stop.is_set():
            rate = learning_rate(config, at, done)
            for group in optimiser.param_groups:
                group["lr"] = rate
            with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
                losses = step(_to(batch_at(at), device), generator)
            optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()
            norm = nn.utils.clip_grad_norm_(module.parameters(), config.clip)
            if math.isfinite(float(losses["loss"].detach())) and math.isfinite(float(norm)):
                optimiser.step()
                _average(ema, module, min(config.ema, (1 + at) / (10 + at)))
                skipped = 0
            else:
                skipped += 1
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
            if at % config.log_every == 0:
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
        checkpoint()
    return Outcome(step=at, finished=finished, minutes=spent + (time.monotonic() - begun) / 60)


@torch.no_grad()
def _average(ema: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    """Move `ema` towards the module's state: by `1 - decay` for real tensors, wholly for counters."""
    for key, value in module.state_dict().items():
        if value.is_floating_point():
            ema[key].lerp_(value, 1 - decay)
        else:
            ema[key].copy_(value)


def _to(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: _to(value, device) for key, value in batch.items()}
    if isinstance(batch, list | tuple):
        return [_to(value, device) for value in batch]
    return batch


def _save(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer | Muon,
    ema: dict[str, Tensor],
    generator: torch.Generator,
    counters: tuple[int, float, int],
) -> None:
    state = {
        "model": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "ema": ema,
        "generator": generator.get_state(),
        "counters": counters,
        "torch_rng": torch.get_rng_state(),  # dropout inside modules draws from it
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _restore(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer | Muon,
    ema: dict[str, Tensor],
    generator: torch.Generator,
) -> tuple[int, float, int]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    for key, value in state["ema"].items():
        ema[key].copy_(value)
    generator.set_state(state["generator"])
    torch.set_rng_state(state["torch_rng"])
    if torch.cuda.is_available() and state["cuda_rng"]:
        torch.cuda.set_rng_state_all(state["cuda_rng"])
    step, minutes, skipped = state["counters"]
    return int(step), float(minutes), int(skipped)


def _append(path: Path, line: dict[str, Any]) -> None:
    """Append one JSON line in a single write, so that no reader and no second writer ever sees half of it."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, (json.dumps(line) + "\n").encode())
    finally:
        os.close(handle)


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets; the old handlers come back with it and at the
    end."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals can only be caught in the main thread
        return
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in old.items():
            signal.signal(number, handler)

    def request(_number: int, _frame: Any) -> None:
        stop.set()
        restore()

    for number in old:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        restore()
