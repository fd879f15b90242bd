"""The area between the tips of embeddings: a peer of the volume that sees signs (TRIANGLE, Cicchetti et al. 2025).

Three unit vectors end in three points of the sphere; their triangle's area is 0 where all three are one, and large
where one is another's opposite, for which the volume is 0. It is 0, too, where only two of the three are one.
"""

from __future__ import annotations

from math import factorial

from torch import Tensor

from weft.alignment.volume import gram_table, root_det


def area_table(anchor: Tensor, *others: Tensor) -> Tensor:
    """Return the area `[B1, B2]` of each `anchor` `[B1, D]` with each row of two `others` `[B2, D]`, 0..1.3, float64.

    Of one other it is the distance of the tips, 0..2, of more than two the content of their simplex. Vectors are scaled
    to length 1. 0, with gradient 0, below 1e-6. Raises ValueError as `weft.alignment.volume.volume_table`.
    """
    gram = gram_table(anchor, *others)
    across = gram[..., :1, 1:]
    edges = gram[..., 1:, 1:] - across - across.mT + 1
    return root_det(edges) / factorial(len(others))
