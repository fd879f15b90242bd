"""The mel bridge: what it says of a sound is what the ear makes of it, with right gradients and never NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from weft.codecs.audio_ldm import FRONT
from weft.codecs.mel_bridge import MelBridge, band_map, sharpened
from weft.codecs.mel_front import MEL_FRONT_16K, MEL_FRONT_44K, MelFront
from weft.codecs.mel_front import log_mel as front_mel
from weft.codecs.mel_layout import of_front
from weft.diffusion.step_rules import slope_of
from weft.encoders.log_mel import HOP, RATE, layout, log_mel
from weft.systems.guide import at_rate

FRONTS = {"audio_ldm": FRONT, "16k": MEL_FRONT_16K, "44k": MEL_FRONT_44K}
ALL = pytest.mark.parametrize("name", FRONTS)


@pytest.fixture(scope="module")
def bridges() -> dict[str, MelBridge]:
    return {name: MelBridge(of_front(front), layout()) for name, front in FRONTS.items()}


def heard(bridge: MelBridge, front: MelFront, wave: Tensor) -> tuple[Tensor, Tensor]:
    """By the bridge and by the ear: dB `[F, 64]` each, of mono sound [N] at the front's rate."""
    by_bridge = bridge(front_mel(wave[None].float(), front).mT)[0]
    by_ear = log_mel(at_rate(wave[None].double(), front.rate, RATE))[0].float()
    assert abs(len(by_bridge) - len(by_ear)) <= 1
    frames = min(len(by_bridge), len(by_ear))
    return by_bridge[:frames], by_ear[:frames]


def noise(front: MelFront, seconds: float = 3.0) -> Tensor:
    count = round(seconds * front.rate) // front.hop * front.hop
    return 0.05 * torch.randn(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@ALL
def test_noise_has_the_ears_levels_in_every_band_that_the_codec_knows(bridges, name: str) -> None:
    front = FRONTS[name]
    by_bridge, by_ear = (torch.pow(10, x / 10).mean(0) for x in heard(bridges[name], front, noise(front)))
    peaks = layout().filters.argmax(1) * RATE / 1024
    inside = peaks < 0.93 * front.rate / 2
    apart = 10 * torch.log10(by_bridge / by_ear)[inside]
    assert float(apart.abs().max()) < 1.0 and abs(float(apart.mean())) < 0.5
    if front.rate == 16000:
        assert float(by_bridge[peaks > 8500].max()) < 1e-9, "nothing beyond 8 kHz"


@ALL
@pytest.mark.parametrize("hertz", [220.0, 1000.0, 3100.0])
def test_a_tone_stands_in_its_band(bridges, name: str, hertz: float) -> None:
    front = FRONTS[name]
    t = torch.arange(2 * front.rate // front.hop * front.hop, dtype=torch.float64) / front.rate
    by_bridge, by_ear = heard(bridges[name], front, 0.3 * torch.sin(2 * math.pi * hertz * t))
    middle = len(by_ear) // 2
    assert abs(int(by_bridge[middle].argmax()) - int(by_ear[middle].argmax())) <= 1
    # A band of magnitudes that holds one line tells less power than it has: the wider, the less.
    assert -8 < float(by_bridge[middle].max() - by_ear[middle].max()) < 1


@ALL
def test_what_is_struck_comes_in_its_frame(bridges, name: str) -> None:
    front = FRONTS[name]
    wave = torch.zeros(front.rate // front.hop * front.hop, dtype=torch.float64)
    start = round(0.5 * front.rate)
    burst = noise(front, 0.3)
    wave[start : start + len(burst)] = burst * torch.linspace(1, 0, len(burst), dtype=torch.float64) ** 4
    by_bridge, by_ear = heard(bridges[name], front, wave)
    centres = [
        float((np.arange(len(x)) * (p := torch.pow(10, x / 10).sum(1).numpy())).sum() / p.sum())
        for x in (by_bridge, by_ear)
    ]
    assert abs(centres[0] - centres[1]) < 1.0  # frames of 10 ms
    assert float(by_bridge[: 50 - 6].max()) < -60, "silent until the codec's own window reaches the blow"


def test_frames_of_the_same_pace_and_length_pass_as_they_are() -> None:
    front = MelFront(rate=RATE, fft=1024, hop=HOP, bands=64, log="natural")
    bridge = MelBridge(of_front(front), layout())
    assert bridge.smear == 0
    mel = torch.randn(1, 40, 64, generator=torch.Generator().manual_seed(1))
    whole = bridge(mel)
    assert whole.shape == (1, 40, 64) and layout().frames(40 * HOP) == 40
    other = mel.clone()
    other[:, 7] += 1
    assert (bridge(other) - whole).abs().amax(-1).gt(0).nonzero()[:, 1].tolist() == [7]


def test_a_longer_window_is_sharpened_where_it_stands(bridges) -> None:
    bridge = bridges["audio_ldm"]
    assert bridge.smear == pytest.approx(np.sqrt(9.0527**2 - 3.2844**2) / 1e3, rel=1e-3)
    mel = torch.full((1, 40, 64), -6.0)
    mel[:, 20] = 0.0
    found = torch.pow(10, bridge(mel)[0] / 10).sum(1)
    assert found.shape == (40,) and int(found.argmax()) == 20
    torch.testing.assert_close(found[21:26], found[15:20].flip(0), rtol=1e-3, atol=0.0)


def test_sharpening_keeps_the_power_and_finds_what_was_smeared() -> None:
    at = np.arange(60.0)
    kernel = np.exp(-0.5 * ((at[:, None] - at) / 1.5) ** 2)
    kernel = torch.from_numpy(kernel / kernel.sum(1, keepdims=True))
    true = torch.full((1, 60, 2), 1e-6, dtype=torch.float64)
    true[0, 30, 0], true[0, 20:40, 1] = 1.0, 0.3
    smeared = kernel @ true
    found = sharpened(smeared, smeared, kernel)
    assert bool((found >= 0).all())
    weight = kernel.sum(0)[:, None]  # 1 but at the ends
    torch.testing.assert_close((found * weight).sum(1), smeared.sum(1), rtol=1e-6, atol=0.0)
    before, after = ((x - true).abs().sum(1)[0] for x in (smeared, found))
    assert bool((after < 0.87 * before).all())
    flat = torch.full_like(true, 0.5)
    torch.testing.assert_close(sharpened(flat, flat, torch.eye(60, dtype=torch.float64)), flat)


@pytest.mark.parametrize(("name", "least"), [("audio_ldm", 0.55), ("16k", 0.55), ("44k", 0.6)])
def test_a_short_blow_is_nearly_as_short_as_to_the_ear(bridges, name: str, least: float) -> None:
    front = FRONTS[name]
    wave = torch.zeros(front.rate // front.hop * front.hop, dtype=torch.float64)
    start = front.rate // 2
    wave[start : start + front.rate // 200] = noise(front, 1.0)[: front.rate // 200]
    powers = [torch.pow(10, x / 10).sum(1) for x in heard(bridges[name], front, wave)]
    by_bridge, by_ear = (float(x.max() / x.sum()) for x in powers)
    assert by_bridge > least * by_ear, "without sharpening it would be under half"


@ALL
def test_the_map_of_bands_is_never_negative_and_white_noise_comes_out_right(bridges, name: str) -> None:
    source, target = bridges[name].source, bridges[name].target
    found = band_map(source, target)
    assert (found >= 0).all()
    hertz = np.arange(0.0, source.rate / 2, 10.0)
    white, wanted = found @ source.response(hertz).sum(1), target.response(hertz).sum(1)
    reached = found.any(1)
    np.testing.assert_allclose(white[reached], wanted[reached], rtol=1e-6)


@ALL
def test_gradients_agree_with_differences(bridges, name: str) -> None:
    generator = torch.Generator().manual_seed(2)
    size = FRONTS[name].bands
    mel = torch.randn(1, 20, size, generator=generator, dtype=torch.float64)
    mix = torch.randn(64, generator=generator, dtype=torch.float64)

    def value(x: Tensor) -> Tensor:
        return torch.tanh(bridges[name](x) / 20) @ mix

    def loss(x: Tensor) -> Tensor:
        return value(x).sum(1)

    _, slope = slope_of(mel, loss)
    assert float(slope.abs().max()) > 0
    for _ in range(3):
        way = torch.randn(mel.shape, generator=generator, dtype=torch.float64)
        rise = (loss(mel + 1e-6 * way) - loss(mel - 1e-6 * way)) / 2e-6
        torch.testing.assert_close((slope * way).flatten(1).sum(1), rise, rtol=1e-6, atol=1e-6)


@ALL
def test_no_nan_whatever_the_decoder_says(bridges, name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    mel = torch.randn(1000, 8, FRONTS[name].bands, generator=generator)
    mel = mel * 10 ** torch.empty(1000, 1, 1).uniform_(-2, 4, generator=generator)
    mel[0], mel[1], mel[2] = -1e30, 1e30, 0.0
    leaf = mel.requires_grad_()
    found = bridges[name](leaf)
    found.sum().backward()
    assert bool(torch.isfinite(found).all()) and bool(torch.isfinite(leaf.grad).all())


def test_misuse_is_refused(bridges) -> None:
    with pytest.raises(ValueError, match="leads to a spectrogram of powers"):
        MelBridge(layout(), of_front(FRONT))
    with pytest.raises(ValueError, match=r"mel must be \[sounds, frames, 64\], not \[1, 4, 80\]"):
        bridges["audio_ldm"](torch.zeros(1, 4, 80))
    with pytest.raises(ValueError, match=r"0\.\d+ s of sound are too short for a frame"):
        MelBridge(of_front(MelFront(rate=16000, fft=64, hop=16, bands=8, log="natural")), layout())(
            torch.zeros(1, 2, 8)
        )
