"""K-weighting by convolution is pyloudnorm's two recursions, at any rate and however a stream is cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pyloudnorm import IIRfilter
from scipy.signal import lfilter

from weft.media.weighting import KWeighting, response


def recursive(sound: np.ndarray, rate: int) -> np.ndarray:
    for f in (
        IIRfilter(4.0, 1 / np.sqrt(2), 1500.0, rate, "high_shelf"),
        IIRfilter(0.0, 0.5, 38.0, rate, "high_pass"),
    ):
        sound = f.passband_gain * lfilter(f.b, f.a, sound, axis=1)
    return sound


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
def test_blocks_of_any_size_give_what_the_recursions_give(rate: int) -> None:
    rng = np.random.default_rng(rate)
    sound = rng.standard_normal((2, rate)) + 0.5  # with an offset, which the high-pass takes a while to lose
    weighting = KWeighting(rate)
    edges = [0, 0, 1, 7, 1000, 1000 + rate // 3, rate]
    pieces = [weighting.add(sound[:, a:b]) for a, b in pairwise(edges)]
    assert [p.shape[1] for p in pieces] == list(np.diff(edges))
    np.testing.assert_allclose(np.concatenate(pieces, 1), recursive(sound, rate), atol=1e-10)


def test_the_response_is_cut_where_nothing_is_left() -> None:
    taps = response(44100)
    impulse = np.zeros((1, 2 * len(taps)))
    impulse[0, 0] = 1
    whole = recursive(impulse, 44100)[0]
    np.testing.assert_allclose(taps, whole[: len(taps)], atol=1e-13)
    assert np.abs(whole[len(taps) :]).max() < 1e-14
