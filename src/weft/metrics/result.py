"""What every metric returns: its number, and what the number rests on.

Conventions: a value has the unit that its file names; shares lie in 0..1. `n` counts what the interval was drawn over
and `of` says what that is: clips, as a rule; rows, places or queries where a function is not told of clips. What does
not apply is None, and NaN where it applies and cannot be had. A mean over clips has a bootstrap interval; a number of a
whole set has one of half-sampling (`weft.metrics.interval` says why).

A family's own result is a `Result` with further fields. `parts` holds by name what belongs to the value without being
one, `baselines` what others score in the estimate's place: silence, shuffled, random, ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.interval import HALVES, bootstrap, half_spread

Clip = TypeVar("Clip")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Who turned sound, pictures or words into what is compared, as the caller says: `embedder` its name, `sha256` that
    of its weights, `rate` the sampling-rate path, "48000 → 16000 Hz mono". None where no network took part."""

    embedder: str | None = None
    sha256: str | None = None
    rate: str = ""


UNSAID = Source()


@dataclass(frozen=True, kw_only=True)
class Result:
    """A number. `low`, `high` its 95% interval over `n` `of`, made as `interval` says; `raw` what was computed where
    that is outside the metric's range; `rows` (reference, estimate) and `d` what an embedder gave; `floor` what random
    halves of the reference score; `embedder`, `sha256`, `rate` as in `Source`; `flags` why to be careful."""

    value: float
    n: int
    of: str = "clips"
    raw: float | None = None
    low: float = math.nan
    high: float = math.nan
    interval: str = ""
    embedder: str | None = None
    sha256: str | None = None
    rate: str = ""
    rows: tuple[int, int] | None = None
    d: int | None = None
    floor: float | None = None
    baselines: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Return what every result has by name, to make another family's result of."""
        return {f.name: getattr(self, f.name) for f in fields(Result)}


def mean_of(
    values: ArrayLike,
    *,
    of: str = "clips",
    baselines: Mapping[str, ArrayLike] | None = None,
    parts: Mapping[str, float] | None = None,
    d: int | None = None,
    source: Source = UNSAID,
) -> Result:
    """Return the mean of `values` `[n]`, one a clip, with its bootstrap interval.

    Clips whose value is NaN or infinite are left out, counted in a flag, and weigh in no baseline either: each of
    `baselines` is `[n]` like the values, or one number. NaN with n = 0 when no clip is left. Raises ValueError for
    other shapes.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or not given.size:
        raise ValueError(f"values have shape {given.shape}, but must be one number for each of some {of}")
    known = np.isfinite(given)
    flags = []
    if not known.all():
        flags.append(f"undefined for {(~known).sum()} of {given.size} {of} (silent, still or too short)")
    told = {"of": of, "parts": dict(parts or {}), "d": d, **vars(source)}
    if not known.any():
        return Result(value=math.nan, n=0, flags=tuple(flags), **told)
    found = bootstrap(given[known])
    single = found.n == 1
    return Result(
        value=found.value,
        n=found.n,
        low=math.nan if single else found.low,
        high=math.nan if single else found.high,
        interval=f"bootstrap over {of}",
        baselines={name: _mean(beside, known) for name, beside in (baselines or {}).items()},
        flags=(*flags, *([alone(of)] if single else ())),
        **told,
    )


def whole_of(
    clips: Sequence[Clip],
    pool: Callable[[Sequence[Clip]], float],
    *,
    value: float | None = None,
    of: str = "clips",
    halves: int = HALVES,
    seed: int = 0,
    least: float = -math.inf,
    most: float = math.inf,
    baselines: Mapping[str, float] | None = None,
    parts: Mapping[str, float] | None = None,
    rows: tuple[int, int] | None = None,
    d: int | None = None,
    floor: float | None = None,
    source: Source = UNSAID,
) -> Result:
    """Return the number that `pool` makes of all `clips` (or `value`, where it is known), with its interval of
    half-sampling.

    The value is clamped to `least`..`most`; `raw` is set where that changed it. `halves`: how many random halves, 0 for
    no interval. Under 4 clips there is none, and a flag says so. Raises ValueError as `pool` does of all clips.
    """
    n = len(clips)
    whole = pool(clips) if value is None else value
    value = float(whole) if math.isfinite(whole) else math.nan
    spread = half_spread(clips, pool, halves=halves, seed=seed) if halves else math.nan
    lacking = halves > 0 and math.isnan(spread)
    return Result(
        value=min(max(value, least), most),
        raw=value if not least <= value <= most and not math.isnan(value) else None,
        n=n,
        of=of,
        low=math.nan if math.isnan(spread) else min(max(value - 1.96 * spread, least), most),
        high=math.nan if math.isnan(spread) else min(max(value + 1.96 * spread, least), most),
        interval=f"half-sampling of {of}, {halves} halves" if halves else "",
        baselines=dict(baselines or {}),
        parts=dict(parts or {}),
        rows=rows,
        d=d,
        floor=floor,
        flags=((alone(of) if n == 1 else f"{n} {of}: too few for an interval"),) if lacking else (),
        **vars(source),
    )


def alone(of: str = "clips") -> str:
    """The flag of a value that rests on one clip, row or place."""
    one = {"queries": "query", "boxes": "box"}.get(of, of.removesuffix("s"))
    return f"one {one}: no interval"


def _mean(values: ArrayLike, counted: NDArray[np.bool_]) -> float:
    """The mean of what is finite where `counted`."""
    every = np.broadcast_to(np.asarray(values, dtype=np.float64), counted.shape)[counted]
    known = every[np.isfinite(every)]
    return float(known.mean()) if known.size else math.nan


def few_rows(rows: tuple[int, int], d: int, per_d: float = 2.0) -> tuple[str, ...]:
    """The flag of a distance between sets with fewer than `per_d` rows a dimension; none where there are enough."""
    if min(rows) >= per_d * d:
        return ()
    return (
        f"{min(rows)} rows of {d} dimensions, fewer than {per_d:g} D = {per_d * d:g}: "
        "mostly the bias of a small set; read it beside its floor, or read the kernel discrepancy",
    )
