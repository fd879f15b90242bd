"""The MM-DiT against MMAudio's published key lists and the numbers of its reference implementation."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from weft.diffusion.guidance import ClassifierFree, guided
from weft.diffusion.process import RectifiedFlow
from weft.diffusion.sampler import sample
from weft.generators.mmdit import MMAUDIO, Conditions, MMDiT, MMDiTConfig

DATA = Path(__file__).parent / "data"
KEYS = json.loads((DATA / "mmaudio_keys.json").read_text())
GOLDEN = json.loads((DATA / "mmaudio_velocity.json").read_text())

TINY = MMDiTConfig(
    latent_dim=6,
    hidden=32,
    heads=2,
    joint=2,
    fused=1,
    clip_dim=5,
    sync_dim=7,
    text_dim=8,
    text_length=4,
    sync_segment=0,
    mlp_ratio=1.0,
    mlp_multiple=16,
    modulation_rank=8,
    reference_dim=6,
    frames_in_final=True,
    frames_at_input=True,
)


@pytest.mark.parametrize("name", KEYS)
def test_mmdit_has_the_official_keys_and_shapes(name: str) -> None:
    with torch.device("meta"):
        state = MMDiT(MMAUDIO[name]).state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == KEYS[name]


@pytest.mark.parametrize(("name", "millions"), [("small_16k", 157.283644), ("medium_44k", 621.805944)])
def test_mmdit_has_the_published_number_of_parameters(name: str, millions: float) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in MMDiT(MMAUDIO[name]).parameters()) / 1e6 == pytest.approx(millions)


def _drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    rng = np.random.default_rng(zlib.crc32(f"{GOLDEN['seed']}:{name}".encode()))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def _weight(key: str, old: torch.Tensor) -> torch.Tensor:
    if key in ("latent_mean", "latent_std"):
        return old
    x = _drawn(key, tuple(old.shape))
    if (
        old.dim() >= 2
        and not key.endswith("_feat")
        and "pos_emb" not in key
        and "embed" not in key.split(".")[-1]
    ):
        return x / float(np.sqrt(old[0].numel()))
    return 1 + 0.1 * x if key.endswith("weight") else 0.1 * x


def _assert_golden(out: torch.Tensor, golden: dict[str, Any]) -> None:
    assert list(out.shape) == golden["shape"]
    found = out.flatten()[torch.tensor(golden["index"])]
    torch.testing.assert_close(found, torch.tensor(golden["value"]), atol=1e-4, rtol=1e-4)
    assert float(out.norm()) == pytest.approx(golden["norm"], rel=1e-4)


@pytest.fixture(scope="module")
def official() -> tuple[MMDiT, Conditions, Conditions, torch.Tensor]:
    """MMAudio small_16k with redrawn weights, its two conditions for 8 s, and the noise."""
    with torch.device("meta"):
        net = MMDiT(MMAUDIO["small_16k"])
    net = net.to_empty(device="cpu").eval()
    fresh = MMDiT(replace(TINY, v2=False)).t_embed.freqs
    net.t_embed.freqs = fresh  # not persistent, so not in the checkpoint
    old = {
        k: torch.ones_like(v) if k == "latent_std" else torch.zeros_like(v)
        for k, v in net.state_dict().items()
    }
    net.load_state_dict({key: _weight(key, value) for key, value in old.items()})
    given = Conditions(
        clip=_drawn("in.clip", (1, 64, 1024)) / 32,
        sync=_drawn("in.sync", (1, 192, 768)),
        text=_drawn("in.text", (1, 77, 1024)) / 32,
    )
    without = Conditions(text=_drawn("in.negative", (1, 77, 1024)) / 32, clip_tokens=64, sync_tokens=192)
    return net, given, without, _drawn("in.noise", (1, 250, 20))


@pytest.mark.slow
@torch.no_grad()
def test_mmdit_velocity_equals_the_reference(
    official: tuple[MMDiT, Conditions, Conditions, torch.Tensor],
) -> None:
    net, given, without, noise = official
    golden = GOLDEN["results"]["small_16k"]
    _assert_golden(net(noise, torch.tensor([0.3]), given), golden["velocity_t0.3"])
    _assert_golden(net(noise, torch.tensor([0.3]), without), golden["velocity_t0.3_uncond"])


@pytest.mark.slow
@torch.no_grad()
def test_mmdit_sampling_equals_the_reference(
    official: tuple[MMDiT, Conditions, Conditions, torch.Tensor],
) -> None:
    net, given, without, noise = official
    one, other = net.prepare(given, 1, 250), net.prepare(without, 1, 250)
    predict = guided(
        ClassifierFree(scale=4.5),
        {"cond": lambda z, t: net.velocity(z, t, one), "uncond": lambda z, t: net.velocity(z, t, other)},
    )
    out = sample(predict, RectifiedFlow(), noise, 25)
    golden = GOLDEN["results"]["small_16k"]["latent_after_25_steps_cfg4.5"]
    found = out.flatten()[torch.tensor(golden["index"])]
    torch.testing.assert_close(found, torch.tensor(golden["value"]), atol=2e-3, rtol=2e-3)


def _tiny(config: MMDiTConfig = TINY) -> MMDiT:
    torch.manual_seed(0)
    net = MMDiT(config).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return net


def _conditions(batch: int = 3, frames: int = 20) -> Conditions:
    draw = torch.Generator().manual_seed(1)
    return Conditions(
        clip=torch.randn(batch, 4, 5, generator=draw),
        sync=torch.randn(batch, frames, 7, generator=draw),
        text=torch.randn(batch, 4, 8, generator=draw),
        reference=torch.randn(batch, 2, 6, generator=draw),
        reference_tokens=2,
        clip_tokens=4,
    )


@torch.no_grad()
def test_mmdit_item_does_not_depend_on_its_batch() -> None:
    net, conditions = _tiny(), _conditions()
    x = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(2))
    t = torch.tensor([0.1, 0.5, 0.9])
    together = net(x, t, conditions)
    for i in range(3):
        alone = replace(
            conditions,
            **{k: getattr(conditions, k)[i : i + 1] for k in ("clip", "sync", "text", "reference")},
        )
        torch.testing.assert_close(
            net(x[i : i + 1], t[i : i + 1], alone), together[i : i + 1], atol=1e-5, rtol=1e-4
        )


@torch.no_grad()
def test_mmdit_null_of_an_item_is_the_null_of_nothing_given() -> None:
    net, conditions = _tiny(), _conditions()
    x, t = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(2)), torch.full((3,), 0.5)
    for name in ("clip", "sync", "text", "reference"):
        kept = torch.tensor([True, False, True])
        some = net(x, t, replace(conditions, **{f"{name}_given": kept}))
        full, none = net(x, t, conditions), net(x, t, replace(conditions, **{name: None}))
        torch.testing.assert_close(some[0], full[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(some[1], none[1], atol=1e-5, rtol=1e-4)
        assert not torch.allclose(full[1], none[1], atol=1e-3), name


@torch.no_grad()
def test_mmdit_final_layer_quirk_is_a_choice() -> None:
    """MMAudio's last layer is modulated by the global condition: of the frames it sees what attention
    carried.
    """
    quirk, ours = _tiny(replace(TINY, frames_in_final=False)), _tiny()
    conditions, t = _conditions(1), torch.tensor([0.5])
    x = torch.randn(1, 20, 6, generator=torch.Generator().manual_seed(2))
    for net in (quirk, ours):
        for block in (*net.fused_blocks, *(b.latent_block for b in net.joint_blocks)):
            for parameter in block.adaLN_modulation.parameters():
                parameter.zero_()  # the blocks pass the latent on untouched
    object.__setattr__(quirk, "config", replace(quirk.config, frames_at_input=False))
    object.__setattr__(ours, "config", replace(ours.config, frames_at_input=False))
    other = replace(conditions, sync=torch.flip(conditions.sync, [1]))
    torch.testing.assert_close(quirk(x, t, conditions), quirk(x, t, other))
    assert not torch.allclose(ours(x, t, conditions), ours(x, t, other), atol=1e-3)


def test_mmdit_learns_from_every_condition() -> None:
    net = _tiny().train()
    x, t = torch.randn(3, 20, 6), torch.full((3,), 0.5)
    which = torch.tensor([True, False, True])
    given = {f"{name}_given": which for name in ("clip", "sync", "text", "reference")}
    net(x, t, replace(_conditions(), **given)).pow(2).mean().backward()
    silent = [
        n for n, p in net.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    ]
    # The last joint block uses the keys and values of pictures and text, but not what their queries find.
    assert silent == [f"joint_blocks.1.{s}_block.attn.q_norm.weight" for s in ("clip", "text")]
