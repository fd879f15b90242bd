"""Names are found wherever a test set keeps them, and every result says what has been heard before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from evaluation_toys import RATE, clicks
from test_evaluation_pairing import fill, shard

from weft.errors import UserError
from weft.evaluation.leaking import leaks_of, names_in
from weft.evaluation.pairing import pair
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.report import write_report
from weft.evaluation.result import Evaluation
from weft.metrics import splits

ONE, TWO = splits.names("syncfusion", "test")[:2]


def test_names_of_a_folder_a_shard_a_table_a_list_and_a_file(tmp_path: Path) -> None:
    folder = fill(tmp_path / "set", f"{ONE}.wav", f"sub/{TWO}_denoised.mp4", f"{ONE}.mp4", "notes.txt")
    assert names_in(folder) == [f"{ONE}.mp4", f"{ONE}.wav", f"sub/{TWO}_denoised.mp4"]
    assert names_in(folder / f"{ONE}.wav") == [f"{ONE}.wav"]
    tar = shard(tmp_path / "set.tar", **{f"{ONE}_0__wav": b"x", f"{TWO}__flac": b"y"})
    assert names_in(tar) == [f"{ONE}_0", TWO]
    (tmp_path / "tars").mkdir()
    tar.rename(tmp_path / "tars" / "0.tar")
    assert names_in(tmp_path / "tars") == [f"{ONE}_0", TWO]
    table, listed = tmp_path / "t.csv", tmp_path / "names.txt"
    table.write_text(f"predicted,reference\nmade/{TWO}.wav,true/{ONE}.wav\n")
    listed.write_text(f"\ufeff{ONE}\n\n  {TWO}  \n", encoding="utf-8")
    assert names_in(table) == [f"true/{ONE}.wav"]
    assert names_in(listed) == [ONE, TWO]


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("\n \n")
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").mkdir()
    for place, words in (
        ("nowhere", "does not exist; give a folder"),
        ("none.txt", "names nothing; give one recording a line"),
        ("odd.txt", "not text in UTF-8"),
        ("empty", "no sounds in"),
    ):
        with pytest.raises(UserError, match=words):
            names_in(tmp_path / place)


def test_an_evaluation_says_what_published_splits_trained_on_its_clips(
    run: Callable[..., Evaluation], write: Callable[..., Path], tmp_path: Path
) -> None:
    true = write("true", **{ONE: clicks(1), TWO: clicks(2), "drum": clicks(3)})
    plan = Protocol(name="p", version=1, summary="", window=Window(rate=RATE), metrics=("mel",))
    found = run(true, true, by=plan)
    assert found.leaks is not None and found.leaks.n == 2
    told = found.to_json()["trained_on"]
    assert told == {
        split: [n for n in (ONE, TWO) if n in splits.names(split, "train")] for split in splits.SPLITS
    }
    assert told["syncfusion"] == [] and any(told.values())
    write_report(found, tmp_path / "r.html")
    assert "2 recordings of Greatest Hits" in (tmp_path / "r.html").read_text()


def test_clips_of_another_data_set_say_nothing(tmp_path: Path) -> None:
    folder = fill(tmp_path, "a.wav", "2031-01-01-00-00-00.wav")
    assert leaks_of(pair(folder, folder).pairs) is None
