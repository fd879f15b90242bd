"""What a classifier makes of two sets of sounds: KL between pairs, and how sure and how varied it is.

Conventions: logits `[N, K]`, natural logarithms, float64. Probabilities are the softmax of the logits, which is the
field's convention also for classifiers trained on several labels at once (Iashin & Rahtu 2021; Liu et al. 2023). Give
logits, never probabilities: a softmax of sigmoids is nearly flat and every divergence then is close to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, logsumexp

from weft.metrics.interval import HALVES
from weft.metrics.result import UNSAID, Result, Source, mean_of, whole_of

Matrix = NDArray[np.float64]
COMPAT_FLOOR = 1e-6


@dataclass(frozen=True, kw_only=True)
class InceptionScore(Result):
    """exp of the mean divergence of a clip's classes from the set's: `value` is the mean over `splits` parts of the
    set, `spread` their standard deviation, `n` the clips. More splits of one set score lower; 1 is the least, of a
    set whose clips are all alike to the classifier."""

    spread: float
    splits: int


def validate(logits: ArrayLike, name: str = "logits") -> Matrix:
    """Return `logits` as float64 `[N, K]`. Raises ValueError for other shapes, NaN, and what looks like
    probabilities."""
    rows = np.asarray(logits, dtype=np.float64)
    if rows.ndim != 2 or len(rows) == 0 or rows.shape[1] < 2:
        raise ValueError(f"{name} have shape {np.shape(logits)}, but must be [clips, classes]")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} hold NaN or infinity")
    if rows.shape[1] > 2 and rows.min() >= 0 and rows.max() <= 1 and rows.max() > rows.min():
        raise ValueError(f"{name} all lie in 0..1: did you pass probabilities instead of logits?")
    return rows


def evaluate(
    reference: ArrayLike, estimate: ArrayLike, *, compat: bool = False, source: Source = UNSAID
) -> Result:
    """Return the mean KL of n pairs from logits `[n, K]` both, as `kl`, beside what the next clip's true sound scores
    (`shuffled`, NaN with one clip)."""
    clips = kl(reference, estimate, compat=compat)
    shuffled = kl(reference, np.roll(np.asarray(reference), -1, axis=0), compat=compat)
    return mean_of(clips, baselines={"shuffled": shuffled if len(clips) > 1 else float("nan")}, source=source)


def kl(reference: ArrayLike, estimate: ArrayLike, *, compat: bool = False) -> NDArray[np.float64]:
    """Return KL(reference ‖ estimate) of each pair `[N]` from logits `[N, K]` both, in nats.

    Its mean is the papers' KL, or MKL. `compat` adds 1e-6 to the estimated probabilities inside the logarithm, as
    SpecVQGAN's and AudioLDM's evaluations do: it caps the divergence of a sure mistake (at about ln 1e6, 13.8), so
    the two do not compare.
    """
    p, q = validate(reference, "reference logits"), validate(estimate, "estimated logits")
    if p.shape != q.shape:
        raise ValueError(f"logits have shapes {p.shape} and {q.shape}: pair the clips, use one classifier")
    log_p, log_q = log_softmax(p, 1), log_softmax(q, 1)
    share = np.exp(log_p)
    if compat:
        log_q = np.log(np.exp(log_q) + COMPAT_FLOOR)
    return np.asarray((share * (log_p - log_q)).sum(1))


def inception_score(
    logits: ArrayLike,
    *,
    splits: int = 1,
    seed: int = 2020,
    halves: int = HALVES,
    source: Source = UNSAID,
) -> InceptionScore:
    """Return the inception score of logits `[N, K]` (Salimans et al. 2016); published tables use `splits` 10 of
    clips shuffled by seed 2020, which biases small sets low. `halves`: of how many halves of the clips the interval is
    drawn, 0 for none. Raises ValueError with fewer clips than splits."""
    rows = validate(logits)
    if not 1 <= splits <= len(rows):
        raise ValueError(f"{len(rows)} clip{'s'[: len(rows) != 1]} cannot be cut into {splits} splits")
    order = np.random.RandomState(seed).permutation(len(rows))
    scores = []
    shuffled, n = log_softmax(rows[order], 1), len(rows)
    for k in range(splits):
        part = shuffled[k * n // splits : (k + 1) * n // splits]
        every = logsumexp(part, 0) - np.log(len(part))
        scores.append(np.exp((np.exp(part) * (part - every)).sum(1).mean()))

    def pooled(some: Sequence[Matrix]) -> float:
        return inception_score(np.stack(some), splits=splits, seed=seed, halves=0).value

    spread = float(np.std(scores))
    parts = {"splits": float(splits), "clips": float(n)} | ({"spread": spread} if splits > 1 else {})
    found = whole_of(
        list(rows), pooled, value=float(np.mean(scores)), halves=halves, parts=parts, source=source
    )
    return InceptionScore(**vars(found), spread=spread, splits=splits)
