"""What AudioLDM's miniature learns: losses that fall on what is right, latents in their place, sizes that fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weft.codecs.audio_ldm import FRONT, AudioLdmCodec, AudioLdmCodecConfig, as_rows
from weft.codecs.mel_front import log_mel
from weft.diffusion.ddpm import Ddpm
from weft.generators.audio_ldm import TINY_AUDIO_LDM, AudioLdmNet
from weft.training import audio_ldm as lessons

SIZES = AudioLdmCodecConfig(widths=(4, 8, 8), layers=1, scaling=1.0, vocoder_width=32, norm_groups=4)


@pytest.fixture(scope="module")
def codec() -> AudioLdmCodec:
    pytest.importorskip("diffusers")
    torch.manual_seed(0)
    made = AudioLdmCodec.build(SIZES)
    lessons.begin(made.vocoder)
    return made.eval()


def sound(seconds: float = 0.64) -> torch.Tensor:
    return 0.1 * torch.randn(2, round(seconds * 16000), generator=torch.Generator().manual_seed(1))


def test_the_miniature_fits_in_eight_mebibytes_of_half_precision() -> None:
    pytest.importorskip("diffusers")
    with torch.device("meta"):
        parts = (AudioLdmNet.build(lessons.MINI_NET), AudioLdmCodec.build(lessons.MINI_CODEC))
    count = sum(p.numel() for part in parts for p in part.parameters())
    assert 2 * count < 8 * 2**20
    assert 1e6 < sum(p.numel() for p in parts[0].parameters()) < 4e6


def test_crops_lie_inside_the_sounds_and_never_clip() -> None:
    rng = np.random.default_rng(0)
    wave = np.zeros((3, 1000), np.int16)
    wave[:, 600:700] = 32767 // 2
    found = lessons.crops(wave, 200, 300, rng)
    assert found.shape == (200, 300) and found.dtype == torch.float32
    peaks = found.abs().amax(1)
    assert float(peaks.max()) <= 0.99 + 1e-6
    assert float((peaks > 0).float().mean()) > 0.9, "silence is seldom taken"
    loud = peaks[peaks > 0]
    assert 0.125 < float(loud.min()) < 0.2, "12 dB softer at most"
    assert float(loud.max()) == pytest.approx(0.99), "12 dB louder, where there is room for it"
    assert bool((found.amin(1) < 0).any()) and bool((found.amax(1) > 0).any()), "turned over at random"


def test_the_picture_is_the_codecs_mel_and_latents_are_rows_of_it(codec: AudioLdmCodec) -> None:
    wave = sound()
    picture = lessons.picture_of(wave)
    assert picture.shape == (2, 1, 64, 64)
    torch.testing.assert_close(picture[:, 0], log_mel(wave, FRONT).mT)
    latent = lessons.latents_of(codec, wave)
    assert latent.shape == (2, 16, 128)
    torch.testing.assert_close(latent, as_rows(codec.vae.encode(picture).latent_dist.mean))
    assert codec.decode_mel(latent).shape == (2, 64, 64)


def test_spread_brings_latents_to_unit_deviation() -> None:
    latent = np.random.default_rng(0).normal(0, 3, (50, 20, 128)).astype(np.float16)
    assert (latent.astype(np.float64) * lessons.spread(latent)).std() == pytest.approx(1)


def test_the_autoencoders_loss_is_what_it_misses_and_the_divergence(codec: AudioLdmCodec) -> None:
    wave = sound()
    seen = lessons.vae_losses(codec.vae, wave, torch.Generator().manual_seed(0), 0.5)
    assert float(seen["loss"]) == pytest.approx(float(seen["missed"]) + 0.5 * float(seen["kl"]))
    told = codec.vae.encode(lessons.picture_of(wave)).latent_dist
    assert float(seen["kl"]) == pytest.approx(float(told.kl().mean() / told.mean[0].numel()), rel=1e-5)
    again = lessons.vae_losses(codec.vae, wave, torch.Generator().manual_seed(0), 0.5)
    other = lessons.vae_losses(codec.vae, wave, torch.Generator().manual_seed(1), 0.5)
    assert float(again["loss"]) == float(seen["loss"]) != float(other["loss"])


def test_the_vocoder_begins_loud_enough_to_learn_and_learns(codec: AudioLdmCodec) -> None:
    torch.manual_seed(0)
    vocoder = AudioLdmCodec.build(SIZES).vocoder
    wave = sound(0.32)
    mel = log_mel(wave, FRONT).mT
    silent = float(vocoder(mel).std())
    lessons.begin(vocoder)
    assert float(vocoder(mel).std()) > 1e-2 > 100 * silent
    optimiser = torch.optim.Adam(vocoder.parameters(), lr=3e-3)
    losses = []
    for _ in range(8):
        told = lessons.vocoder_losses(vocoder, wave)
        optimiser.zero_grad()
        told["loss"].backward()
        optimiser.step()
        losses.append(float(told["loss"].detach()))
    assert losses[-1] < 0.8 * losses[0]
    assert {"own mel", "bands"} <= told.keys()


@pytest.mark.parametrize("predicts", ["eps", "v"])
def test_the_denoisers_loss_is_that_of_what_the_schedule_asks_for(predicts) -> None:
    pytest.importorskip("diffusers")
    torch.manual_seed(0)
    net = AudioLdmNet.build(TINY_AUDIO_LDM).eval()
    with torch.no_grad():  # a network that says nothing misses all of its target
        net.unet.conv_out.weight.zero_()
        net.unet.conv_out.bias.zero_()
    process = Ddpm(predicts=predicts)
    latent, words = torch.randn(64, 8, 128), torch.randn(64, 32)
    loss = lessons.unet_losses(net, latent, words, process, torch.Generator().manual_seed(0))["loss"]
    assert float(loss) == pytest.approx(1, abs=0.02)
    silent = lessons.unet_losses(net, 0 * latent, words, process, torch.Generator().manual_seed(0))["loss"]
    if predicts == "eps":
        assert float(silent) == pytest.approx(float(loss)), "the noise is the target, whatever it lies upon"
    else:
        assert float(silent) < 0.9 * float(loss)
