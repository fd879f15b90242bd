"""A feature that the cache has lost or that is damaged is measured again, and no number changes for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from evaluation_toys import RATE, clicks

from weft.errors import WeftError
from weft.evaluation.comparisons import Measured
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.result import Evaluation
from weft.evaluation.table import Metric, metric
from weft.media.pruning import held

Run = Callable[..., Evaluation]
Write = Callable[..., Path]
PLAN = Protocol(
    name="small",
    version=1,
    summary="for tests",
    window=Window(rate=RATE, channels=2),
    metrics=("mel", "frechet"),
    embedders=("log-mel-statistics",),
)


@pytest.fixture
def six(write: Write) -> tuple[Path, Path]:
    """More clips than are held in memory at once."""
    return (
        write("true", **{f"c{k}": clicks(k) for k in range(6)}),
        write("made", **{f"c{k}": clicks(k + 9) for k in range(6)}),
    )


def told(found: Evaluation) -> list[object]:
    return [(s.name, s.value, s.n, s.low, s.high, s.floor, s.baselines) for s in found.scores]


def test_a_body_that_was_damaged_is_measured_again(run: Run, six: tuple[Path, Path], tmp_path: Path) -> None:
    """A header that still fits says nothing of the numbers after it."""
    whole = run(*six, by=PLAN)
    for path in (tmp_path / "cache").rglob("*.safetensors"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 0x40
        path.write_bytes(data)
    again = run(*six, by=PLAN)
    assert again.ok and told(again) == told(whole)
    assert told(run(*six, by=PLAN)) == told(whole)


def _spoiling(made: Measured, true: Measured, *, spoil: Callable[[], object]) -> float:
    spoil()
    return 0.0


def _with(spoil: Callable[[], object]) -> Metric:
    """A metric during whose every comparison something happens to the cache."""
    return replace(metric("level"), name="spoiling", clip=partial(_spoiling, spoil=spoil), baselines=())


def test_a_cache_removed_while_it_is_read_changes_no_number(
    run: Run, six: tuple[Path, Path], tmp_path: Path
) -> None:
    root = tmp_path / "cache"
    spoil = _with(lambda: shutil.rmtree(root, ignore_errors=True))
    whole = run(*six, by=PLAN, metrics=["mel", "frechet"])
    found = run(*six, by=PLAN, metrics=[spoil, "mel", "frechet"])
    assert found.score("spoiling").n == 6
    assert [s for s in told(found) if s[0] != "spoiling"] == told(whole)  # type: ignore[index]


def test_a_feature_that_cannot_be_made_again_ends_the_run_with_its_name(
    run: Run, six: tuple[Path, Path], tmp_path: Path
) -> None:
    def spoil() -> None:
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        for place in six:
            (place / "c3.wav").write_bytes(b"other")

    with pytest.raises(WeftError, match=r"went from the cache: .*c3\.wav changed while .*; run again"):
        run(*six, by=PLAN, metrics=[_with(spoil), "mel"])


def test_the_limit_is_kept_when_the_run_is_done_and_the_next_is_right(
    run: Run, six: tuple[Path, Path], tmp_path: Path
) -> None:
    root = tmp_path / "cache"
    whole = run(*six, by=PLAN)
    size = held(root).size
    half = run(*six, by=PLAN, cache_limit_gb=size / 2e9)
    assert half.work["measured"] == 0 and size / 3 < held(root).size <= size / 2
    again = run(*six, by=PLAN, cache_limit_gb=0)
    assert again.work["measured"] > 0 and again.work["cached"] > 0
    assert held(root).files == 0
    assert told(half) == told(again) == told(whole)
    assert np.isfinite(whole.score("mel").value)
