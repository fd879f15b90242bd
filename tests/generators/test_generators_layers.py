"""Times and angles stay exact when the network's weights are in bfloat16."""

from __future__ import annotations

from dataclasses import replace

import mmaudio_parity as parity
import pytest
import torch
from mmaudio_parity import TINY_V1, TINY_V2

from weft.diffusion.guidance import ClassifierFree
from weft.generators.layers import TimeEmbedding, frequencies
from weft.generators.mmdit import MMDiTConfig
from weft.generators.rope import rotate, rotations
from weft.generators.sampling import latents

TIMES = torch.linspace(0, 1, 26)[:-1]


def _cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.cosine_similarity(a.double(), b.double(), dim=-1)


@torch.no_grad()
def test_layers_defect_d3_time_embedding_of_v2_survives_bfloat16() -> None:
    """`.to(bfloat16)` rounded the reference's table of frequencies and its times: cosine 0.77 to what was meant."""
    torch.manual_seed(0)
    embed = TimeEmbedding(896, 896, 1e4)
    exact = 1e4 * 1e4 ** (-torch.arange(0, 896, 2, dtype=torch.float64) / 896)
    angle = TIMES.double()[:, None] * exact
    meant = embed.mlp(torch.cat([angle.cos(), angle.sin()], dim=-1).float())
    assert float(_cosine(embed(TIMES), meant).min()) > 0.99999
    assert not list(embed.buffers())
    found = embed.to(torch.bfloat16)(TIMES)
    assert found.dtype == torch.bfloat16
    assert float(_cosine(found, meant).min()) > 0.999

    rounded = TIMES.bfloat16()[:, None].double() * exact.bfloat16().double()
    waves = [torch.cat([a.cos(), a.sin()], dim=-1) for a in (rounded, angle)]
    assert float(_cosine(*waves).mean()) < 0.9  # what the defect does, so the bar above can tell


def test_layers_frequencies_are_the_published() -> None:
    slow, fast = frequencies(256, 1.0), frequencies(896, 1e4)
    assert (float(slow[0]), float(fast[0])) == (1.0, 1e4)
    assert float(slow[-1]) == pytest.approx(1.07e-4, rel=0.01)
    assert float(fast[-1]) == pytest.approx(1.02, rel=0.01)
    assert slow.dtype == fast.dtype == torch.float32


@torch.no_grad()
def test_layers_defect_d3_rotations_stay_exact_in_bfloat16() -> None:
    turn = rotations(345, 64)
    assert turn.dtype == torch.float32
    x = torch.randn(1, 2, 345, 64, generator=torch.Generator().manual_seed(0))
    found, meant = rotate(x.bfloat16(), turn), rotate(x.bfloat16().double(), turn.double())
    assert found.dtype == torch.bfloat16
    # The last rounding is all that is lost; angles in bfloat16 are off by a radian at frame 300.
    assert float((found.double() - meant).abs().max()) < 2**-8 * float(x.abs().max())


@pytest.mark.parametrize("config", [TINY_V1, TINY_V2], ids=["v1", "v2"])
@torch.no_grad()
def test_layers_defect_d4_a_network_in_bfloat16_samples_in_float32(config: MMDiTConfig) -> None:
    """State, times and guidance are float32 and only the network's inside is rounded: 2 % off, as measured of it."""
    given, without = parity.told(config, 26, 72)
    told = {"cond": given, "uncond": without}
    exact = parity.net_of(config)
    lowered = parity.net_of(replace(config)).lowered(torch.bfloat16)
    noise, cfg = parity.noise_of(config, 143), ClassifierFree(scale=4.5)
    wanted, found = latents(exact, noise, told, cfg, 8), latents(lowered, noise, told, cfg, 8)
    assert found.dtype == torch.float32
    assert float((found - wanted).norm() / wanted.norm()) < 0.05
