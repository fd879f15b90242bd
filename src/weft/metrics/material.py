"""Which of the 17 materials a sound is made of, by a listener trained apart from every generator.

The listener is a forest of extremely randomised trees (Geurts et al. 2006) on hand-made features. It is fitted on
true sounds of the training split and asked about generated ones; accuracy is read as a share of its accuracy on true
sounds of the test split.

Conventions: audio `[C, N]` at its own rate; features `[D]`, classes in the order of MATERIALS; accuracy is a share in
0..1, 1/17 by chance where all materials come as often. Files it saves are joblib pickles for this machine's cache: load
only what you saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.cues.vocabulary import MATERIALS
from weft.metrics.result import UNSAID, Result, Source, mean_of
from weft.metrics.spectrum import mel_power

_BANDS = 40
_HOP = 256
_FLOOR_DB = -70.0  # below the loudest frame
_AFTER_S = (-0.02, 0.0, 0.012, 0.03, 0.06, 0.12, 0.25, 0.45)
_MODULATION_HZ = (0.5, 2, 4, 8, 16, 32, 80)
_PEAKS = 8


def features(audio: ArrayLike, rate: int = 44100) -> NDArray[np.float32]:
    """Return a vector describing timbre and decay of `audio` `[C, N]`, independent of its overall level.

    Band statistics (mean, spread, 50th and 95th percentile over active frames), the spectrum at fixed delays after
    the strongest rises, decay rates per band group, modulation energies of the envelope, centroid and flatness.
    """
    power = mel_power(audio, rate, n_fft=1024, hop=_HOP, n_mels=_BANDS).mean(0)
    step = _HOP / rate
    power = power / max(float(power.sum(0).max()), 1e-12)
    total = power.sum(0)
    level = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
    loudness = 10 * np.log10(np.maximum(total, 10 ** (_FLOOR_DB / 10)))
    on = level[:, loudness >= min(-35.0, float(loudness.max()))]
    parts = [on.mean(1), on.std(1), np.quantile(on, 0.5, axis=1), np.quantile(on, 0.95, axis=1)]
    parts += [*_after_peaks(level, loudness, step), _modulation(total, step), _shape(power, loudness, rate)]
    return np.concatenate([np.atleast_1d(p) for p in parts]).astype(np.float32)


def _after_peaks(level: NDArray[Any], loudness: NDArray[Any], step: float) -> list[NDArray[Any]]:
    """The spectrum and its fall after the strongest rises, averaged over them."""
    from weft.metrics.onset import pick

    rise = np.maximum(np.diff(level, axis=1, prepend=level[:, :1]), 0).mean(0)
    at, strength = pick(rise, step, threshold=0.2, apart_s=0.06)
    frames = np.round(at / step).astype(int)[np.argsort(-strength)][:_PEAKS]
    if frames.size == 0:
        frames = np.array([int(loudness.argmax())])
    # The rise's peak leads the loudest frame; take the loudest within 25 ms.
    near = round(0.025 / step)
    frames = np.array([f + int(loudness[f : f + near + 1].argmax()) for f in frames])
    delays = np.round(np.array(_AFTER_S) / step).astype(int)
    index = np.clip(frames[:, None] + delays, 0, level.shape[1] - 1)
    spectra = level[:, index].mean(1)  # [bands, delays]
    groups = spectra.reshape(8, -1, len(delays)).mean(1)
    peak = groups[:, 1]
    rates = np.concatenate([peak - groups[:, k] for k in (2, 3, 4, 5, 6, 7)])
    fall = loudness[index].mean(0)
    count = np.array([frames.size, np.median(strength) if strength.size else 0.0])
    return [
        spectra[:, 1] - fall[1],
        spectra[:, 3] - fall[3],
        spectra[:, 5] - fall[5],
        rates,
        fall - fall[1],
        count,
    ]


def _modulation(total: NDArray[Any], step: float) -> NDArray[Any]:
    """Log energy of the envelope's spectrum in octave-wide bands, against its mean."""
    envelope = np.sqrt(total)
    spectrum = np.square(np.abs(np.fft.rfft(envelope - envelope.mean())))
    hertz = np.fft.rfftfreq(envelope.size, step)
    whole = spectrum.sum() + 1e-12
    bands = pairwise(_MODULATION_HZ)
    return np.array([np.log10(spectrum[(hertz >= a) & (hertz < b)].sum() / whole + 1e-6) for a, b in bands])


def _shape(power: NDArray[Any], loudness: NDArray[Any], rate: int) -> NDArray[Any]:
    """Centroid, spread, flatness and band-to-band roughness of the mean spectrum; share of active time."""
    on = loudness >= min(-35.0, float(loudness.max()))
    mean = power[:, on].mean(1) + 1e-12
    share = mean / mean.sum()
    band = np.arange(share.size)
    centroid = (share * band).sum()
    spread = np.sqrt((share * np.square(band - centroid)).sum())
    flatness = np.exp(np.log(mean).mean()) / mean.mean()
    frame_flatness = np.exp(np.log(power[:, on] + 1e-12).mean(0)) / (power[:, on].mean(0) + 1e-12)
    roughness = np.abs(np.diff(10 * np.log10(mean))).mean()
    return np.array(
        [centroid, spread, np.log10(flatness), np.log10(frame_flatness).mean(), roughness, on.mean()]
    )


class MaterialClassifier:
    """The listener. `fit`, then `predict` or `probabilities`; deterministic for a seed."""

    def __init__(self, *, trees: int = 400, seed: int = 0, jobs: int = 1) -> None:
        from sklearn.ensemble import ExtraTreesClassifier

        self._forest = ExtraTreesClassifier(
            n_estimators=trees, max_features=0.3, min_samples_leaf=1, random_state=seed, n_jobs=jobs
        )

    def fit(self, vectors: ArrayLike, materials: Sequence[str]) -> MaterialClassifier:
        """Learn from `features` vectors `[n, D]` and their materials. Returns itself.

        Raises ValueError for unknown materials or unequal numbers.
        """
        unknown = sorted(set(materials) - set(MATERIALS))
        if unknown:
            raise ValueError(f"unknown material {unknown[0]!r}; one of {', '.join(MATERIALS)}")
        if len(np.asarray(vectors)) != len(materials):
            raise ValueError(f"{len(np.asarray(vectors))} feature vectors but {len(materials)} materials")
        self._forest.fit(np.asarray(vectors, np.float32), list(materials))
        return self

    def probabilities(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Return `[n, 17]` in the order of MATERIALS; 0 for materials never seen in `fit`."""
        seen = self._forest.predict_proba(np.asarray(vectors, np.float32))
        out = np.zeros((len(seen), len(MATERIALS)))
        out[:, [MATERIALS.index(str(name)) for name in self._forest.classes_]] = seen
        return out

    def predict(self, vectors: ArrayLike) -> list[str]:
        """Return the likeliest material of each feature vector `[n, D]`."""
        return [MATERIALS[i] for i in self.probabilities(vectors).argmax(1)]

    def save(self, path: str | Path) -> None:
        """Write the fitted listener to `path` (a joblib pickle, aside then renamed)."""
        import joblib

        aside = Path(path).with_suffix(".part")
        joblib.dump(self._forest, aside, compress=3)
        aside.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> MaterialClassifier:
        """Read what `save` wrote. Never call it on a file from elsewhere: a pickle runs code."""
        import joblib

        listener = cls.__new__(cls)
        listener._forest = joblib.load(path)
        return listener


def accuracy(predicted: Sequence[str], true: Sequence[str]) -> float:
    """Return the share of equal entries. Raises ValueError as `validate`."""
    validate(predicted, true)
    return float(np.mean([p == t for p, t in zip(predicted, true, strict=True)]))


def evaluate(predicted: Sequence[str], true: Sequence[str], *, source: Source = UNSAID) -> Result:
    """Return the accuracy over n sounds, beside that of the same answers for other sounds (`shuffled`, over all pairs,
    NaN with one sound). Raises ValueError as `validate`."""
    validate(predicted, true)
    same = np.array([[p == t for p in predicted] for t in true], dtype=np.float64)
    n, own = len(true), np.diagonal(same)
    shuffled = float((same.sum() - own.sum()) / (n * (n - 1))) if n > 1 else float("nan")
    return mean_of(own, baselines={"shuffled": shuffled}, source=source)


def validate(predicted: Sequence[str], true: Sequence[str]) -> None:
    """Raise ValueError for no sounds, for lists of different lengths, or for what is no material's name."""
    if len(predicted) != len(true) or not len(true):
        raise ValueError(f"{len(predicted)} predictions for {len(true)} sounds: give one each, and some")
    for name in (*predicted, *true):
        if not isinstance(name, str):
            raise ValueError(f"{name!r} is no material's name: give words, not places or probabilities")
