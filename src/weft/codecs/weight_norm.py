"""Weight norm, folded away: files hold a direction and a length, a network computes with their product.

Salimans & Kingma 2016 (arXiv:1602.07868): w = g v / |v|, the length of a row along dimension 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

_NAMINGS = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),  # torch 2's own
)


def folded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `tensors` with every pair of length and direction, in either of torch's namings, made one "weight".

    Others pass as they are, so what is folded already stays. Raises ValueError for a length without its direction or
    the reverse.
    """
    found = dict(tensors)
    for length_name, direction_name in _NAMINGS:
        stems = {
            key.removesuffix(name)
            for key in tensors
            for name in (length_name, direction_name)
            if key.endswith("." + name)
        }
        for stem in stems:
            length, direction = found.pop(stem + length_name, None), found.pop(stem + direction_name, None)
            if length is None or direction is None:
                raise ValueError(f"{stem}{length_name if length is None else direction_name} is missing")
            rest = tuple(range(1, direction.ndim))
            norm = torch.linalg.vector_norm(direction.float(), dim=rest, keepdim=True)
            found[stem + "weight"] = length.float() * direction.float() / norm
    return found
