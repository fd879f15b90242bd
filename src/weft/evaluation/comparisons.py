"""One clip's features against another's: a number, or a digest that a set's number is pooled from.

Metrics are made of these in `table.py`. A digest is taken once a clip, so that pooling many halves of a set is cheap.

Conventions: `made` and `true` map feature names to arrays, as `features.py` returns them; of two lengths the true
one rules, what the other lacks counts as silence. NaN where a metric says nothing about a clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.evaluation.features import FLOW_FPS, Arrays

Measured = Mapping[str, Arrays]
Pairs = tuple[NDArray[Any], NDArray[Any]]


def true_onsets(true: Measured) -> NDArray[Any]:
    """The clip's cue sheet says when it sounds; without one its reference sound is listened to."""
    return (true["cues"] if "cues" in true else true["onsets"])["times"]


def onset_score(made: Measured, true: Measured, *, field: str, tolerance_s: float) -> float:
    """A field of weft.metrics.onset.OnsetScores."""
    heard, wanted = (np.asarray(t, np.float64) for t in (made["onsets"]["times"], true_onsets(true)))
    return float(vars(_onset_scores(heard.tobytes(), wanted.tobytes(), tolerance_s))[field])


@lru_cache(maxsize=64)
def _onset_scores(heard: bytes, wanted: bytes, tolerance_s: float) -> Any:
    """Precision, recall and F1 are three rows of one matching."""
    from weft.metrics import onset

    return onset.scores(np.frombuffer(heard), np.frombuffer(wanted), tolerance_s)


def onset_count(made: Measured, true: Measured) -> float:
    """1 when as many onsets are heard as there are, else 0 (SyncFusion's count accuracy)."""
    return float(made["onsets"]["times"].size == true_onsets(true).size)


def onset_claims(made: Measured, true: Measured, *, tolerance_s: float) -> Any:
    """Which of the clip's detections are right; weft.metrics.onset.pooled_precision makes average precision of it."""
    from weft.metrics import onset

    heard = made["onsets"]
    return onset.claims(heard["times"], heard["confidence"], true_onsets(true), tolerance_s)


def onset_ap(clips: Sequence[Any]) -> float:
    """Average precision of the onsets of all clips by falling confidence, one to one."""
    from weft.metrics import onset

    return onset.pooled_precision(clips)


def e_l1(made: Measured, true: Measured, *, feature: str) -> float:
    """The mean absolute difference of two E-L1 envelopes."""
    a, b = made[feature]["rms"], true[feature]["rms"]
    return float(np.abs(_as_long(a, len(b)) - b).mean(dtype=np.float64))


def envelope_r(made: Measured, true: Measured) -> float:
    """Pearson's r of the RMS envelopes."""
    from weft.metrics import envelope

    b = true["envelope"]["rms"]
    return envelope.correlation(_as_long(made["envelope"]["rms"], len(b)), b)


def envelope_lag_ms(made: Measured, true: Measured) -> float:
    """By how many ms the made envelope trails the true one, within ±250; NaN when either is flat."""
    from weft.metrics import envelope

    b = true["envelope"]["rms"]
    a = _as_long(made["envelope"]["rms"], len(b))
    if np.ptp(a) == 0 or np.ptp(b) == 0 or len(b) < 8:
        return float("nan")
    return 1000 * envelope.lag(a, b, step_s=float(true["envelope"]["step"]))


def level_error_db(made: Measured, true: Measured) -> float:
    """The mean absolute difference of the envelopes in dB, floored at -60 dB full scale."""
    b = true["envelope"]["rms"]
    a = _as_long(made["envelope"]["rms"], len(b))
    low = 1e-3
    return float(np.abs(20 * np.log10(np.maximum(a, low) / np.maximum(b, low))).mean(dtype=np.float64))


def mel_error_db(made: Measured, true: Measured) -> float:
    """The mean absolute difference of the log-mel spectrograms, silent frames included."""
    from weft.metrics.spectrum import FLOOR_DB

    b = true["mel"]["db"]
    return float(np.abs(_as_long(made["mel"]["db"], b.shape[-1], FLOOR_DB) - b).mean(dtype=np.float64))


def mel_error_active_db(made: Measured, true: Measured) -> float:
    """The same where the reference exceeds -60 dB; NaN when it never does."""
    from weft.metrics.spectrum import ACTIVE_DB, FLOOR_DB

    b = true["mel"]["db"]
    where = b > ACTIVE_DB
    apart = np.abs(_as_long(made["mel"]["db"], b.shape[-1], FLOOR_DB) - b)
    return float(apart[where].mean(dtype=np.float64)) if where.any() else float("nan")


def ild_error_db(made: Measured, true: Measured) -> float:
    """The mean absolute level difference error over the reference's active frames; NaN when there are none."""
    b, where = true["pan"]["ild"], true["pan"]["active"] > 0
    a = _as_long(made["pan"]["ild"], len(b))
    return float(np.abs(a - b)[where].mean(dtype=np.float64)) if where.any() else float("nan")


def pans(made: Measured, true: Measured) -> Pairs:
    """The pan heard and the true one over the reference's active frames; what is silent sounds from the middle."""
    where = true["pan"]["active"] > 0
    heard = np.where(made["pan"]["active"] > 0, made["pan"]["pan"], 0)
    return _as_long(heard, len(where))[where], true["pan"]["pan"][where]


def pan_r(clips: Sequence[Pairs]) -> float:
    """Pearson's r of the pan, all clips pooled; 0 for sound from the middle."""
    from weft.metrics import space

    return space.pan_correlation(list(clips))


def pan_r_swapped(clips: Sequence[Pairs]) -> dict[str, float]:
    """What the same sounds score with left and right exchanged."""
    return {"swapped": pan_r([(-heard, true) for heard, true in clips])}


def placed(made: Measured, true: Measured) -> Any:
    """Spatial AV-Align of one clip: onsets heard where the sheet's boxes are, at SAVGBench's 4 pictures a second."""
    from weft.metrics import spatial_align as measured

    at = made["onsets"]["times"]
    frames = np.minimum((at / float(made["pan"]["step"])).astype(int) + 1, len(made["pan"]["pan"]) - 1)
    heard = np.clip((made["pan"]["pan"][frames].astype(np.float64) + 1) / 2, 0, 1)
    seen = true["tracks"]["t"]
    some = np.unique(np.searchsorted(seen, np.arange(seen[0], seen[-1] + 1e-6, 0.25) - 1e-6))
    boxes = [np.clip(b, 0, 1)[None] for b in true["tracks"]["x"][some]]
    return measured.evaluate([measured.Clip(heard_t=at, heard_x=heard, seen_t=seen[some], boxes=boxes)])


def spatial_align(clips: Sequence[Any]) -> float:
    """The share of all heard onsets that are where the boxes are."""
    return _share(clips, "value")


def spatial_align_beside(clips: Sequence[Any]) -> dict[str, float]:
    """What the same boxes give to sound from the middle, mirrored, and from anywhere: chance is high."""
    return {name: _share(clips, name) for name in ("mono", "swapped", "random")}


def _share(clips: Sequence[Any], field: str) -> float:
    heard = sum(c.heard for c in clips)
    right = sum(vars(c)[field] * c.heard for c in clips if c.heard)
    return right / heard if heard else float("nan")


def av_align(made: Measured, true: Measured) -> float:
    """AV-Align of the made sound's onsets and the picture's peaks of motion."""
    return float(_av_align(made, true).value)


def av_align_chance(made: Measured, true: Measured) -> dict[str, float]:
    """What as many onsets at random times score."""
    return {"random": float(_av_align(made, true).chance)}


def _av_align(made: Measured, true: Measured) -> Any:
    from weft.metrics import av_align as measured

    seen = true["flow peaks"]
    return measured.evaluate(
        made["onsets"]["times"], seen["times"], fps=FLOW_FPS, duration_s=float(seen["seconds"])
    )


def condfoley(made: Measured, true: Measured, *, field: str) -> float:
    """A field of weft.metrics.condfoley.CondFoley."""
    from weft.metrics import condfoley as theirs

    a, b = made["condfoley"], true["condfoley"]
    return float(vars(theirs.evaluate(b["samples"], a["samples"], a["wave"]))[field])


def of_itself(made: Measured, true: Measured, *, field: str) -> float:
    """A field of weft.metrics.sound.Sound; the reference is not asked."""
    return float(made["sound"][field])


def embeddings(made: Measured, true: Measured) -> Pairs:
    """The rows of both sounds."""
    return made["audio@"]["rows"], true["audio@"]["rows"]


def cosine(made: Measured, true: Measured, *, of: str) -> float:
    """The cosine of the made sound's mean direction with that of `of`: the reference's "audio@", "video@" or
    "text@"."""
    from weft.metrics import meaning

    one, other = (meaning.pooled([side["rows"]]) for side in (made["audio@"], true[of]))
    return float((one * other).sum())


def in_step(made: Measured, true: Measured) -> float:
    """The mean cosine of sound and picture, window by window."""
    from weft.metrics import meaning

    sound, picture = made["audio@"]["rows"], true["video@"]["rows"]
    n = min(len(sound), len(picture))
    return float((meaning.unit(sound[:n]) * meaning.unit(picture[:n])).sum(1).mean())


def frechet(clips: Sequence[Pairs]) -> float:
    """The Fréchet distance of all rows, below zero only by rounding."""
    from weft.metrics import frechet as measured

    made, true = _stacked(clips)
    return measured.distance(true, made)


def kernel(clips: Sequence[Pairs]) -> float:
    """The unbiased squared kernel discrepancy of all rows."""
    from weft.metrics import kernel as measured

    made, true = _stacked(clips)
    return measured.discrepancy(true, made)


def kl(made: Measured, true: Measured, *, compat: bool) -> float:
    """KL of the classes of the reference from those of the made sound, nats."""
    from weft.metrics import divergence

    return float(divergence.kl(true["logits@"]["rows"], made["logits@"]["rows"], compat=compat)[0])


def classes(made: Measured, true: Measured) -> NDArray[Any]:
    """The made sound's logits."""
    return made["logits@"]["rows"]


def inception(clips: Sequence[NDArray[Any]], *, splits: int) -> float:
    """The inception score of the made sounds; the references are not asked."""
    from weft.metrics import divergence

    return divergence.inception_score(np.concatenate(clips), splits=splits).value


def _stacked(clips: Sequence[Pairs]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    made, true = (np.concatenate([c[side] for c in clips]).astype(np.float64) for side in (0, 1))
    return made, true


def _as_long(values: NDArray[Any], length: int, fill: float = 0.0) -> NDArray[Any]:
    """`values` `[..., F]` cut or filled to `[..., length]`."""
    short = length - values.shape[-1]
    if short <= 0:
        return values[..., :length]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, short)], constant_values=fill)
