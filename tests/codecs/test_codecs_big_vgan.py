"""BigVGAN against its published keys, the reference's numbers on redrawn weights, and itself in blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from redrawn import assert_golden, drawn, keys, published, shapes_of, with_weight_norm

from weft.codecs.anti_alias import Snake
from weft.codecs.big_vgan import BIG_VGAN_16K, BIG_VGAN_V2_44K, TINY_BIG_VGAN, BigVgan, BigVganConfig
from weft.codecs.weight_norm import folded

PUBLISHED = {"bigvgan_16k": BIG_VGAN_16K, "bigvgan_v2_44k": BIG_VGAN_V2_44K}
SNAKE = replace(TINY_BIG_VGAN, activation="snake", tanh=False, final_bias=False)


def filled(config: BigVganConfig) -> BigVgan:
    net = BigVgan(config)
    net.load_state_dict(folded(published(with_weight_norm(shapes_of(net)))))
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tiny() -> BigVgan:
    return filled(TINY_BIG_VGAN)


@pytest.mark.parametrize("layout", ["", "_parametrized", "_fused"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_layout_folds_to_the_networks_keys(name: str, layout: str) -> None:
    with torch.device("meta"):
        found = folded({key: torch.empty(shape) for key, shape in keys(name + layout).items()})
        net = BigVgan(PUBLISHED[name])
    assert {key: list(value.shape) for key, value in found.items()} == shapes_of(net) == keys(f"{name}_fused")


@pytest.mark.parametrize(("kind", "config"), [("snakebeta", TINY_BIG_VGAN), ("snake", SNAKE)])
def test_tiny_gives_the_references_numbers(kind: Snake, config: BigVganConfig) -> None:
    with torch.inference_mode():
        assert_golden(filled(config)(drawn("in.mel", 2, 80, 24)), f"tiny_{kind}", 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_sizes_give_the_references_numbers_whole_and_in_blocks(name: str) -> None:
    with torch.device("meta"):
        net = BigVgan(PUBLISHED[name])
    net.load_state_dict(folded(published(keys(name))), assign=True)
    mel = drawn("in.mel", 1, PUBLISHED[name].bands, 16)
    with torch.inference_mode():
        assert_golden(net(mel), name, 1e-3)
        assert_golden(torch.cat(list(net.blocks(mel, 5)), -1), name, 1e-3)


def test_lengths_and_reach() -> None:
    with torch.device("meta"):
        nets = [BigVgan(config) for config in PUBLISHED.values()]
    assert [net.hop for net in nets] == [256, 512]
    assert [net.context for net in nets] == [41, 23]


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_blocks_are_the_whole(size: int) -> None:
    """In double precision, so that only a missing frame of context could make a difference."""
    net = filled(TINY_BIG_VGAN).double()
    mel = drawn("in.mel", 2, 80, 33).double()
    with torch.inference_mode():
        pieces = list(net.blocks(mel, size))
        whole = net(mel)
    assert [p.shape[-1] for p in pieces] == [min(size, 33 - s) * net.hop for s in range(0, 33, size)]
    torch.testing.assert_close(torch.cat(pieces, -1), whole, atol=1e-13, rtol=0)


def test_a_sample_depends_on_nothing_beyond_the_context(tiny: BigVgan) -> None:
    mel = drawn("in.mel", 1, 80, 4 * tiny.context).requires_grad_()
    middle = 2 * tiny.context
    tiny(mel)[0, 0, middle * tiny.hop : (middle + 1) * tiny.hop].sum().backward()
    assert mel.grad is not None
    touched = mel.grad.abs().sum((0, 1)).nonzero().flatten()
    assert middle - tiny.context <= int(touched.min()) < middle - tiny.context / 2
    assert middle + tiny.context / 2 < int(touched.max()) <= middle + tiny.context


@pytest.mark.parametrize("tanh", [True, False])
def test_samples_never_leave_full_scale(tanh: bool) -> None:
    net = filled(replace(TINY_BIG_VGAN, tanh=tanh))
    net.conv_post.weight.mul_(1e3)
    with torch.inference_mode():
        out = net(drawn("in.mel", 1, 80, 8))
    assert float(out.abs().max()) == 1.0


def test_other_shapes_are_refused(tiny: BigVgan) -> None:
    with pytest.raises(ValueError, match=r"mel must be \[B, 80, M\], not \[1, 128, 4\]"):
        tiny(torch.zeros(1, 128, 4))
    with pytest.raises(ValueError, match="1 mel frame or more, not 0"):
        next(tiny.blocks(torch.zeros(1, 80, 4), 0))


def test_bfloat16_is_of_the_convolutions_alone_and_samples_are_float32() -> None:
    exact, lowered = filled(TINY_BIG_VGAN), filled(TINY_BIG_VGAN).lowered(torch.bfloat16)
    kept = {k.split(".")[-1] for k, v in lowered.state_dict().items() if v.dtype == torch.float32}
    assert kept == {"alpha", "beta", "filter", "weight", "bias"}
    float32 = {k for k, v in lowered.state_dict().items() if v.dtype == torch.float32}
    assert {k for k in float32 if k.endswith("weight")} == {"conv_post.weight"}
    mel = drawn("in.mel", 2, 80, 24)
    with torch.inference_mode():
        one, two = exact(mel), lowered(mel)
    assert two.dtype == torch.float32
    assert 1e-5 < float((two - one).norm() / one.norm()) < 0.05
