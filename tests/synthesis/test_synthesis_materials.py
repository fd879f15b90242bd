"""The materials against the literature: how long, how bright, how inharmonic."""

from __future__ import annotations

import numpy as np
import pytest

from weft.cues.vocabulary import MATERIALS
from weft.synthesis import SoundEvent, render
from weft.synthesis.granular import bubbles
from weft.synthesis.materials import TABLE, Bubbles
from weft.synthesis.modal import partial_ratios, ring
from weft.synthesis.published import PUBLISHED, measure_centroid, measure_inharmonicity, measure_t60
from weft.synthesis.reference import analyse
from weft.synthesis.voice import build_voice

RATE = 44100


def hits(material: str, count: int = 7) -> list[np.ndarray]:
    """One anechoic hit on each of `count` objects of all sizes, left ear."""
    events = [SoundEvent(t=0, material=material, size=k / (count - 1)) for k in range(count)]
    return [render([event], 2.5, seed=k, room=None)[0] for k, event in enumerate(events)]


def test_every_material_has_data_and_a_published_range() -> None:
    assert set(TABLE) == set(PUBLISHED) == set(MATERIALS)


@pytest.mark.parametrize("material", MATERIALS)
def test_a_hit_is_as_bright_and_as_long_as_published(material: str) -> None:
    published = PUBLISHED[material]
    waves = hits(material)
    brightness = np.percentile([measure_centroid(wave, RATE) for wave in waves], [15, 85])
    assert published.centroid[0] <= brightness[0] and brightness[1] <= published.centroid[1]
    assert brightness[1] > 1.1 * brightness[0], "objects of one material differ"
    if published.t60 is not None:
        length = np.percentile([measure_t60(wave, RATE) for wave in waves], [15, 85])
        assert published.t60[0] <= length[0] and length[1] <= published.t60[1]
        assert length[1] > 1.2 * length[0]


@pytest.mark.parametrize("material", [name for name, value in PUBLISHED.items() if value.loss is not None])
def test_loss_factors_are_published_ones(material: str) -> None:
    modes, loss = TABLE[material].modes, PUBLISHED[material].loss
    assert modes is not None and loss is not None
    assert loss[0] <= modes.loss[0] <= modes.loss[1] <= loss[1]


@pytest.mark.parametrize("material", ["metal", "glass", "ceramic", "wood"])
def test_the_rendered_loss_factor_lies_between_bare_and_held(material: str) -> None:
    """tan phi = decay / (pi f), measured on the wave: never below the bare material's, above it by the support only."""
    modes, published = TABLE[material].modes, PUBLISHED[material].loss
    assert modes is not None and published is not None
    for seed in range(2):
        voice = analyse(render([SoundEvent(t=0, material=material)], 1.5, seed=seed, room=None))
        loud = np.argsort(-voice.mode_gain)[:3]
        hz, decay = voice.mode_hz[loud], voice.mode_decay[loud]
        held = (modes.support[1] + np.pi * hz * modes.loss[1]) * 1.8
        assert np.all(decay > 0.5 * np.pi * hz * published[0]) and np.median(decay / held) < 1


def test_listeners_order_of_ringing_holds() -> None:
    """Klatzky, Pai & Krotkov 2000; Giordano & McAdams 2006: metal, glass, (ceramic,) wood, plastic."""
    median = {
        name: np.median([measure_t60(wave, RATE) for wave in hits(name)])
        for name in ("metal", "glass", "ceramic", "tile", "plastic", "rock")
    }
    assert median["metal"] > median["glass"] > median["ceramic"] > median["tile"]
    assert median["ceramic"] > median["plastic"] and median["tile"] > 0.8 * median["rock"]


def test_metal_and_glass_are_inharmonic() -> None:
    for material in ("metal", "glass"):
        values = [
            measure_inharmonicity(build_voice(TABLE[material], 0.5, seed, "").mode_hz[:8])
            for seed in range(12)
        ]
        assert 0.12 < float(np.median(values)) < 0.4


def test_a_free_bar_has_eulers_partials() -> None:
    ratios = partial_ratios("bar", 12, np.random.default_rng(1))
    for wanted in (2.756, 5.404, 8.933):
        assert np.abs(ratios / wanted - 1).min() < 0.05


def test_bubbles_sing_at_minnaerts_frequency() -> None:
    for radius_mm in (1.0, 2.0, 4.0):
        cloud = Bubbles(radius_mm=(radius_mm, radius_mm * 1.001), count=40, spread=(0.2, 0.3))
        wave = bubbles(cloud, 1.0, np.random.default_rng(2), RATE)
        power = np.abs(np.fft.rfft(wave)) ** 2
        peak = np.argmax(power) * RATE / len(wave)
        assert 0.97 < peak / (3.26 / (radius_mm * 1e-3)) < 1.25


def test_ring_is_the_sum_it_says() -> None:
    rng = np.random.default_rng(0)
    hz, decay, gain, phase = (
        rng.uniform(50, 15000, 9),
        rng.uniform(2, 90, 9),
        rng.normal(size=9),
        rng.uniform(0, 6, 9),
    )
    t = np.arange(30000)[:, None] / RATE
    wanted = (gain * np.exp(-decay * t) * np.sin(2 * np.pi * hz * t + phase)).sum(axis=1)
    assert np.abs(ring(hz, decay, gain, phase, 30000, RATE) - wanted).max() < 2e-4
