"""The anti-aliased activation against its definition, and against what it is for."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from weft.codecs import anti_alias
from weft.codecs.anti_alias import AntiAliased, Snake, kaiser_sinc

GOLDEN = json.loads((Path(__file__).parent / "parity" / "mel_codec.json").read_text())


def activation(kind: Snake = "snakebeta", channels: int = 3) -> AntiAliased:
    torch.manual_seed(1)
    made = AntiAliased(channels, kind)
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(0.3 * torch.randn_like(value))
    return made


def plainly(made: AntiAliased, x: torch.Tensor) -> torch.Tensor:
    """The definition: zeros between the samples, low-pass, snake, low-pass, every second sample."""
    taps = kaiser_sinc().expand(x.shape[1], 1, 12)
    filled = torch.zeros(*x.shape[:2], 2 * (x.shape[2] + 20))
    filled[..., ::2] = F.pad(x, (10, 10), mode="replicate")
    doubled = F.conv1d(F.pad(filled, (6, 5)), 2 * taps.flip(-1), groups=x.shape[1])[..., 20:-20]
    alpha = made.act.alpha.exp()[:, None]
    beta = alpha if made.act.beta is None else made.act.beta.exp()[:, None]
    bent = doubled + torch.sin(alpha * doubled) ** 2 / beta
    return F.conv1d(F.pad(bent, (5, 6), mode="replicate"), taps, stride=2, groups=x.shape[1])


def test_the_filter_is_the_one_in_the_published_files() -> None:
    torch.testing.assert_close(kaiser_sinc(), torch.tensor(GOLDEN["filter"]), atol=1e-7, rtol=1e-5)


def test_the_filter_passes_what_lies_below_half_its_cut_and_stops_what_lies_beyond_its_slope() -> None:
    taps = kaiser_sinc().double()
    assert float(taps.sum()) == pytest.approx(1.0, abs=1e-6)
    assert torch.allclose(taps, taps.flip(0))
    at = torch.arange(12).double()
    response = [abs(torch.polar(taps, -2 * math.pi * f * at).sum().item()) for f in (0.1, 0.45)]
    assert response[0] > 0.97
    assert response[1] < 0.02


@pytest.mark.parametrize("kind", ["snake", "snakebeta"])
@pytest.mark.parametrize("samples", [1, 2, 9, 64])
def test_two_interleaved_halves_are_the_doubled_signal(kind: Snake, samples: int) -> None:
    made = activation(kind)
    x = torch.randn(2, 3, samples, generator=torch.Generator().manual_seed(samples))
    with torch.inference_mode():
        torch.testing.assert_close(made(x), plainly(made, x), atol=2e-6, rtol=1e-5)


def test_with_and_without_gradients_it_is_the_same_and_the_callers_tensor_is_left_alone() -> None:
    made = activation()
    x = torch.randn(1, 3, 40, generator=torch.Generator().manual_seed(0))
    kept, wanted = x.clone(), x.clone().requires_grad_()
    with torch.inference_mode():
        quick = made(x)
    assert torch.equal(x, kept)
    slow = made(wanted)
    torch.testing.assert_close(quick, slow.detach(), atol=1e-6, rtol=1e-6)
    slow.square().sum().backward()
    assert wanted.grad is not None
    assert float(wanted.grad.abs().min()) > 0


def test_in_half_precision_only_what_goes_in_and_out_is_rounded() -> None:
    made = activation()
    x = torch.randn(1, 3, 400, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.inference_mode():
        told, exact = made(x), made(x.float())
    assert told.dtype == torch.bfloat16
    assert torch.equal(told, exact.bfloat16())


@pytest.mark.parametrize("cached", [1, 50, 200])
def test_channels_taken_some_at_a_time_are_the_channels_taken_at_once(
    cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = activation(channels=5)
    x = torch.randn(2, 5, 50, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        at_once = made(x)
        monkeypatch.setattr(anti_alias, "CACHED", cached)
        assert torch.equal(made(x), at_once)


def test_gradients_are_right() -> None:
    made = activation(channels=2).double()
    x = torch.randn(
        1, 2, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    assert torch.autograd.gradcheck(made, (x,))
    made.requires_grad_(False)
    assert torch.autograd.gradcheck(made, (x,))


def test_overtones_beyond_the_rate_do_not_fold_back() -> None:
    """A sine at 0.35 of the rate, bent, has its second harmonic at 0.7, which folds to 0.3: 12.8 dB less of it."""
    made = AntiAliased(1, "snake")
    n = torch.arange(1000)
    x = (0.5 * torch.sin(2 * math.pi * 0.35 * n))[None, None]
    with torch.inference_mode():
        smooth = made(x)
        plain = x + torch.sin(x).square()
    window = torch.hann_window(1000)
    folded = [float(torch.fft.rfft(y[0, 0] * window).abs()[300]) for y in (smooth, plain)]
    assert 20 * math.log10(folded[1] / folded[0]) == pytest.approx(12.8, abs=0.3)
