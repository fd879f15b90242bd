"""Pictures and files: what the renderer draws, and what is written."""

from __future__ import annotations

import json
import tarfile

import numpy as np
import pytest

from weft.errors import UserError
from weft.world import render_clip, sample_scene, shards
from weft.world.clip import region_boxes, render_frames
from weft.world.lens import Lens

pytestmark = pytest.mark.world


def test_pictures_are_their_seed_and_move():
    scene = sample_scene("hits", 2, duration=1.0, fps=12)
    a, b = (
        render_frames(scene, (96, 72)),
        render_frames(sample_scene("hits", 2, duration=1.0, fps=12), (96, 72)),
    )
    assert a.shape == (12, 72, 96, 3) and a.dtype == np.uint8
    assert np.array_equal(a, b)
    assert a.std() > 8  # not an empty stage


def test_a_picture_can_follow_another_scene():
    scene = sample_scene("drops", 5, duration=0.5, fps=12)
    alone = render_frames(scene, (64, 48))
    render_frames(sample_scene("walks", 1, duration=0.5, fps=12), (64, 48))
    assert np.array_equal(alone, render_frames(scene, (64, 48)))


def test_things_move_most_where_the_box_says():
    """Without camera movement, the picture changes more inside the label's box than outside it."""
    ratios = []
    for seed in range(40):
        scene = sample_scene("hits", seed, fps=12, duration=2.0)
        operator, plan = scene.plan.operator, scene.plan
        still = (
            operator.shake == 0 and not operator.jolts and len(operator.views) == 1 and not plan.distractors
        )
        v = operator.views[0]
        if not still or v.swing or v.zoom or v.rise or len(ratios) >= 3:
            continue
        plan.lens = Lens()
        frames = render_frames(scene, (96, 72)).astype(float)
        change = np.abs(np.diff(frames, axis=0)).mean((0, 3))
        box = np.nanmean(region_boxes(scene)[0], axis=0)
        x1, y1, x2, y2 = (box * [96, 72, 96, 72]).astype(int)
        inside = change[y1 : y2 + 1, x1 : x2 + 1].mean()
        ratios.append(inside / (change.mean() + 1e-9))
    assert len(ratios) == 3 and np.median(ratios) > 1.5


def test_too_large_a_picture_is_refused():
    with pytest.raises(UserError, match="at most"):
        render_frames(sample_scene("hits", 0, duration=0.5), (4000, 3000))


def test_shards_resume(tmp_path):
    kw = {"split": "val", "folder": tmp_path, "count": 2, "per_shard": 1, "size": (48, 36), "duration": 0.5}
    first, second = shards.build(["drops", "hits"], **kw)
    stamps = first.read_bytes(), second.read_bytes()
    second.unlink()
    seen = []
    assert shards.build(["drops", "hits"], **kw, progress=lambda _, f: seen.append(f)) == [first, second]
    assert (first.read_bytes(), second.read_bytes()) == stamps
    assert seen == [0.5, 1.0]
    with tarfile.open(second) as tar:
        names = tar.getnames()
        assert sorted(n.split(".")[1] for n in names) == ["flac", "json", "mp4"]
        label = json.load(tar.extractfile(next(n for n in names if n.endswith("json"))))
    assert label["domain"] == "hits" and label["captions"] and label["sheet"]["version"] == 1
    assert not list(tmp_path.glob(".*"))


def test_unknown_domains_are_refused(tmp_path):
    with pytest.raises(UserError, match="unknown world domain 'rain'"):
        shards.build(["rain"], split="val", folder=tmp_path, count=1)


def test_samples_play_and_have_their_sheet(tmp_path):
    from weft.cues.sheet import CueSheet
    from weft.media import Video, read_audio

    (path,) = shards.sample(tmp_path / "new", domain="drops", count=1, seed=3, duration=0.6)
    video = Video.open(path)
    assert abs(video.duration - 0.6) < 0.1 and video.height >= 240 and video.has_audio
    assert read_audio(path).shape[0] == 2
    sheet = CueSheet.load(path.with_suffix(".json"))
    scene = sample_scene("drops", 3, duration=0.6)
    assert [o.t for o in sheet.when.onsets] == [round(e.t, 3) for e in scene.events]
    with pytest.raises(UserError, match="exists already"):
        list(shards.sample(tmp_path / "new", domain="drops", count=1, seed=3, duration=0.6))


def test_sound_needs_no_picture():
    clip = render_clip(sample_scene("walks", 0, duration=0.5), picture=False)
    assert clip.frames is None and clip.audio is not None


def test_single_frames_can_be_drawn():
    scene = sample_scene("hits", 6, duration=1.0, fps=12)
    scene.plan.lens = Lens(quality=None)
    one = render_frames(scene, (64, 48), np.array([5]))
    assert one.shape == (1, 48, 64, 3)
    assert np.abs(one[0].astype(int) - render_frames(scene, (64, 48))[5]).mean() < 12  # exposure may differ
