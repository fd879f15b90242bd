"""The material listener: learns what it is given, ignores level, survives the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from weft.cues.vocabulary import MATERIALS
from weft.metrics import material

RATE = 44100


def strike(kind: str, seed: int) -> np.ndarray:
    """A second with three strikes: ringing partials (metal), a dull thump (wood) or grains of noise (gravel)."""
    rng = np.random.default_rng(seed)
    t = np.arange(RATE // 3) / RATE
    out = np.zeros(RATE)
    for k in range(3):
        if kind == "metal":
            tones = rng.uniform(800, 9000, 8)
            one = sum(np.sin(2 * np.pi * f * t) for f in tones) / 8 * np.exp(-t / 0.2)
        elif kind == "wood":
            tones = rng.uniform(150, 700, 4)
            one = sum(np.sin(2 * np.pi * f * t) for f in tones) / 4 * np.exp(-t / 0.02)
        else:
            one = rng.standard_normal(t.size) * (rng.random(t.size) < 0.02) * np.exp(-t / 0.08)
        start = k * (RATE // 3)
        out[start : start + t.size] += one[: out.size - start]
    return np.stack([out, out]) * 0.3


@pytest.fixture(scope="module")
def listener() -> material.MaterialClassifier:
    kinds = ["metal", "wood", "gravel"] * 6
    vectors = [material.features(strike(k, s)) for s, k in enumerate(kinds)]
    return material.MaterialClassifier(trees=50).fit(vectors, kinds)


def test_listener_tells_unheard_strikes_apart(listener: material.MaterialClassifier) -> None:
    kinds = ["metal", "wood", "gravel"] * 3
    vectors = [material.features(strike(k, 100 + s)) for s, k in enumerate(kinds)]
    assert material.accuracy(listener.predict(vectors), kinds) == 1.0
    table = listener.probabilities(vectors)
    assert table.shape == (9, len(MATERIALS))
    assert table.sum(1) == pytest.approx(1.0)
    assert (table[:, MATERIALS.index("water")] == 0).all()


def test_features_ignore_level_and_survive_silence() -> None:
    sound = strike("metal", 1)
    assert material.features(sound * 0.3) == pytest.approx(material.features(sound), abs=0.2)
    assert np.isfinite(material.features(np.zeros((2, RATE)))).all()
    assert np.isfinite(material.features(strike("wood", 1)[:, :6000])).all()


def test_listener_survives_the_file(listener: material.MaterialClassifier, tmp_path: Path) -> None:
    listener.save(tmp_path / "listener.joblib")
    again = material.MaterialClassifier.load(tmp_path / "listener.joblib")
    vectors = [material.features(strike("wood", 7))]
    assert (again.probabilities(vectors) == listener.probabilities(vectors)).all()


def test_mistakes_are_named(listener: material.MaterialClassifier) -> None:
    with pytest.raises(ValueError, match="unknown material 'cheese'"):
        listener.fit(np.zeros((1, 3)), ["cheese"])
    with pytest.raises(ValueError, match="1 feature vectors but 2"):
        listener.fit(np.zeros((1, 3)), ["wood", "metal"])
    with pytest.raises(ValueError, match="give one each"):
        material.accuracy(["wood"], [])
