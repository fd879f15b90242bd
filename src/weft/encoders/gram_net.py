"""GRAM's three encoders and the heads that bring them into one space, in the layout of its published checkpoints.

Cicchetti et al. 2025 (arXiv:2412.11959), on VAST's code: EVA01-CLIP-g sees, BEATs hears, BERT-base reads. The first and
the last are the transformers library's own classes (EVA-g is its Blip2VisionModel), filled under other names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders.beats_net import BeatsConfig, BeatsNet
from weft.errors import MissingExtra


@dataclass(frozen=True, kw_only=True)
class SightConfig:
    """EVA01-CLIP-g-14; size and patch in pixels."""

    width: int = 1408
    depth: int = 40
    heads: int = 16
    inner: int = 6144
    size: int = 224
    patch: int = 14


@dataclass(frozen=True, kw_only=True)
class WordsConfig:
    """bert-base-uncased."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    inner: int = 3072
    vocabulary: int = 30522
    places: int = 512


@dataclass(frozen=True, kw_only=True)
class GramConfig:
    """The published size; joint: dimensions of the space."""

    sight: SightConfig = field(default_factory=SightConfig)
    sound: BeatsConfig = field(default_factory=BeatsConfig)
    words: WordsConfig = field(default_factory=WordsConfig)
    joint: int = 512


class GramNet(nn.Module):
    """Pictures, sound and words to unit vectors `[B, joint]`. Build it by `build`."""

    def __init__(self, config: GramConfig) -> None:
        super().__init__()
        try:
            from transformers import BertConfig, BertModel, Blip2VisionConfig, Blip2VisionModel
        except ImportError as error:
            raise MissingExtra("GRAM", "systems") from error
        c, s, w = config, config.sight, config.words
        self.config = config
        self.sight = Blip2VisionModel(
            Blip2VisionConfig(
                hidden_size=s.width,
                intermediate_size=s.inner,
                num_hidden_layers=s.depth,
                num_attention_heads=s.heads,
                image_size=s.size,
                patch_size=s.patch,
                hidden_act="gelu",
                layer_norm_eps=1e-6,
                qkv_bias=True,
            )
        )
        self.sound = BeatsNet(c.sound)
        self.words = BertModel(
            BertConfig(
                vocab_size=w.vocabulary,
                hidden_size=w.width,
                num_hidden_layers=w.depth,
                num_attention_heads=w.heads,
                intermediate_size=w.inner,
                max_position_embeddings=w.places,
            ),
            add_pooling_layer=False,
        )
        self.head_sight = nn.Linear(s.width, c.joint, bias=False)
        self.head_sound = nn.Linear(c.sound.width, c.joint, bias=False)
        self.head_words = nn.Linear(w.width, c.joint, bias=False)

    def see(self, pictures: Tensor) -> Tensor:
        """Turn n normalised pictures a clip, `[B, n, 3, size, size]`, into vectors `[B, joint]`: the class token after
        the last norm (the library's own pooled output goes through that norm twice), its mean over pictures."""
        tokens = self.sight(pixel_values=pictures.flatten(0, 1)).last_hidden_state[:, 0]
        return F.normalize(self.head_sight(tokens.unflatten(0, pictures.shape[:2]).mean(1)), dim=-1)

    def hear(self, banks: Tensor) -> Tensor:
        """Turn n chunks of filter banks a clip, `[B, n, T, M]`, into vectors `[B, joint]`: the mean over tokens."""
        tokens = self.sound(banks.flatten(0, 1)).mean(1)
        return F.normalize(self.head_sound(tokens.unflatten(0, banks.shape[:2]).mean(1)), dim=-1)

    def read(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """Turn piece numbers `[B, L]` under `mask` `[B, L]`, 1 where there is a piece, into vectors `[B, joint]`: what
        becomes of the first piece. Every piece sees every other, though the published class is a decoder by name."""
        first = self.words(input_ids=numbers, attention_mask=mask).last_hidden_state[:, 0]
        return F.normalize(self.head_words(first), dim=-1)


def build(config: GramConfig) -> GramNet:
    """Return the networks without weights, on the meta device but for position numbers.

    Raises MissingExtra when transformers is not installed.
    """
    with torch.device("meta"):
        net = GramNet(config)
    places = torch.arange(config.words.places)[None]
    net.words.embeddings.position_ids = places
    net.words.embeddings.token_type_ids = torch.zeros_like(places)
    return net.eval()


_RENAMED = (
    (r"vision_encoder\.visual\.blocks\.(\d+)\.norm([12])\.", r"sight.encoder.layers.\1.layer_norm\2."),
    (r"vision_encoder\.visual\.blocks\.(\d+)\.attn\.qkv\.", r"sight.encoder.layers.\1.self_attn.qkv."),
    (
        r"vision_encoder\.visual\.blocks\.(\d+)\.attn\.proj\.",
        r"sight.encoder.layers.\1.self_attn.projection.",
    ),
    (r"vision_encoder\.visual\.blocks\.(\d+)\.mlp\.", r"sight.encoder.layers.\1.mlp."),
    (r"vision_encoder\.visual\.norm\.", "sight.post_layernorm."),
    (r"vision_encoder\.visual\.cls_token$", "sight.embeddings.class_embedding"),
    (r"vision_encoder\.visual\.pos_embed$", "sight.embeddings.position_embedding"),
    (r"vision_encoder\.visual\.patch_embed\.proj\.", "sight.embeddings.patch_embedding."),
    (r"audio_encoder\.", "sound."),
    (r"multimodal_encoder\.bert\.", "words."),
    (r"contra_head_v\.linear\.", "head_sight."),
    (r"contra_head_a\.linear\.", "head_sound."),
    (r"contra_head_t\.linear\.", "head_words."),
)
_OLDER = (
    (r"^module\.", ""),
    (r"video", "vision"),
    (r"^evaclip_model\.", "vision_encoder."),
    (r"^clip_model\.", "vision_encoder."),
)
_UNUSED = re.compile(
    r"contra_temp$|itm_head\.|contra_head_(s|d|va|vs|vas)\.|multimodal_encoder\.cls\.|multimodal_encoder\.bert\.("
    r"embeddings\.position_ids$|encoder\.layer\.\d+\.crossattention\.)|(vision|audio)_frame_embedding$|"
    r"hidden_trans_(vision|audio|subtitle)_multimodal\.|(vision|audio|subtitle)_type_embeddings$|"
    r"vision_encoder\.(text\.|logit_scale$|visual\.head\.)"
)
_BIAS = re.compile(r"(vision_encoder\.visual\.blocks\.\d+\.attn\.)(q|v)_bias")


def from_gram(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the `tensors` of a GRAM checkpoint that `GramNet` has, float32 under its names; large ones not copied.

    Left out is what only training and other tasks use: the matching head, the caption head, cross-attention, CLIP's own
    text tower and the heads of other modalities. Keys that neither has keep their names, so that a strict load lists
    them. The queries' and values' biases become one with 0 for the keys', which have none.
    """
    found: dict[str, Tensor] = {}
    biases: dict[str, dict[str, Tensor]] = {}
    for old, value in tensors.items():
        key = old
        for pattern, new in _OLDER:
            key = re.sub(pattern, new, key)
        bias = _BIAS.fullmatch(key)
        if bias:
            biases.setdefault(bias[1], {})[bias[2]] = value.float()
        elif not _UNUSED.match(key):
            found[own_name(key)] = value.float() if value.is_floating_point() else value
    for stem, parts in biases.items():
        if len(parts) == 2:
            joint = torch.cat([parts["q"], torch.zeros_like(parts["q"]), parts["v"]])
            found[own_name(f"{stem}qkv.bias")] = joint
        else:
            found |= {f"{stem}{which}_bias": value for which, value in parts.items()}
    return found


def own_name(key: str) -> str:
    """Return `GramNet`'s name of a key of GRAM's, the key itself where it has none."""
    for pattern, new in _RENAMED:
        name, times = re.subn(f"^{pattern}", new, key)
        if times:
            return name
    return key
