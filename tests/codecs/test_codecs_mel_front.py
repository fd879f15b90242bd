"""The codecs' mel spectrograms against the reference's numbers and librosa's filters."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from redrawn import assert_golden, drawn

from weft.codecs.mel_front import MEL_FRONT_16K, MEL_FRONT_44K, MelFront, log_mel, triangles

FRONTS = {"16k": MEL_FRONT_16K, "44k": MEL_FRONT_44K}


@pytest.mark.parametrize("name", FRONTS)
def test_mel_is_the_references(name: str) -> None:
    front = FRONTS[name]
    assert_golden(log_mel(drawn("in.wave", 2, 12 * front.hop) * 0.5, front), f"mel_{name}", 1e-5)


@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_filters_are_librosas(front: MelFront) -> None:
    wanted = librosa.filters.mel(sr=front.rate, n_fft=front.fft, n_mels=front.bands)
    np.testing.assert_allclose(triangles(front).numpy(), wanted, atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize(("front", "floor"), [(MEL_FRONT_16K, -5.0), (MEL_FRONT_44K, float(np.log(1e-5)))])
def test_silence_lies_near_the_floor_and_sound_beyond_full_scale_is_cut(
    front: MelFront, floor: float
) -> None:
    silent = log_mel(torch.zeros(1, 4 * front.fft), front)
    assert silent.shape == (1, front.bands, 4 * front.fft // front.hop)
    assert float(silent.min()) == pytest.approx(floor, abs=1e-5)
    loud = 3 * torch.sin(torch.arange(4 * front.fft) * 0.1)[None]
    assert torch.equal(log_mel(loud, front), log_mel(loud.clamp(-1, 1), front))


def test_frame_k_is_centred_on_k_and_a_half_hops() -> None:
    front = MEL_FRONT_16K
    wave = torch.zeros(1, 20 * front.hop)
    wave[0, round(9.5 * front.hop)] = 1.0
    level = log_mel(wave, front).mean(1)[0]
    assert int(level.argmax()) == 9
    torch.testing.assert_close(level[8], level[10], atol=1e-3, rtol=1e-3)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"more than 384 samples\], not \[1, 384\]"):
        log_mel(torch.zeros(1, 384), MEL_FRONT_16K)
    with pytest.raises(ValueError, match=r"not \[1, 1, 4000\]"):
        log_mel(torch.zeros(1, 1, 4000), MEL_FRONT_16K)
