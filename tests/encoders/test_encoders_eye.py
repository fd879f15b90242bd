"""The eye: cells where they should be, colours, textures and changes as shares of full scale."""

from __future__ import annotations

import numpy as np
import pytest

from weft.encoders.eye import CHANGES, CHANNELS, GRID, cells, looked


def grey(value: int = 100, frames: int = 3) -> np.ndarray:
    return np.full((frames, 72, 96, 3), value, np.uint8)


def test_a_plain_still_film_has_colours_and_nothing_else() -> None:
    film = grey()
    film[..., 2] = 200
    made = cells(film)
    assert made.shape == (3, CHANNELS, *GRID) and made.dtype == np.float32
    np.testing.assert_allclose(made[:, 0], 100 / 255, atol=1e-5)
    np.testing.assert_allclose(made[:, 2], 200 / 255, atol=1e-5)
    np.testing.assert_allclose(made[:, 3:], 0, atol=1e-3)


def test_one_pixel_changes_its_own_cell_when_it_changes() -> None:
    film = grey(0, 4)
    film[2:, 20, 50] = 255  # row 2, column 6
    made = cells(film)
    assert np.argwhere(made[:, 7] > 0.5).tolist() == [[2, 2, 6]]
    np.testing.assert_allclose(made[2, CHANGES:, 2, 6], [1 / 64, 1, 1 / 64], atol=1e-5)
    assert (made[3, CHANGES:] == 0).all() and made[3, 3, 2, 6] > 0.1  # it stays, and is texture


def test_a_fade_is_signed() -> None:
    made = cells(np.concatenate([grey(100, 1), grey(49, 1)]))
    np.testing.assert_allclose(made[1, 6], 51 / 255, atol=1e-4)
    np.testing.assert_allclose(made[1, 8], -51 / 255, atol=1e-4)
    np.testing.assert_allclose(made[1, 7], 51 / 255, atol=1e-4)
    assert (made[0, CHANGES:] == 0).all()


def test_stripes_are_steps_across_them() -> None:
    film = grey(0)
    film[:, :, ::2] = 255  # upright
    made = cells(film)
    assert made[:, 4].min() > 0.8 and made[:, 5].max() == 0
    turned = grey(0)
    turned[:, ::2] = 255
    assert cells(turned)[:, 5].min() > 0.8


def test_contrast_scales_all_but_the_mean() -> None:
    rng = np.random.default_rng(0)
    film = rng.integers(0, 100, (4, 72, 96, 3), dtype=np.uint8)
    one, two = cells(film), cells(2 * film)
    np.testing.assert_allclose(two, 2 * one, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("frames", [grey()[:0], grey().astype(np.float32), grey()[:, :71], grey()[0]])
def test_what_is_no_film_is_refused(frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must be uint8 \[T, 72, 96, 3\], 12.5 a second"):
        cells(frames)


@pytest.mark.parametrize(
    ("count", "which"),
    [(1, [0]), (3, [2]), (6, [3]), (7, [3, 6]), (12, [3, 9]), (50, [*range(3, 50, 6), 49])],
)
def test_every_sixth_picture_is_looked_at(count: int, which: list[int]) -> None:
    assert looked(count).tolist() == which
