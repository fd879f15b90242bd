"""`weft leaks`: which published splits trained on a test set, by table, JSON and exit status."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from weft.metrics import splits

Ran = tuple[int, str, str]


@pytest.fixture
def weft_leaks(weft_command: Callable[..., Ran]) -> Callable[..., Ran]:
    """Run `weft leaks ARGS` in this process -> (exit status, stdout, stderr)."""
    return functools.partial(weft_command, "leaks")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """SyncFusion's 196 test recordings, the first in two pieces, and a name of something else."""
    names = splits.names("syncfusion", "test")
    path = tmp_path / "test.txt"
    path.write_text("\n".join([f"{names[0]}_0.wav", f"{names[0]}_1.wav", *names[1:], "drum.wav"]))
    return path


def test_counts_are_the_published_ones_and_the_status_is_1(
    weft_leaks: Callable[..., Ran], listed: Path
) -> None:
    status, out, err = weft_leaks(listed)
    assert status == 1 and err == ""
    assert "196 recordings of Greatest Hits; names of none: 1." in out
    rows = {
        line.split()[0]: line.split()[1:5]
        for line in out.splitlines()
        if line.startswith(" ") and line.strip()
    }
    assert (
        rows["condfoleygen"][0] == "167" and rows["video_foley"][0] == "148" and rows["syncfusion"][0] == "0"
    )
    assert all(sum(map(int, rows[split])) == 196 for split in splits.SPLITS)
    assert "condfoleygen: ... and 147 more; --json has them all" in out


def test_json_names_every_clip_of_every_split(weft_leaks: Callable[..., Ran], listed: Path) -> None:
    status, out, _ = weft_leaks(listed, "--json")
    found = json.loads(out)
    assert status == 1 and not found["ok"] and found["unknown"] == ["drum.wav"] and found["recordings"] == 196
    first = splits.names("syncfusion", "test")[0]
    assert found["clips"][first] == [f"{first}_0.wav", f"{first}_1.wav"]
    by = {s["split"]: s for s in found["splits"]}
    assert list(by) == list(splits.SPLITS)
    train = set(splits.names("condfoleygen", "train"))
    assert by["condfoleygen"]["trained_on"] == [n for n in splits.names("syncfusion", "test") if n in train]
    assert len(by["syncfusion"]["same_take"]) == 93


def test_split_and_by_decide_the_status(weft_leaks: Callable[..., Ran], listed: Path, tmp_path: Path) -> None:
    assert weft_leaks(listed, "--split", "syncfusion")[0] == 0
    assert weft_leaks(listed, "--split", "syncfusion, condfoleygen")[0] == 1
    status, out, _ = weft_leaks(listed, "--split", "syncfusion", "--by", "take")
    assert status == 1 and "condfoleygen" not in out
    held_out = tmp_path / "by_day.txt"
    held_out.write_text("\n".join(splits.names("by_day", "test")))
    assert weft_leaks(held_out, "--split", "by_day", "--by", "day")[0] == 0
    assert weft_leaks(held_out, "-q") == (1, "", "")


def test_misuse_is_2_and_one_line(weft_leaks: Callable[..., Ran], listed: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("drum.wav\n")
    for args, words in (
        ((tmp_path / "none",), "does not exist"),
        ((tmp_path / "other.txt",), "none of 1 names is a recording of Greatest Hits"),
        ((listed, "--split", "condfoley"), "did you mean condfoleygen"),
        ((listed, "--split", ","), "names nothing"),
        ((listed, "--by", "week"), "give recording, take, day"),
    ):
        status, out, err = weft_leaks(*args)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("weft: ") and words in err
