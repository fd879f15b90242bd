"""The encoders' lesson: batches say what they hold, changes keep what matters, a tiny lesson learns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.audio_net import AudioNetConfig
from weft.encoders.log_mel import FLOOR_DB
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNetConfig
from weft.encoders.video_net import VideoNetConfig
from weft.training import encoder_batches, encoder_changes
from weft.training.encoder_batches import Shelf
from weft.training.encoders import Lesson, LessonConfig
from weft.training.loop import LoopConfig, train
from weft.training.pairs import EVENTS, Pairs, Stills

Shelves = tuple[Shelf, Shelf, Shelf]
CONFIG = LessonConfig(films=3, sounds=2, stills=4, steps=24, look=12, spoilt=0.5)


def made_up(scenes: int, seed: int, *, seen: bool = True) -> Pairs:
    """Scenes of one contact, at a step of its own, heard as a louder frame and seen as a moving one."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(1.0, 3.0, scenes)
    material = rng.integers(0, len(MATERIALS), (scenes, 2))
    mel = rng.normal(-70, 3, (scenes, 2, 400, 64))
    cells = rng.uniform(0, 0.2, (scenes, 50, 9, 9, 12))
    for k in range(scenes):
        frame = round(at[k] * 100)
        mel[k, :, frame : frame + 4] += 40
        mel[k, 0, :, material[k, 0]] += 10
        cells[k, int(at[k] * 12.5), 6:8] += 0.5
    onsets = np.full((scenes, EVENTS), -1, np.float32)
    onsets[:, 0] = at
    return Pairs(
        mel=mel.astype(np.float16),
        material=material.astype(np.int8),
        action=rng.integers(0, len(ACTIONS), scenes).astype(np.int8),
        count=np.ones(scenes, np.int16),
        onsets=onsets,
        index=np.arange(scenes),
        cells=(cells if seen else cells[:, :0]).astype(np.float16),
        looks=rng.integers(0, 255, (scenes, 9 if seen else 0, 72, 96, 3), dtype=np.uint8),
        box=np.full((scenes, 9 if seen else 0, 4), 0.5, np.float32),
    )


def made_up_stills(scenes: int, seed: int) -> Stills:
    """Grey pictures with a patch, white or black by the material, where the box is; the last has no box."""
    rng = np.random.default_rng(seed)
    looks = rng.integers(100, 150, (scenes, 2, 72, 96, 3), dtype=np.uint8)
    box = np.zeros((scenes, 2, 4), np.float32)
    material = rng.integers(0, 2, scenes)
    for k, at in np.ndindex(scenes, 2):
        x, y = 4 * rng.integers(2, 18), 4 * rng.integers(2, 13)
        looks[k, at, y : y + 12, x : x + 16] = 255 * material[k]
        box[k, at] = x / 96, y / 72, (x + 16) / 96, (y + 12) / 72
    box[-1] = np.nan
    return Stills(looks=looks, box=box, material=material.astype(np.int8), index=np.arange(scenes))


@pytest.fixture(scope="module")
def shelves() -> Shelves:
    films = Shelf([made_up(4, 1), made_up(3, 2)])
    return films, Shelf([made_up(5, 3, seen=False)]), Shelf([made_up_stills(6, 4)])


@pytest.fixture(scope="module")
def words() -> TextEncoder:
    return TextEncoder.load()


def tiny() -> Lesson:
    torch.manual_seed(0)
    return Lesson(
        AudioNetConfig(channels=(8, 8, 8, 8), width=16, depth=1, d=8),
        VideoNetConfig(channels=(8, 8), look=(4, 8, 8, 8), width=16, depth=1, d=8),
        TextNetConfig(width=8, d=8, length=12),
        CONFIG,
    )


def batch(shelves: Shelves, words: TextEncoder, step: int) -> dict[str, torch.Tensor]:
    return encoder_batches.batch_of(*shelves, words, CONFIG, 12, np.random.default_rng([5, step]))


def test_parts_survive_the_disk(tmp_path: Path) -> None:
    given = made_up(2, 4)
    given.save(tmp_path / "films-train-000000")
    back = Pairs.load(tmp_path / "films-train-000000")
    assert len(back) == 2 and [p.name for p in tmp_path.iterdir()] == ["films-train-000000"]
    np.testing.assert_array_equal(back.mel, given.mel)
    np.testing.assert_array_equal(back.cells, given.cells)


def test_a_batch_is_films_then_their_twins_then_sounds(shelves: Shelves, words: TextEncoder) -> None:
    made = batch(shelves, words, 0)
    assert made["mel"].shape == (8, 400, 64) and made["cells"].shape == (3, 24, 9, 9, 12)
    assert made["tokens"].shape == (8, 12, words.dim) and made["mask"].any(1).all()
    assert torch.equal(made["action"][:3], made["action"][3:6])
    assert torch.equal(
        made["mel"][:3].mean(1).argmax(1), made["material"][:3]
    )  # the twins' bands are all alike
    same = made["material"][:3] == made["material"][3:6]
    assert torch.equal(same, made["spoilt"])  # a spoilt twin is of the film's own material
    torch.testing.assert_close(made["moments"][:3], made["moments"][3:6])
    assert made["audible"].tolist() == [0] * 6 + [1] * 2
    again = batch(shelves, words, 0)
    assert all(torch.equal(made[k], again[k]) for k in made)
    assert not torch.equal(made["mel"], batch(shelves, words, 1)["mel"])


def test_a_moment_is_shared_by_the_two_steps_it_lies_between() -> None:
    share = encoder_batches.moments(np.array([1.0, -1.0, 3.99]), 50)
    assert share.shape == (50,) and share.sum() == pytest.approx(1.5, abs=0.2)
    assert share[12] == pytest.approx(1.0) and share[13] == pytest.approx(
        0.0, abs=1e-6
    )  # 1.0 s is 12.5 steps
    assert share[49] > 0 and share[:12].sum() == pytest.approx(0.0, abs=1e-6)


def test_other_microphones_keep_when_and_change_how_loud(shelves: Shelves, words: TextEncoder) -> None:
    mel = batch(shelves, words, 0)["mel"]
    before = mel.clone()
    made = encoder_changes.altered(mel, torch.Generator().manual_seed(3))
    assert torch.equal(mel, before)  # the caller's is left alone
    assert made.min() >= FLOOR_DB and (made.mean((1, 2)) - mel.mean((1, 2))).abs().max() < 25
    assert torch.equal(made.mean(2).argmax(1) // 8, mel.mean(2).argmax(1) // 8)
    assert torch.equal(made, encoder_changes.altered(mel, torch.Generator().manual_seed(3)))
    assert not torch.equal(made, mel)


def test_other_cameras_keep_when_and_change_the_light() -> None:
    given = made_up(1, 6).cells[0]
    before = given.copy()
    changes = [encoder_changes.changed(given, np.random.default_rng(seed)) for seed in range(6)]
    np.testing.assert_array_equal(given, before)  # the caller's is left alone
    for made in changes:
        assert made.shape == given.shape and made.dtype == np.float32
        assert made[:, 6].mean((1, 2)).argmax() == given[:, 6].mean((1, 2)).argmax()
        assert made[:, :3].min() >= 0 and made[:, 3:].mean() == pytest.approx(given[:, 3:].mean(), rel=0.31)
        assert not np.allclose(made, given, atol=1e-3)
    assert any(
        made[0, 3, 0, 0] / made[0, 3, 0, 1] != pytest.approx(given[0, 3, 0, 0] / given[0, 3, 0, 1], rel=0.01)
        for made in changes
    )


def test_a_tiny_lesson_learns_and_goes_on(shelves: Shelves, words: TextEncoder, tmp_path: Path) -> None:
    lesson = tiny()
    config = LoopConfig(steps=25, learning_rate=3e-3, warmup=1, log_every=1, ema=0.9)
    outcome = train(lesson, lesson.losses, partial(batch, shelves, words), config, tmp_path)
    assert outcome.finished
    first, last = lesson_loss(tiny(), shelves, words), lesson_loss(lesson, shelves, words)
    assert last < first - 1
    names = [n for n, p in lesson.named_parameters() if p.grad is None or not bool((p.grad != 0).any())]
    assert not names, "nothing trains these"
    again = tiny()
    train(again, again.losses, partial(batch, shelves, words), replace(config, steps=26), tmp_path)
    for key in ("audio.head.conv.weight", "log_scale"):
        assert (again.state_dict()[key] - lesson.state_dict()[key]).abs().max() < 0.1


def lesson_loss(lesson: Lesson, shelves: Shelves, words: TextEncoder) -> float:
    with torch.no_grad():
        losses = [
            lesson.losses(batch(shelves, words, k), torch.Generator().manual_seed(k))["loss"]
            for k in range(3)
        ]
    return float(torch.stack(losses).mean())


@pytest.mark.world
def test_a_scene_is_heard_twice_and_seen_once() -> None:
    from weft.training import pairs

    heard = pairs.sounds("val", range(7, 8))
    assert heard.mel.shape == (1, 2, 400, 64) and heard.cells.shape == (1, 0, 9, 9, 12)
    assert heard.material[0, 0] != heard.material[0, 1]
    onset = heard.onsets[0][heard.onsets[0] >= 0]
    assert len(onset) and (onset < 4).all() and heard.count[0] == len(onset)
    assert np.abs(heard.mel[0, 0].astype(float) - heard.mel[0, 1]).mean() > 1  # the twin is another material
    louder = [np.argmax(heard.mel[0, k].astype(float).mean(1)) / 100 for k in (0, 1)]
    assert all(np.abs(onset - at).min() < 0.3 for at in louder)


def test_pictures_are_the_nearest_in_time() -> None:
    from weft.training.pairs import at_pictures

    frames = np.zeros((100, 72, 96, 3), np.uint8) + np.arange(100, dtype=np.uint8)[:, None, None, None]
    made = at_pictures(frames, 25.0)
    assert made.shape == (50, 72, 96, 3) and made[:, 0, 0, 0].tolist() == list(range(0, 100, 2))
    large = np.zeros((30, 144, 192, 3), np.uint8) + 77
    assert (at_pictures(large, 7.5) == 77).all()


def test_looks_are_of_their_own_time(shelves: Shelves, words: TextEncoder) -> None:
    films = made_up(3, 7)
    films.looks[:] = np.arange(9)[None, :, None, None, None] * 20
    made = encoder_batches.batch_of(
        Shelf([films]), *shelves[1:], words, CONFIG, 12, np.random.default_rng([5, 1])
    )
    assert made["looks"].shape == (3, 2, 3, 72, 96) and (made["start"] % 6 == 0).all()
    for start, looks in zip(made["start"].tolist(), made["looks"], strict=True):
        level = looks.mean((1, 2, 3))
        gap = float(level[1] - level[0])  # the light may change, the order may not
        assert 0.8 * 2 * 20 / 255 * 0.94 <= gap <= 1.25 * 2 * 20 / 255 * 1.06
        assert start <= 26


def test_a_still_keeps_what_sounds_and_says_where(shelves: Shelves) -> None:
    for seed in range(20):
        made = encoder_batches.stills_of(shelves[2], CONFIG, np.random.default_rng(seed))
        stills, inside = made["stills"], made["inside"]
        assert stills.shape[0] == 4 and stills.shape[1] == 3
        assert inside.shape[1:] == (stills.shape[2] // 4, stills.shape[3] // 4)
        assert stills.shape[2] >= 0.6 * 72 - 4 and stills.min() >= 0 and stills.max() <= 1
        total = inside.sum((1, 2))
        assert ((total - 1).abs() < 1e-5).logical_or(total == 0).all() and (total == 0).sum() <= 1
        cells = torch.nn.functional.avg_pool2d(stills.mean(1), 4)
        grey = cells.flatten(1).median(1).values
        for k in total.nonzero()[:, 0]:
            there = (cells[k] * inside[k]).sum() - grey[k]
            assert there.sign() == (1 if made["shown"][k] else -1), "the box is where the patch is"


def test_a_box_in_cells() -> None:
    share = encoder_batches.within(np.array([1.0, 0.5, 3.0, 2.0]), (3, 4))
    np.testing.assert_allclose(share, np.outer([1, 2, 0], [0, 1, 1, 0]) / 6, atol=1e-6)
    assert encoder_batches.within(np.array([-3.0, -3.0, -1.0, -1.0]), (3, 4)).sum() == 0


def test_spoilt_is_noisier_or_duller_and_as_loud_elsewhere(shelves: Shelves, words: TextEncoder) -> None:
    mel = torch.full((64, 400, 64), -90.0)
    mel[:, 100:200] = -20.0
    before = mel.clone()
    made = encoder_changes.spoilt(mel, torch.Generator().manual_seed(1))
    assert torch.equal(mel, before) and made.min() >= FLOOR_DB
    noisy = made[:, :50].mean((1, 2)) > -85
    assert 16 <= noisy.sum() <= 48
    dull = made[~noisy]
    assert (dull[:, 150, -1] < -60).all() and (dull[:, 150, :8] == -20).all()
    assert (made[noisy][:, 150, 10:40].mean(1) + 20).abs().max() < 12
