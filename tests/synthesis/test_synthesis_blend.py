"""Mixed materials lie between their parts."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import UserError
from weft.synthesis import SoundEvent, render
from weft.synthesis.blend import blend
from weft.synthesis.published import measure_centroid


def played(weights: dict[str, float], action: str = "hit") -> np.ndarray:
    voice = blend(weights, seed=4)
    event = SoundEvent(t=0, action=action, duration=0.3)
    return render([event], 1.5, seed=4, room=None, reference=voice)


def test_one_material_is_that_material() -> None:
    wave = render([SoundEvent(t=0, material="metal")], 1.5, seed=4, room=None)
    assert np.array_equal(played({"metal": 3.0, "dirt": 0.0}), wave)


def test_brightness_lies_between_and_metal_still_rings() -> None:
    colours = [
        measure_centroid(played(weights)[0], 44100)
        for weights in ({"glass": 1.0}, {"glass": 1.0, "dirt": 1.0}, {"dirt": 1.0})
    ]
    assert colours[0] > colours[1] > colours[2]
    late = [
        np.abs(played(weights)[:, 22050:]).max() for weights in ({"dirt": 1.0}, {"dirt": 2.0, "metal": 1.0})
    ]
    assert late[1] > 20 * late[0]


@pytest.mark.parametrize("action", ["hit", "scratch", "step", "bounce", "roll"])
def test_every_action_plays(action: str) -> None:
    wave = played({"water": 1.0, "gravel": 1.0, "carpet": 0.5}, action)
    assert np.isfinite(wave).all() and 0.03 < np.abs(wave).max() < 0.8


def test_bad_weights_are_refused() -> None:
    with pytest.raises(UserError, match="unknown material 'jelly'"):
        blend({"jelly": 1.0}, seed=1)
    with pytest.raises(UserError, match="weights of the blend"):
        blend({"wood": 0.0}, seed=1)
