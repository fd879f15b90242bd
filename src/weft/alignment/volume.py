"""The Gramian volume: how large a body the embeddings of k modalities span (Cicchetti et al. 2025; MDG, eqs. 6, 7).

    K = ZᵀZ,  Z = [e1 … ek] of unit vectors,  V = √det K in 0..1

V is 0 where the vectors lie in a space of fewer than k dimensions and 1 where all are at right angles; of two vectors
it is the sine of their angle. Every function scales its vectors to length 1, and computes in float64 (float32 where a
device has no other): a float32 determinant is wrong below V ≈ 1e-3, its root's gradient NaN at 0.

V is blind to signs: with two vectors v, p fixed, V of a third, a, is sin(v, p) · |a - its shadow on their plane|, which
is 0 for a = -v and a ~ v - p as well as for a = v. `Span.loss` can add cosines, which do see signs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_FLAT = 1e-12  # det K below this is rounding: V = 0, with gradient 0
_NEAR = 1e-9  # a distance below this is rounding, and a vector this near to a span lies in it


def volume(*vectors: Tensor) -> Tensor:
    """Return V `[...]` of k ≥ 2 `vectors` `[..., D]` that belong together, by the determinant; dtype float64.

    Leading dimensions are broadcast. Exact to about 1e-8, V below 1e-6 is 0. Differentiable, with gradient 0 there.
    Raises ValueError for fewer than two vectors, or vectors of different lengths D.
    """
    return root_det(_paired(_unit(vectors)))


def volume_table(anchor: Tensor, *others: Tensor) -> Tensor:
    """Return V `[B1, B2]` of each `anchor` `[B1, D]` with each row of the `others` `[B2, D]` (k - 1 of them, whose rows
    belong together): the contrastive form of MDG's eqs. 8 and 9, where the anchor is the text.

    float64, precision and errors as `volume`.
    """
    return root_det(gram_table(anchor, *others))


def gram_table(anchor: Tensor, *others: Tensor) -> Tensor:
    """Return the Gram matrices K `[B1, B2, k, k]`, float64, of `volume_table`'s vectors, the anchor first."""
    first, *rest = _unit((anchor, *others))
    _matrices(first, *rest)
    among = _paired(rest)
    k, b1, b2 = 1 + len(rest), len(first), len(rest[0])
    across = torch.stack([first @ other.T for other in rest], -1)
    top = torch.cat([across.new_ones(b1, b2, 1), across], -1)[..., None, :]
    below = torch.cat([across[..., None], among.expand(b1, b2, k - 1, k - 1)], -1)
    return torch.cat([top, below], -2)


def root_det(gram: Tensor) -> Tensor:
    """Return √det of Gram matrices `[..., k, k]` in float64; 0 with gradient 0 where det is rounding, below 1e-12."""
    det = torch.linalg.det(gram)
    spans = det > _FLAT
    return torch.where(spans, det.where(spans, torch.ones_like(det)).sqrt(), 0.0)


@dataclass(frozen=True, kw_only=True)
class Span:
    """The space that fixed embeddings span, for the volume's projection form: V(a) = `size` · distance(a).

    basis: `[..., r, D]`, orthonormal rows, zeros in place of a vector that lies in the span of those before it. size:
    `[...]`, the volume of the fixed vectors, 0..1. fixed: the vectors themselves at length 1, `[..., r, D]`. All are
    constants: no gradient runs to the vectors they were made of.
    """

    basis: Tensor
    size: Tensor
    fixed: Tensor

    @classmethod
    def of(cls, *fixed: Tensor) -> Span:
        """Return the span of one or more vectors `[..., D]`. Raises ValueError for none, or different lengths D."""
        with torch.no_grad():
            vectors = torch.broadcast_tensors(*_unit(fixed, least=1))
            rows: list[Tensor] = []
            size = torch.ones_like(vectors[0][..., 0])
            for vector in vectors:
                left = _beside(vector, rows)
                length = left.norm(dim=-1, keepdim=True)
                outside = length > _NEAR
                rows.append(torch.where(outside, left / length.clamp_min(_NEAR), torch.zeros_like(left)))
                size = size * torch.where(outside, length, torch.zeros_like(length))[..., 0]
            return cls(basis=torch.stack(rows, -2), size=size, fixed=torch.stack(list(vectors), -2))

    def distance(self, vector: Tensor) -> Tensor:
        """Return how far `vector` `[..., D]`, scaled to length 1, is from the span: `[...]`, 0..1, float64.

        Exact where the determinant is not: the residual itself is measured. Its gradient at unit vectors has length
        √(1 - distance²) or less and is 0 in the span, where the distance has a cusp.
        """
        left = _beside(_unit((vector,), least=1)[0], list(self.basis.to(vector.device).unbind(-2)))
        square = left.square().sum(-1)
        outside = square > _NEAR**2
        return torch.where(outside, square.where(outside, torch.ones_like(square)).sqrt(), 0.0)

    def volume(self, vector: Tensor) -> Tensor:
        """Return V `[...]` of `vector` `[..., D]` and the fixed ones, float64. 0 for every vector, and so no force,
        where the fixed ones lie in a space of fewer dimensions: guide by `distance` there."""
        return self.size.to(vector.device) * self.distance(vector)

    def cosines(self, vector: Tensor) -> Tensor:
        """Return the cosines `[..., r]` of `vector` `[..., D]` with each fixed one, float64."""
        unit = _unit((vector,), least=1)[0]
        return (self.fixed.to(vector.device) * unit[..., None, :]).sum(-1)

    def loss(self, vector: Tensor, *, cosine: float = 0.0) -> Tensor:
        """Return V + `cosine` · mean of (1 - cos) over the fixed ones, `[...]`, to be made small.

        0 is MDG's force, blind to signs; a positive weight tells a vector from its opposite. Raises ValueError for a
        weight below 0.
        """
        if cosine < 0:
            raise ValueError(f"cosine weighs {cosine}, but must be 0 (off, as published) or more")
        found = self.volume(vector)
        return found + cosine * (1 - self.cosines(vector)).mean(-1) if cosine else found


def wide(x: Tensor) -> Tensor:
    """Return `x` as float64, or float32 on a device that has no float64."""
    return x.to(torch.float32 if x.device.type == "mps" else torch.float64)


def _unit(vectors: tuple[Tensor, ...], least: int = 2) -> tuple[Tensor, ...]:
    if len(vectors) < least:
        raise ValueError(f"{len(vectors)} embeddings given, but at least {least} are needed")
    if len({v.shape[-1] if v.ndim else 0 for v in vectors}) != 1 or not all(v.ndim for v in vectors):
        raise ValueError(
            f"embeddings have shapes {[tuple(v.shape) for v in vectors]}: use one space, [..., D]"
        )
    return tuple(F.normalize(wide(v), dim=-1) for v in vectors)


def _matrices(anchor: Tensor, *others: Tensor) -> None:
    shapes = [tuple(x.shape) for x in (anchor, *others)]
    if any(len(s) != 2 for s in shapes) or len({s[0] for s in shapes[1:]}) != 1:
        raise ValueError(f"embeddings have shapes {shapes}, but must be [B1, D] and then [B2, D] each")


def _paired(unit: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    """The Gram matrices `[..., k, k]` of unit vectors `[..., D]`, k of them."""
    stacked = torch.stack(torch.broadcast_tensors(*unit), -2)
    return stacked @ stacked.mT


def _beside(vector: Tensor, rows: list[Tensor]) -> Tensor:
    """What is left of `vector` `[..., D]` beside orthonormal `rows`; taken off twice, since once leaves rounding."""
    for _ in range(2):
        for row in rows:
            vector = vector - (vector * row).sum(-1, keepdim=True) * row
    return vector
