"""Outputs appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from weft.errors import MediaError
from weft.media import written_aside
from weft.media.atomic import folder_made, refuse_unwritable


def test_appears_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with written_aside(target) as aside:
        assert aside.parent == tmp_path and aside.suffix == ".mp4" and aside != target
        aside.write_text("whole")
        assert not target.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    assert target.read_text() == "whole"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1), MediaError("y")])
def test_any_failure_leaves_the_folder_as_it_was(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "out.wav").write_text("old")
    with pytest.raises(type(error)), written_aside(tmp_path / "out.wav", overwrite=True) as aside:
        aside.write_text("half")
        raise error
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("out.wav", "old")]


def test_overwriting_is_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    target.write_text("old")
    with pytest.raises(MediaError, match="exists already"), written_aside(target):
        raise AssertionError("not reached")
    with written_aside(target, overwrite=True) as aside:
        aside.write_text("new")
    assert target.read_text() == "new"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    with pytest.raises(MediaError, match="exists already"), written_aside(target) as aside:
        aside.write_text("mine")
        target.write_text("theirs")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("out.wav", "theirs")]


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "no room left"), (errno.EROFS, "is read-only"), (errno.EIO, "cannot write .*error")],
)
def test_system_errors_become_one_line(tmp_path: Path, number: int, message: str) -> None:
    with pytest.raises(MediaError, match=message), written_aside(tmp_path / "o.wav"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    with written_aside(tmp_path / "a.wav") as one, written_aside(tmp_path / "b.wav") as two:
        assert one != two
    with written_aside(tmp_path / ("x" * 230 + ".wav")) as aside:
        aside.write_text("a long name is no trouble")


def test_what_could_not_be_written_is_known_before_and_nothing_is_left(tmp_path: Path) -> None:
    refuse_unwritable(tmp_path / "new.json")
    (tmp_path / "old.json").write_text("old")
    refuse_unwritable(tmp_path / "old.json", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["old.json"] and (
        tmp_path / "old.json"
    ).read_text() == "old"
    for path, words in (
        (tmp_path / "old.json", "exists already"),
        (tmp_path / "none" / "x.json", "none does not exist"),
        (tmp_path / "old.json" / "x.json", "does not exist"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(MediaError, match=words):
            refuse_unwritable(path)


def test_a_folder_that_was_made_goes_again_with_a_stop_unless_something_is_in_it(tmp_path: Path) -> None:
    for left in ((), ("a.wav",)):
        with pytest.raises(KeyboardInterrupt), folder_made(tmp_path / "a" / "b"):
            for name in left:
                (tmp_path / "a" / "b" / name).touch()
            raise KeyboardInterrupt
        assert [p.name for p in tmp_path.iterdir()] == ["a"] * len(left)
    with pytest.raises(KeyboardInterrupt), folder_made(tmp_path / "a"):
        raise KeyboardInterrupt
    assert (tmp_path / "a").is_dir(), "it was there before"
