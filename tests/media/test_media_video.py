"""Pictures by exact time: every rate, order, turn and shape gives the frame nearest to k / fps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from weft.errors import MediaError
from weft.media import Video, mux

Maker = Callable[..., Path]
Number = Callable[[np.ndarray], int]


def nearest(times: Sequence[Fraction], target: Fraction) -> int:
    return min(range(len(times)), key=lambda k: (abs(times[k] - target), k))


def expected(times: Sequence[Fraction], fps: Fraction, start: Fraction, count: int) -> list[int]:
    return [nearest(times, start + j / fps) for j in range(count)]


RATES = {
    "23.976": Fraction(24000, 1001),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "60": Fraction(60),
}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES.keys())
@pytest.mark.parametrize("fps", [Fraction(25), Fraction(24), Fraction(43066, 1000)], ids=str)
def test_constant_rate_gives_the_nearest_frame(
    clip: Maker, number: Number, rate: Fraction, fps: Fraction
) -> None:
    video = Video.open(clip(rate=rate, count=50, bframes=2))
    assert video.duration == pytest.approx(float(50 / rate), abs=1e-9)
    assert video.fps == pytest.approx(float(rate))
    pairs = list(video.iter_frames(fps))
    assert [t for t, _ in pairs] == [float(k / fps) for k in range(len(pairs))]
    times = [k / rate for k in range(50)]
    assert [number(f) for _, f in pairs] == expected(times, fps, Fraction(0), len(pairs))
    assert len(pairs) == video.frame_count(fps) == -(-50 * fps // rate)


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_rate(clip: Maker, number: Number, suffix: str, bframes: int) -> None:
    pts = [0, 30, 40, 100, 170, 180, 300, 310, 500, 520, 530, 900]
    video = Video.open(clip(f"v{suffix}", pts=pts, time_base=Fraction(1, 1000), bframes=bframes))
    times = [Fraction(p, 1000) for p in pts]
    got = [number(f) for _, f in video.iter_frames(50)]
    assert got == expected(times, Fraction(50), Fraction(0), len(got))
    own = list(video.iter_frames(None))
    assert [round(t * 1000) for t, _ in own] == pts
    assert [number(f) for _, f in own] == list(range(len(pts)))
    assert video.duration > 0.9


@pytest.mark.parametrize("start", [0.04, 0.5, 1.0, 1.37, 1.96])
@pytest.mark.parametrize("name", ["e.mp4", "e.mkv", "e.ts", "e.avi", "e.flv"])
def test_an_excerpt_begins_with_the_picture_on_screen(
    clip: Maker, number: Number, name: str, start: float
) -> None:
    path = clip(name, bframes=3, gop=20, count=50)
    video = Video.open(path, start=start, duration=0.5)
    first = int(start * 25 + 0.01)
    assert video.start == pytest.approx(first / 25)
    assert video.duration == pytest.approx(min(0.5, 2.0 - first / 25))
    numbers = [number(f) for _, f in video.iter_frames(25)]
    assert numbers == list(range(first, min(50, first + 13)))[: len(numbers)]
    assert len(numbers) == video.frame_count(25)


def test_an_excerpt_equals_that_part_of_the_whole(clip: Maker) -> None:
    path = clip(rate=RATES["29.97"], bframes=2, count=90)
    part = Video.open(path, start=1.0, duration=1.0)
    own = list(part.iter_frames(None))
    whole = [
        (t, f) for t, f in Video.open(path).iter_frames(None) if part.start - 1e-9 <= t < part.start + 1.0
    ]
    assert [t + part.start for t, _ in own] == pytest.approx([t for t, _ in whole])
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(own, whole, strict=True))


def test_no_more_is_decoded_than_asked(clip: Maker, number: Number) -> None:
    """Everything after the part asked for may be garbage; a reader that went on would stumble over it."""
    path = clip("long.mkv", count=250, gop=10)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    healthy = Video.open(path)
    path.write_bytes(data)
    frames = healthy.iter_frames(25)
    early = [number(next(frames)[1]) for _ in range(25)]
    frames.close()
    assert early == list(range(25))


def test_the_last_picture_is_found_where_it_is_not_stored_last(clip: Maker, number: Number) -> None:
    """Sound that ends with the picture, B-frames: the last picture shown is not in the last packet."""
    for rate in (25, 5):
        count = 3 * rate
        path = clip(
            f"{rate}.ts", bframes=3, rate=rate, count=count, sound=np.zeros((2, 3 * 44100), np.float32)
        )
        video = Video.open(path)
        assert video.duration == pytest.approx(3.0, abs=1e-3)
        assert [number(f) for _, f in video.iter_frames(None)] == list(range(count))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_time_zero_is_the_first_picture(clip: Maker, number: Number, suffix: str) -> None:
    sound = np.zeros((2, 88200), np.float32)
    video = Video.open(clip(f"late{suffix}", start=0.48, count=25, sound=sound))
    assert video.duration == pytest.approx(1.0)
    assert [number(f) for _, f in video.iter_frames(25)] == list(range(25))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_pictures_alone_may_begin_late(clip: Maker, number: Number, suffix: str) -> None:
    """Matroska's length may count from its clock's zero: nothing is cut short here."""
    video = Video.open(clip(f"late{suffix}", start=1.52, count=25))
    assert video.duration == pytest.approx(1.0)
    assert [number(f) for _, f in video.iter_frames(25)] == list(range(25))


def test_edit_list_hides_pictures_before_and_after(clip: Maker, number: Number, tmp_path: Path) -> None:
    source = clip(bframes=3, gop=50, count=50)
    sound = np.zeros((2, 22050), np.float32)
    mux(Video.open(source, 0.52, 0.5), sound, tmp_path / "edit.mp4")
    video = Video.open(tmp_path / "edit.mp4")
    assert video.duration == pytest.approx(0.5, abs=1e-4)
    assert [number(f) for _, f in video.iter_frames(25)] == list(range(13, 26))[: video.frame_count(25)]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotation_and_mirroring_are_applied(clip: Maker, turn: int, mirror: bool) -> None:
    video = Video.open(clip("r.mp4", rotate=turn, mirror=mirror, size=(96, 48), count=3))
    assert mirror or video.rotation == turn
    assert (video.width, video.height) == ((48, 96) if turn in (90, 270) else (96, 48))
    frame = video.frames(25)[0]
    assert frame.shape == (video.height, video.width, 3)
    corners = [frame[4, 4], frame[4, -4], frame[-4, -4], frame[-4, 4]]  # clockwise from top left
    red = [bool(c[0] > 150 and c[1] < 100 and c[2] < 100) for c in corners]
    where = (
        turn // 90 ^ 1 if mirror else turn // 90
    )  # mirroring swaps top left with right, bottom left with right
    assert red == [i == where for i in range(4)]


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(4, 3), (85, 48)), (Fraction(8, 9), (64, 54)), (Fraction(1), (64, 48))]
)
def test_pixel_shape_is_applied(clip: Maker, aspect: Fraction, size: tuple[int, int]) -> None:
    video = Video.open(clip(aspect=aspect, count=3))
    assert (video.width, video.height) == size
    assert video.frames(25).shape[1:3] == size[::-1]


@pytest.mark.parametrize(
    "options",
    [
        {"pix_fmt": "yuv420p10le"},
        {"pix_fmt": "yuv444p", "size": (65, 49)},
        {"codec": "mpeg4", "name": "m.avi"},
        {"codec": "mpeg4", "name": "m.mov", "bframes": 2},
        {"codec": "mjpeg", "pix_fmt": "yuvj420p", "name": "m.mov"},
        {"codec": "libvpx-vp9", "name": "m.webm"},
        {"codec": "ffv1", "name": "m.mkv"},
        {"name": "m.avi", "bframes": 2},
        {"name": "m.h264", "bframes": 2},
    ],
    ids=str,
)
def test_codecs_depths_and_sizes(clip: Maker, number: Number, options: dict[str, object]) -> None:
    video = Video.open(clip(**options, count=30))
    assert video.duration == pytest.approx(1.2)
    assert [number(f) for _, f in video.iter_frames(25)] == list(range(30))
    assert [number(f) for _, f in video.iter_frames(25, (40, 31))] == list(range(30))


def test_a_tenth_of_a_second(clip: Maker, number: Number) -> None:
    video = Video.open(clip(rate=30, count=3))
    assert video.duration == pytest.approx(0.1)
    assert [number(f) for f in video.frames(30)] == [0, 1, 2]
    assert len(video.frames(5)) == 1


def test_frames_is_iter_frames_in_one_array(clip: Maker) -> None:
    video = Video.open(clip(count=20))
    frames = video.frames(12.5, (32, 24))
    assert frames.dtype == np.uint8 and frames.shape == (10, 24, 32, 3)
    assert np.array_equal(frames, np.stack([f for _, f in video.iter_frames(12.5, (32, 24))]))


def test_cover_crops_the_middle_and_squash_keeps_all(clip: Maker) -> None:
    video = Video.open(clip(size=(96, 48), count=1))
    squashed, covered = (video.frames(25, (48, 48), fit)[0] for fit in ("squash", "cover"))
    assert squashed[4, 4, 0] > 150 and squashed[4, 4, 2] < 100  # the red corner
    assert covered.shape == squashed.shape
    assert np.ptp(covered[4, 4].astype(int)) < 60  # cropped away
    whole = video.frames(25)[0]
    assert np.abs(covered.astype(int) - whole[:, 24:72]).mean() < 3


def test_the_same_picture_serves_several_times(clip: Maker, number: Number) -> None:
    frames = Video.open(clip(rate=5, count=4)).frames(25)
    assert [number(f) for f in frames] == [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3]


@pytest.mark.parametrize(
    ("start", "duration", "message"),
    [
        (-1.0, None, "start -1 s lies outside the clip, which is 2.000 s long"),
        (2.0, None, "start 2 s lies outside"),
        (99.0, None, "start 99 s lies outside"),
        (float("nan"), None, "start nan s lies outside"),
        (0.0, 0.0, "duration 0 s must be more than 0"),
        (0.0, -1.0, "duration -1 s must be more than 0"),
        (0.0, float("nan"), "duration nan s must be more than 0"),
    ],
)
def test_impossible_parts(clip: Maker, start: float, duration: float | None, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        Video.open(clip(), start, duration)


def test_impossible_wishes(clip: Maker) -> None:
    video = Video.open(clip(count=3))
    with pytest.raises(MediaError, match="frame rate must be more than 0"):
        video.frames(0)
    with pytest.raises(MediaError, match="at least 1x1, not 0x5"):
        video.frames(25, (0, 5))
    with pytest.raises(MediaError, match="'squash' or 'cover', not 'fill'"):
        video.frames(25, (8, 8), "fill")  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.clips
def test_real_clips(shared_clips: Path) -> None:
    for path in sorted(shared_clips.glob("*.mp4")):
        video = Video.open(path)
        start = video.duration - 1.5
        tail = Video.open(path, start)
        own = [t for t, _ in tail.iter_frames(None, (32, 18))]
        assert own[0] == 0.0 and all(np.diff(own) > 0)
        assert own[-1] < tail.duration < own[-1] + 3 / video.fps, path
        frames = tail.frames(10, (32, 18))
        assert len(frames) == tail.frame_count(10)
        assert frames.std() > 5
