"""The codec: its spectrum inverts, its time is local, its files load, silence stays silent."""

from dataclasses import asdict

import pytest
import torch

from weft.codecs.stft_vae import StftVae, StftVaeConfig, mel_matrix, mel_spread
from weft.errors import WeightsError

SMALL = StftVaeConfig(encoder_fine=(24, 1), encoder_deep=(32, 1), decoder_deep=(32, 1), decoder_fine=(24, 2))


@pytest.fixture(scope="module")
def codec() -> StftVae:
    torch.manual_seed(1)
    return StftVae(SMALL).eval()


def sound(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("samples", [1, 1000, 1024, 1025, 7777])
def test_inverse_spectrum_returns_the_sound_whole(codec, samples):
    audio = sound(samples)
    back = codec.istft(codec.stft(audio), samples)
    assert back.shape == audio.shape
    assert torch.allclose(back, audio, atol=1e-6)


def test_full_scale_sine_reads_as_one(codec):
    wave = torch.sin(torch.arange(44100) * (2 * torch.pi * 100 / 1024)).expand(1, 2, -1)
    assert codec.stft(wave).abs()[0, 0, 100, 20:-20].max() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("samples", [1, 4410, 44100])
def test_shapes_and_rates_are_the_contract(codec, samples):
    audio = sound(samples)
    mean, variance = codec.posterior(audio)
    frames = -(-samples // 1024)
    assert mean.shape == variance.shape == (2, frames, 64)
    assert torch.equal(codec.encode(audio), mean)
    assert codec.decode(mean, samples).shape == audio.shape
    assert codec.decode(mean).shape == (2, 2, frames * 1024)
    assert codec.latent_rate == pytest.approx(43.0664, abs=1e-4)


def test_decoding_in_blocks_equals_decoding_whole(codec):
    latent = torch.randn(1, 90, 64, generator=torch.Generator().manual_seed(2))
    whole = codec.decode(latent, 90 * 1024 - 333)
    pieces = list(codec.decode_blocks(latent, 90 * 1024 - 333, block=20))
    assert max(piece.shape[-1] for piece in pieces) == 20 * 1024
    joined = torch.cat(pieces, -1)
    assert joined.shape == whole.shape
    assert torch.allclose(joined, whole, atol=1e-4 * float(whole.detach().abs().max()))


def test_context_is_the_reach_of_a_latent_frame(codec):
    latent = torch.randn(1, 60, 64, generator=torch.Generator().manual_seed(2))
    changed = latent.clone()
    changed[:, 30] += 1
    moved = (codec.decode(latent) - codec.decode(changed)).abs().amax((0, 1))
    touched = moved.nonzero()[:, 0] // 1024
    assert 30 - codec.context <= touched.min() and touched.max() <= 30 + codec.context


def test_both_ways_are_differentiable(codec):
    audio = sound(4096).requires_grad_(True)
    codec.decode(codec.encode(audio), 4096).square().mean().backward()
    assert torch.isfinite(audio.grad).all() and audio.grad.abs().max() > 0
    silent = torch.zeros(1, 2, 4096, requires_grad=True)
    codec.decode(codec.encode(silent), 4096).square().mean().backward()
    assert torch.isfinite(silent.grad).all()


def test_normalisation_scales_latents_and_leaves_the_sound(codec):
    audio = sound(8192)
    before, made = codec.encode(audio), codec.decode(codec.encode(audio))
    other = StftVae(SMALL).eval()
    other.load_state_dict(codec.state_dict())
    other.latent_mean += 0.3
    other.latent_std *= 2.0
    assert torch.allclose(other.encode(audio), (before - 0.3) / 2, atol=1e-5)
    assert torch.allclose(other.decode(other.encode(audio)), made, atol=1e-4)


def test_file_brings_back_the_same_codec(codec, tmp_path):
    codec.save(tmp_path / "codec.safetensors", trained="never")
    again = StftVae.load(tmp_path / "codec.safetensors")
    assert again.config == SMALL
    audio = sound(5000)
    assert torch.allclose(again.decode(again.encode(audio)), codec.decode(codec.encode(audio)), atol=2e-3)


def test_file_that_does_not_fit_is_named(codec, tmp_path):
    from weft import weights

    tensors = codec.state_dict()
    tensors.pop("write.bias")
    weights.save(tmp_path / "bad.safetensors", tensors, {"config": asdict(SMALL)})
    with pytest.raises(WeightsError, match=r"bad.safetensors does not fit: 1 keys missing \['write.bias'\]"):
        StftVae.load(tmp_path / "bad.safetensors")


def test_mel_filters_are_librosas():
    librosa = pytest.importorskip("librosa")
    want = librosa.filters.mel(sr=44100, n_fft=2048, n_mels=64, norm=None)
    assert torch.allclose(mel_matrix(44100, 2048, 64), torch.from_numpy(want), atol=1e-6)


def test_spread_interpolates_between_band_centres():
    spread = mel_spread(44100, 1024, 64)
    assert torch.allclose(spread.sum(0), torch.ones(513))
    assert (spread > 0).sum(0).max() == 2
