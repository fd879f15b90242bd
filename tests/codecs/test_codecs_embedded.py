"""The codec that ships: silence is silent, quiet is not hiss, a struck thing comes back, blocks join."""

import numpy as np
import pytest
import torch

from weft.codecs.stft_vae import StftVae
from weft.metrics import envelope, space, spectrum
from weft.synthesis import SoundEvent, render


@pytest.fixture(scope="module")
def codec() -> StftVae:
    return StftVae.load()


@pytest.fixture(scope="module")
def blows() -> np.ndarray:
    hits = [("wood", 0.2, -0.6), ("cloth", 0.7, 0.5), ("water", 1.1, 0.0), ("gravel", 1.6, 0.6)]
    events = [SoundEvent(t=t, material=material, pan=pan, depth=0.2) for material, t, pan in hits]
    return render(events, 2.0, seed=987_654)


def there_and_back(codec: StftVae, sound: np.ndarray) -> np.ndarray:
    return codec.decode(codec.encode(torch.from_numpy(sound)[None]), sound.shape[1])[0].numpy()


def test_silence_is_silent(codec):
    assert np.abs(there_and_back(codec, np.zeros((2, 30000), np.float32))).max() < 1e-5


@pytest.mark.parametrize("level_db", [-20, -50, -80, -95])
def test_noise_keeps_its_level(codec, level_db):
    noise = np.random.default_rng(0).normal(size=(2, 44100)).astype(np.float32) * np.float32(
        10 ** (level_db / 20)
    )
    made = there_and_back(codec, noise)
    assert 10 * np.log10(np.square(made).mean()) == pytest.approx(level_db, abs=1.0)


def test_a_blow_comes_back_in_colour_time_and_place(codec, blows):
    made = there_and_back(codec, blows)
    assert (
        spectrum.mel_error(made, blows) < 3.5
    )  # a busy clip, no silence in it; the mean over the world is 0.9
    assert envelope.agreement(made, blows) > 0.95
    assert space.ild_error(made, blows) < 1.0


def test_blocks_join_without_a_seam(codec, blows):
    latent = codec.encode(torch.from_numpy(np.tile(blows, 2))[None])
    whole = codec.decode(latent)
    joined = torch.cat(list(codec.decode_blocks(latent, block=37)), -1)
    assert float((whole - joined).abs().max()) < 1e-4


def test_latents_are_of_unit_size(codec, blows):
    latent = codec.encode(torch.from_numpy(blows)[None])
    assert 0.3 < float(latent.std()) < 1.5 and float(latent.abs().max()) < 12


def test_there_is_no_direct_current(codec):
    """No mel band reaches 0 Hz, so nothing was learnt there: up to half of a take was once below hearing."""
    wave = render([SoundEvent(t=0.5, strength=0.8, material="ceramic")], 2.0, seed=0)
    heard = there_and_back(codec, 4 * wave).mean(0)
    power = np.square(np.abs(np.fft.rfft(heard)))
    assert power[: round(20 * len(heard) / 44100)].sum() < 0.01 * power.sum()
