"""What MMAudio knows of a take of which a region is made anew: the right frames, as the codec hears them."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from mmaudio_tiny import TINY_16K, TINY_44K

from weft.codecs.mel_codec import MelCodec
from weft.diffusion.guidance import ClassifierFree
from weft.generators.mmdit import MMDiT
from weft.systems.known import Known
from weft.systems.mmaudio_known import Stretch, latents_of
from weft.systems.mmaudio_parts import Parts
from weft.systems.mmaudio_windows import Window, around, played, windows
from weft.systems.region import Region

RATE = 44100
BOTH = pytest.mark.parametrize("parts", [TINY_16K, TINY_44K], ids=["16k", "44k"])


def stretch_of(path: Path, parts: Parts, wave: np.ndarray, start: float, end: float) -> Stretch:
    soundfile.write(path, wave.T, RATE, subtype="FLOAT")
    region = Region(start=start, end=end, source=path)
    known = Known.open(region, duration=wave.shape[1] / RATE, rate=RATE, makeup_db=6.0)
    return Stretch(known=known, hop=Fraction(parts.flow.hop * RATE, parts.flow.rate_hz))


@BOTH
@pytest.mark.parametrize(("first", "last"), [(0, 5), (300, 345), (320, 360), (700, 900), (100, 880)])
def test_the_windows_around_a_region_know_what_lies_beside_it(parts: Parts, first: int, last: int) -> None:
    size, rate = parts.flow.lengths(8.0).latent, parts.flow.rate_hz / parts.flow.hop
    plan, step = windows(900, size, rate), 5
    chosen = around(plan, first, last, step)
    assert chosen[0].fresh % step == 0 and chosen[0].start <= chosen[0].fresh <= max(first - 30, 0)
    assert chosen[-1].keep == chosen[-1].end >= min(900, last + 10)
    assert [w.start for w in chosen] == [w.start for w in plan if w.fresh < last and w.keep > first]
    at = chosen[0].fresh
    for window in chosen:
        assert window.fresh == at
        at = window.keep


@BOTH
def test_latents_are_the_takes_own_where_they_lie(parts: Parts, tmp_path: Path) -> None:
    rng, codec = np.random.default_rng(0), MelCodec(parts.codec).eval().requires_grad_(False)
    wave = np.repeat(0.1 * rng.standard_normal((1, 5 * RATE)), 2, 0).astype(np.float32)
    stretch = stretch_of(tmp_path / "a.wav", parts, wave, 1.2, 1.6)
    rate = parts.flow.rate_hz / parts.flow.hop
    low, high = math.floor(1.2 * rate), math.ceil(1.6 * rate)
    assert stretch.frames == (low, high)
    window = Window(start=23, fresh=23, end=100, keep=100)
    mask = stretch.mask(window)[0, :, 0]
    assert mask.sum() == 77 - (high - low) and not mask[low - 23 : high - 23].any()
    found = latents_of(codec, stretch, [window])[window]
    level = np.float32(10 ** (-6 / 20))  # the performer's own lift taken off
    whole = codec.encode(torch.from_numpy(soxr.resample(wave[0] * level, RATE, codec.rate))[None, None])
    assert found.shape == (1, 77, parts.codec.vae.latent)
    near, far = (torch.nn.functional.mse_loss(found, whole[:, 23 + k : 100 + k]) for k in (0, 1))
    assert near < 0.05 * far, "the same frames, though the encoder heard another stretch"


@BOTH
def test_what_is_known_stays_and_what_is_not_fits_it(parts: Parts) -> None:
    torch.manual_seed(0)
    net = MMDiT(parts.flow.config).eval().requires_grad_(False)
    for value in net.parameters():
        value.add_(0.05 * torch.randn_like(value))
    lengths, channels = parts.flow.lengths(1.0), parts.flow.config.latent_dim
    frames, eps = lengths.latent, torch.randn(2, lengths.latent, channels)
    mask = torch.ones(1, frames, 1)
    mask[:, 10:20] = 0

    def play(known: torch.Tensor) -> torch.Tensor:
        plan = [Window(start=0, fresh=0, end=frames, keep=frames)]
        told = {"cond": lengths.conditions(), "uncond": lengths.conditions()}
        made = played(
            net, plan, lambda w: told, lambda w: eps, steps=3, term=ClassifierFree(scale=2.0),
            on_step=lambda w, i: None, held=lambda w: (known, mask),
        )  # fmt: skip
        return net.normalised(next(made)[1])

    one, two = torch.randn(1, frames, channels), torch.randn(1, frames, channels)
    made, other = play(one), play(two)
    kept = mask[0, :, 0] > 0
    torch.testing.assert_close(made[:, kept], one[:, kept].expand(2, -1, -1), atol=1e-5, rtol=1e-5)
    assert (made - other)[:, ~kept].abs().max() > 1e-3, "what is filled in has heard what lies beside it"
    assert (made[0] - made[1])[~kept].abs().max() > 1e-3, "each take fills it by its own noise"
