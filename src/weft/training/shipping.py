"""Trained encoders as the file that `weft.encoders.own` reads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from weft import weights

PARTS = ("audio", "video", "text")


def ship(module: nn.Module, out: Path, **notes: Any) -> None:
    """Write the networks `audio`, `video` and `text` of `module` in half precision, with their configurations, the
    word vectors they read, and `notes`. What else `module` holds was for training."""
    tensors = {
        f"{name}.{key}": value.half() if value.is_floating_point() else value
        for name in PARTS
        for key, value in getattr(module, name).state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    told = {name: asdict(getattr(module, name).config) for name in PARTS}
    weights.save(out, tensors, told | {"licence": "Apache-2.0", "words": weights.sha256("weft-text")} | notes)
