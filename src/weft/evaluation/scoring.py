"""From features to numbers: every clip, the set, baselines and intervals.

Clips come in an order that follows from their samples, so neither names nor the order of files changes a number, nor
does writing the same sounds again.
A mean over clips has a bootstrap interval. A number of the whole set has not: drawing clips with replacement repeats
rows, which narrows the spread that distances measure. It has the interval of half-sampling instead (a jackknife that
leaves out half, Shao & Wu 1989): value ± 1.96 times the standard deviation over random halves of the clips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from weft.evaluation.comparisons import Measured
from weft.evaluation.features import Arrays
from weft.evaluation.result import Score
from weft.evaluation.table import Baseline, Row
from weft.metrics.interval import bootstrap
from weft.progress import Progress, silent

Load = Callable[[int, Literal["made", "true", "silence"]], Measured]
"""Features by full name of clip number i: of the predicted sound, of the reference, of silence as long."""
HALVES = 24
FLOORS = 3
BIG = 30_000  # rows in a set of embeddings above which fewer halves are drawn
FEW = 10
ONE = "one clip: no interval"


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
                held.instead.setdefault(name, []).append(value)
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
    given = np.array(held.clips)
    known = given[~np.isnan(given)]
    flags = []
    if known.size < given.size:
        what = f"{given.size - known.size} of {given.size} clips"
        flags.append(f"undefined for {what} (silent, still or too short)")
    if not known.size:
        return _row(row, held, value=math.nan, n=0, flags=tuple(flags))
    found = bootstrap(known)
    if known.size == 1:
        flags.append(ONE)
    return _row(
        row,
        held,
        value=found.value,
        n=known.size,
        low=found.low if known.size > 1 else math.nan,
        high=found.high if known.size > 1 else math.nan,
        interval="bootstrap over clips",
        baselines=_means(held.instead, ~np.isnan(given)),
        flags=tuple(flags),
    )


def _of_set(row: Row, held: _Held) -> Score:
    """One number of all clips."""
    m, n = row.metric, len(held.clips)
    pool = m.pool
    assert pool is not None
    try:
        value = _number(pool(held.clips))
        parts = m.parts(held.clips) if m.parts else {}
    except ValueError as error:
        return _row(row, held, value=math.nan, n=n, flags=(f"refused: {error}",))
    there = {k: digests for k, digests in held.instead.items() if not any(d is None for d in digests)}
    baselines = {k: _tried(pool, digests) for k, digests in there.items()}
    flags = _few_rows(row, held)
    draws = m.halves or (HALVES if max(held.rows) <= BIG else FEW)
    spread = _half_spread(pool, held.clips, draws)
    if math.isnan(spread):
        flags.append(ONE if n == 1 else f"{n} clips: too few for an interval")
    return _row(
        row,
        held,
        value=min(max(value, m.least), m.most),
        raw=value if not m.least <= value <= m.most else None,
        n=n,
        low=math.nan if math.isnan(spread) else max(value - 1.96 * spread, m.least),
        high=math.nan if math.isnan(spread) else min(value + 1.96 * spread, m.most),
        interval=f"half-sampling of clips, {draws} halves",
        baselines=baselines | (m.beside(held.clips) if m.beside else {}),
        floor=_floor(row, held.true) if m.floor else None,
        parts=parts,
        flags=tuple(flags),
    )


def _row(row: Row, held: _Held, **found: Any) -> Score:
    m, e = row.metric, row.embedder
    return Score(
        name=row.name,
        title=m.title,
        unit=m.unit,
        better=m.better,
        embedder=e.name if e else None,
        windows=e.windows if e else None,
        rows=(held.rows[0], held.rows[1]) if e else None,
        d=held.d,
        **found,
    )


def _few_rows(row: Row, held: _Held) -> list[str]:
    least = row.metric.rows_per_d * (held.d or 0)
    if min(held.rows) >= least:
        return []
    return [
        f"{min(held.rows)} rows of {held.d} dimensions, fewer than {row.metric.rows_per_d:g} D = {least:g}: "
        "mostly the bias of a small set; read it beside its floor, or read the kernel discrepancy"
    ]


def _half_spread(pool: Callable[[Sequence[Any]], float], clips: list[Any], draws: int) -> float:
    """The standard deviation over random halves of the clips; NaN with fewer than 4 clips."""
    n = len(clips)
    if n < 4:
        return math.nan
    rng = np.random.default_rng(0)
    found = [_tried(pool, [clips[k] for k in np.sort(rng.permutation(n)[: n // 2])]) for _ in range(draws)]
    known = [v for v in found if not math.isnan(v)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else math.nan


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


def _means(instead: dict[str, list[float | None]], counted: np.ndarray) -> dict[str, float]:
    """Each baseline's mean over the clips `counted` `[n]` that the value counts; none where it says nothing at all."""
    out = {}
    for name, values in instead.items():
        if any(v is not None for v in values):
            some = [_number(v) for v, counts in zip(values, counted, strict=True) if counts and v is not None]
            known = [v for v in some if not math.isnan(v)]
            out[name] = float(np.mean(known)) if known else math.nan
    return out
