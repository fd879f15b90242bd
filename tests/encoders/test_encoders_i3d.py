"""I3D against the keys and numbers of the avgen toolkit's own network on redrawn weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from drawn_weights import assert_golden, drawn, fill, golden, keys, shapes

from weft.encoders.embedder import VideoEmbedder
from weft.encoders.i3d import FLOW, I3D, RGB, I3DFlow, flow_levels
from weft.encoders.i3d_net import I3DConfig, I3DNet
from weft.errors import WeightsError

GOLDEN = golden("i3d")
SMALL = I3DConfig(shrink=8, classes=5)


def drawn_net(config: I3DConfig) -> I3DNet:
    """Convolutions are 1.4 times the usual draw, so that what goes in is still seen after 57 layers."""
    net = cast(I3DNet, fill(I3DNet(config)))
    for name, p in net.named_parameters():
        if name.endswith("conv3d.weight"):
            p.data *= 1.4
    return net


def clip(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 60, 80, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def small() -> I3D:
    return I3D(drawn_net(SMALL), "0" * 64)


@pytest.mark.parametrize(("stream", "channels"), [("rgb", 3), ("flow", 2)])
def test_i3d_has_the_ports_keys_and_shapes(stream: str, channels: int) -> None:
    with torch.device("meta"):
        found = shapes(I3DNet(I3DConfig(channels=channels)))
    assert found == keys(f"i3d_{stream}")


@pytest.mark.slow
@pytest.mark.parametrize(("stream", "channels"), [("rgb", 3), ("flow", 2)])
@torch.inference_mode()
def test_i3d_gives_the_references_numbers(stream: str, channels: int) -> None:
    net = drawn_net(I3DConfig(channels=channels))
    stack = drawn(f"in.{stream}", (1, channels, 24, 224, 224)).clamp(-1, 1)
    assert_golden(net.features(stack), GOLDEN[stream]["features"])
    assert_golden(net.logits(stack), GOLDEN[stream]["logits"])


def test_flow_becomes_levels_as_in_the_toolkit() -> None:
    flow = drawn("in.flowfield", (5, 2, 256, 341)) * 15
    stack = (2 * flow_levels(flow) / 255 - 1).transpose(0, 1)[None]
    assert_golden(stack, GOLDEN["flow_levels"])


def test_an_odd_margin_is_cut_where_the_toolkit_cuts_it(small: I3D) -> None:
    ruler = (torch.arange(343) - 60).float().expand(1, 2, 224, 343)
    assert flow_levels(ruler)[0, 0, 0, :2].tolist() == [122.0, 128.0]  # it starts at column 119 // 2 = 59
    white_from_60 = np.zeros((25, 256, 343, 3), np.uint8)
    white_from_60[:, :, 60:] = 255
    shifted = np.ascontiguousarray(np.roll(white_from_60, -59, axis=2)[:, 16:240, :224])
    wide = np.zeros((25, 256, 256, 3), np.uint8)
    wide[:, 16:240, 16:240] = shifted
    torch.testing.assert_close(small.embed_video(white_from_60), small.embed_video(wide))


def test_a_stack_counts_only_when_a_frame_follows_it(small: I3D) -> None:
    frames = clip(49)
    both, first = small.embed_video(frames), small.embed_video(frames[:48])
    assert both.shape == (2, 128)
    assert first.shape == (1, 128)
    torch.testing.assert_close(both[:1], first)
    assert not torch.allclose(both[0], both[1], atol=1e-3)
    with pytest.raises(ValueError, match="at least 25 frames at 25 fps, not 24"):
        small.embed_video(frames[:24])


def test_logits_are_the_last_layer_on_the_features(small: I3D) -> None:
    frames = clip(25)
    last = small.net.conv3d_0c_1x1["conv3d"]
    found = small.logits_video(frames)
    assert found.shape == (1, 5)
    expected = small.embed_video(frames) @ last.weight.detach().flatten(1).T + last.bias.detach()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_flow_of_24_fields_is_one_stack() -> None:
    stream = I3DFlow(drawn_net(I3DConfig(channels=2, shrink=8)), "0" * 64)
    assert stream.embed_flow(torch.zeros(24, 2, 224, 250)).shape == (1, 128)
    with pytest.raises(ValueError, match=r"\[T - 1, 2, H, W\], not \[24, 224, 250, 2\]"):
        stream.embed_flow(torch.zeros(24, 224, 250, 2))


def test_i3d_follows_the_protocol(small: I3D) -> None:
    assert isinstance(small, VideoEmbedder)


@pytest.mark.parametrize(("stream", "given"), [(I3D, RGB), (I3DFlow, FLOW)])
def test_without_the_file_one_line_says_what_to_get(
    stream: type[I3D] | type[I3DFlow], given: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no i3d_(rgb|flow)\.pt in .*avgen-eval-toolkit.*licence: MIT"):
        stream.load()


@pytest.mark.parametrize("counted", [True, False])
def test_a_file_of_the_ports_layout_loads(
    counted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(RGB, FLOW)
    tensors = {
        k: torch.full((), 0.5).expand(v)
        for k, v in keys("i3d_flow").items()
        if counted or not k.endswith("num_batches_tracked")
    }
    torch.save(tensors, tmp_path / FLOW.file)
    loaded = I3DFlow.load()
    assert len(loaded.sha256) == 64
    state = loaded.net.state_dict()
    assert all(bool((v == (0.5 if v.is_floating_point() else 0)).all()) for v in state.values())
    torch.save(tensors, tmp_path / RGB.file)
    with pytest.raises(WeightsError, match=r"1 of another shape \['conv3d_1a_7x7\.conv3d\.weight'\]"):
        I3D.load()
