"""Films of the world on disk: what is drawn is read, and a part that is there is not drawn again."""

import numpy as np
import pytest

from weft.training import films
from weft.training.films import Film, draw_films, read_films


def film(name: str) -> Film:
    rng = np.random.default_rng(len(name))
    return Film(
        name=name,
        frames=rng.integers(0, 255, (50, 72, 96, 3), dtype=np.uint8),
        audio=rng.uniform(-0.5, 0.5, (2, 400)).astype(np.float32),
        captions=["a stick hits metal", "ting"],
        material="metal",
        action="hit",
        onsets=np.array([0.25, 1.5]),
        visible=np.array([True, False]),
    )


def test_films_come_back_as_they_were(tmp_path):
    films._write(tmp_path / "p.npz", [film("a"), film("bb")])
    for own, found in zip((film("a"), film("bb")), read_films([tmp_path / "p.npz"]), strict=True):
        assert (found.name, found.captions, found.material, found.action) == (
            own.name,
            own.captions,
            own.material,
            own.action,
        )
        assert np.array_equal(found.frames, own.frames)
        assert np.abs(found.audio - own.audio).max() < 1 / 32767
        assert np.array_equal(found.onsets, own.onsets) and np.array_equal(found.visible, own.visible)


@pytest.mark.world
def test_a_drawn_film_is_that_of_its_place_and_is_kept(tmp_path):
    pytest.importorskip("mujoco")
    said = []
    paths = draw_films(tmp_path, "train", range(90_000, 90_001), said.append)
    assert len(said) == 1
    (found,) = read_films(paths)
    assert found.name == "train-00090000"
    assert found.frames.shape == (50, 72, 96, 3) and found.audio.shape == (2, 176_400)
    assert len(found.onsets) == len(found.visible) > 0
    assert found.material in " ".join(found.captions)
    assert draw_films(tmp_path, "train", range(90_000, 90_001), said.append) == paths and len(said) == 1
