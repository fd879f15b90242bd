"""The closer look: where it goes, what it sees, and that it keeps to the same picture and the same clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from weft.spotting import closer, motion, watch
from weft.spotting.network import SpotterConfig, SpotterNet
from weft.spotting.reader import Reader
from weft.spotting.readings import Readings

SMALL = SpotterConfig(cells=16, blocks=1, trunk=16, dilations=(1,), picture=16)
RATE = motion.RATE


def readings(box: np.ndarray, onset: np.ndarray) -> Readings:
    n = len(onset)
    flat = np.zeros(n, np.float32)
    return Readings(
        onset=onset.astype(np.float32),
        offset=flat,
        strength=flat + 0.5,
        level=flat,
        sustained=flat,
        box=np.broadcast_to(box, (n, 4)).astype(np.float32).copy(),
        depth=flat,
        material=np.zeros((n, 17), np.float32),
        action=np.zeros((n, 5), np.float32),
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_view_holds_what_it_was_given_and_lies_on_pixels_within_the_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 0.7, 2)
    high = low + rng.uniform(0.02, 0.3, 2)
    view = closer.around(low, high)
    x1, y1, x2, y2 = view.corners
    assert closer.NARROWEST <= view.side <= 1
    assert min(x1, y1) >= 0
    assert max(x2, y2) <= 1
    pixel = 1 / np.array(closer.SIZE)
    assert (np.array([x1, y1]) <= low + pixel).all()
    assert (np.array([x2, y2]) >= high - pixel).all()
    across = np.array(view.corners) * [*closer.SIZE, *closer.SIZE]
    np.testing.assert_allclose(across, np.round(across), atol=1e-6)


def test_it_goes_where_the_evidence_is() -> None:
    still, struck = np.array([0.05, 0.1, 0.15, 0.2]), np.array([0.8, 0.7, 0.9, 0.85])
    onset = np.zeros(120)
    onset[60:66] = 0.9
    seen = readings(still, onset)
    seen.box[58:68] = struck
    view = closer.choose(seen)
    assert view.side == pytest.approx(0.5)
    assert view.left <= 0.8
    assert view.left + view.side >= 0.9
    assert view.top + view.side >= 0.85
    both_sides = readings(np.array([0.0, 0.0, 0.1, 0.1]), np.full(120, 0.5))
    both_sides.box[60:] = [0.9, 0.8, 1.0, 1.0]
    assert closer.choose(both_sides) == closer.WHOLE


@pytest.mark.parametrize("seed", range(4))
def test_a_mirrored_clip_is_looked_at_in_the_mirrored_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 0.6, (120, 2))
    box = np.concatenate([corner, corner + rng.uniform(0.05, 0.2, (120, 2))], 1)
    seen = readings(box, rng.uniform(0, 1, 120))
    turned = replace(seen, box=(box[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]).astype(np.float32))
    a, b = closer.choose(seen), closer.choose(turned)
    assert a.side == b.side
    assert a.top == b.top
    assert abs(a.left + b.left + a.side - 1) <= 1 / closer.SIZE[0] + 1e-9


def test_through_a_view_is_the_picture_there() -> None:
    rng = np.random.default_rng(0)
    large = rng.integers(0, 255, (3, 192, 256), dtype=np.uint8)
    half = closer.View(left=0.25, top=0.5, side=0.5)
    np.testing.assert_array_equal(closer.through(large, half), large[:, 96:192, 64:192])
    whole = closer.through(large, closer.WHOLE)
    np.testing.assert_allclose(whole, large.reshape(3, 96, 2, 128, 2).mean((2, 4)), atol=1e-3)
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8), (1, 192, 256))
    between = closer.through(ramp, closer.View(left=0.125, top=0.125, side=0.75))[0, 48]
    centres = 32 + (np.arange(128) + 0.5) * 192 / 128 - 0.5
    np.testing.assert_allclose(between, centres, atol=0.6)


def test_boxes_come_back_to_the_whole_picture() -> None:
    view = closer.View(left=0.25, top=0.5, side=0.5)
    seen = closer.outside(readings(np.array([0.0, 0.5, 0.5, 1.0]), np.zeros(4)), view)
    np.testing.assert_allclose(seen.box[0], [0.25, 0.75, 0.5, 1.0])


def test_two_looks_agree_where_they_agree_and_meet_between_where_not() -> None:
    one = readings(np.array([0.1, 0.1, 0.3, 0.3]), np.array([0.2, 0.9, 1.0]))
    same = closer.both(one, one)
    np.testing.assert_allclose(same.onset, one.onset, atol=1e-5)
    np.testing.assert_allclose(same.box, one.box, atol=1e-6)
    other = closer.both(one, replace(one, onset=np.array([0.8, 0.1, 0.0], np.float32)))
    assert ((other.onset > [0.2, 0.1, 0.0]) & (other.onset < [0.8, 0.9, 1.0])).all()
    assert np.isfinite(other.onset).all()


class Traced(Reader):
    """A reader that says one place, and keeps what it was shown."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(SpotterNet(SMALL), {})
        self.shown: list[motion.Motion] = []
        self.outlined: list[tuple[Readings, np.ndarray, np.ndarray, np.ndarray]] = []

    def read(self, motion: motion.Motion, pictures: np.ndarray) -> Readings:
        return readings(np.array([0.7, 0.6, 0.8, 0.7]), np.full(len(motion), 0.5))

    def read_motion(self, motion: motion.Motion) -> Readings:
        self.shown.append(motion)
        return readings(np.array([0.5, 0.5, 0.5, 0.5]), motion.clock[:, 0] + 0.5)

    def outline(
        self, readings: Readings, at: np.ndarray, pictures: np.ndarray, change: np.ndarray
    ) -> Readings:
        self.outlined.append((readings, at, pictures, change))
        return readings


@pytest.mark.parametrize(("fps", "seconds", "window"), [(30.0, 5.0, 300), (12.0, 9.3, 60), (4.0, 6.0, 45)])
def test_the_closer_look_keeps_the_clip_s_clock(fps: float, seconds: float, window: int) -> None:
    """A picture whose grey says when it was: through the view, at every reading, it is the picture of that time."""
    count = round(fps * seconds)
    frames = [(k / fps, np.full((192, 256, 3), 5 + 240 * k // count, np.uint8)) for k in range(count)]
    for k, (_, frame) in enumerate(frames):
        frame[(k * 7) % 180 : (k * 7) % 180 + 12] += 9  # no two alike
    reader = Traced()
    seen = watch(frames, seconds, reader=reader, window=window)
    assert len(seen.readings) == int(np.ceil(seconds * RATE - 1e-6))
    assert reader.shown
    level = (np.median(reader.shown[0].grey, (1, 2)) - 5) / 240 * seconds
    expected = (np.arange(len(level)) + motion.MIDDLE) / RATE
    inner = slice(0, len(level) - round(1.5 * RATE / fps) - 1)
    np.testing.assert_allclose(level[inner], expected[inner], atol=1.1 / fps + 2 * seconds / 240)
    view = closer.choose(readings(np.array([0.7, 0.6, 0.8, 0.7]), np.full(9, 0.5)))
    said = closer.SHARE_OF_BOX * (0.5 * view.side + view.left) + (1 - closer.SHARE_OF_BOX) * 0.7
    np.testing.assert_allclose(seen.readings.box[:, 0], said, atol=1e-5)


@pytest.mark.parametrize(("seconds", "window"), [(9.3, 300), (9.3, 60), (0.7, 300)])
def test_boxes_are_outlined_in_the_pictures_of_their_own_stretch(seconds: float, window: int) -> None:
    """Pictures whose grey says when they were, each a little unlike the last."""
    count = round(30 * seconds)
    frames = [(k / 30, np.full((192, 256, 3), 5 + 240 * k // count, np.uint8)) for k in range(count)]
    for k, (_, frame) in enumerate(frames):
        frame[(k * 7) % 180 : (k * 7) % 180 + 12] += 9
    reader = Traced()
    watch(frames, seconds, reader=reader, window=window)
    first, seen = 0, 0
    for stretch, at, pictures, change in reader.outlined:
        assert len(change) == len(stretch)
        assert len(at) == len(pictures)
        when = (np.median(pictures, (1, 2, 3)) - 5) / 240 * seconds
        np.testing.assert_allclose(when, (first + at) / RATE, atol=1 / 30 + 2 * seconds / 240)
        first, seen = first + len(stretch), seen + len(at)
    assert first == int(np.ceil(seconds * RATE - 1e-6))
    assert seen == int(np.ceil(seconds * 2))


def test_no_closer_look_where_all_of_the_picture_matters() -> None:
    class Everywhere(Traced):
        def read(self, motion: motion.Motion, pictures: np.ndarray) -> Readings:
            return readings(np.array([0.05, 0.05, 0.95, 0.95]), np.full(len(motion), 0.5))

    reader = Everywhere()
    rng = np.random.default_rng(0)
    frames = [(k / 10, rng.integers(0, 255, (192, 256, 3), dtype=np.uint8)) for k in range(12)]
    seen = watch(frames, 1.2, reader=reader)
    assert not reader.shown
    assert (seen.readings.onset == 0.5).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_clips_of_hardly_a_picture(count: int) -> None:
    frames = [(k / 30, np.full((192, 256, 3), 40 * k, np.uint8)) for k in range(count)]
    if not count:
        with pytest.raises(ValueError, match="picture"):
            watch(frames, 0.1, reader=Traced())
        return
    assert len(watch(frames, 0.1, reader=Traced()).readings) == 3


def test_nothing_is_looked_at_closer_that_a_window_does_not_answer_for() -> None:
    rng = np.random.default_rng(0)
    frames = [(k / 10, rng.integers(0, 255, (192, 256, 3), dtype=np.uint8)) for k in range(200)]
    reader = Traced()
    seen = watch(frames, 20.0, reader=reader, window=60)
    assert len(seen.readings) == 600
    assert len(reader.shown) == 10  # one for each 60 readings
