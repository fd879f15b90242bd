"""The cache is held to its size: the oldest go, a run at work is left alone, and nothing of anybody else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from weft.errors import UserError
from weft.media import pruning
from weft.media.caching import Cache

EACH = 40_000


def name(k: int) -> str:
    return f"{k:064x}"


def filled(root: Path, count: int) -> tuple[Cache, int]:
    """A cache of `count` features of one size, used a second apart, the first longest ago; and that size."""
    cache = Cache(root=root)
    for k in range(count):
        cache.save(name(k), {"x": np.full(EACH, k, np.uint8)})
        os.utime(cache.path(name(k)), (1e9 + k, 1e9 + k))
    return cache, cache.path(name(0)).stat().st_size


def test_the_features_used_last_stay(tmp_path: Path) -> None:
    cache, size = filled(tmp_path, 10)
    assert cache.load(name(0)) is not None  # used again, so that it is the youngest
    found = pruning.prune(tmp_path, 3.5 * size / 1e9)
    assert [k for k in range(10) if cache.path(name(k)).exists()] == [0, 8, 9]
    assert (found.files, found.size, found.removed, found.waits) == (3, 3 * size, 7, False)
    assert pruning.held(tmp_path) == pruning.Pruned(files=3, size=3 * size)


def test_what_fits_is_left_alone_and_no_limit_is_none(tmp_path: Path) -> None:
    _, size = filled(tmp_path, 4)
    assert pruning.prune(tmp_path, 4 * size / 1e9).removed == 0
    assert pruning.prune(tmp_path, float("inf")).files == 4
    assert pruning.prune(tmp_path, 0).files == 0
    assert pruning.prune(tmp_path / "nowhere", 0).files == 0


def test_only_files_of_the_cache_go(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    others = [
        tmp_path / p for p in ("model.safetensors", "00/model.safetensors", f"000/{name(1)}.safetensors")
    ]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 100)
    old, young = (tmp_path / f"00/.{name(0)[:16]}.0123456{k}.part" for k in (7, 8))
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    assert pruning.prune(tmp_path, 0).removed == 2
    assert all(p.exists() for p in others)
    assert not old.exists() and young.exists()  # another process may be writing it


HOLD = """
import sys
from pathlib import Path
from weft.media.pruning import in_use
with in_use(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nothing_goes_while_another_process_is_at_work(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    with pruning.in_use(tmp_path):  # two at once may
        assert pruning.prune(tmp_path, 0) == pruning.Pruned(
            files=3, size=pruning.held(tmp_path).size, waits=True
        )
    assert pruning.prune(tmp_path, 0).waits
    other.communicate("")
    assert pruning.prune(tmp_path, 0).removed == 3


def test_a_reader_beside_sees_a_whole_feature_or_none(tmp_path: Path) -> None:
    cache, _ = filled(tmp_path, 1)
    seen = {"whole": 0, "none": 0, "half": 0}
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            found = cache.load(name(0))
            whole = found is not None and found["x"].shape == (EACH,) and not found["x"].any()
            seen["none" if found is None else "whole" if whole else "half"] += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    until = time.monotonic() + 60
    while min(seen["whole"], seen["none"]) < 20 and time.monotonic() < until:
        pruning.prune(tmp_path, 0)
        cache.save(name(0), {"x": np.zeros(EACH, np.uint8)})
    done.set()
    for reader in readers:
        reader.join()
    assert seen["half"] == 0 and seen["whole"] >= 20 and seen["none"] >= 20


def test_the_limit_is_the_one_given_or_the_variables_or_five(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pruning.VARIABLE, raising=False)
    assert pruning.limit_gb() == 5.0
    monkeypatch.setenv(pruning.VARIABLE, "0.25")
    assert pruning.limit_gb() == 0.25 and pruning.limit_gb(2.0) == 2.0 and pruning.limit_gb(0) == 0
    for said in ("much", "-1", "nan"):
        monkeypatch.setenv(pruning.VARIABLE, said)
        with pytest.raises(UserError, match=f"WEFT_CACHE_LIMIT is '{said}'; give gigabytes"):
            pruning.limit_gb()
    with pytest.raises(UserError, match=r"the limit of the cache is -2\.0"):
        pruning.limit_gb(-2.0)
