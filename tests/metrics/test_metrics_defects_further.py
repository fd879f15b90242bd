"""Further defects of the public metrics, as in test_metrics_defects.py: the wrong formula stands in the test."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import condfoley, favd, frechet, onset

RATE = 22050


def clicked(at: list[float], level: list[float], seconds: float = 2.0) -> np.ndarray:
    """A faint hiss with a one-sided click at each time."""
    wave = 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE))
    for t, a in zip(at, level, strict=True):
        start = round(t * RATE)
        wave[start : start + 400] += a * np.exp(-np.arange(400) / 80)
    return wave


def test_confidence_of_a_wave_scaled_from_its_least_to_its_greatest() -> None:
    """MMAudio scales the wave itself, not its size: silence has a confidence of about a half, and the loudest blow
    none when it swings downwards."""
    wave = clicked([0.5, 1.2], [-1.0, 0.3])
    scaled = (wave - wave.min()) / (wave.max() - wave.min())
    silent, loud, soft = (scaled[round(t * RATE)] for t in (0.1, 0.5, 1.2))
    assert silent > 0.5 > loud and soft > 0.99
    times, confidence = onset.detect(wave[None], RATE)
    assert times == pytest.approx([0.5, 1.2], abs=0.02)
    assert confidence[0] > confidence[1]
    assert onset.detect(-wave[None], RATE)[1] == pytest.approx(confidence)


def test_levels_read_from_the_list_before_it_shrank() -> None:
    """MMAudio takes, of the detections still free, the loudest; but looks its level up in the list of all of them."""
    found, level = [1.0, 2.0, 3.0], [0.9, 0.1, 0.8]
    true, reach = [1.0, 2.6, 1.9], 0.7
    free, hits = found.copy(), 0
    for t in true:
        near = [i for i, f in enumerate(free) if abs(f - t) < reach]
        if near:
            free.pop(max(near, key=lambda i: level[i]))  # of `found`, once it was as long as `free`
            hits += 1
    assert hits == 2
    assert onset.scores(found, true, reach).matched == 3


def test_nothing_to_find_and_nothing_found_divides_by_zero() -> None:
    """CondFoleyGen stops at 0/0, SyncFusion gives 0: a clip that is rightly silent is a failure or a fault."""
    hits, true = 0, np.zeros(0)
    with pytest.raises(ZeroDivisionError):
        hits / len(true)
    assert onset.scores([], true).f1 == 1.0
    assert onset.average_precision([([], [], true)]) == 1.0
    assert condfoley.evaluate(true, [], clicked([], [])) == condfoley.CondFoley(accuracy=0.0, ap=0.0)


def test_fad_inf_without_a_seed_is_another_number_each_time() -> None:
    """fadtk draws from the global generator."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((400, 8)), rng.standard_normal((300, 8)) + 0.2

    def unseeded() -> float:
        sizes = np.linspace(60, 300, 6).astype(int)
        drawn = [frechet.distance(x, y[np.random.default_rng().integers(0, 300, k)]) for k in sizes]
        return float(np.polyfit(1 / sizes, drawn, 1)[1])

    assert unseeded() != unseeded()
    assert frechet.unbiased(x, y).value == frechet.unbiased(x, y).value


def test_pictures_cannot_be_as_far_from_sounds_as_from_pictures() -> None:
    """FoleyGRAM's text: the distance between the embeddings of the video, 1024, and those of the audio, 128."""
    rng = np.random.default_rng(2)
    pictures, sounds = rng.standard_normal((20, 10)), rng.standard_normal((20, 4))
    with pytest.raises(ValueError, match=r"shapes|broadcast"):
        np.square(pictures.mean(0) - sounds.mean(0)).sum()
    with pytest.raises(ValueError, match="dimensions"):
        frechet.distance(pictures, sounds)
    assert favd.evaluate([pictures], [sounds], [pictures], [sounds + 1], version="float").value > 0
