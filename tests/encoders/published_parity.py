"""Weights and sounds anyone can redraw, and what the reference implementations computed of them.

A file of `parity/` holds the reference's keys with their shapes and some of its output numbers, nothing else. For a
name, `drawn` is `numpy.random.default_rng(crc32(name)).standard_normal`; `fill` says how that becomes a weight.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "parity"
_OWN = (
    "spectrogram_extractor.",
    "logmel_extractor.",
    "attn_mask",
    "relative_position_index",
    "num_batches_tracked",
)


def drawn(name: str, *shape: int) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def value(key: str, own: Tensor) -> Tensor:
    """The value of weight `key`: front ends, masks and counters keep their own; matrices and kernels are scaled by
    their inputs, variances and the weights of norms lie around 1, all else around 0."""
    if not own.is_floating_point() or any(part in key for part in _OWN):
        return own
    x = drawn(key, *own.shape)
    if key.endswith("running_var"):
        return 1 + 0.1 * x.abs()
    if x.ndim >= 2 and not key.endswith(("pos_embed", "bias_table", "token")):
        return x * (2 / x[0].numel()) ** 0.5
    return 1 + 0.1 * x if key.endswith("weight") else 0.1 * x


def state(net: nn.Module) -> dict[str, Tensor]:
    return {key: value(key, own) for key, own in net.state_dict().items()}


def fill(net: nn.Module) -> nn.Module:
    net.load_state_dict(state(net))
    return net.eval()


def keys(net: nn.Module) -> dict[str, list[int]]:
    return {key: list(v.shape) for key, v in net.state_dict().items()}


def summary(found: Tensor) -> dict[str, Any]:
    flat = found.detach().double().flatten()
    index = torch.linspace(0, len(flat) - 1, min(48, len(flat))).round().long()
    return {
        "shape": list(found.shape),
        "norm": float(flat.norm()),
        "index": index.tolist(),
        "values": [float(f"{v:.7g}") for v in flat[index].tolist()],
    }


def write(name: str, net_keys: dict[str, list[int]], outputs: dict[str, Tensor]) -> None:
    held = {"keys": net_keys, "outputs": {k: summary(v) for k, v in outputs.items()}}
    text = json.dumps(held, separators=(",", ":")).encode()
    (FOLDER / f"{name}.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))


def read(name: str) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return held


def assert_same(found: Tensor, wanted: dict[str, Any], within: float = 1e-4) -> None:
    """`found` has the wanted shape, norm and values, within a share of the values' root mean square."""
    assert list(found.shape) == wanted["shape"]
    flat = found.detach().double().flatten()
    scale = wanted["norm"] / len(flat) ** 0.5
    assert abs(float(flat.norm()) - wanted["norm"]) <= within * wanted["norm"]
    difference = (flat[wanted["index"]] - torch.tensor(wanted["values"], dtype=torch.float64)).abs().max()
    assert float(difference) <= within * scale, f"{float(difference / scale):.2g} of the scale {scale:.3g}"
