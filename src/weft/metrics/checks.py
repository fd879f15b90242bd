"""What every metric asks of its inputs, and errors that guess the mistake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def wave(audio: ArrayLike, name: str = "audio") -> NDArray[np.float64]:
    """Return `audio` as float64 `[C, N]`; `[N]` becomes one channel.

    Raises ValueError for other shapes, no samples, NaN or infinity, or more channels than samples.
    """
    array = np.asarray(audio, dtype=np.float64)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{name} has shape {np.shape(audio)}, but must be [channels, samples] with some samples"
        )
    if array.shape[0] > max(array.shape[1], 2):
        raise ValueError(
            f"{name} has shape {np.shape(audio)}: did you pass [samples, channels]? transpose it"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    return array


def pair(estimate: ArrayLike, reference: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both sounds as `[C, N]` of one shape. Raises ValueError when they differ in channels or length."""
    a, b = wave(estimate, "estimate"), wave(reference, "reference")
    if a.shape != b.shape:
        raise ValueError(
            f"estimate is {a.shape} and reference {b.shape}: cut both to one length, one channel count"
        )
    return a, b


def pairs(
    estimates: Sequence[ArrayLike], references: Sequence[ArrayLike]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the clips' sounds as `pair` does. Raises ValueError as it does with the clip's number, without clips, or
    when the lists do not pair."""
    if len(estimates) != len(references) or not len(references):
        raise ValueError(f"{len(estimates)} estimates do not pair with {len(references)} references")
    out = []
    for index, (estimate, reference) in enumerate(zip(estimates, references, strict=True)):
        try:
            out.append(pair(estimate, reference))
        except ValueError as error:
            raise ValueError(f"clip {index}: {error}") from error
    return out


def times(values: ArrayLike, name: str = "onsets") -> NDArray[np.float64]:
    """Return event times as a sorted float64 `[n]`.

    Raises ValueError for other shapes, negative or non-finite times, or times that look like milliseconds.
    """
    array = (
        np.asarray(values, dtype=np.float64).reshape(-1)
        if np.size(values) == 0
        else np.asarray(values, float)
    )
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}, but must be a list of seconds")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    if array.size and array.min() < 0:
        raise ValueError(f"{name} holds {array.min():g}: times start at 0")
    if array.size and array.max() > 30_000:
        raise ValueError(
            f"{name} holds {array.max():g}: did you supply milliseconds or samples instead of seconds?"
        )
    return np.sort(array)
