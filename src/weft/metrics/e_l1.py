"""E-L1: the mean absolute difference of two loudness envelopes, in the three forms that share the name.

Conventions: audio `[C, N]` in full-scale units, channels averaged first; envelopes are RMS over 512 samples, one value
per 128, at the preset's own rate. The number is mean over frames |r - r̂|, for a set the mean over clips.

The presets do not compare with one another, and none compares across loudness: half the gain moves the score as far
as a shift of some tens of ms, and silence can beat sound that is right but late. So `evaluate` gives beside it what
silence and other clips' true sounds score, the distance relative to the true level, and Pearson's r, which neither
level nor silence flatters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.envelope import correlation

FRAME, HOP = 512, 128
Padding = Literal["constant", "reflect"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One published form: `rate` Hz; `padding` zeros half a frame at both ends or mirrors (512 - 128) / 2 samples;
    `peak` scales each sound's largest sample to 1 first; `smooth` runs T-Foley's zero-phase elliptic low-pass over
    the envelope."""

    rate: int
    padding: Padding
    peak: bool = False
    smooth: bool = False


PRESETS = {
    "fol-ai": Preset(rate=44100, padding="constant"),  # also FoleyGRAM, eq. 5, and StereoSync
    "video-foley": Preset(rate=16000, padding="reflect"),
    "t-foley": Preset(rate=22050, padding="constant", peak=True, smooth=True),
}


@dataclass(frozen=True, kw_only=True)
class EL1:
    """`value` the mean over `n` clips; `silence` and `shuffled` what silence and the next clip's true sound score in
    its place (NaN with one clip); `relative` the value over the mean true envelope; `r` the mean correlation."""

    value: float
    n: int
    preset: str
    silence: float
    shuffled: float
    relative: float
    r: float


def envelope(audio: ArrayLike, rate: int, preset: str = "fol-ai") -> NDArray[np.float64]:
    """Return the RMS envelope `[F]` of `audio` `[C, N]` in a preset's form. Raises ValueError for an unknown one."""
    import librosa
    import soxr
    from scipy.signal import ellip, filtfilt

    form = _preset(preset)
    wave = checks.wave(audio).mean(0)
    if rate != form.rate:
        wave = soxr.resample(wave, rate, form.rate)
    if form.peak:
        wave = wave / max(float(np.abs(wave).max(initial=0.0)), 1e-12)
    if form.padding == "reflect":
        margin = (FRAME - HOP) // 2
        wave = np.pad(wave, margin, mode="reflect" if wave.size > margin else "constant")
        wave = np.pad(wave, (0, max(0, FRAME - wave.size)))
    centred = form.padding == "constant"
    rms = librosa.feature.rms(
        y=wave, frame_length=FRAME, hop_length=HOP, center=centred, pad_mode="constant"
    )[0].astype(np.float64)
    if form.smooth:
        rms = filtfilt(*ellip(4, 0.01, 120, 0.125), rms, method="gust")
    return np.asarray(rms)


def distance(estimate: ArrayLike, reference: ArrayLike, rate: int, preset: str = "fol-ai") -> float:
    """Return E-L1 of two sounds `[C, N]` of one length. Raises ValueError when their shapes differ."""
    a, b = checks.pair(estimate, reference)
    return float(np.abs(envelope(a, rate, preset) - envelope(b, rate, preset)).mean())


def evaluate(
    estimates: Sequence[ArrayLike], references: Sequence[ArrayLike], rate: int, preset: str = "fol-ai"
) -> EL1:
    """Return E-L1 of clips `[C, N]` and their true sounds with its baselines.

    Other clips' sounds are cut or filled with silence to a clip's length. Raises ValueError without clips, or with
    sounds that do not pair.
    """
    if len(estimates) != len(references) or not len(references):
        raise ValueError(f"{len(estimates)} estimates do not pair with {len(references)} references")
    made, true = [], []
    for estimate, reference in zip(estimates, references, strict=True):
        a, b = checks.pair(estimate, reference)
        made.append(envelope(a, rate, preset))
        true.append(envelope(b, rate, preset))
    others = true[1:] + true[:1]
    shuffled = [np.abs(_cut(other, len(t)) - t).mean() for other, t in zip(others, true, strict=True)]
    value = float(np.mean([np.abs(m - t).mean() for m, t in zip(made, true, strict=True)]))
    level = float(np.mean([t.mean() for t in true]))
    return EL1(
        value=value,
        n=len(true),
        preset=preset,
        silence=float(np.mean([np.abs(t).mean() for t in true])),
        shuffled=float(np.mean(shuffled)) if len(true) > 1 else float("nan"),
        relative=value / level if level > 0 else float("nan"),
        r=float(np.mean([correlation(m, t) for m, t in zip(made, true, strict=True)])),
    )


def _cut(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return np.pad(values[:length], (0, max(0, length - len(values))))


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise ValueError(f"no E-L1 preset {name!r}: there are {', '.join(PRESETS)}")
    return PRESETS[name]
