"""From features to numbers: every clip, the set, baselines and intervals.

Clips come in an order that follows from their samples, so neither names nor the order of files changes a number, nor
does writing the same sounds again. Means and intervals are `weft.metrics.result`'s, of every family alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from weft.evaluation.comparisons import Measured
from weft.evaluation.features import Arrays
from weft.evaluation.result import Score
from weft.evaluation.table import Baseline, Row
from weft.metrics.interval import halves_for
from weft.metrics.result import Result, few_rows, mean_of, whole_of
from weft.progress import Progress, silent

Load = Callable[[int, Literal["made", "true", "silence"]], Measured]
"""Features by full name of clip number i: of the predicted sound, of the reference, of silence as long."""
FLOORS = 3


@dataclass(kw_only=True)
class Board:
    """What `score` found: the rows, each clip's values, and what failed per clip."""

    scores: list[Score] = field(default_factory=list)
    values: list[dict[str, float]] = field(default_factory=list)
    failures: list[list[str]] = field(default_factory=list)


@dataclass(kw_only=True)
class _Held:
    """What a row keeps of the clips: its digest of each, of what stands in for it, and how many rows it embeds."""

    clips: list[Any] = field(default_factory=list)
    instead: dict[str, list[Any]] = field(default_factory=dict)
    true: list[Measured] = field(default_factory=list)
    rows: list[int] = field(default_factory=lambda: [0, 0])
    d: int | None = None


def score(
    rows: Sequence[Row], count: int, load: Load, others: Sequence[int | None], *, progress: Progress = silent
) -> Board:
    """Score `count` clips on `rows`. `others[i]` is the clip whose reference stands in for a shuffled one, or None.

    A row for which no clip has the features gets no score. A comparison that raises ValueError fails that clip.
    """
    board = Board(values=[{} for _ in range(count)], failures=[[] for _ in range(count)])
    kept = {r.name: _Held() for r in rows}
    for i in range(count):
        progress("score", 0.8 * i / count)
        made, true, other = load(i, "made"), load(i, "true"), others[i]
        stand_in: dict[Baseline, Measured] = {"reference": true, "silence": load(i, "silence")}
        if other is not None:
            stand_in["shuffled"] = load(other, "true")
        for row in rows:
            a, b = _seen(row, made, "made"), _seen(row, true, "true")
            if a is None or b is None:
                continue
            held, metric = kept[row.name], row.metric
            try:
                digest = row.compare(a, b)
            except ValueError as error:
                board.failures[i].append(f"{row.name}: {error}")
                continue
            held.clips.append(digest if metric.pool else _number(digest))
            if not metric.pool:
                board.values[i][row.name] = held.clips[-1]
            for baseline in metric.baselines:
                held.instead.setdefault(baseline, []).append(_stood_in(row, stand_in.get(baseline), b))
            for name, value in (metric.chance(a, b) if metric.chance else {}).items():
                said = held.instead.setdefault(name, [])
                said += [None] * (len(held.clips) - 1 - len(said))  # clips that chance says nothing of
                said.append(value)
            if metric.floor:
                held.true.append(b)
            _count(held, a, b, metric.size(digest) if metric.size else None)
    for k, row in enumerate(rows):
        progress("score", 0.8 + 0.2 * k / len(rows))
        if kept[row.name].clips:
            board.scores.append((_of_set if row.metric.pool else _of_clips)(row, kept[row.name]))
    progress("score", 1.0)
    return board


def _count(held: _Held, made: Measured, true: Measured, size: tuple[int, int, int] | None) -> None:
    """Add the rows that an embedder gave for a clip, or those that the metric says it made of them (`size`)."""
    if size is not None:
        held.rows[0], held.rows[1], held.d = held.rows[0] + size[0], held.rows[1] + size[1], size[2]
        return
    for side, features in enumerate((true, made)):
        for name, arrays in features.items():
            if name.endswith("@"):
                held.rows[side] += len(arrays["rows"])
                held.d = int(arrays["rows"].shape[1])


def _seen(row: Row, features: Measured, side: Literal["made", "true"]) -> Measured | None:
    """What a row sees of a clip, under the names its metric uses; None when something is missing."""
    wanted = row.features(side)
    if any(full not in features for full in wanted.values()):
        return None
    view: dict[str, Arrays] = {name: features[full] for name, full in wanted.items()}
    if side == "true" and "cues" in features:
        view["cues"] = features["cues"]
    return view


def _stood_in(row: Row, features: Measured | None, true: Measured) -> Any:
    """What a row says of a clip with other features in place of the predicted sound's; None where it says nothing."""
    instead = None if features is None else _seen(row, features, "made")
    if instead is not None:
        with suppress(ValueError):
            return row.compare(instead, true)
    return None


def _number(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _of_clips(row: Row, held: _Held) -> Score:
    """The mean over clips, and what stands beside it over the same clips."""
    said = {name: values for name, values in held.instead.items() if any(v is not None for v in values)}
    beside = {
        name: [math.nan if v is None else v for v in values] + [math.nan] * (len(held.clips) - len(values))
        for name, values in said.items()
    }
    return _row(row, held, mean_of(held.clips, baselines=beside))


def _of_set(row: Row, held: _Held) -> Score:
    """One number of all clips."""
    m = row.metric
    pool = m.pool
    assert pool is not None
    try:
        told = m.told(held.clips) if m.told else None
        there = {k: digests for k, digests in held.instead.items() if not any(d is None for d in digests)}
        found = whole_of(
            held.clips,
            pool,
            halves=m.halves or halves_for(max(held.rows)),
            least=m.least,
            most=m.most,
            baselines={k: _tried(pool, digests) for k, digests in there.items()}
            | (told.baselines if told else {}),
            parts=told.parts if told else {},
            floor=_floor(row, held.true) if m.floor else None,
        )
    except ValueError as error:
        lost = Result(value=math.nan, n=len(held.clips), flags=(f"refused: {error}",))
        return _row(row, held, lost)
    short = few_rows((held.rows[0], held.rows[1]), held.d or 0, m.rows_per_d)
    return _row(row, held, replace(found, flags=(*short, *found.flags)))


def _row(row: Row, held: _Held, found: Result) -> Score:
    m, e = row.metric, row.embedder
    sized = replace(
        found,
        embedder=e.name if e else None,
        rows=(held.rows[0], held.rows[1]) if e else None,
        d=held.d,
    )
    return Score(
        **vars(sized),
        name=row.name,
        title=m.title,
        unit=m.unit,
        better=m.better,
        windows=e.windows if e else None,
    )


def _floor(row: Row, true: list[Measured]) -> float:
    """The mean size of the number between random halves of the reference clips; NaN with fewer than 4."""
    n, half = len(true), len(true) // 2
    if n < 4 or row.metric.pool is None:
        return math.nan
    rng = np.random.default_rng(1)
    found = []
    for _ in range(FLOORS):
        order = rng.permutation(n)
        sides = zip(order[:half], order[half : 2 * half], strict=True)
        found.append(abs(_tried(row.metric.pool, [row.compare(true[a], true[b]) for a, b in sides])))
    return float(np.mean(found))


def _tried(pool: Callable[[Sequence[Any]], float], clips: Sequence[Any]) -> float:
    try:
        return _number(pool(clips))
    except ValueError:
        return math.nan
