"""Does a take do as it is told: for each dial of the cue sheet, what was asked beside what was got.

Conventions: one call a dial, over the clips of a set, or its moments `[n]`. "Asked" is what the cue sheet says,
whoever wrote it; "got" is read off the sound alone, never off the sheet. The dials:

| dial | asked | got |
|---|---|---|
| when: onsets | times, s | times heard, s |
| when: envelope | RMS curve | RMS curve of the sound |
| where: pan, trajectory | pan of each moment, -1..1 | pan heard at it |
| where: depth | 0 (near) to 1 (far) | level of the blow, dB |
| what: material, prompt | a word | what a listener says it is |
| what: reference sound | a recording | its likeness to that recording |
| what: negative prompt | words to stay away from | likeness to them, asked and not; what a listener says it is |

A system that ignores a dial still scores something, as another clip's request may fit by luck; so every result says
what the same sounds score against the requests of other clips (`ignored`). A dial works if the two are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import envelope as envelopes
from weft.metrics import onset
from weft.metrics.interval import HALVES
from weft.metrics.result import Result, whole_of

Array = NDArray[np.float64]
Pooled = Callable[[Sequence[int]], float]


@dataclass(frozen=True, kw_only=True)
class Obedience(Result):
    """How one dial is obeyed. `value` (or `score`) is its own measure, named by `measure`, 1 the best; the baseline
    `ignored` the same measure against other clips' requests, NaN with one clip; `error` the mean distance of got from
    asked in `unit`, NaN where there is none; `n` clips or moments."""

    dial: str
    measure: str
    error: float
    unit: str

    @property
    def score(self) -> float:
        """How well it is obeyed."""
        return self.value

    @property
    def ignored(self) -> float:
        """The same against other clips' requests."""
        return self.baselines["ignored"]


def onsets(
    asked: Sequence[ArrayLike],
    got: Sequence[ArrayLike],
    *,
    tolerance_s: float = 0.05,
    halves: int = HALVES,
) -> Obedience:
    """Return the mean F1 of the onsets got `[k]` for those asked `[m]`, s, of each clip; the error is the mean distance
    of the pairs matched, s. `halves`, here and below: of how many halves of the clips or moments the interval is drawn,
    0 for none."""
    _paired(len(asked), len(got))
    clips, ignored = _beside(asked, got, lambda a, g: onset.scores(g, a, tolerance_s).f1)
    apart = [d for a, g in zip(asked, got, strict=True) for d in _distances(a, g, tolerance_s)]
    error = float(np.mean(apart)) if apart else float("nan")
    return _told(
        "onsets", "F1", len(clips), _mean_of(clips), ignored, error=error, unit="s", least=0.0, halves=halves
    )


def envelope(
    asked: Sequence[ArrayLike],
    got: Sequence[ArrayLike],
    *,
    floor_db: float = -60.0,
    halves: int = HALVES,
) -> Obedience:
    """Return the mean correlation of the RMS curves got `[F]` with those asked `[F]`, on one time grid a clip; the
    error is their mean distance, dB, both no lower than `floor_db`. Another clip's request is compared over the length
    that both have."""
    _paired(len(asked), len(got))

    def alike(a: ArrayLike, g: ArrayLike) -> float:
        x, y = np.asarray(a, dtype=np.float64), np.asarray(g, dtype=np.float64)
        length = min(x.size, y.size)
        return envelopes.correlation(x[:length], y[:length])

    low = 10 ** (floor_db / 20)
    apart = []
    for a, g in zip(asked, got, strict=True):
        x, y = (np.maximum(np.asarray(v, dtype=np.float64), low) for v in (a, g))
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(f"envelopes have shapes {x.shape} and {y.shape}: resample one to the other")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError(f"an envelope of shape {x.shape} holds NaN or infinity: give RMS, 0 for silence")
        apart.append(np.abs(20 * np.log10(y / x)).mean())
    clips, ignored = _beside(asked, got, alike)
    error = float(np.mean(apart))
    return _told("envelope", "r", len(clips), _mean_of(clips), ignored, error=error, unit="dB", halves=halves)


def pan(asked: ArrayLike, got: ArrayLike, *, halves: int = HALVES) -> Obedience:
    """Return the correlation of pans got `[n]` with those asked `[n]` at n moments of all clips, each in -1..1 (a
    trajectory is its moments); the error is their mean distance. The moments of other clips are those half the list
    away."""
    x, y = validate(asked, got)
    if max(np.abs(x).max(), np.abs(y).max()) > 1 + 1e-9:
        raise ValueError("a pan lies outside -1..1: -1 is left, 1 right")
    return _told(
        "pan",
        "r",
        x.size,
        lambda some: envelopes.correlation(x[list(some)], y[list(some)]),
        envelopes.correlation(np.roll(x, x.size // 2), y),
        error=float(np.abs(x - y).mean()),
        unit="pan",
        of="moments",
        halves=halves,
    )


def depth(asked: ArrayLike, level_db: ArrayLike, *, halves: int = HALVES) -> Obedience:
    """Return how surely what is asked to be nearer is louder: Spearman's rank correlation of depths asked `[n]` (0 near
    to 1 far) with the levels got `[n]` in dB, sign turned. Compare blows of one strength and material, else loudness
    has other reasons. There is no error, as a depth has no level of its own."""
    x, y = validate(asked, level_db)
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"depths reach from {x.min():g} to {x.max():g}: 0 is near, 1 far")

    def pooled(some: Sequence[int]) -> float:
        return envelopes.correlation(-_ranks(x[list(some)]), _ranks(y[list(some)]))

    ignored = envelopes.correlation(np.roll(-_ranks(x), x.size // 2), _ranks(y))
    return _told("depth", "rank r", x.size, pooled, ignored, of="moments", halves=halves)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 on, the mean rank for equals; scipy.stats would take a second to import for it."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def words(
    asked: Sequence[str], got: Sequence[str], *, dial: str = "material", halves: int = HALVES
) -> Obedience:
    """Return the share of sounds that a listener names as asked. Ignored is what the same answers score against all
    requests of other clips, so a listener that always says the commonest word gains nothing."""
    _paired(len(asked), len(got))
    same = np.array([[a == g for g in got] for a in asked])
    n = len(asked)
    own = np.diagonal(same).astype(np.float64)
    other = float((same.sum() - np.diagonal(same).sum()) / (n * (n - 1))) if n > 1 else float("nan")
    return _told(dial, "share", n, _mean_of(own), other, least=0.0, halves=halves)


def negative(
    without: ArrayLike,
    with_it: ArrayLike,
    *,
    elsewhere: tuple[ArrayLike, ArrayLike] | None = None,
    halves: int = HALVES,
) -> Obedience:
    """Return the share of clips whose likeness to the negative prompt falls when it is asked.

    `without` and `with_it` are cosines `[n]` of the sound with the negative prompt's words, of takes with one seed, not
    given and given the negative prompt; ties count a half. The error is the mean change, below 0 when it is obeyed.
    `elsewhere`: the same of these sounds with the words of other clips, `[m]` each; what falls there falls for another
    reason, as in a take that is like no words any more, and that share is `ignored`. Without them it is a half.
    """
    x, y = validate(without, with_it)
    beside = 0.5
    if elsewhere is not None and np.size(elsewhere[0]):
        beside = float(_fallen(*validate(*elsewhere)).mean())
    fallen, change = _fallen(x, y), float((y - x).mean())
    return _told(
        "negative",
        "share",
        x.size,
        _mean_of(fallen),
        beside,
        error=change,
        unit="cosine",
        least=0.0,
        halves=halves,
    )


def spared(unwanted: Sequence[str], got: Sequence[str], *, halves: int = HALVES) -> Obedience:
    """Return the share of sounds that a listener does not name as the material they were to stay away from. Ignored is
    the share that other clips' unwanted materials are spared by the same sounds, NaN where all are told the same: near
    1, as few sounds are of any one material. A dial that works is above it; takes asked for both, far below."""
    _paired(len(unwanted), len(got))
    named = np.array([[u == g for g in got] for u in unwanted])
    other = np.array([[u != v for v in unwanted] for u in unwanted])
    own = 1 - np.diagonal(named).astype(np.float64)
    ignored = 1 - float(named[other].mean()) if other.any() else float("nan")
    return _told("negative", "share", len(unwanted), _mean_of(own), ignored, least=0.0, halves=halves)


def likeness(cosines: ArrayLike, other: ArrayLike, *, halves: int = HALVES) -> Obedience:
    """Return the mean cosine of takes with the recordings that they were to sound like: the diagonal of `cosines`
    `[n, n]`, takes by recordings. Ignored is their mean cosine with other clips' recordings, where `other` `[n, n]` is
    true, NaN where all were given one. There is no error: 1 is the recording itself."""
    table, different = np.asarray(cosines, dtype=np.float64), np.asarray(other, dtype=bool)
    if (
        table.ndim != 2
        or table.shape[0] != table.shape[1]
        or different.shape != table.shape
        or not table.size
    ):
        raise ValueError(
            f"cosines have shape {table.shape}: give takes by recordings, as many of each, and `other` alike"
        )
    own, _ = validate(np.diagonal(table), np.diagonal(table))
    ignored = float(table[different].mean()) if different.any() else float("nan")
    return _told("reference", "cosine", own.size, _mean_of(own), ignored, halves=halves)


def _told(
    dial: str,
    measure: str,
    n: int,
    pooled: Pooled,
    ignored: float,
    *,
    error: float = float("nan"),
    unit: str = "",
    of: str = "clips",
    least: float = -1.0,
    halves: int,
) -> Obedience:
    """How a dial is obeyed: `pooled` gives its measure of the clips or moments of those places."""
    distance = {} if np.isnan(error) else {f"error, {unit}": error}
    found = whole_of(
        range(n),
        pooled,
        of=of,
        halves=halves,
        least=least,
        most=1.0,
        baselines={"ignored": ignored},
        parts=distance | {"asked": float(n)},
    )
    return Obedience(**vars(found), dial=dial, measure=measure, error=error, unit=unit)


def _mean_of(values: ArrayLike) -> Pooled:
    """The mean of some of `values` `[n]`."""
    every = np.asarray(values, dtype=np.float64)
    return lambda some: float(every[list(some)].mean())


def _fallen(before: Array, after: Array) -> Array:
    """1 where it falls, 0 where it rises, a half where it stays."""
    return np.where(after < before, 1.0, np.where(after == before, 0.5, 0.0))


def _beside(
    asked: Sequence[ArrayLike], got: Sequence[ArrayLike], measure: Callable[[ArrayLike, ArrayLike], float]
) -> tuple[list[float], float]:
    """A measure of each clip, and its mean with the next clip's request."""
    own = [measure(a, g) for a, g in zip(asked, got, strict=True)]
    others = [*asked[1:], *asked[:1]]
    if len(asked) < 2:
        return own, float("nan")
    return own, float(np.mean([measure(a, g) for a, g in zip(others, got, strict=True)]))


def _distances(asked: ArrayLike, got: ArrayLike, tolerance_s: float) -> list[float]:
    """How far each onset asked is from the nearest got, of those within the tolerance."""
    a, g = np.asarray(asked, dtype=np.float64), np.asarray(got, dtype=np.float64)
    if not a.size or not g.size:
        return []
    nearest = np.abs(a[:, None] - g[None]).min(1)
    return [float(d) for d in nearest if d <= tolerance_s + 1e-10]


def validate(asked: ArrayLike, got: ArrayLike) -> tuple[Array, Array]:
    """Return both as float64 `[n]`. Raises ValueError for other shapes, NaN, infinity, none, or numbers that do not
    pair."""
    x, y = (np.asarray(v, dtype=np.float64) for v in (asked, got))
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"what was asked and got have shapes {x.shape} and {y.shape}, but must be lists")
    _paired(x.size, y.size)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(
            "what was asked or got holds NaN or infinity: leave out what was not given or not heard"
        )
    return x, y


def _paired(asked: int, got: int) -> None:
    if asked != got or not asked:
        raise ValueError(f"{asked} requests do not pair with {got} results: give one each, and some")
