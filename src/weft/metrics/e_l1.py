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
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.envelope import correlation
from weft.metrics.result import Result, Source, mean_of

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
class EL1(Result):
    """`value` the mean over `n` clips; the baselines `silence` and `shuffled` what silence and the next clip's true
    sound score in its place (NaN with one clip); `relative` the value over the mean true envelope; `r` the mean
    correlation."""

    preset: str
    relative: float
    r: float

    @property
    def silence(self) -> float:
        """What silence scores."""
        return self.baselines["silence"]

    @property
    def shuffled(self) -> float:
        """What the next clip's true sound scores."""
        return self.baselines["shuffled"]


def envelope(audio: ArrayLike, rate: int, preset: str = "fol-ai") -> NDArray[np.float64]:
    """Return the RMS envelope `[F]` of `audio` `[C, N]` in a preset's form. Raises ValueError for an unknown one."""
    import soxr
    from scipy.signal import ellip, filtfilt

    from weft.media.compiled import librosa

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
    rms = (
        librosa()
        .feature.rms(y=wave, frame_length=FRAME, hop_length=HOP, center=centred, pad_mode="constant")[0]
        .astype(np.float64)
    )
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
    sounds = validate(estimates, references)
    made = [envelope(a, rate, preset) for a, _ in sounds]
    true = [envelope(b, rate, preset) for _, b in sounds]
    others = true[1:] + true[:1]
    shuffled = [np.abs(_cut(other, len(t)) - t).mean() for other, t in zip(others, true, strict=True)]
    found = mean_of(
        [np.abs(m - t).mean() for m, t in zip(made, true, strict=True)],
        baselines={
            "silence": [np.abs(t).mean() for t in true],
            "shuffled": shuffled if len(true) > 1 else float("nan"),
        },
        source=Source(rate=f"{rate} → {_preset(preset).rate} Hz mono"),
    )
    level = float(np.mean([t.mean() for t in true]))
    relative = found.value / level if level > 0 else float("nan")
    r = float(np.mean([correlation(m, t) for m, t in zip(made, true, strict=True)]))
    found = replace(found, parts={"relative": relative, "r": r})
    return EL1(**vars(found), preset=preset, relative=relative, r=r)


def validate(
    estimates: Sequence[ArrayLike], references: Sequence[ArrayLike]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return pairs of sounds float64 `[C, N]`. Raises ValueError without clips, with sounds that do not pair, or that
    differ in shape or hold NaN."""
    return checks.pairs(estimates, references)


def _cut(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return np.pad(values[:length], (0, max(0, length - len(values))))


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise ValueError(f"no E-L1 preset {name!r}: there are {', '.join(PRESETS)}")
    return PRESETS[name]
