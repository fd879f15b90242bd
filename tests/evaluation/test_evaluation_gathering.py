"""Gathering: what lies beside a clip in its shard goes with it, to its own side of the pair."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from weft.errors import MediaError
from weft.evaluation.cue_truth import read_maps
from weft.evaluation.gathering import gathered
from weft.evaluation.pairing import pair
from weft.evaluation.sources import Source


def shard(path: Path, level: float | None) -> Path:
    """Clips a and b; only a has maps, all of one level."""
    members = {"a.wav": b"sound", "b.wav": b"another"}
    if level is not None:
        file = io.BytesIO()
        np.save(file, np.full((2, 3, 4), level))
        members["a.maps.npy"] = file.getvalue()
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_maps_in_shards_go_to_their_side_of_their_pair(tmp_path: Path) -> None:
    a, b = pair(shard(tmp_path / "true.tar", 0.25), shard(tmp_path / "made.tar", 0.75)).pairs
    assert (a.name, b.name) == ("a", "b")
    assert a.maps is not None and a.predicted_maps is not None
    assert (read_maps(a.maps) == np.full((2, 3, 4), 0.25)).all()
    assert (read_maps(a.predicted_maps) == np.full((2, 3, 4), 0.75)).all()
    assert b.maps is None and b.predicted_maps is None


def test_what_a_take_is_compared_with_lies_beside_it_in_shards(tmp_path: Path) -> None:
    with tarfile.open(shard(tmp_path / "made.tar", None), "a") as tar:
        for name, data in (("a.without.wav", b"other"), ("a.like.flac", b"model")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    a, b = pair(shard(tmp_path / "true.tar", None), tmp_path / "made.tar").pairs
    assert a.predicted.read() == b"sound" and b.without is None and b.like is None
    assert a.without is not None and a.without.read() == b"other"
    assert a.like is not None and a.like.read() == b"model"


def test_maps_are_no_clip_of_their_own(tmp_path: Path) -> None:
    found = gathered(shard(tmp_path / "true.tar", 0.25))
    assert sorted(found) == ["a", "b"] and found["a"].sound.member == "a.wav"
    assert gathered(shard(tmp_path / "none.tar", None))["a"].maps is None


@pytest.mark.parametrize("data", [b"rubbish", b"PK\x03\x04rubbish", b"\x93NUMPY"])
def test_maps_that_are_damaged_are_refused_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.npy").write_bytes(data)
    with pytest.raises(MediaError, match=r"m\.npy is no array of numpy .*; save it with numpy\.save"):
        read_maps(Source(path=tmp_path / "m.npy"))
