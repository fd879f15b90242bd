"""BEATs against the numbers of the reference on redrawn weights, and what GRAM feeds it against the data pipeline's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from drawn_weights import assert_golden, drawn, golden, keys, shapes
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from weft.encoders.beats import DEVIATION, MEAN, banks, chunks, middles
from weft.encoders.beats_net import BeatsConfig, BeatsNet, bucket_of
from weft.encoders.kaldi import fbank

GOLDEN = golden("beats")
TINY = BeatsConfig(patches=12, width=16, depth=3, heads=2, inner=32, places=8, groups=4, buckets=16, far=20)
BIAS = "encoder.layers.{}.self_attn.relative_attention_bias.weight"


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """The drawing behind the golden numbers. The bias that layers share is the last layer's, which a load leaves."""
    x = drawn(key, shape)
    if key.endswith(("weight_g", "grep_a")):
        return 1 + 0.1 * x
    if key.endswith("relative_attention_bias.weight"):
        return 0.1 * x
    if len(shape) >= 2:
        return x / float(np.sqrt(x[0].numel()))
    return 1 + 0.1 * x if key.endswith("weight") else 0.1 * x


def filled(config: BeatsConfig) -> BeatsNet:
    with torch.device("meta"):
        net = BeatsNet(config)
    net = net.to_empty(device="cpu")
    net.load_state_dict({key: weight(key, tuple(v.shape)) for key, v in net.state_dict().items()})
    return net.eval().requires_grad_(False)


def test_keys_are_the_published_ones() -> None:
    with torch.device("meta"):
        net = BeatsNet(BeatsConfig())
    assert shapes(net) == keys("beats")
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(90.3e6, rel=1e-3)


def test_small_net_gives_the_references_tokens_and_undecayed_gradient() -> None:
    """The reference's gradient is that of a decay ratio of 1; at the published 0.6 it is 0.6^3 of this one."""
    x = drawn("in.tiny", (1, 96, 32)).requires_grad_()
    found = filled(TINY)(x)
    assert_golden(found.detach(), GOLDEN["tiny"])
    found[:, :, :5].square().sum().backward()
    assert x.grad is not None
    assert_golden(x.grad, GOLDEN["tiny_gradient"])


@pytest.mark.slow
def test_twelve_layers_give_the_references_tokens() -> None:
    with torch.inference_mode():
        assert_golden(filled(BeatsConfig())(drawn("in.fbank", (1, 1024, 64))), GOLDEN["beats"])


def test_layer_wise_gradient_decay_does_not_shrink_guidance_gradients() -> None:
    """The gradient at the input is the finite difference, not 0.6 to the number of layers of it."""
    net = filled(TINY).double()
    x = drawn("in.small", (1, 48, 32)).double().requires_grad_()
    toward = drawn("in.toward", (1, 48, 32)).double()
    net(x).square().mean(0)[:, :5].sum().backward()
    assert x.grad is not None
    with torch.no_grad():
        ahead, behind = (net(x + s * 1e-5 * toward).square().mean(0)[:, :5].sum() for s in (1, -1))
    difference = float(ahead - behind) / 2e-5
    assert abs(difference) > 1e-3
    assert float((x.grad * toward).sum()) == pytest.approx(difference, rel=1e-5)


def test_shared_bias_is_one_tensor_under_every_layers_name() -> None:
    net = filled(TINY)
    names = [BIAS.format(i) for i in range(TINY.depth)]
    assert len({net.state_dict()[name].data_ptr() for name in names}) == 1
    assert torch.equal(net.state_dict()[names[0]], weight(names[-1], (16, 2)))


def test_buckets_are_t5s() -> None:
    """Half for each direction; of these 80, one for each offset below, the rest as logarithms, up to 800."""
    offsets = torch.tensor([0, -1, 1, -79, 79, -80, 80, -253, 253, -799, 799, -800, -5000, 5000])
    middle = 80 + int(math.log(253 / 80) / math.log(10) * 80)
    want = [0, 1, 161, 79, 239, 80, 240, middle, 160 + middle, 159, 319, 159, 159, 319]
    assert bucket_of(offsets, 320, 800).tolist() == want


def test_places_tell_apart_what_order_alone_does() -> None:
    net = filled(TINY)
    x = drawn("in.order", (1, 48, 32))
    turned = x.unflatten(1, (3, 16)).flip(1).flatten(1, 2)
    there, back = net(x), net(turned).unflatten(1, (3, 2)).flip(1).flatten(1, 2)
    assert float((there - back).abs().max()) > 0.05
    with pytest.raises(ValueError, match="must be \\[B, 16 or more, 16 or more\\]"):
        net(x[:, :15])


@pytest.mark.parametrize("n_mels", [64, 128])
def test_fbank_of_16_bit_numbers_is_torchaudios(n_mels: int) -> None:
    wave = drawn("in.wave", (1, 160000))[0] * 0.1
    assert_golden(fbank(wave * 2**15, rate=16000, n_mels=n_mels), GOLDEN[f"fbank{n_mels}"])
    back = banks(wave, n_mels=n_mels) * 2 * DEVIATION + MEAN
    assert_golden(back, GOLDEN[f"fbank{n_mels}"])


def test_fbank_of_imagebind_is_torchaudios() -> None:
    second = (drawn("in.wave", (1, 160000))[0] * 0.1)[:16000]
    found = fbank(second - second.mean(), rate=16000, n_mels=128, window="hanning")
    assert_golden(found, GOLDEN["fbank_imagebind"])


def test_ten_seconds_are_998_frames_and_26_rows_of_nothing() -> None:
    wave = (0.1 * drawn("in.ten", (2, 160032))).requires_grad_()
    cut = chunks(banks(wave))
    assert cut.shape == (2, 1, 1024, 64)
    assert bool((cut[:, :, 998:] == 0).all())
    assert not bool((cut[:, :, 997] == 0).any())
    cut.square().mean().backward()
    assert wave.grad is not None
    assert bool(wave.grad.isfinite().all())
    assert float(wave.grad.norm()) > 0


def test_silence_has_a_finite_gradient_and_a_click_is_long_enough() -> None:
    wave = torch.zeros(1, 10, requires_grad=True)
    found = banks(wave)
    found.sum().backward()
    assert found.shape == (1, 1, 64)
    assert wave.grad is not None
    assert bool(wave.grad.isfinite().all())


@pytest.mark.parametrize(
    ("frames", "least", "want"), [(1, 1, 1), (1023, 1, 1), (1024, 1, 2), (1025, 1, 2), (5, 3, 3)]
)
def test_a_full_chunk_gets_an_empty_one_behind_it(frames: int, least: int, want: int) -> None:
    assert chunks(torch.ones(2, frames, 3), least=least).shape == (2, want, 1024, 3)
    assert float(chunks(torch.ones(frames, 1), least=least).sum()) == frames


@given(st.integers(1, 300), st.integers(1, 12))
def test_middles_are_those_of_numpys_split(n: int, groups: int) -> None:
    """The reference repeats the last place up to the number of groups, and takes (len + 1) // 2 - 1 of each run."""
    places = [*range(n), *[n - 1] * (groups - n)]
    want = [int(run[(len(run) + 1) // 2 - 1]) for run in np.array_split(places, groups)]
    assert middles(n, groups) == want


def test_middles_of_what_is_not_there() -> None:
    assert middles(250, 2) == [62, 187]
    with pytest.raises(ValueError, match="2 of 0 places asked for"):
        middles(0, 2)
