"""Weights and inputs of MMAudio's networks that anyone can redraw, and what its reference computed of them.

For a name, `drawn` is `numpy.random.default_rng(crc32("dev-1:" + name)).standard_normal`; `weight` says how that
becomes a weight. The files of `data/` hold keys with shapes and output numbers of the reference, nothing else.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from weft.generators.conditions import Conditions
from weft.generators.mmaudio import network
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.weights.published import Published

DATA = Path(__file__).parent / "data"
KEYS: dict[str, dict[str, list[int]]] = json.loads(
    gzip.decompress((DATA / "mmaudio_keys.json.gz").read_bytes())
)
GOLDEN: dict[str, dict[str, Any]] = {
    name: result
    for file in ("mmaudio_velocity.json", "mmaudio_reference.json")
    for name, result in json.loads((DATA / file).read_text())["results"].items()
}
FILE = Published(file="drawn.safetensors", url="nowhere", licence="none")

TINY_V1 = MMDiTConfig(
    latent_dim=6, hidden=128, heads=2, joint=2, fused=2, clip_dim=24, sync_dim=16, text_dim=32
)
TINY_V2 = replace(TINY_V1, v2=True)
"""The published classes with little in them; the reference was run at these sizes too."""


def drawn(name: str, *shape: int) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(f"dev-1:{name}".encode()))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def weight(key: str, shape: torch.Size) -> Tensor:
    """Latent statistics are trivial; matrices keep the scale of what they are given, scales lie near 1, all else near
    0."""
    if key in ("latent_mean", "latent_std"):
        return torch.full(shape, float(key == "latent_std"))
    x = drawn(key, *shape)
    if len(shape) >= 2 and not key.endswith("_feat") and "pos_emb" not in key:
        return x / float(np.sqrt(x[0].numel()))
    return 1 + 0.1 * x if key.endswith("weight") else 0.1 * x


def tensors(config: MMDiTConfig) -> dict[str, Tensor]:
    with torch.device("meta"):
        state = MMDiT(config).state_dict()
    return {key: weight(key, value.shape) for key, value in state.items()}


def net_of(config: MMDiTConfig) -> MMDiT:
    return network(config, tensors(config), FILE)


def told(config: MMDiTConfig, clip: int, sync: int) -> tuple[Conditions, Conditions]:
    """What the guided and the unguided prediction know: everything; and a negative prompt beside the nulls."""
    given = Conditions(
        clip=drawn("in.clip", 1, clip, config.clip_dim) / 32,
        sync=drawn("in.sync", 1, sync, config.sync_dim),
        text=drawn("in.text", 1, 77, config.text_dim) / 32,
    )
    negative = drawn("in.negative", 1, 77, config.text_dim) / 32
    return given, Conditions(text=negative, clip_tokens=clip, sync_tokens=sync)


def noise_of(config: MMDiTConfig, frames: int) -> Tensor:
    return drawn("in.noise", 1, frames, config.latent_dim)


def error(found: Tensor, golden: dict[str, Any]) -> float:
    """The largest difference from the reference's values, as a share of their root mean square."""
    assert list(found.shape) == golden["shape"]
    values = torch.tensor(golden["value"], dtype=torch.float64)
    scale = golden["norm"] / found.numel() ** 0.5
    assert abs(float(found.double().norm()) / golden["norm"] - 1) < 1e-4
    return float((found.double().flatten()[golden["index"]] - values).abs().max()) / scale
