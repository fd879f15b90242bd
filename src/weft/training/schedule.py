"""The learning rate over a run, as a share of its highest: a rise, then a cosine or steps down."""

from __future__ import annotations

import math
from collections.abc import Sequence


def rise(step: int, warmup: int) -> float:
    """Linear warm-up: share of the rate at step 0, 1, ...; 1 from step `warmup` - 1 on."""
    return min(1.0, (step + 1) / max(1, warmup))


def cosine(progress: float, floor: float) -> float:
    """Half a cosine from 1 at `progress` 0 to `floor` at 1 and after."""
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def stairs(progress: float, milestones: Sequence[float], factor: float) -> float:
    """1, times `factor` for every milestone that `progress` 0..1 has reached.

    MMAudio (Cheng et al. 2024, supplement H): a tenth after 80% of the steps and again after 90%.
    """
    return factor ** sum(progress >= milestone for milestone in milestones)
