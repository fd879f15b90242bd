"""Examples of the world, whole and through closer views, and the cache of drawn clips, tell what the labels tell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from weft.spotting import closer
from weft.training import examples
from weft.training.cache import drawn

RATE = 30.0


@pytest.mark.world
@pytest.mark.slow
def test_a_closer_view_shows_the_same_events_larger() -> None:
    made = examples.from_world("train", range(4, 6), np.random.default_rng(0), views=1)
    assert len(made) == 4
    for whole, near in ((0, 1), (2, 3)):
        assert len(made.onsets(whole)) > 0
        assert np.isin(made.onsets(near), made.onsets(whole)).all()
        known = np.isfinite(made.box[near]).all(1) & np.isfinite(made.box[whole]).all(1)
        inner = known & (made.box[near] > 0.01).all(1) & (made.box[near] < 0.99).all(1)
        if inner.any():
            wide, far = (b[inner, 2] - b[inner, 0] for b in (made.box[near], made.box[whole]))
            ratio = np.median(wide / np.maximum(far, 1e-3))
            assert 0.99 <= ratio <= 1.01 / closer.NARROWEST
        assert made.material[near] == made.material[whole]
    assert not np.array_equal(made.grey[0], made.grey[1])


def test_the_cache_gives_back_frames_times_and_labels(tmp_path: Path) -> None:
    part = tmp_path / "val-00000"
    part.mkdir()
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (5, 6, 8, 3), dtype=np.uint8)
    audio = np.zeros((2, 2, 4 * 44100), np.int16)
    audio[1, :, 44100:44200] = 16000
    event = {"strength": 0.5, "duration": 0.0, "action": "hit", "visible": True}
    label = {"fps": 1.0, "boxes": [None, [0.1, 0.2, 0.3, 0.4], None], "depth": [0.5, None, 0.7]}
    labels = [
        label | {"first": 0, "frames": 2, "events": []},
        label
        | {
            "first": 2,
            "frames": 3,
            "events": [event | {"t": 2.0}, event | {"t": 1.0}, event | {"t": 3.0, "visible": False}],
        },
    ]
    np.save(part / "frames.npy", frames)
    np.save(part / "audio.npy", audio)
    (part / "labels.json").write_text(json.dumps(labels))
    first, second = drawn(tmp_path, "val")
    assert len(first.onsets()) == 0
    np.testing.assert_allclose(second.onsets(), [1.0, 2.0])
    assert [t for t, _ in second.pictures()] == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(np.stack([f for _, f in second.pictures()]), frames[2:])
    box = second.at_readings("boxes", RATE)
    assert np.isnan(box[0]).all()
    np.testing.assert_allclose(box[30], [0.1, 0.2, 0.3, 0.4])
    depth = second.at_readings("depth", RATE)
    assert np.isnan(depth[30])
    assert depth[90] == pytest.approx(0.7)
    assert second.rms()[30] > 100 * first.rms()[30]
