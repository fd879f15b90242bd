"""The named Fréchet distances: what the published numbers were fed."""

from __future__ import annotations

import pytest
import torch

from weft.encoders.windows import every_second, side_by_side
from weft.metrics import conventions


def test_names_and_widths() -> None:
    widths = {name: c.d for name, c in conventions.CONVENTIONS.items()}
    assert widths == {
        "fad": 128,
        "fad-c": 1024,
        "fad-lc": 512,
        "fad-p": 2048,
        "fd": 2048,
        "fd-passt": 768,
        "fid": 2048,
    }
    assert [c.name for c in conventions.CONVENTIONS.values() if c.unit] == ["fad-lc"]


def test_windows_of_a_ten_second_clip_that_are_sound() -> None:
    """fadtk starts a window each second and fills it up with zeros: 55% and 70% of ten seconds' windows is sound."""
    for name, share in (("fad-lc", 0.55), ("fad-c", 0.70)):
        c = conventions.convention(name)
        assert c.window_s is not None
        starts = [k * c.hop_s for k in range(10) if c.hop_s]
        heard = [min(c.window_s, 10 - s) / c.window_s for s in starts]
        assert sum(heard) / len(heard) == pytest.approx(share, abs=0.005)
        assert f"{share:.0%}" in c.differs
        theirs = every_second(torch.ones(1, 100), round(10 * c.window_s), 10)
        assert float(theirs.mean()) == pytest.approx(share, abs=0.005)
        assert float(side_by_side(torch.ones(1, 100), round(10 * c.window_s), "repeat").mean()) == 1.0


def test_a_row_is_a_window_or_a_clip() -> None:
    for c in conventions.CONVENTIONS.values():
        assert (c.per == "clip") == (c.window_s is None) == (c.hop_s is None)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="no Fréchet convention 'fad-x': there are fad, fad-c"):
        conventions.convention("fad-x")
