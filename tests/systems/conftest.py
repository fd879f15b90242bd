"""A folder of tiny MMAudio's files, a cache of the tests' own, and performers on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from mmaudio_tiny import TINY_16K, TINY_44K, write_files

from weft.media.caching import Cache
from weft.systems.mmaudio import MMAudio
from weft.systems.mmaudio_parts import Parts
from weft.systems.performer import Request

Play = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_files(folder, TINY_16K, TINY_44K)
    return folder


@pytest.fixture
def own_weights(tiny_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where weights are looked for; their sums are not, and the cache is the test's own."""
    monkeypatch.setenv("WEFT_WEIGHTS", str(tiny_files))
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WEFT_UNCHECKED", "1")
    yield tiny_files


@pytest.fixture
def performer(own_weights: Path, tmp_path: Path) -> Callable[..., MMAudio]:
    def make(parts: Parts = TINY_16K, **named: object) -> MMAudio:
        return MMAudio(parts=parts, cache=Cache(root=tmp_path / "cache" / "features"), **named)  # type: ignore[arg-type]

    return make


@pytest.fixture
def play(performer: Callable[..., MMAudio]) -> Play:
    """The whole sound of a request, `[2, N]`."""

    def whole(request: Request, parts: Parts = TINY_16K, **named: object) -> np.ndarray:
        return np.concatenate(list(performer(parts, **named).perform(request)), axis=1)

    return whole
