"""The checks behind every cue; a fault is told by its place, the value as written and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.cues.words import closest, shown
from weft.errors import CueError


def check_number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise CueError(f"{name}: {shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CueError(f"{name}: {shown(value)} is not a finite number")
    return number


def check_array(name: str, values: Any, ndim: int) -> NDArray[np.float64]:
    """A fresh float array of `ndim` axes; the first fault is named by its place, such as rms[3]."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        array = np.array(values, dtype=np.float64)
    else:
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise CueError(f"{name}: {shown(values)} is not a list of numbers")
        if ndim == 2:
            rows = [check_array(f"{name}[{i}]", row, 1) for i, row in enumerate(values)]
            for i, row in enumerate(rows):
                if row.size != 4:
                    raise CueError(f"{name}[{i}]: {row.size} numbers; give the four of [x1, y1, x2, y2]")
            array = np.array(rows, dtype=np.float64).reshape(len(rows), -1)
        else:
            if not set(map(type, values)) <= {float}:
                values = [check_number(f"{name}[{i}]", v) for i, v in enumerate(values)]
            array = np.array(values, dtype=np.float64)
    if array.ndim != ndim:
        raise CueError(f"{name}: an array of {array.ndim} axes; give {ndim}")
    check_each(name, array, np.isfinite(array), "is not a finite number")
    return array


def check_each(name: str, values: NDArray[np.float64], fine: ArrayLike, fault: str) -> None:
    places = np.argwhere(np.logical_not(fine))
    if places.size:
        place = places[0]
        value = values[tuple(place)]
        where = "".join(f"[{i}]" for i in place)
        raise CueError(f"{name}{where}: {shown(value.tolist())} {fault}")


def rounded(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    kept = np.round(values, decimals) + 0.0
    kept.setflags(write=False)
    return kept


def check_word(name: str, word: Any, known: tuple[str, ...]) -> None:
    if word is None or word in known:
        return
    hint = f"; did you mean {near}?" if (near := closest(word, known)) else ""
    raise CueError(f"{name}: {shown(word)} is not known{hint} (known: {', '.join(known)})")


def check_text(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise CueError(f"{name}: {shown(value)} is not text")
    if value is not None and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise CueError(f"{name}: holds half a character (a lone surrogate); write it again")


def tuple_of(name: str, values: Any, kind: type) -> tuple[Any, ...]:
    items = tuple(values)
    for i, item in enumerate(items):
        if not isinstance(item, kind):
            raise CueError(f"{name}[{i}]: {shown(item)} is not a {kind.__name__}")
    return items
