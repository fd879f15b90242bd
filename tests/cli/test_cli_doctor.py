"""What `weft doctor` says of the cache of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from weft.cli.doctor import Finding, examine
from weft.media.caching import Cache, folder


def cache_of(found: list[Finding]) -> Finding:
    return next(f for f in found if f.name == "feature cache")


@pytest.mark.slow
def test_doctor_says_where_the_cache_is_how_large_and_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path))
    monkeypatch.setenv("WEFT_CACHE_LIMIT", "2")
    assert cache_of(examine()).detail == f"0.00 of at most 2 GB, 0 files in {tmp_path / 'features'}"
    Cache(root=folder()).save("ab" * 32, {"x": np.zeros(12_000_000, np.uint8)})
    assert cache_of(examine()).detail == f"0.01 of at most 2 GB, 1 files in {tmp_path / 'features'}"
    monkeypatch.setenv("WEFT_CACHE_LIMIT", "lots")
    found = cache_of(examine())
    assert not found.ok and "WEFT_CACHE_LIMIT is 'lots'; give gigabytes" in found.detail
