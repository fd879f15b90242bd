"""Weights and inputs that anyone can redraw, so that a reference implementation and ours can hold the same ones.

A name is drawn from `numpy.random.default_rng(crc32("dev-1:" + name))`. The numbers in tests/encoders/parity came
from the references' own code, run outside the project on these draws.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

DATA = Path(__file__).parent / "parity"


def drawn(name: str, shape: tuple[int, ...]) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(f"dev-1:{name}".encode()))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def weight(key: str, old: Tensor) -> Tensor:
    """Matrices keep the scale of what they are given, scales lie near 1, all else near 0; integers stay."""
    if not old.is_floating_point():
        return old
    x = drawn(key, tuple(old.shape))
    if key.endswith("running_var"):
        return 1 + 0.1 * x.abs()
    if old.dim() >= 2 and "pos_emb" not in key and "embed" not in key.split(".")[-1]:
        return x / float(np.sqrt(old[0].numel()))
    return 1 + 0.1 * x if key.endswith("weight") else 0.1 * x


def fill(net: nn.Module, keep: tuple[str, ...] = (), prefix: str = "") -> nn.Module:
    """Draw every tensor of `net` but those whose key contains one of `keep`; `prefix` leads the drawn names."""
    state = net.state_dict()
    net.load_state_dict(
        {k: v if any(part in k for part in keep) else weight(prefix + k, v) for k, v in state.items()}
    )
    return net.eval()


def keys(name: str) -> dict[str, list[int]]:
    return json.loads(gzip.decompress((DATA / f"{name}_keys.json.gz").read_bytes()))


def golden(name: str) -> dict[str, Any]:
    return json.loads((DATA / f"{name}.json").read_text())


def shapes(net: nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in net.state_dict().items()}


def assert_golden(out: Tensor, expected: dict[str, Any]) -> None:
    assert list(out.shape) == expected["shape"]
    found = out.flatten()[torch.tensor(expected["index"])]
    torch.testing.assert_close(found, torch.tensor(expected["value"]), atol=1e-4, rtol=1e-4)
    assert float(out.norm()) == pytest.approx(expected["norm"], rel=1e-4)
