"""Motion is measured as speed, whatever the frame rate, and an impact is found where it happens."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weft.spotting import classical, motion
from weft.spotting.flow import lucas_kanade
from weft.spotting.readings import pick

WIDTH, HEIGHT = motion.SIZE


def texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    coarse = torch.tensor(rng.standard_normal((1, 1, height // 8, width // 8)), dtype=torch.float32)
    fine = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")[0, 0].numpy()
    return np.clip(128 + 45 * fine, 0, 255)


def hammer(fps: float, impacts: list[float], seconds: float = 4.0, pan: float = 0.0) -> list:
    """A textured block falls faster and faster, stops dead at each impact, then is slowly raised again."""
    rng = np.random.default_rng(1)
    ground, block = texture(rng, HEIGHT, 4 * WIDTH), texture(rng, 40, 40)
    frames = []
    for k in range(int(seconds * fps)):
        t = k / fps
        ahead = min((i - t for i in impacts if i >= t), default=9.0)
        since = min((t - i for i in impacts if i <= t), default=9.0)
        y = 52 - min(44.0, 44 * (ahead / 0.3) ** 0.6 if ahead < 0.3 else 44.0)
        if since < 0.6 and since <= ahead:
            y = 52 - 44 * min(since / 0.6, 1.0) ** 2
        shift = int(pan * t)
        picture = ground[:, shift : shift + WIDTH].copy()
        picture[int(y) : int(y) + 40, 50:90] = block
        frames.append((t, np.repeat(picture[..., None], 3, 2).astype(np.uint8)))
    return frames


@pytest.mark.parametrize("shift", [(1, 0), (4, 2), (0, -9)])
def test_flow_is_the_shift(shift: tuple[int, int]) -> None:
    picture = torch.tensor(texture(np.random.default_rng(0), HEIGHT, WIDTH), dtype=torch.float32)
    moved = torch.roll(picture, (shift[1], shift[0]), (0, 1))
    flow = lucas_kanade(picture[None], moved[None])[0, :, 20:-20, 20:-20]
    assert torch.allclose(
        flow.flatten(1).median(1).values, torch.tensor(shift, dtype=torch.float32), atol=0.15
    )


def test_camera_motion_is_removed() -> None:
    still = motion.join(motion.measure(hammer(25, [9.0], pan=40.0), 4.0))
    assert abs(np.median(still.overall[5:-5, 2]) + 40 / WIDTH) < 0.04
    assert np.median(still.overall[5:-5, 1]) < 0.08


def test_repeated_pictures_do_not_change_the_speed() -> None:
    impacts = [1.0, 2.2, 3.3]
    true = hammer(12.5, impacts)
    doubled = [(t + d, frame) for t, frame in true for d in (0.0, 0.04)]
    a, b = (motion.join(motion.measure(f, 4.0)) for f in (true, doubled))
    assert len(a) == len(b) == 120
    assert np.corrcoef(a.overall[:, 0], b.overall[:, 0])[0, 1] > 0.98


@pytest.mark.parametrize("fps", [15.0, 24.0, 25.0, 30.0])
def test_impacts_are_found(fps: float) -> None:
    impacts = [0.9, 2.1, 3.3]
    seen = motion.join(motion.measure(hammer(fps, impacts), 4.0))
    times, evidence, _ = pick(classical.read(seen), classical.THRESHOLD, 4.0)
    best = np.sort(times[np.argsort(-evidence)[:3]])
    assert np.abs(best - impacts).max() < 0.1


def test_blocks_join_to_the_clip_whatever_its_length() -> None:
    frames = hammer(30, [1.0], seconds=3.0)
    blocks = list(motion.measure(iter(frames), 3.0))
    assert len(blocks) > 1
    assert sum(len(b) for b in blocks) == 90
    assert len(motion.join(motion.measure(frames[:1], 0.033))) == 1


def test_a_still_clip_has_no_onset() -> None:
    frames = [(t, hammer(25, [9.0], seconds=0.1)[0][1]) for t in np.arange(50) / 25]
    seen = motion.join(motion.measure(frames, 2.0))
    assert pick(classical.read(seen), classical.THRESHOLD, 2.0)[0].size == 0


@pytest.mark.parametrize("late_s", [0.0, 1 / 60])
@pytest.mark.parametrize("fps", [24.0, 29.97, 30.0])
def test_no_picture_is_passed_over(fps: float, late_s: float) -> None:
    """Times as containers write them, to the millisecond, in step with the readings or half a picture out: every pair
    of pictures is some reading's own."""
    frames = [(round(t + late_s, 3), frame) for t, frame in hammer(fps, [0.7, 1.5], seconds=1.9)]
    seen = motion.join(motion.measure(frames, 2.0))
    moving = [k for k in range(len(frames) - 1) if (frames[k][1] != frames[k + 1][1]).mean() > 0.02]
    assert len(moving) > 10
    read = {g.tobytes() for g in seen.grey}
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    assert all((frames[k][1].astype(np.float32) @ luma).astype(np.uint8).tobytes() in read for k in moving)
