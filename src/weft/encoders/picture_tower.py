"""The transformers library's CLIP of pictures, run for its first token alone, which is all that is made of a picture.

The library's own pass computes every token of the last block and hands out a fresh array at each step. Here the last
block computes keys and values of all tokens and the rest of the first one; wide arrays are changed in place; and in
bfloat16 attention is two products of matrices a picture, on a CPU the faster way for as few tokens as these (730).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from transformers import CLIPVisionModel

_QUICK = 1.702  # of CLIP's GELU, x sigmoid(1.702 x)


def first_token(tower: CLIPVisionModel, pixels: Tensor) -> Tensor:
    """Turn normalised pictures `[B, 3, size, size]` into what the tower makes of its first token, `[B, W]`.

    For inference. As the library's `pooler_output`, to rounding.
    """
    x = tower.pre_layrnorm(tower.embeddings(pixels))
    *blocks, last = tower.encoder.layers
    for block in blocks:
        x = _block(block, x, x)
    return tower.post_layernorm(_block(last, x, x[:, :1])[:, 0])


def _block(block: Any, x: Tensor, asking: Tensor) -> Tensor:
    """A block's answer for the tokens `asking` `[B, A, W]`, the first of `x` `[B, L, W]`, which they attend to."""
    heads, normed = block.self_attn, block.layer_norm1(x)
    q = heads.q_proj(normed[:, : asking.shape[1]])
    q, k, v = (
        t.unflatten(-1, (heads.num_heads, -1)) for t in (q, heads.k_proj(normed), heads.v_proj(normed))
    )
    x = heads.out_proj(_attended(q, k, v).flatten(2)).add_(asking)
    hidden = block.mlp.fc1(block.layer_norm2(x)).mul_(_QUICK)
    return block.mlp.fc2(F.silu(hidden, inplace=True).mul_(1 / _QUICK)).add_(x)


def _attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Softmax attention, `[B, A, H, d]` and twice `[B, L, H, d]` to `[B, A, H, d]`."""
    q, k, v = (t.transpose(1, 2).contiguous() for t in (q, k, v))
    if q.dtype == torch.float32 or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
    out = torch.empty_like(q)
    for picture in range(len(q)):
        scores = (q[picture] * q.shape[-1] ** -0.5) @ k[picture].mT
        torch.bmm(scores.softmax(-1), v[picture], out=out[picture])
    return out.transpose(1, 2)
