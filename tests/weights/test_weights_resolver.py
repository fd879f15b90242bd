"""Weights: what is saved comes back, what is shipped fits its limits, what is damaged is said in one line."""

from __future__ import annotations

import pytest
import torch

from weft import weights
from weft.errors import WeightsError

MIB = 1 << 20


def test_round_trip_keeps_tensors_types_and_metadata(tmp_path):
    tensors = {"w": torch.randn(3, 2).half(), "n": torch.arange(4)}
    weights.save(tmp_path / "a.safetensors", tensors, {"config": {"width": 2}})
    found, metadata = weights.load(tmp_path / "a.safetensors")
    assert torch.equal(found["w"], tensors["w"].float()) and found["w"].dtype == torch.float32
    assert torch.equal(found["n"], tensors["n"]) and found["n"].dtype == torch.int64
    assert metadata == {"config": {"width": 2}}
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_shipped_files_fit_their_limits():
    sizes = {name: weights.path_of(name).stat().st_size for name in weights.EMBEDDED}
    assert max(sizes.values()) <= 16 * MIB
    judge = sizes.pop("weft-encoders")
    assert sum(sizes.values()) <= 40e6  # who performs, and what guides them
    assert judge <= 4e6


def test_missing_and_damaged_files_are_said(tmp_path):
    with pytest.raises(WeightsError, match=r"no weights at .*none\.safetensors"):
        weights.load(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(weights.path_of("weft-text").read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        weights.load(broken)


def test_a_mismatch_of_keys_lists_them():
    weights.check_keys({"a"}, {"a"}, "x")
    with pytest.raises(WeightsError, match=r"1 keys missing \['b'\], 1 unexpected \['c'\]"):
        weights.check_keys({"a", "c"}, {"a", "b"}, "x")


def test_sha256_is_the_files(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"abc")
    assert weights.sha256(tmp_path / "x.safetensors").startswith("ba7816bf8f01cfea")
