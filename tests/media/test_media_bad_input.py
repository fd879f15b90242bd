"""Whatever a person gives, the answer is one line that says what is wrong; nothing else reaches the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from weft.errors import MediaError
from weft.media import Video, mux, read_audio, write_audio

Maker = Callable[..., Path]
SOUND = np.zeros((2, 44100), np.float32)


def one_line(action: Callable[[], object]) -> str:
    with pytest.raises(MediaError) as caught:
        action()
    text = str(caught.value)
    assert text and "\n" not in text and caught.value.exit_code == 2
    return text


def folder_of(path: Path) -> list[str]:
    return sorted(p.name for p in path.iterdir())


def test_missing_and_folder(tmp_path: Path) -> None:
    for read in (Video.open, read_audio):
        assert "does not exist" in one_line(lambda read=read: read(tmp_path / "none.mp4"))
        assert "is a folder" in one_line(lambda read=read: read(tmp_path))
    assert "does not exist" in one_line(lambda: Video.open("http://localhost/clip.mp4"))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.webm", "a"])
@pytest.mark.parametrize("what", ["empty", "random", "zeros", "text"])
def test_not_media(tmp_path: Path, name: str, what: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = {
        "empty": b"",
        "random": np.random.default_rng(7).bytes(100_000),
        "zeros": bytes(5000),
        "text": b"A spoon taps a wine glass.\n" * 400,
    }[what]
    path = tmp_path / name
    path.write_bytes(data)
    assert str(path) in one_line(lambda: Video.open(path))
    assert str(path) in one_line(lambda: read_audio(path))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("c.mp4", {}),
        ("c.mp4", {"options": {"movflags": "faststart"}}),  # the index first, then too little
        ("c.mov", {}),
        ("c.mkv", {}),
        ("c.webm", {"codec": "libvpx-vp9"}),
        ("c.avi", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_cut_short(
    clip: Maker, name: str, part: float, options: dict[str, object], capfd: pytest.CaptureFixture[str]
) -> None:
    path = clip(name, count=75, **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    try:
        video = Video.open(path)
    except MediaError as error:
        assert any(word in str(error) for word in ("cut short", "damaged")), str(error)
    else:  # only what stands after the pictures may be missing
        assert part > 0.8 and name[-4:] in ("webm", ".avi")
        assert video.duration > 2.7 and len(video.frames(25)) == video.frame_count(25)
    assert capfd.readouterr() == ("", "")


def test_pictures_turned_to_noise(clip: Maker, capfd: pytest.CaptureFixture[str]) -> None:
    path = clip()
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[at:end] = np.random.default_rng(1).bytes(end - at)
    path.write_bytes(data)
    assert "no picture that can be decoded" in one_line(lambda: Video.open(path))
    assert capfd.readouterr() == ("", "")


def test_damage_in_the_middle_is_passed_over(clip: Maker, capfd: pytest.CaptureFixture[str]) -> None:
    path = clip(count=75, gop=10)
    data = bytearray(path.read_bytes())
    at = (data.index(b"mdat") + data.index(b"moov")) // 2
    data[at : at + 300] = np.random.default_rng(1).bytes(300)
    path.write_bytes(data)
    assert Video.open(path).frames(25).shape == (75, 48, 64, 3)
    assert capfd.readouterr() == ("", "")


def test_no_video_stream(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", SOUND)
    assert "has no video stream" in one_line(lambda: Video.open(tmp_path / "a.wav"))


def test_no_sound(clip: Maker) -> None:
    path = clip(count=3)
    assert not Video.open(path).has_audio
    assert "has no sound" in one_line(lambda: read_audio(path))


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as sink:
        voice = sink.add_stream("aac", rate=44100)
        cover = sink.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(SOUND, format="fltp", layout="stereo")
        frame.sample_rate = 44100
        sink.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        sink.mux(cover.encode(None))
        sink.mux(voice.encode(frame))
        sink.mux(voice.encode(None))
    assert "has no video stream" in one_line(lambda: Video.open(path))


def test_a_still_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    av.VideoFrame(32, 32, "rgb24").save(path)
    assert "still picture" in one_line(lambda: Video.open(path))


def test_no_pictures_at_all(clip: Maker, tmp_path: Path) -> None:
    for name, sound in (("b.mp4", SOUND), ("c.mkv", SOUND)):
        text = one_line(lambda name=name, sound=sound: Video.open(clip(name, count=0, sound=sound)))
        assert any(words in text for words in ("no picture that can", "no video stream", "damaged")), text


def test_unreadable_codec(clip: Maker, tmp_path: Path) -> None:
    path = clip()
    data = path.read_bytes()
    assert data.count(b"avc1") >= 1
    path.write_bytes(data.replace(b"avc1", b"zq9x"))
    assert "codec" in one_line(lambda: Video.open(path)) or "decoded" in one_line(lambda: Video.open(path))


def test_existing_file_is_kept(clip: Maker, tmp_path: Path) -> None:
    path = clip(count=10)
    for name in ("o.mp4", "o.mkv", "o.wav"):
        out = tmp_path / name
        out.write_text("mine")
        assert "exists already" in one_line(lambda out=out: mux(path, SOUND, out))
        assert out.read_text() == "mine"
        mux(path, SOUND, out, overwrite=True)
        assert out.stat().st_size > 100
    assert "is a folder" in one_line(lambda: mux(path, SOUND, tmp_path))
    assert "does not exist" in one_line(lambda: mux(path, SOUND, tmp_path / "no" / "o.mp4"))


@pytest.mark.parametrize("name", ["o.ogg", "o.txt", "o"])
def test_unknown_suffix(clip: Maker, tmp_path: Path, name: str) -> None:
    text = one_line(lambda: mux(clip(count=3), SOUND, tmp_path / name))
    assert "unknown suffix" in text and ".mkv" in text


def test_container_that_cannot_hold_the_picture(clip: Maker, tmp_path: Path) -> None:
    path = clip(count=10)
    assert ".webm cannot hold h264 pictures; write .mkv instead" in one_line(
        lambda: mux(path, SOUND, tmp_path / "o.webm")
    )
    assert folder_of(tmp_path) == ["clip.mp4"]


def test_the_source_is_not_overwritten(clip: Maker) -> None:
    path = clip(count=10)
    before = path.read_bytes()
    one_line(lambda: mux(path, SOUND, path))
    assert path.read_bytes() == before


def test_wrong_original(clip: Maker, tmp_path: Path) -> None:
    assert "replace, keep, mix or duck, not 'drop'" in one_line(
        lambda: mux(clip(count=3), SOUND, tmp_path / "o.mp4", original="drop")  # type: ignore[arg-type]
    )


def in_a_child(code: str, **names: object) -> str:
    """Run code in a process of its own, which may give up rights or room; what it prints."""
    lines = [f"{name} = {str(value)!r}" for name, value in names.items()]
    done = subprocess.run([sys.executable, "-c", "\n".join([*lines, code])], capture_output=True, text=True)
    assert done.stderr == "", done.stderr
    return done.stdout


TRY = """
import numpy as np
from weft.errors import MediaError
from weft.media import mux, write_audio
rng = np.random.default_rng(0)
sound = rng.standard_normal((2, 44100 * 4)).astype(np.float32) * 0.1
{before}
for name in ("o.mp4", "o.mkv", "o.wav", "o.flac"):
    try:
        mux(source, sound, out + "/" + name)
        print("written", name)
    except MediaError as error:
        print(error)
"""


def test_disk_full(clip: Maker, tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: the same failing write, another number."""
    source = clip(count=100)
    out = tmp_path / "out"
    out.mkdir()
    before = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"
    lines = in_a_child(TRY.format(before=before), source=source, out=out).splitlines()
    assert len(lines) == 4 and all(line.startswith("no room left to write") for line in lines), lines
    assert folder_of(out) == []


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs Unix permissions")
def test_read_only_folder(clip: Maker) -> None:
    source = clip(count=10)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / "clip.mp4"
        copy.write_bytes(source.read_bytes())
        copy.chmod(0o444)
        out = folder / "out"
        out.mkdir(mode=0o555)
        folder.chmod(0o755)
        before = "import os; os.getuid() or os.setuid(65534)"  # permissions do not bind the superuser
        lines = in_a_child(TRY.format(before=before), source=copy, out=out).splitlines()
        assert len(lines) == 4 and all("is read-only" in line for line in lines), lines
        assert folder_of(out) == []
