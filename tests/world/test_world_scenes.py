"""Scenes without pictures: splits, labels in range, contacts where the motion says, revoicing."""

from __future__ import annotations

import numpy as np
import pytest

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.errors import UserError
from weft.world import DOMAINS, SPLITS, render_clip, revoice, sample_scene, split_seed
from weft.world.clip import region_boxes

pytestmark = pytest.mark.world


def test_splits_never_share_a_seed():
    ranges = {s: {split_seed(s, i) for i in (0, 1, 999, 2**40 - 1)} for s in SPLITS}
    everything = [seed for seeds in ranges.values() for seed in seeds]
    assert len(everything) == len(set(everything))
    assert split_seed("train", 2**40 - 1) < split_seed("val", 0)
    assert split_seed("val", 2**40 - 1) < split_seed("test", 0)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: split_seed("dev", 0), "unknown split 'dev'"),
        (lambda: split_seed("val", -1), "clip index -1"),
        (lambda: sample_scene("rain", 0), "unknown world domain 'rain'"),
        (lambda: sample_scene("hits", 0, duration=0.1), "duration 0.1 s"),
        (lambda: sample_scene("hits", 0, material="gold"), "unknown material 'gold'"),
        (lambda: sample_scene("hits", 0, fps=0), "fps 0"),
        (lambda: revoice(sample_scene("hits", 0), "gold"), "unknown material 'gold'"),
    ],
)
def test_bad_requests_say_what_is_wrong(call, match):
    with pytest.raises(UserError, match=match):
        call()


@pytest.mark.parametrize("domain", DOMAINS)
def test_labels_lie_in_their_ranges(domain):
    for seed in range(12):
        scene = sample_scene(domain, seed)
        assert scene.material in MATERIALS and scene.action in ACTIONS
        assert scene.events and len(scene.events) == len(scene.visible)
        assert 12 <= scene.fps <= 30
        for e in scene.events:
            assert 0 <= e.t < scene.duration and 0 < e.strength <= 1
            assert 0 <= e.t + e.duration <= scene.duration + 1e-6
        assert [e.t for e in scene.events] == sorted(e.t for e in scene.events)
        boxes, depth = region_boxes(scene)
        assert boxes.shape == (scene.frame_count, 4) and depth.shape == (scene.frame_count,)
        seen = boxes[np.isfinite(boxes).all(1)]
        assert np.all((seen >= 0) & (seen <= 1)) and np.all(seen[:, :2] < seen[:, 2:])
        assert np.all((depth >= 0) & (depth <= 1))


@pytest.mark.parametrize("domain", DOMAINS)
def test_most_events_are_seen_in_their_box(domain):
    inside, total = 0, 0
    for seed in range(10):
        scene = sample_scene(domain, seed)
        boxes, _ = region_boxes(scene)
        for e, visible in zip(scene.events, scene.visible, strict=True):
            k = min(round(e.t * scene.fps), scene.frame_count - 1)
            if visible and np.isfinite(boxes[k]).all():
                x = (e.pan if e.pan_curve is None else float(e.pan_curve[0])) / 2 + 0.5
                total += 1
                inside += boxes[k, 0] - 0.05 <= x <= boxes[k, 2] + 0.05
    assert total > 30 and inside / total > 0.9


def test_a_scene_is_its_seed():
    a, b, c = (render_clip(sample_scene("hits", s), picture=False) for s in (3, 3, 4))
    assert np.array_equal(a.audio, b.audio) and a.captions == b.captions and a.sheet == b.sheet
    assert not np.array_equal(a.audio, c.audio)


def test_the_tip_touches_at_every_hit_and_only_then():
    for seed in range(25):
        scene = sample_scene("hits", seed)
        plan = scene.plan
        hits = [c for c in plan.contacts if c.action == "hit" and 0.1 < c.t < 3.8]
        for c in hits:
            tips = plan.tip(np.array([c.t]))[:, 0]
            assert np.linalg.norm(tips - np.atleast_2d(c.where)[0], axis=-1).min() < 0.004
        for arm in plan.arms:
            blows = [b for b in arm.blows if not b.misses and b.slide is None and b.t > 0.3]
            for b in blows:
                before = arm.height(b.t - np.array([0.045, 0.02, 0.005]))
                assert np.all(before > 0) and np.all(np.diff(before) < 0), (seed, b)
            t = np.arange(0.0, 4.0, 0.002)
            touching = arm.height(t) <= 0.002
            near = np.zeros(len(t), bool)
            for b in arm.blows:
                if not b.misses:
                    soft = 0.02 if b.slide is None else 0.1  # a scratch lands and leaves gently
                    near |= (t > b.t - soft) & (t < b.t + b.dwell + 0.1 + soft)
            assert not np.any(touching & ~near), seed


def test_feet_come_down_at_every_step():
    for seed in range(12):
        plan = sample_scene("walks", seed).plan
        for k, falls in enumerate(plan.gait.falls):
            for t in falls[(falls > 0.3) & (falls < 3.8)]:
                _, z, _ = plan.gait.foot(k, t + np.array([-0.05, -0.02, 0.0, 0.03]))
                assert z[0] > z[1] > z[2] and z[2] < 1e-6 and z[3] < 1e-6
                x, _, _ = plan.gait.foot(k, t + np.array([0.0, 0.03]))
                assert abs(x[1] - x[0]) < 1e-6


def test_dropped_things_meet_the_ground_when_they_sound():
    checked = 0
    for seed in range(12):
        scene = sample_scene("drops", seed)
        plan = scene.plan
        if plan.ground == "water":
            continue
        for k, body in enumerate(plan.bodies):
            first = next((c for c in plan.contacts if c.track.endswith(f"-{k}")), None)
            if first is None or first.t < body.released + 0.15 or len(plan.bodies) > 1:
                continue
            pos, _ = plan.at(first.t + np.array([-0.03, 0.03]))
            speed = np.gradient(plan.at(first.t + np.arange(-0.05, 0.06, 0.002))[0][:, k, 2], 0.002)
            assert speed[5] < -0.3  # falling before
            assert speed[-5] > speed[5] + 0.2  # no longer after
            assert len(pos) == 2
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_forced_material_leads(domain):
    for seed, material in enumerate(MATERIALS):
        scene = sample_scene(domain, 100 + seed, material=material)
        assert scene.material == material
        if domain != "walks":
            assert {e.material for e in scene.events} == {material}


def test_revoicing_keeps_the_contacts():
    scene = sample_scene("hits", 1)
    other = revoice(scene, "glass" if scene.material != "glass" else "metal")
    assert [(e.t, e.strength, e.pan, e.depth, e.action) for e in other.events] == [
        (e.t, e.strength, e.pan, e.depth, e.action) for e in scene.events
    ]
    assert {e.material for e in other.events} == {other.material}
    a, b = (render_clip(s, picture=False) for s in (scene, other))
    assert a.audio.shape == b.audio.shape and not np.allclose(a.audio, b.audio)
    assert a.captions != b.captions


def test_sound_begins_at_the_events_and_the_sheet_measures_it():
    scene = sample_scene("hits", 8, material="metal")
    clip = render_clip(scene, picture=False)
    assert clip.audio.shape == (2, round(scene.duration * 44100)) and clip.audio.dtype == np.float32
    rms = clip.sheet.when.envelope.rms
    assert rms.max() > 0 and clip.sheet.when.source == "world"
    assert [o.t for o in clip.sheet.when.onsets] == [round(e.t, 3) for e in clip.events]
    t = clip.events[0].t
    before = clip.audio[:, : int((t - 0.01) * 44100)]
    after = clip.audio[:, int(t * 44100) : int((t + 0.05) * 44100)]
    assert np.abs(after).max() > 3 * (np.abs(before).max() if before.size else 0)
    assert len(clip.captions) >= 2 and all(clip.captions)
