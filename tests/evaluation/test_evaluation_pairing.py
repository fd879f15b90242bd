"""Pairing: by name whatever the suffix, from folders, tables and shards, and nothing is dropped unsaid."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from weft.errors import UserError
from weft.evaluation.pairing import pair


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def shard(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_folders_pair_by_name_whatever_the_suffix_and_list_what_is_alone(tmp_path: Path) -> None:
    true = fill(tmp_path / "true", "a.wav", "sub/b.mp4", "c.wav", "notes.txt", ".hidden.wav")
    made = fill(tmp_path / "made", "a.flac", "sub/b.weft.mp4", "d.ogg", "a.json")
    found = pair(true, made)
    assert [p.name for p in found.pairs] == ["a", "sub/b"]
    assert (found.only_reference, found.only_predicted) == (("c",), ("d",))
    assert found.pairs[0].video is None
    assert found.pairs[1].video is not None and found.pairs[1].video.path == true / "sub/b.mp4"


def test_two_files_pair_whatever_they_are_called(tmp_path: Path) -> None:
    folder = fill(tmp_path, "one.wav", "two.mp4")
    (only,) = pair(folder / "one.wav", folder / "two.mp4").pairs
    assert (only.name, only.predicted.path.name) == ("one", "two.mp4")


def test_a_table_gives_all_columns_relative_to_itself(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "reference,predicted,video,text,cues\nr/a.wav,p/a.wav,v/a.mp4,a cup,c/a.json\n"
        "r/a.wav,p/a2.wav,,,\nr/b.wav,,,,\n"
    )
    found = pair(table, None)
    first, second = found.pairs
    assert (first.name, second.name) == ("a #1", "a #2")
    assert first.text == "a cup" and first.cues is not None and first.cues.path == tmp_path / "c/a.json"
    assert first.video is not None and second.video is None and second.text is None
    assert found.only_reference == ("line 4: b.wav",)


def test_shards_pair_by_key_and_bring_words_and_cues(tmp_path: Path) -> None:
    label = json.dumps({"captions": ["a cup falls"], "sheet": {}}).encode()
    true = shard(tmp_path / "true.tar", a__mp4=b"film", a__flac=b"sound", a__json=label, b__wav=b"x")
    made = shard(tmp_path / "made.tar", a__wav=b"take", c__wav=b"y")
    found = pair(true, made)
    (only,) = found.pairs
    assert only.reference.read() == b"sound" and only.predicted.read() == b"take"
    assert only.video is not None and only.video.read() == b"film"
    assert only.text == "a cup falls" and only.cues is not None and only.cues.read() == label
    assert (found.only_reference, found.only_predicted) == (("b",), ("c",))


def test_a_folder_of_shards_is_one_set(tmp_path: Path) -> None:
    (tmp_path / "true").mkdir()
    shard(tmp_path / "true/0.tar", a__wav=b"1")
    shard(tmp_path / "true/1.tar", b__wav=b"2")
    made = fill(tmp_path / "made", "a.wav", "b.wav")
    assert [p.name for p in pair(tmp_path / "true", made).pairs] == ["a", "b"]


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    true = fill(tmp_path / "true", "a.wav")
    fill(tmp_path / "two", "a.wav", "a.flac")
    fill(tmp_path / "other", "z.wav")
    fill(tmp_path / "none", "a.txt")
    (tmp_path / "bad.csv").write_text("reference,other\nx,y\n")
    (tmp_path / "more.csv").write_text("reference,predicted,mood\nx,y,z\n")
    (tmp_path / "empty.csv").write_text("reference,predicted\nx,\n")
    (tmp_path / "bad.tar").write_bytes(b"no tar at all")
    cases: list[tuple[Path, Path | None, str]] = [
        (true, tmp_path / "nowhere", "does not exist"),
        (true, None, "predicted sounds too"),
        (true, tmp_path / "two", "two files are called a"),
        (true, tmp_path / "other", "nothing pairs: 1 clips"),
        (true, tmp_path / "none", "no sounds in"),
        (true, true / "a.wav", "not of one kind"),
        (tmp_path / "bad.csv", None, "must have rows and the columns"),
        (tmp_path / "more.csv", None, "column 'mood'"),
        (tmp_path / "empty.csv", None, "nothing pairs: no row"),
        (tmp_path / "bad.csv", true, "names both sides"),
        (tmp_path / "bad.tar", true, "cannot be read as a tar"),
    ]
    for reference, predicted, words in cases:
        with pytest.raises(UserError, match=words):
            pair(reference, predicted)


def test_words_that_are_empty_are_none_and_end_nothing(tmp_path: Path) -> None:
    true = shard(tmp_path / "true.tar", a__wav=b"x", a__txt=b"", b__wav=b"y", b__txt=b"a cup")
    assert [p.text for p in pair(true, true).pairs] == [None, "a cup"]


def test_a_row_with_more_cells_than_columns_is_refused_by_its_line(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("reference,predicted,text\na.wav,b.wav,a cup\na.wav,b.wav,a cup, falling\n")
    with pytest.raises(UserError, match="more cells in line 3 than columns; put texts with commas in quotes"):
        pair(table, None)
