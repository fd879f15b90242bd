"""From a file to a cue sheet: complete, obedient, and the same however long the clip."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from weft.cues.sheet import CueSheet, Onset, What, When
from weft.media.video import Video
from weft.spotting import motion, picture_tokens, spot
from weft.spotting.network import SpotterConfig, SpotterNet
from weft.spotting.observe import observe
from weft.spotting.reader import Reader
from weft.spotting.readings import APART_S, Readings, pick

SMALL = SpotterConfig(cells=16, blocks=1, trunk=16, dilations=(1,), picture=16)


def write(path: Path, seconds: float, fps: int = 20, size: tuple[int, int] = (128, 96)) -> Path:
    """A bright block that falls and stops twice a second, over noise."""
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    block = rng.integers(100, 255, (6, 6, 3), dtype=np.uint8).repeat(5, 0).repeat(5, 1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        stream.bit_rate = 2_000_000
        for k in range(round(seconds * fps)):
            phase = (k / fps) % 0.5 / 0.5
            y = int(4 + 50 * (phase / 0.5) ** 2 if phase < 0.5 else 54 - 100 * (phase - 0.5))
            picture = ground[: size[1], : size[0]].copy()
            picture[y : y + 30, 40:70] = block
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video.open(write(tmp_path_factory.mktemp("spotting") / "clip.mp4", 4.0))


@pytest.fixture(scope="module")
def reader() -> Reader:
    torch.manual_seed(0)
    return Reader(SpotterNet(SMALL), {"threshold": 0.1})


def test_the_sheet_is_complete_and_survives_json(clip: Video) -> None:
    sheet = spot(clip)
    assert sheet.when.onsets is not None
    assert sheet.when.envelope is not None
    assert sheet.where.tracks
    assert sheet.when.source in ("spotter", "motion")
    assert CueSheet.from_json(sheet.to_json()) == sheet


def test_what_a_person_wrote_is_obeyed(clip: Video) -> None:
    free = spot(clip)
    onsets = (Onset(t=0.123, strength=0.5, material="glass"), Onset(t=3.3))
    given = CueSheet(clip=free.clip, when=When(onsets=onsets), what=What(prompt="a bell"))
    sheet = spot(clip, given)
    assert sheet.when.onsets is not None
    assert [o.t for o in sheet.when.onsets] == [0.123, 3.3]
    assert sheet.when.onsets[0].material == "glass"
    assert sheet.what.prompt == "a bell"
    assert sheet.where.tracks == free.where.tracks
    none = spot(clip, replace(given, when=When(onsets=())))
    assert none.when.onsets == ()


def test_progress_rises_to_the_end(clip: Video) -> None:
    heard: list[tuple[str, float]] = []
    observe(clip, progress=lambda stage, done: heard.append((stage, done)))
    shares = [done for _, done in heard]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    assert {stage for stage, _ in heard} == {"spot"}


def test_windows_read_as_one(tmp_path: Path, reader: Reader) -> None:
    """Windows of 3 s with margins wider than the small network sees give almost what one window gives."""
    video = Video.open(write(tmp_path / "long.mp4", 7.3))
    whole = observe(video, reader=reader)
    parted = observe(video, reader=reader, window=90)
    assert len(parted.readings) == len(whole.readings) == int(np.ceil(video.duration * 30 - 1e-6))
    assert np.corrcoef(parted.readings.onset, whole.readings.onset)[0, 1] > 0.95


def test_unsure_network_leaves_the_timing_to_motion(clip: Video, reader: Reader) -> None:
    unsure = Reader(reader.net, {"threshold": 0.1, "sure": 1.1})
    seen = observe(clip, reader=unsure)
    assert seen.source == "motion"
    assert seen.readings.material.max() > 0
    sheet = spot(clip, seen=seen)
    assert sheet.when.source == "motion"
    found = np.array([o.t for o in sheet.when.onsets or ()])
    landings = 0.25 + 0.5 * np.arange(8)
    near = np.abs(found[:, None] - landings[None]).min(0) < 0.1
    assert near.mean() > 0.7


def test_a_mirrored_clip_reads_the_same_mirrored(clip: Video, reader: Reader) -> None:
    frames = [(t, f.copy()) for t, f in clip.iter_frames(None, motion.SIZE)]
    pictures = np.stack([f for _, f in frames[::13]])[:8]
    plain = reader.read(motion.join(motion.measure(frames, clip.duration)), pictures)
    turned = [(t, f[:, ::-1].copy()) for t, f in frames]
    other = reader.read(motion.join(motion.measure(turned, clip.duration)), pictures[:, :, ::-1])
    np.testing.assert_allclose(other.onset, plain.onset, atol=0.02)
    np.testing.assert_allclose(other.material, plain.material, atol=0.02)
    np.testing.assert_allclose(other.box[:, [2, 0]], 1 - plain.box[:, [0, 2]], atol=0.004)
    assert np.abs(plain.box[:, 0] + plain.box[:, 2] - 1).max() > 0.008


@pytest.mark.parametrize("seconds", [0.1, 0.5])
def test_very_short_clips(tmp_path: Path, seconds: float, reader: Reader) -> None:
    video = Video.open(write(tmp_path / "short.mp4", seconds))
    sheet = spot(video, seen=observe(video, reader=reader))
    assert all(o.t <= video.duration for o in sheet.when.onsets or ())


def test_picture_tokens_are_the_material_of_each_quarter(clip: Video) -> None:
    readings = observe(clip).readings
    odds = np.eye(17, dtype=np.float32)[np.arange(len(readings)) * 4 // len(readings)]
    tokens = picture_tokens(replace(readings, material=odds))
    assert tokens is not None
    np.testing.assert_allclose(tokens, np.eye(17)[:4], atol=0.1)
    one = picture_tokens(replace(readings, material=odds)[:1])
    assert one is not None
    assert one.shape == (4, 17)
    assert picture_tokens(observe(clip, by_motion=True).readings) is None


@pytest.mark.clips
def test_every_real_clip_is_spotted(shared_clips: Path) -> None:
    for path in sorted(shared_clips.glob("*.mp4"))[:3]:
        sheet = spot(Video.open(path, duration=3.0))
        assert sheet.when.onsets is not None, path.name


def readings_of(onset: np.ndarray, offset: np.ndarray | None = None) -> Readings:
    n = len(onset)
    zero = np.zeros(n, np.float32)
    return Readings(
        onset=onset.astype(np.float32),
        offset=zero if offset is None else offset.astype(np.float32),
        strength=zero,
        level=zero,
        sustained=zero,
        box=np.zeros((n, 4), np.float32),
        depth=zero,
        material=np.zeros((n, 17), np.float32),
        action=np.zeros((n, 5), np.float32),
    )


def test_readings_vote_for_the_moment_they_point_at() -> None:
    """Two bounces 53 ms apart: five readings that point at them, none between, are two onsets."""
    true = np.array([1.01, 1.063])
    at = np.arange(60) / motion.RATE
    nearest = true[np.abs(at[:, None] - true).argmin(1)]
    sure = np.where(np.abs(at - nearest) < 0.05, 0.9 - 8 * np.abs(at - nearest), 0.0)
    times, evidence, index = pick(readings_of(sure, np.clip(nearest - at, -0.06, 0.06)), 0.1, 2.0)
    np.testing.assert_allclose(times, true, atol=0.003)
    np.testing.assert_allclose(evidence, sure[index], atol=1e-6)


def test_evidence_is_weighed_against_the_strongest_around() -> None:
    onset = np.zeros(1200)
    onset[[30, 60, 1000, 1030]] = 0.9, 0.5, 0.5, 0.2
    times, _, _ = pick(readings_of(onset), 0.15, 40.0, share=0.7)
    np.testing.assert_allclose(times, np.array([30, 1000]) / motion.RATE, atol=0.002)
    assert len(pick(readings_of(onset), 0.15, 40.0)[0]) == 4
    level = pick(readings_of(np.full(30, 0.9)), 0.1, 1.0)[0]
    assert np.diff(level).min() >= APART_S
    assert len(pick(readings_of(onset), 0.6, 40.0, share=0.7)[0]) == 1
