"""Where results go and where not: folders made and taken away, inputs never written over, all files or none."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

Ran = tuple[int, str, str]
ONSET = {"t": 0.05, "strength": 0.8, "duration": 0.0, "material": "wood", "action": "hit"}


def sheet(folder: Path, duration: float) -> Path:
    """A sheet with nothing left to spot."""
    path = folder / "written.json"
    track = {"label": "bar", "t": [0.0], "box": [[0.2, 0.1, 0.6, 0.9]], "depth": [0.3]}
    path.write_text(
        json.dumps(
            {
                "version": 1,
                "clip": {"duration": duration},
                "when": {"onsets": [ONSET]},
                "where": {"tracks": [track]},
                "what": {"prompt": "a stick hits wood"},
            }
        )
    )
    return path


@pytest.fixture
def clip(bar_clip: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(bar_clip, tmp_path / "clip.mp4"))


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def refused(ran: Ran, *words: str) -> None:
    status, out, err = ran
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("weft: ") and all(word in err for word in words), err


def test_a_missing_folder_is_made(weft_command: Callable[..., Ran], clip: Path, tmp_path: Path) -> None:
    there = tmp_path / "new" / "deep"
    assert weft_command("generate", clip, "--cues", sheet(tmp_path, 2.0), "--out-dir", there)[0] == 0
    assert names(there) == {"clip.weft.mp4", "clip.weft.json", "clip.weft.cues.json"}


def test_a_folder_made_for_nothing_is_taken_away(
    weft_command: Callable[..., Ran], clip: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[")
    before = names(tmp_path)
    refused(
        weft_command("generate", clip, "--cues", bad, "--out-dir", tmp_path / "a" / "b"), str(bad), "JSON"
    )
    assert names(tmp_path) == before
    refused(weft_command("generate", clip, "--out-dir", bad), "bad.json is a file; give a folder")
    refused(weft_command("generate", clip, "--out-dir", bad / "under"), "is a file")


@pytest.mark.parametrize("what", ["clip.mp4", "like.wav"])
def test_force_does_not_reach_what_the_sound_is_made_from(
    weft_command: Callable[..., Ran], clip: Path, tmp_path: Path, what: str
) -> None:
    soundfile.write(tmp_path / "like.wav", np.zeros(4410), 44100)
    before = (tmp_path / what).read_bytes()
    flags = ("--reference", tmp_path / "like.wav", "-o", tmp_path / what, "--force")
    refused(weft_command("generate", clip, *flags), what, "another name")
    assert (tmp_path / what).read_bytes() == before


def test_a_clip_of_a_container_that_is_only_read_gives_matroska(
    weft_command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "old.avi"
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode())
    written = sheet(tmp_path, 1.0)
    assert weft_command("generate", path, "--cues", written)[0] == 0
    assert (tmp_path / "old.weft.mkv").exists()
    assert weft_command("rerun", tmp_path / "old.weft.json")[0] == 0
    assert (tmp_path / "old.rerun.mkv").exists()


def test_a_name_that_cannot_be_written_is_refused_before_any_work(
    weft_command: Callable[..., Ran], clip: Path, tmp_path: Path
) -> None:
    before = names(tmp_path)
    unread = ("--cues", tmp_path / "none.json")  # would be told of, once work begins
    refused(weft_command("generate", clip, *unread, "-o", tmp_path / "x.txt"), "x.txt", ".mkv")
    refused(weft_command("generate", clip, *unread, "-o", tmp_path / "no" / "x.wav"), "no does not exist")
    refused(weft_command("spot", clip, *unread, "-o", tmp_path / "no" / "x.json"), "no does not exist")
    assert names(tmp_path) == before


def test_spotted_files_appear_together(weft_command: Callable[..., Ran], clip: Path, tmp_path: Path) -> None:
    before = names(tmp_path)
    refused(weft_command("spot", clip, "--csv", tmp_path / "no" / "x.csv"), "no does not exist")
    assert names(tmp_path) == before


@pytest.mark.parametrize("command", ["spot", "generate"])
def test_a_timeline_without_room_leaves_nothing_else(clip: Path, tmp_path: Path, command: str) -> None:
    """The picture is the largest of the files here."""
    arguments = [command, str(clip), "--timeline", "--duration", "0.1", "--cues", str(sheet(tmp_path, 0.1))]

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    before = names(tmp_path)
    code = "from weft.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, preexec_fn=little_room
    )
    refused((ran.returncode, ran.stdout, ran.stderr), "no room left", ".png")
    assert names(tmp_path) == before
