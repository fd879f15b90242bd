"""Small sets of clips on disk, and a run that keeps its features to itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from evaluation_toys import RATE

from weft.evaluation.result import Evaluation
from weft.evaluation.run import evaluate


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write sounds by name to a folder of the test: write("ref", a=wave, b=wave) -> the folder."""

    def writer(folder: str, suffix: str = ".wav", rate: int = RATE, **waves: np.ndarray) -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        for name, wave in waves.items():
            subtype = "FLOAT" if suffix == ".wav" else None
            soundfile.write(tmp_path / folder / f"{name}{suffix}", wave, rate, subtype=subtype)
        return tmp_path / folder

    return writer


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Evaluation]:
    """Evaluate with the features kept in the test's own folder."""

    def runner(*places: Path, **more: object) -> Evaluation:
        return evaluate(*places, **{"cache": tmp_path / "cache", **more})  # type: ignore[arg-type]

    return runner
