"""What MMAudio sees of a clip: which pictures, how many, and how they are resized."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from weft.encoders.mmaudio_pictures import read_pictures, sync_frames
from weft.encoders.synchformer_visual import TINY_VISUAL, SynchformerVisual
from weft.media import Video


def write(path: Path, frames: Iterator[np.ndarray] | list[np.ndarray], rate: Fraction | int) -> Path:
    with av.open(str(path), "w") as sink:
        stream = None
        for frame in frames:
            if stream is None:
                stream = sink.add_stream("libx264", rate=Fraction(rate))
                stream.height, stream.width, stream.pix_fmt = *frame.shape[:2], "yuv420p"
                stream.codec_context.options = {"preset": "ultrafast", "crf": "4"}
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        assert stream is not None
        sink.mux(stream.encode(None))
    return path


def clock(path: Path, rate: Fraction | int, seconds: float) -> Path:
    """A square clip of numbered pictures: eight upright bars, black or white, the bits of k."""
    count = round(seconds * rate)
    bars = [np.unpackbits(np.uint8(k)).repeat(8) * np.uint8(255) for k in range(count)]
    return write(path, [np.broadcast_to(bar[None, :, None], (64, 64, 3)).copy() for bar in bars], rate)


def shown_at(frames: np.ndarray, rate: int) -> np.ndarray:
    """When each picture was shown, in seconds."""
    side = frames.shape[2]
    centres = (np.arange(8) * 2 + 1) * side // 16
    return np.packbits(frames[:, side // 2, centres, 1] > 127, axis=1)[:, 0] / rate


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60])
def test_d1_pictures_are_those_of_their_moment_not_up_to_40_ms_later(tmp_path: Path, rate: int) -> None:
    """Defect D1 of MMAudio's reader: pictures 9 to 37 ms late on average. Here the error is that of rounding."""
    video = Video.open(clock(tmp_path / "c.mp4", rate, 2.0))
    ours, theirs = read_pictures(video), read_pictures(video, compat=True)
    late = {}
    for name, fps in (("clip", 8), ("sync", 25)):
        mine, other = (shown_at(getattr(x, name), rate) for x in (ours, theirs))
        error = (mine - np.arange(len(mine)) / fps)[np.arange(len(mine)) / fps < 1.95]
        assert np.abs(error).max() <= 0.5 / rate + 1e-9
        assert abs(error.mean()) < 0.005  # of two equally near, the earlier is taken
        late[name] = other - np.arange(len(other)) / fps
        assert late[name].min() > -1e-9
        assert late[name].max() <= 1 / rate + 1e-9
    wanted = {24: 0.0204, 25: 0.0261, 30: 0.0173, 50: 0.0132, 60: 0.0087}[rate]
    assert late["sync"].mean() == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("seconds", "clip", "segments"), [(0.1, 1, 1), (0.5, 4, 2), (1.0, 8, 3), (3.3, 27, 10), (8.0, 64, 24)]
)
def test_any_duration_has_pictures_and_whole_segments(
    tmp_path: Path, seconds: float, clip: int, segments: int
) -> None:
    video = Video.open(clock(tmp_path / "c.mp4", 10, seconds))
    found = read_pictures(video)
    assert found.duration == pytest.approx(seconds)
    assert found.clip.shape == (clip, 384, 384, 3)
    assert found.sync.shape == (sync_frames(seconds), 224, 224, 3)
    assert len(SynchformerVisual(TINY_VISUAL).segments(found.sync)) == segments


def test_eight_seconds_are_as_in_training() -> None:
    assert sync_frames(8.0) == 200
    assert [sync_frames(s) for s in (0.04, 0.3334, 0.34, 10.0)] == [16, 16, 24, 248]


def photo(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def test_exact_is_pillows_bicubic_of_the_whole_picture_and_scaling_while_decoding_is_close(
    tmp_path: Path,
) -> None:
    video = Video.open(write(tmp_path / "p.mp4", [photo(360, 640)] * 5, 25))
    whole = Image.fromarray(video.frames(25)[0])
    exact, quick = read_pictures(video, exact=True), read_pictures(video)
    clip = np.asarray(whole.resize((384, 384), Image.Resampling.BICUBIC)).astype(int)
    wide = np.asarray(whole.resize((398, 224), Image.Resampling.BICUBIC)).astype(int)
    sync = wide[:, 87 : 87 + 224]
    for wanted, one, other in ((clip, exact.clip[0], quick.clip[0]), (sync, exact.sync[0], quick.sync[0])):
        assert np.abs(one - wanted).max() <= 3
        assert np.abs(one - wanted).mean() < 0.5
        assert np.abs(other - wanted).mean() < 2.0


def test_compat_resizes_exactly_and_takes_fewer_pictures(tmp_path: Path) -> None:
    video = Video.open(write(tmp_path / "p.mp4", [photo(90, 160)] * 40, 25))
    compat, exact = read_pictures(video, compat=True), read_pictures(video, exact=True)
    assert compat.duration < exact.duration == pytest.approx(1.6)
    assert (len(compat.clip), len(compat.sync)) == (12, 39)
    assert np.array_equal(compat.clip[0], exact.clip[0])
    assert np.array_equal(compat.sync[0], exact.sync[0])
    quick = read_pictures(video, compat=True, exact=False)
    assert not np.array_equal(compat.clip[0], quick.clip[0])
