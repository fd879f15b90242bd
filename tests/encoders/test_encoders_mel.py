"""The mel front ends against librosa, and against numbers that torchaudio's own formulas gave.

torchaudio's compiled part has no build here: its Python functions (`functional.spectrogram`, `melscale_fbanks`,
`compliance.kaldi.fbank`) were run by themselves, outside the project, and every number was kept as they gave it.
kaldi-native-fbank 1.23, written apart from both, agreed with ours to 7e-5.
"""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from published_parity import drawn

from weft.encoders import kaldi, mel

WAVE = drawn("in.wave", 1, 16000) * 0.1

# torchaudio 2.11, 16 kHz, n_fft 1024, win 400, hop 160, 80 mel: every 1237th value of [1, 80, 101]
TORCHAUDIO = {
    ("htk", None): [0.144742, 13.83888, 0.5218, 2.446719, 5.568723, 32.489597],
    ("slaney", "slaney"): [0.037913, 0.435766, 0.079975, 0.088022, 0.02352, 0.125254],
}
# torchaudio 2.11's kaldi.fbank: (scale, mel bands, window) -> its mean, six values evenly through it
KALDI = {
    (2**15, 128, "povey"): (19.790124, [14.36691, 17.16303, 22.75168, 24.39627, 19.29103, 21.71568]),
    (2**15, 64, "povey"): (20.891163, [13.94274, 17.45775, 23.25176, 25.33184, 20.01954, 22.75756]),
    (1, 128, "hanning"): (-0.919326, [-6.69629, -3.71961, 1.85672, 3.5551, -1.58667, 0.83733]),
    (1, 23, "povey"): (1.274476, [-5.2528, -0.67121, 3.66354, 4.77358, -1.25897, 2.00492]),
}


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"), [(16000, 512, 64, 50, 8000), (22050, 1024, 80, 125, 7600)]
)
def test_filters_are_librosas(htk, norm, rate, n_fft, n_mels, fmin, fmax) -> None:
    given = {"n_fft": n_fft, "n_mels": n_mels, "fmin": fmin, "fmax": fmax, "norm": norm}
    found = mel.filters(rate=rate, scale="htk" if htk else "slaney", **given)
    np.testing.assert_allclose(found, librosa.filters.mel(sr=rate, htk=htk, **given), atol=1e-7)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_mel_spectrogram_is_librosas(power: float) -> None:
    found = mel.mel_spectrogram(WAVE[0], rate=16000, n_fft=512, hop=160, n_mels=64, fmin=50, power=power)
    wanted = librosa.feature.melspectrogram(
        y=WAVE[0].numpy(), sr=16000, n_fft=512, hop_length=160, n_mels=64, fmin=50, power=power
    )
    np.testing.assert_allclose(found, wanted, atol=1e-6 * wanted.max())


@pytest.mark.parametrize(("scale", "norm"), list(TORCHAUDIO))
def test_a_mel_spectrogram_is_torchaudios(scale: mel.Scale, norm: mel.Norm) -> None:
    found = mel.mel_spectrogram(
        WAVE, rate=16000, n_fft=1024, win=400, hop=160, n_mels=80, scale=scale, norm=norm, pad="reflect"
    )
    assert found.shape == (1, 80, 101)
    np.testing.assert_allclose(found.flatten()[::1237][:6], TORCHAUDIO[scale, norm], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("given", list(KALDI), ids=str)
def test_a_filter_bank_is_kaldis(given: tuple[int, int, kaldi.Window]) -> None:
    scale, n_mels, window = given
    found = kaldi.fbank(WAVE[0] * scale, rate=16000, n_mels=n_mels, window=window)
    mean, values = KALDI[given]
    assert found.shape == (98, n_mels)
    assert float(found.mean()) == pytest.approx(mean, abs=1e-5)
    np.testing.assert_allclose(found.flatten()[:: found.numel() // 6][:6], values, atol=1e-4)


def test_a_clip_in_a_batch_has_the_same_features_as_alone() -> None:
    both = torch.cat([WAVE, WAVE.flip(-1)])
    assert torch.allclose(
        kaldi.fbank(both, rate=16000, n_mels=64)[1], kaldi.fbank(both[1], rate=16000, n_mels=64)
    )
    given = {"rate": 16000, "n_fft": 512, "hop": 160, "n_mels": 40}
    assert torch.allclose(mel.mel_spectrogram(both, **given)[1], mel.mel_spectrogram(both[1], **given))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"band 50 to 9000 Hz must lie within 0 to 8000 Hz"):
        mel.filters(rate=16000, n_fft=512, n_mels=64, fmin=50, fmax=9000)
    with pytest.raises(ValueError, match="256 samples are too few to mirror 256"):
        mel.spectrogram(WAVE[:, :256], n_fft=512, hop=160)
    with pytest.raises(ValueError, match="399 samples are fewer than a frame's 400"):
        kaldi.fbank(WAVE[:, :399], rate=16000, n_mels=64)
