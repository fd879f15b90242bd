"""The published splits and what leaks from one to another: the counts that were counted from the public lists."""

from __future__ import annotations

import datetime
from itertools import pairwise

import pytest

from weft.metrics import splits


def shared(test: str, train: str) -> int:
    found = splits.leaks(splits.names(test, "test"))
    return len(next(leak for leak in found.leaks if leak.split == train).recordings)


@pytest.mark.parametrize(
    ("split", "sizes"),
    [
        ("official", (733, 0, 244)),
        ("by_day", (735, 0, 242)),
        ("syncfusion", (683, 98, 196)),
        ("condfoleygen", (830, 50, 97)),
        ("video_foley", (731, 0, 242)),
    ],
)
def test_sizes_and_parts_that_share_nothing(split: str, sizes: tuple[int, int, int]) -> None:
    parts = [splits.names(split, part) for part in splits.PARTS]
    assert tuple(len(p) for p in parts) == sizes
    assert len(set().union(*parts)) == sum(sizes)


def test_contamination_across_papers() -> None:
    """196 test recordings of SyncFusion: 167 trained CondFoleyGen, 148 Video-Foley; of CondFoleyGen's 97, 75 the
    latter."""
    assert shared("syncfusion", "condfoleygen") == 167
    assert shared("syncfusion", "video_foley") == 148
    assert shared("condfoleygen", "video_foley") == 75
    assert shared("syncfusion", "syncfusion") == 0
    assert shared("official", "video_foley") == 0


def test_video_foley_is_the_official_split_less_four() -> None:
    lost = 0
    for part in ("train", "test"):
        ours, theirs = set(splits.names("official", part)), set(splits.names("video_foley", part))
        assert theirs <= ours
        lost += len(ours - theirs)
    assert lost == 4


def test_published_splits_share_days_and_cut_up_takes_and_ours_shares_neither() -> None:
    for split, takes in (("official", 134), ("syncfusion", 93), ("condfoleygen", 61)):
        found = splits.leaks(splits.names(split, "test"))
        own = next(leak for leak in found.leaks if leak.split == split)
        assert len(own.recordings) == 0
        assert len(own.same_take) == takes
        assert len(own.same_take) + len(own.same_day) == found.n  # every single one
    own = next(k for k in splits.leaks(splits.names("by_day", "test")).leaks if k.split == "by_day")
    assert own == splits.Leak(split="by_day", recordings=(), same_take=(), same_day=())


def test_no_session_of_the_day_split_runs_past_midnight_into_the_other_side() -> None:
    side = {name: part for part in ("train", "test") for name in splits.names("by_day", part)}

    def made(name: str) -> datetime.datetime:
        return datetime.datetime.strptime(splits.take(name), "%Y-%m-%d-%H-%M-%S")

    order = sorted(side, key=made)
    assert len(order) == 977
    for before, after in pairwise(order):
        if side[before] != side[after]:
            assert made(after) - made(before) > datetime.timedelta(hours=6)
            assert splits.day(before) != splits.day(after)


def test_names_are_read_out_of_files_and_segments() -> None:
    assert splits.recording("2015-02-16-16-49-06_denoised.wav") == "2015-02-16-16-49-06"
    assert splits.recording("a/2015-09-23-16-13-51-97_denoised_thumb-003.mp4") == "2015-09-23-16-13-51-97"
    assert splits.recording("2015-03-20-01-31-10_1") == "2015-03-20-01-31-10"
    assert splits.recording("drum.wav") is None
    name = splits.names("syncfusion", "test")[0]
    found = splits.leaks([f"{name}_0.wav", f"{name}_1.wav", "drum.wav", "2031-01-01-00-00-00"])
    assert found.n == 1
    assert found.unknown == ("drum.wav", "2031-01-01-00-00-00")


def test_refusals() -> None:
    with pytest.raises(ValueError, match="no split 'greatest': there are official, by_day"):
        splits.names("greatest", "test")
    with pytest.raises(ValueError, match="no part 'dev'"):
        splits.names("official", "dev")
    with pytest.raises(ValueError, match="none of 2 names"):
        splits.leaks(["a.wav", "b.wav"])
