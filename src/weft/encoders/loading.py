"""A published network, filled from the user's copy of its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from weft.weights import published
from weft.weights.published import Published

Net = TypeVar("Net", bound=nn.Module)


def filled(build: Callable[[], Net], tensors: dict[str, Tensor], given: Published) -> Net:
    """Return the network that `build` makes, with `tensors` in it, for inference on the CPU.

    Nothing is drawn at random first, so every buffer must be among the tensors. Raises WeightsError when the keys or
    shapes are not the network's own.
    """
    with torch.device("meta"):
        net = build()
    net = net.to_empty(device="cpu")
    published.fit(net, tensors, given)
    return net.eval().requires_grad_(False)
