"""Envelope, space and spectrum: identities, hand-made values, and errors that help."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import envelope, space, spectrum

RATE = 44100


def noise(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, round(seconds * RATE))) * 0.1


def test_rms_of_a_sine_and_its_frames() -> None:
    wave = np.sin(2 * np.pi * 441 * np.arange(RATE) / RATE)
    values = envelope.rms(wave)
    assert values.shape == (RATE // 512 + 1,)
    assert values[2:-3] == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert values[0] < values[5]  # half its window lies before the sound


def test_rms_matches_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    wave = noise()[0]
    theirs = librosa.feature.rms(y=wave, frame_length=1024, hop_length=512, center=True)[0]
    assert envelope.rms(wave) == pytest.approx(theirs, abs=1e-6)


def test_envelope_agreement_is_blind_to_gain_but_not_to_time() -> None:
    audio = noise()
    audio[:, 20000:] *= 0.1
    assert envelope.agreement(audio * 0.5, audio) == pytest.approx(1.0)
    assert envelope.agreement(audio[:, ::-1].copy(), audio) < 0
    assert envelope.level_error(audio * 0.5, audio, floor_db=-80) == pytest.approx(6.02, abs=0.01)
    assert envelope.correlation(np.zeros(5), np.arange(5.0)) == 0.0
    assert envelope.correlation(np.zeros(5), np.zeros(5)) == 1.0


def test_lag_is_found_with_its_sign() -> None:
    curve = np.exp(-np.square(np.arange(200) - 80) / 50)
    assert envelope.lag(np.roll(curve, 7), curve, step_s=0.01) == pytest.approx(0.07)
    assert envelope.lag(np.roll(curve, -4), curve, step_s=0.01) == pytest.approx(-0.04)
    assert envelope.lag(curve, curve, step_s=0.01) == 0.0


@pytest.mark.parametrize("true", [-0.8, -0.2, 0.0, 0.5])
def test_pan_reads_back_the_constant_power_law(true: float) -> None:
    mono = noise()[:1]
    angle = (true + 1) * np.pi / 4
    audio = np.concatenate([mono * np.cos(angle), mono * np.sin(angle)])
    heard, active = space.pan(audio)
    assert active.all()
    assert heard == pytest.approx(true, abs=1e-6)
    assert space.ild(audio).mean() == pytest.approx(20 * np.log10(np.tan(angle)), abs=0.05)


def _blows(times: list[float], pans: list[float], *, ringing: float = 0.0) -> np.ndarray:
    """Bursts of noise at `times`, placed by the constant-power law, over a sound that rings on the left."""
    audio = np.zeros((2, 2 * 44100))
    audio[0] = ringing * noise(2.0)[0]
    for t, p in zip(times, pans, strict=True):
        angle = (p + 1) * np.pi / 4
        at = round(t * 44100)
        burst = noise(0.3)[0] * np.exp(-np.arange(13230) / 2000)
        audio[:, at : at + 13230] += np.stack([burst * np.cos(angle), burst * np.sin(angle)])
    return audio


def test_pan_correlation_turns_with_a_mirrored_picture() -> None:
    times, pans = [0.1, 0.5, 0.9, 1.3, 1.6], [-0.8, 0.7, -0.1, 0.4, 0.9]
    audio = _blows(times, pans)
    heard = space.blow_pan(audio, times)
    np.testing.assert_allclose(heard, pans, atol=0.05)
    assert space.pan_correlation([(heard, np.array(pans))]) > 0.99
    assert space.pan_correlation([(space.blow_pan(audio[::-1], times), np.array(pans))]) < -0.99
    assert not space.blow_pan(audio * 0, times).any()
    assert np.isnan(space.pan_correlation([]))


def test_a_blow_that_drowns_in_what_rings_cannot_be_placed() -> None:
    times = [0.4, 1.2]
    assert space.stands_out(_blows(times, [0.5, 0.5]), times).all()
    assert not space.stands_out(_blows(times, [0.5, 0.5], ringing=3.0), times).any()
    assert not space.stands_out(1e-3 * _blows(times, [0.5, 0.5]), times).any()
    assert space.stands_out(_blows(times, [0.5, 0.5]), [0.4, 3.0]).tolist() == [True, False]


def test_ild_error_counts_active_frames_only() -> None:
    audio = noise()
    audio[:, 22000:] = 0
    louder = audio.copy()
    louder[1] *= 2
    louder[0, 30000:] = 0.5  # the estimate's noise where the reference is silent is no level difference
    assert space.ild_error(louder, audio) == pytest.approx(6.02, abs=0.05)
    assert space.ild_error(audio, audio) == 0.0
    with pytest.raises(ValueError, match="needs two"):
        space.ild(audio[0])


def test_mel_power_is_librosas_and_a_full_sine_is_0_db() -> None:
    librosa = pytest.importorskip("librosa")
    wave = noise()[0]
    ours = spectrum.mel_power(wave)[0]
    theirs = librosa.feature.melspectrogram(
        y=wave, sr=RATE, n_fft=2048, hop_length=512, n_mels=64, norm=None, pad_mode="reflect"
    )
    scale = np.square(np.hanning(2049)[:-1]).sum() * 2048 / 4
    assert ours == pytest.approx(theirs / scale, rel=1e-3, abs=1e-9)
    sine = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert 10 * np.log10(spectrum.mel_power(sine).sum(1)[0, 20]) == pytest.approx(0, abs=0.3)


def test_mel_error_of_a_gain_is_the_gain() -> None:
    audio = noise(2.0)
    assert spectrum.mel_error(audio, audio) == 0.0
    assert spectrum.mel_error(audio * 0.5, audio) == pytest.approx(6.02, abs=0.02)
    half = audio.copy()
    half[:, RATE:] = 0
    quieter = half * 0.5
    assert spectrum.mel_error(quieter, half) == pytest.approx(3.0, abs=0.2)  # silence dilutes
    assert spectrum.mel_error_active(quieter, half) == pytest.approx(6.02, abs=0.05)
    assert np.isnan(spectrum.mel_error_active(audio, audio * 0))
    assert spectrum.mel_error(audio[:, :300], audio[:, :300]) == 0.0  # shorter than the window


def test_shapes_and_nan_are_refused_with_advice() -> None:
    audio = noise()
    with pytest.raises(ValueError, match="cut both to one length"):
        spectrum.mel_error(audio[:, :-1], audio)
    with pytest.raises(ValueError, match="transpose"):
        spectrum.mel_error(audio.T, audio.T)
    audio[0, 5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        envelope.rms(audio)
