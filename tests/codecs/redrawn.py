"""Weights and inputs that anyone can redraw, and what MMAudio's own code computed of them, outside the project.

A name is drawn from `numpy.random.default_rng(crc32("dev-1:" + name))`. Of the reference only key lists and output
numbers are kept, in tests/codecs/parity.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from weft.codecs.anti_alias import kaiser_sinc

DATA = Path(__file__).parent / "parity"
GOLDEN: dict[str, Any] = json.loads((DATA / "mel_codec.json").read_text())


def keys(name: str) -> dict[str, list[int]]:
    found: dict[str, dict[str, list[int]]] = json.loads(
        gzip.decompress((DATA / "mel_codec_keys.json.gz").read_bytes())
    )
    return found[name]


def drawn(name: str, *shape: int) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(f"dev-1:{name}".encode()))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def weight(key: str, shape: list[int], *, plain_data: bool = False) -> Tensor:
    """The value of a published key: filters keep their own; matrices keep the scale of what they are given.

    plain_data: the mel's mean and deviation are 0 and 1.
    """
    if key.endswith(".filter"):
        return kaiser_sinc().view(shape)
    x = drawn(key, *shape)
    if key in ("data_mean", "data_std"):
        spread = 0.0 if plain_data else 0.1
        return spread * x if key == "data_mean" else 1 + spread * x
    if key.endswith("weight_g"):
        return (1 + 0.1 * x) * (0.02 if "conv_post" in key else 1)
    if len(shape) >= 2:
        return x / float(np.sqrt(x[0].numel()))
    return 1 + 0.1 * x if key.endswith("weight") else 0.1 * x


def published(shapes: dict[str, list[int]], *, plain_data: bool = False) -> dict[str, Tensor]:
    return {key: weight(key, shape, plain_data=plain_data) for key, shape in shapes.items()}


def shapes_of(net: torch.nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in net.state_dict().items()}


def with_weight_norm(shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    """The keys of a vocoder's file, of the keys of the folded network."""
    found: dict[str, list[int]] = {}
    for key, shape in shapes.items():
        if key.endswith(".weight"):
            stem = key.removesuffix("weight")
            found[stem + "weight_g"], found[stem + "weight_v"] = [shape[0], 1, 1], shape
        else:
            found[key] = shape
    return found


def assert_golden(out: Tensor, name: str, within: float) -> None:
    """`out` has the reference's shape, norm and values, within a share of their root mean square."""
    wanted = GOLDEN[name]
    assert list(out.shape) == wanted["shape"]
    flat = out.detach().double().flatten()
    scale = wanted["norm"] / len(flat) ** 0.5
    apart = (flat[wanted["index"]] - torch.tensor(wanted["value"], dtype=torch.float64)).abs().max()
    assert float(apart) <= within * scale, f"{float(apart / scale):.2g} of the scale {scale:.3g}"
    assert abs(float(flat.norm()) / wanted["norm"] - 1) <= within
