"""The picture tower run for its first token, against the library's own pass."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from weft.encoders.dfn_clip import picture_vectors
from weft.encoders.dfn_clip_net import DfnClipConfig, TowerConfig, build
from weft.encoders.picture_tower import first_token

CONFIG = DfnClipConfig(
    visual=TowerConfig(width=160, depth=3, heads=2),
    text=TowerConfig(width=16, depth=1, heads=2),
    size=56,
    vocabulary=10,
    joint=24,
)


@pytest.fixture(scope="module")
def net() -> object:
    clip = build(CONFIG)
    draw = torch.Generator().manual_seed(0)
    drawn = {k: torch.randn(v.shape, generator=draw) for k, v in clip.state_dict().items()}
    scaled = {k: v / v[0].numel() ** 0.5 if v.ndim > 1 else v for k, v in drawn.items()}
    clip.load_state_dict(scaled, assign=True)
    return clip.eval().requires_grad_(False)


def pictures() -> Tensor:
    return torch.randn(3, 3, 56, 56, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_it_is_the_librarys_pooled_output(net: object) -> None:
    tower = net.vision_model  # type: ignore[attr-defined]
    wanted = tower(pixel_values=pictures()).pooler_output
    torch.testing.assert_close(first_token(tower, pictures()), wanted, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_nothing_of_the_callers_is_changed(net: object) -> None:
    given = pictures()
    once, again = (picture_vectors(net, given) for _ in range(2))  # type: ignore[arg-type]
    assert torch.equal(given, pictures())
    assert torch.equal(once, again)


@torch.inference_mode()
def test_bfloat16_attends_to_each_picture_alone_and_strays_a_per_cent(net: object) -> None:
    exact = picture_vectors(net, pictures())  # type: ignore[arg-type]
    net.vision_model.to(torch.bfloat16)  # type: ignore[attr-defined]
    net.visual_projection.to(torch.bfloat16)  # type: ignore[attr-defined]
    lowered = picture_vectors(net, pictures().bfloat16())  # type: ignore[arg-type]
    one = picture_vectors(net, pictures()[1:2].bfloat16())  # type: ignore[arg-type]
    assert lowered.dtype == torch.float32
    assert 1e-4 < float((lowered - exact).norm() / exact.norm()) < 0.03
    torch.testing.assert_close(one, lowered[1:2], atol=2e-2, rtol=0)
    torch.testing.assert_close(lowered, F.normalize(lowered, dim=-1), atol=1e-6, rtol=1e-6)
