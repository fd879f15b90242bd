"""One resolver for weights: the embedded files of this package, or a path the user names.

Files are safetensors; their header's metadata carries the network's configuration and how it was trained.
Nothing here touches the network.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.errors import WeightsError

if TYPE_CHECKING:
    import torch

EMBEDDED = ("weft-codec", "weft-encoders", "weft-guide", "weft-mini", "weft-spotter", "weft-text")


def path_of(name: str | Path) -> Path:
    """Return the file behind `name`: an embedded weight's name (`"weft-codec"`) or a path to a `.safetensors` file.

    Raises WeightsError, naming what is known and where the file is expected, when there is none.
    """
    if isinstance(name, str) and name in EMBEDDED:
        path = Path(str(resources.files("weft.weights") / f"{name}.safetensors"))
    else:
        path = Path(name)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}: give one of {', '.join(EMBEDDED)} or a .safetensors file")
    return path


def load(name: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return (tensors in float32, metadata) of a safetensors file. Integer tensors keep their type.

    Raises WeightsError when the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = path_of(name)
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is not a readable safetensors file ({error}); fetch or install it again"
        ) from error
    metadata = json.loads(header.get("weft", "{}"))
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, metadata


def save(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    """Write `tensors` and JSON-able `metadata` to `path` aside, then rename it into place."""
    from safetensors.torch import save_file

    aside = path.with_suffix(".part")
    header = {"weft": json.dumps(metadata, sort_keys=True)}
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, aside, metadata=header)
    aside.replace(path)


def sha256(name: str | Path) -> str:
    """Return the hexadecimal SHA-256 of the weight file behind `name`."""
    digest = hashlib.sha256()
    with path_of(name).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_keys(found: set[str], wanted: set[str], path: str) -> None:
    """Raise WeightsError listing the first missing and unexpected keys unless the two sets agree."""
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    if missing or extra:
        raise WeightsError(
            f"{path} does not fit: {len(missing)} keys missing {missing[:5]}, {len(extra)} unexpected {extra[:5]}"
        )
