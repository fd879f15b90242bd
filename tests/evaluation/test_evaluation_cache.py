"""Features are found again by what they were made of, survive a kill, and never change a number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_toys import RATE, TOY, clicks, deaf, other_sha

from weft.evaluation.cache import key
from weft.evaluation.features import FEATURES, Feature
from weft.evaluation.measuring import Task, measure
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.result import Evaluation
from weft.media.caching import Cache, CacheError

Run = Callable[..., Evaluation]
Write = Callable[..., Path]
SMALL = Protocol(
    name="small",
    version=1,
    summary="for tests",
    window=Window(rate=RATE, channels=2),
    metrics=("envelope-r", "mel", "frechet"),
    embedders=("log-mel-statistics",),
)
EACH = 4  # features of each sound: facts, envelope, mel, embeddings


@pytest.fixture
def pair(write: Write) -> tuple[Path, Path]:
    return (
        write("true", a=clicks(1), b=clicks(2), c=clicks(3)),
        write("made", a=clicks(4), b=clicks(5), c=clicks(6)),
    )


def told(found: Evaluation) -> list[object]:
    return [(s.name, s.value, s.low, s.high, s.floor, s.baselines) for s in found.scores]


def test_a_second_run_measures_nothing_and_gives_the_same_numbers(run: Run, pair: tuple[Path, Path]) -> None:
    first, second = run(*pair, by=SMALL), run(*pair, by=SMALL)
    assert first.work["measured"] == 7 * EACH  # six sounds, and silence once
    assert second.work == {"measured": 0, "cached": 6 * EACH}
    assert told(first) == told(second)


def test_workers_never_hear_ctrl_c_not_even_while_they_start(tmp_path: Path) -> None:
    """A traceback of each of them would bury the one line that says that the run was stopped."""
    feature = Feature(name="deaf", of="sound", make=deaf, identity="deaf")
    window = Window(rate=RATE)
    tasks = [
        Task(content=f"silence {s:g} s", of="sound", features=(feature,), window=window, silence_s=s)
        for s in (1.0, 2.0)
    ]
    outcomes = measure(tasks, tmp_path, jobs=2)
    assert not any(o.unread or o.failed for o in outcomes)
    store = Cache(root=tmp_path)
    for task in tasks:
        kept = store.load(key(task.content, feature, window))
        assert kept is not None and bool(kept["deaf"])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def test_a_renamed_file_keeps_its_features_and_a_changed_byte_loses_them(
    run: Run, pair: tuple[Path, Path]
) -> None:
    run(*pair, by=SMALL)
    for folder in pair:
        (folder / "a.wav").rename(folder / "renamed.wav")
    assert run(*pair, by=SMALL).work["measured"] == 0
    changed = bytearray((pair[1] / "b.wav").read_bytes())
    changed[-1] ^= 1
    (pair[1] / "b.wav").write_bytes(changed)
    assert run(*pair, by=SMALL).work["measured"] == EACH


def test_another_embedder_other_weights_or_another_window_find_nothing(
    run: Run, pair: tuple[Path, Path]
) -> None:
    only = replace(SMALL, metrics=("frechet",))
    run(*pair, by=only, embedders=[TOY])
    assert run(*pair, by=only, embedders=[TOY]).work["measured"] == 0
    for other in (
        replace(TOY, name="toy 2"),
        replace(TOY, sha256=other_sha),
        replace(TOY, windows="halves of it"),
    ):
        assert run(*pair, by=only, embedders=[other]).work["measured"] == 6 + 1
    cut = replace(only, window=replace(only.window, duration_s=0.5))
    assert run(*pair, by=cut, embedders=[TOY]).work["measured"] == (6 + 1) * 2


def test_a_damaged_feature_is_made_again(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    whole = run(*pair, by=SMALL)
    files = sorted((tmp_path / "cache").rglob("*.safetensors"))
    for path, keep in zip(files, (0, 5, 20, 100, -1), strict=False):
        path.write_bytes(path.read_bytes()[:keep])
    files[5].write_bytes(b"\xff" * 300)
    again = run(*pair, by=SMALL)
    assert again.work["measured"] == 6 and again.ok
    assert told(again) == told(whole)


def test_many_writers_of_one_feature_leave_one_whole_file(tmp_path: Path) -> None:
    cache = Cache(root=tmp_path)
    name = key("00", FEATURES["mel"], Window())
    arrays = {"db": np.arange(200_000, dtype=np.float32)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cache.save(name, arrays), range(16)))
    found = cache.load(name)
    assert found is not None and np.array_equal(found["db"], arrays["db"])
    assert [p.name for p in cache.path(name).parent.iterdir()] == [f"{name}.safetensors"]


def test_scalars_stay_scalars(tmp_path: Path) -> None:
    cache = Cache(root=tmp_path)
    cache.save("ab", {"rate": np.array(5)})
    found = cache.load("ab")
    assert found is not None and found["rate"].shape == ()


def test_a_folder_that_cannot_be_written_ends_the_run(
    run: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"cannot keep features in .* give another --cache"):
        run(*pair, by=SMALL, cache=tmp_path / "file")


@pytest.mark.slow
def test_worker_processes_give_the_same_numbers(run: Run, pair: tuple[Path, Path], tmp_path: Path) -> None:
    (pair[1] / "c.wav").write_bytes(b"broken")
    alone = run(*pair, by=SMALL, embedders=[TOY], cache=tmp_path / "one")
    beside = run(*pair, by=SMALL, embedders=[TOY], cache=tmp_path / "two", jobs=2)
    assert told(alone) == told(beside) and alone.work == beside.work
    assert [c.failures for c in alone.clips] == [c.failures for c in beside.clips]


SLOW = """
import sys, time
from pathlib import Path
from weft.evaluation import features, run
from weft.evaluation.protocols import PROTOCOLS
make = features.FEATURES["mel"].make
def slow(sound):
    time.sleep(1.0)
    return make(sound)
object.__setattr__(features.FEATURES["mel"], "make", slow)
run.evaluate(*sys.argv[1:3], by="plain", metrics=["mel"], cache=Path(sys.argv[3]))
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(write: Write, run: Run, tmp_path: Path) -> None:
    true = write("true", **{f"c{k}": clicks(k) for k in range(4)})
    made = write("made", **{f"c{k}": clicks(k + 9) for k in range(4)})
    cache = tmp_path / "cache"
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(true), str(made), str(cache)], env={**os.environ}
    )
    deadline = time.monotonic() + 120
    while (
        len(list(cache.rglob("*.safetensors"))) < 4 and child.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    done = len(list(cache.rglob("*.safetensors")))
    found = run(true, made, metrics=["mel"])
    assert done >= 4 and found.work["cached"] == done and found.work["measured"] == 8 * 2 + 2 - done
    assert told(found) == told(run(true, made, metrics=["mel"], cache=tmp_path / "fresh"))
