"""DFN5B-CLIP ViT-H/14 at 378 pixels: the transformers library's CLIP, filled from a file in open_clip's layout.

Radford et al. 2021 (CLIP); Fang et al. 2023, "Data filtering networks" (arXiv:2309.17425). Both towers are pre-norm
transformers with CLIP's quick GELU, x sigmoid(1.702 x). Only the architecture comes from the library; nothing is
downloaded. The two layouts hold the same numbers under other names, with queries, keys and values in one matrix or in
three, and projections one way round or the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from weft.errors import MissingExtra

if TYPE_CHECKING:
    from transformers import CLIPModel

CONTEXT = 77  # tokens


@dataclass(frozen=True, kw_only=True)
class TowerConfig:
    """One transformer; its perceptrons are four times as wide."""

    width: int
    depth: int
    heads: int


@dataclass(frozen=True, kw_only=True)
class DfnClipConfig:
    """The published size. size, patch: pixels; joint: dimensions of the space that both towers are projected into."""

    visual: TowerConfig = TowerConfig(width=1280, depth=32, heads=16)
    text: TowerConfig = TowerConfig(width=1024, depth=24, heads=16)
    size: int = 378
    patch: int = 14
    vocabulary: int = 49408
    joint: int = 1024


TINY_DFN_CLIP = DfnClipConfig(
    visual=TowerConfig(width=40, depth=2, heads=2),
    text=TowerConfig(width=32, depth=2, heads=2),
    size=42,
    joint=24,
)


def build(config: DfnClipConfig) -> CLIPModel:
    """Return the network without weights, on the meta device but for its position numbers.

    Raises MissingExtra when transformers is not installed.
    """
    try:
        from transformers import CLIPConfig, CLIPModel
    except ImportError as error:
        raise MissingExtra("MMAudio's CLIP", "systems") from error
    towers = [
        {
            "hidden_size": tower.width,
            "intermediate_size": 4 * tower.width,
            "num_hidden_layers": tower.depth,
            "num_attention_heads": tower.heads,
            "hidden_act": "quick_gelu",
            "projection_dim": config.joint,
        }
        for tower in (config.text, config.visual)
    ]
    ends = {"bos_token_id": config.vocabulary - 2, "eos_token_id": config.vocabulary - 1}
    text = {**towers[0], **ends, "vocab_size": config.vocabulary, "max_position_embeddings": CONTEXT}
    visual = {**towers[1], "image_size": config.size, "patch_size": config.patch}
    with torch.device("meta"):
        net = CLIPModel(CLIPConfig(text_config=text, vision_config=visual, projection_dim=config.joint))
    for part in (net.text_model.embeddings, net.vision_model.embeddings):
        part.position_ids = torch.arange(part.position_ids.shape[-1])[None]
    return net


_NAMES = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "text_projection": "text_projection.weight",
    "logit_scale": "logit_scale",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.proj": "visual_projection.weight",
}
_NORMS = {
    "ln_final.": "text_model.final_layer_norm.",
    "visual.ln_pre.": "vision_model.pre_layrnorm.",  # spelt so by the library
    "visual.ln_post.": "vision_model.post_layernorm.",
}
_IN_A_BLOCK = {
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
    "attn.out_proj.": "self_attn.out_proj.",
}
_TURNED = ("text_projection", "visual.proj")  # open_clip multiplies by them from the right
_BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)")


def from_open_clip(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `tensors` of open_clip's layout under the transformers library's names, without copying the large ones.

    Keys of neither kind keep their names, so that a strict load lists them.
    """
    found: dict[str, Tensor] = {}
    for key, value in tensors.items():
        if key == "logit_scale":
            value = value.reshape(())  # one number in a list, in files of older versions
        if key in _TURNED:
            value = value.T.contiguous()
        names = library_names(key)
        parts = value.chunk(3) if len(names) == 3 else (value,)
        found.update(zip(names, parts, strict=True))
    return found


def library_names(key: str) -> tuple[str, ...]:
    """Return what the library calls an open_clip key: one name, or three (query, key, value) for one joint matrix."""
    block = _BLOCK.fullmatch(key)
    if block:
        stem = f"{'vision' if block[1] else 'text'}_model.encoder.layers.{block[2]}."
        if block[3] in ("attn.in_proj_weight", "attn.in_proj_bias"):
            last = block[3].removeprefix("attn.in_proj_")
            return tuple(f"{stem}self_attn.{which}_proj.{last}" for which in "qkv")
        part = next((p for p in _IN_A_BLOCK if block[3].startswith(p)), None)
        return (stem + _IN_A_BLOCK[part] + block[3].removeprefix(part),) if part else (key,)
    norm = next((n for n in _NORMS if key.startswith(n)), None)
    if norm:
        return (_NORMS[norm] + key.removeprefix(norm),)
    return (_NAMES.get(key, key),)
