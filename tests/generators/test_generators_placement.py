"""Which token is in force when."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from weft.generators.mmaudio import VARIANTS
from weft.generators.placement import Pace, spread, three_segments, tokens_of_frames


@pytest.mark.parametrize(
    ("tokens", "frames"), [(192, 250), (192, 345), (72, 143), (8, 5), (1, 9), (240, 431)]
)
def test_placement_stretched_is_nearest_interpolation(tokens: int, frames: int) -> None:
    rows = torch.randn(1, tokens, 3, generator=torch.Generator().manual_seed(0))
    wanted = F.interpolate(rows.transpose(1, 2), size=frames, mode="nearest-exact").transpose(1, 2)
    assert torch.equal(rows[:, tokens_of_frames(tokens, frames)], wanted)
    assert torch.equal(spread(rows[0], tokens_of_frames(tokens, frames)[None]), wanted)


@pytest.mark.parametrize("name", ["small_16k", "small_44k"])
@pytest.mark.parametrize("seconds", [1.0, 4.0, 5.0, 7.3, 8.0, 10.0])
def test_placement_defect_d2_a_picture_is_heard_when_it_was_in_training(name: str, seconds: float) -> None:
    """Stretched over a shorter clip, the same segment was heard up to 0.3 s from where it is heard in 8 s."""
    variant = VARIANTS[name]
    eight, ours = variant.lengths(8.0), variant.lengths(seconds)
    theirs = variant.lengths(seconds, compat=True)
    common = min(eight.latent, ours.latent)
    trained = tokens_of_frames(eight.sync, eight.latent)[:common]
    placed = tokens_of_frames(ours.sync, ours.latent, ours.sync_pace)
    stretched = tokens_of_frames(theirs.sync, theirs.latent)
    assert (placed[:common] - trained).abs().max() <= (0 if ours.sync >= trained[-1] + 1 else 1)
    # 24 tokens a second (192 on 345 frames of 23.2 ms are 23.97; the last token holds to the end).
    seconds_at = (torch.arange(ours.latent) + 0.5) * variant.hop / variant.rate_hz
    assert (placed - seconds_at * 24).abs().max() < 1.35
    assert int(placed.max()) < ours.sync
    late = (stretched[:common] - trained).abs().max() / 24
    assert (float(late) > 0.2) == (seconds not in (8.0, 10.0))


def test_placement_goes_on_at_its_pace_beyond_the_trained_length() -> None:
    placed = tokens_of_frames(400, 700, Pace(tokens=192, frames=345))
    assert torch.equal(placed[345:690], placed[:345] + 192)
    assert tokens_of_frames(10, 700, Pace(tokens=192, frames=345)).tolist()[-1] == 9


def test_placement_three_segments_stand_for_many() -> None:
    assert three_segments(6, 2).tolist() == [0, 1, 2, 3, 4, 5]
    assert three_segments(2, 2).tolist() == [0, 1]
    assert three_segments(12, 2).tolist() == [0, 1, 2, 3, 2, 3, 2, 3, 2, 3, 4, 5]


def test_placement_refuses_nothing() -> None:
    with pytest.raises(ValueError, match="0 tokens for 5 latent frames"):
        tokens_of_frames(0, 5)
