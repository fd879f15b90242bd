"""The picture as tokens, for a generator that is to sound like what it sees."""

from __future__ import annotations

import numpy as np

from weft.spotting.readings import Readings

COUNT = 4


def picture_tokens(readings: Readings) -> np.ndarray | None:
    """What a whole clip's readings say of the material: probabilities float32 `[4, 17]`, one row for each quarter of
    the clip; None where nothing was said (the classical detector does not look at colours)."""
    if not readings.material.any():
        return None
    middle = (np.arange(len(readings)) + 0.5) / len(readings) * COUNT
    quarters = [readings.material[middle.astype(int) == k] for k in range(COUNT)]
    return np.stack([(q if len(q) else readings.material).mean(0) for q in quarters]).astype(np.float32)
