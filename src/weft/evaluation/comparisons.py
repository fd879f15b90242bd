"""One clip's features against another's: a number, or a digest that a set's number is pooled from.

Metrics are made of these in the `table_` files. A digest is taken once a clip, so that pooling many halves of a set is
cheap.

Conventions: `made` and `true` map feature names to arrays, as `features.py` returns them; of two lengths the true
one rules, what the other lacks counts as silence. NaN where a metric says nothing about a clip.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.evaluation.features import FLOW_FPS, Arrays

Measured = Mapping[str, Arrays]
Pairs = tuple[NDArray[Any], NDArray[Any]]
CHANCE_DRAWS = 10  # of every clip; a set has many


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


def onset_chance(made: Measured, true: Measured, *, tolerance_s: float) -> dict[str, float]:
    """The mean F1 of as many onsets at random moments; the draws follow from the onsets themselves."""
    from weft.metrics import onset

    count, wanted = made["onsets"]["times"].size, np.asarray(true_onsets(true), np.float64)
    rng = np.random.default_rng([zlib.crc32(wanted.tobytes()), count])
    seconds = float(true["facts"]["measured_s"])
    return {"random": onset.chance(count, wanted, seconds, tolerance_s, rng=rng, draws=CHANCE_DRAWS)}


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
    return float(np.abs(as_long(a, len(b)) - b).mean(dtype=np.float64))


def envelope_r(made: Measured, true: Measured) -> float:
    """Pearson's r of the RMS envelopes."""
    from weft.metrics import envelope

    b = true["envelope"]["rms"]
    return envelope.correlation(as_long(made["envelope"]["rms"], len(b)), b)


def envelope_lag_ms(made: Measured, true: Measured) -> float:
    """By how many ms the made envelope trails the true one, within ±250; NaN when either is flat."""
    from weft.metrics import envelope

    b = true["envelope"]["rms"]
    a = as_long(made["envelope"]["rms"], len(b))
    if np.ptp(a) == 0 or np.ptp(b) == 0 or len(b) < 8:
        return float("nan")
    return 1000 * envelope.lag(a, b, step_s=float(true["envelope"]["step"]))


def level_error_db(made: Measured, true: Measured) -> float:
    """The mean absolute difference of the envelopes in dB, floored at -60 dB full scale."""
    from weft.metrics import envelope

    b = true["envelope"]["rms"]
    return envelope.apart_db(as_long(made["envelope"]["rms"], len(b)), b)


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


def av_align_published(made: Measured, true: Measured, *, form: Any) -> float:
    """AV-Align as a repository prints it: librosa's onsets of the made sound, the picture's peaks of motion."""
    from weft.metrics import av_align as measured

    return measured.published(
        made["librosa onsets"]["times"], true["flow peaks"]["times"], fps=FLOW_FPS, form=form
    )


def av_align_published_chance(made: Measured, true: Measured, *, form: Any) -> dict[str, float]:
    """What as many onsets at random times score in that form."""
    from weft.metrics import av_align as measured

    count, seen = made["librosa onsets"]["times"].size, true["flow peaks"]

    def score(times: Any) -> float:
        return measured.published(times, seen["times"], fps=FLOW_FPS, form=form)

    return {"random": measured.chance(count, score, float(seen["seconds"]))}


def desync(made: Measured, true: Measured, judge: Any) -> float:
    """The mean size (s) of the offsets that Synchformer sees at either end; NaN under 4.8 s."""
    from weft.metrics import desync as measured

    logits = judge.offsets(true["video@"]["rows"], made["audio@"]["rows"])
    return float("nan") if logits is None else float(np.abs(measured.offset(logits)).mean())


def desync_chance(made: Measured, true: Measured) -> dict[str, float]:
    """What an answer drawn at random scores."""
    from weft.metrics.desync import CHANCE

    return {"random": CHANCE}


def align_acc(made: Measured, true: Measured, judge: Any) -> float:
    """1 when Diff-Foley's classifier calls sound and picture aligned, else 0."""
    return float(judge.aligned(true["video@"]["rows"], made["audio@"]["rows"]) > 0.5)


def condfoley(made: Measured, true: Measured, *, field: str) -> float:
    """A field of weft.metrics.condfoley.CondFoley."""
    from weft.metrics import condfoley as theirs

    a, b = made["condfoley"], true["condfoley"]
    return float(vars(theirs.evaluate(b["samples"], a["samples"], a["wave"]))[field])


def mmaudio_onsets(made: Measured, true: Measured, *, field: str) -> float:
    """A field of weft.metrics.mmaudio_onsets.MMAudioOnsets, of the first 8 s."""
    from weft.metrics import mmaudio_onsets as theirs
    from weft.metrics.condfoley import RATE

    a, wanted = made["mmaudio onsets"], true["mmaudio onsets"]["samples"]
    if "cues" in true:
        times = np.asarray(true["cues"]["times"], np.float64)
        wanted = times[times < theirs.SECONDS] * RATE
    return float(vars(theirs.evaluate(wanted, a["samples"], a["wave"]))[field])


def as_long(values: NDArray[Any], length: int, fill: float = 0.0) -> NDArray[Any]:
    """`values` `[..., F]` cut or filled to `[..., length]`."""
    short = length - values.shape[-1]
    if short <= 0:
        return values[..., :length]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, short)], constant_values=fill)
