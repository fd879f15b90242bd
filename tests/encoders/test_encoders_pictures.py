"""Resizing and cropping against Pillow, and against the published pipelines' own corners."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from weft.encoders.pictures import (
    centre_crop,
    channels_first,
    normalised,
    shorter_side,
    squashed,
    three_crops,
)


def photo(height: int, width: int) -> np.ndarray:
    """Smooth and sharp things together, seeded."""
    rng = np.random.default_rng(height * 1000 + width)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(smooth + rng.integers(-40, 40, smooth.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("height", "width"), [(270, 480), (481, 301), (90, 120), (250, 250)])
def test_resizing_is_pillows_to_a_grey_level(height: int, width: int, mode: str) -> None:
    picture = photo(height, width)
    ours = shorter_side(channels_first(picture[None]), 112, mode)[0].permute(1, 2, 0).numpy()  # type: ignore[arg-type]
    size = (112 * width // height, 112) if height <= width else (112, 112 * height // width)
    theirs = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling[mode.upper()]))
    assert ours.shape == theirs.shape
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 2
    assert apart.mean() < 0.01


@pytest.mark.parametrize(("height", "width"), [(270, 480), (481, 301), (50, 40)])
def test_squashing_is_pillows_to_a_grey_level(height: int, width: int) -> None:
    picture = photo(height, width)
    ours = squashed(channels_first(picture[None]), 112)[0].permute(1, 2, 0).numpy()
    theirs = np.asarray(Image.fromarray(picture).resize((112, 112), Image.Resampling.BICUBIC))
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 2
    assert apart.mean() < 0.01


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    pictures = channels_first(photo(224, 300)[None])
    assert shorter_side(pictures, 224) is pictures


def test_many_pictures_are_each_resized_as_if_alone() -> None:
    frames = np.stack([photo(60, 80) + i for i in range(40)])
    together = shorter_side(channels_first(frames), 32)
    assert torch.equal(together[35], shorter_side(channels_first(frames[35:36]), 32)[0])


def test_an_odd_margin_is_halved_as_each_reference_does() -> None:
    ruler = torch.arange(455).expand(1, 1, 256, 455)
    assert int(centre_crop(ruler, 224)[0, 0, 0, 0]) == 116  # torchvision: round(115.5)
    assert int(centre_crop(ruler, 224, floor=True)[0, 0, 0, 0]) == 115  # video_features: 231 // 2


def test_three_crops_lie_along_the_longer_side() -> None:
    wide, tall = torch.arange(399).expand(1, 3, 224, 399), torch.arange(301).expand(1, 3, 224, 301).mT
    assert three_crops(wide, 224)[:, 0, 0, 0, 0].tolist() == [0, 88, 175]
    assert three_crops(tall, 224)[:, 0, 0, 0, 0].tolist() == [0, 39, 77]


def test_normalised_takes_each_channel_by_its_own() -> None:
    grey = torch.full((1, 3, 2, 2), 51, dtype=torch.uint8)
    out = normalised(grey, (0.1, 0.2, 0.3), (0.1, 0.2, 0.5))
    assert torch.allclose(out[0, :, 0, 0], torch.tensor([1.0, 0.0, -0.2]), atol=1e-6)


def test_what_is_not_frames_is_refused() -> None:
    with pytest.raises(ValueError, match=r"uint8 \[T, H, W, 3\], not float32 \[2, 8, 8, 3\]"):
        channels_first(np.zeros((2, 8, 8, 3), np.float32))
    with pytest.raises(ValueError, match="cannot cut 224 pixels out of 100"):
        centre_crop(torch.zeros(1, 3, 100, 300), 224)
