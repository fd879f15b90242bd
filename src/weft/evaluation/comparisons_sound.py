"""Comparisons of the sound itself: log-mel spectrograms, and what one sound says alone; see `comparisons.py`."""

from __future__ import annotations

import numpy as np

from weft.evaluation.comparisons import Measured, as_long


def mel_error_db(made: Measured, true: Measured) -> float:
    """The mean absolute difference of the log-mel spectrograms, silent frames included."""
    from weft.metrics.spectrum import FLOOR_DB

    b = true["mel"]["db"]
    return float(np.abs(as_long(made["mel"]["db"], b.shape[-1], FLOOR_DB) - b).mean(dtype=np.float64))


def mel_error_active_db(made: Measured, true: Measured) -> float:
    """The same where the reference exceeds -60 dB; NaN when it never does."""
    from weft.metrics.spectrum import ACTIVE_DB, FLOOR_DB

    b = true["mel"]["db"]
    where = b > ACTIVE_DB
    apart = np.abs(as_long(made["mel"]["db"], b.shape[-1], FLOOR_DB) - b)
    return float(apart[where].mean(dtype=np.float64)) if where.any() else float("nan")


def of_itself(made: Measured, true: Measured, *, field: str) -> float:
    """A field of weft.metrics.sound.Sound; the reference is not asked."""
    return float(made["sound"][field])
