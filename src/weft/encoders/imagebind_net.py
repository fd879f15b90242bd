"""The networks of ImageBind for pictures, sound and text, under the names of the published file.

Girdhar et al. 2023 (ImageBind). Each kind is cut into tokens, goes through a pre-norm transformer, and its first token
(for text, the one at its end) becomes a unit vector, which the learnt scale of the kind multiplies.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EPS = 1e-6


@dataclass(frozen=True, kw_only=True)
class TrunkConfig:
    """A transformer. grid: what a picture or filter bank measures; patch: the patch of it a token sees; step: how far
    apart patches lie."""

    width: int
    depth: int
    heads: int
    grid: tuple[int, ...] = ()
    patch: tuple[int, ...] = ()
    step: tuple[int, ...] = ()

    @property
    def tokens(self) -> int:
        """How many patches there are."""
        count = 1
        for whole, part, step in zip(self.grid, self.patch, self.step, strict=True):
            count *= (whole - part) // step + 1
        return count


def _vision(width: int, depth: int, heads: int) -> TrunkConfig:
    cube = (2, 14, 14)
    return TrunkConfig(width=width, depth=depth, heads=heads, grid=(2, 224, 224), patch=cube, step=cube)


def _audio(width: int, depth: int, heads: int) -> TrunkConfig:
    return TrunkConfig(width=width, depth=depth, heads=heads, grid=(128, 204), patch=(16, 16), step=(10, 10))


@dataclass(frozen=True, kw_only=True)
class ImageBindConfig:
    """The published size (huge). out: of the shared vectors. context, vocabulary: of CLIP's tokens."""

    vision: TrunkConfig = field(default_factory=lambda: _vision(1280, 32, 16))
    audio: TrunkConfig = field(default_factory=lambda: _audio(768, 12, 12))
    text: TrunkConfig = field(default_factory=lambda: TrunkConfig(width=1024, depth=24, heads=16))
    out: int = 1024
    context: int = 77
    vocabulary: int = 49408


HUGE = ImageBindConfig()
TINY_IMAGEBIND = ImageBindConfig(
    vision=_vision(48, 2, 4), audio=_audio(40, 2, 4), text=TrunkConfig(width=32, depth=2, heads=4), out=24
)


class ImageBindNet(nn.Module):
    """Tokens, trunk, head and scale of each kind: "vision", "audio" and "text"."""

    def __init__(self, config: ImageBindConfig) -> None:
        super().__init__()
        self.config = config
        out = config.out
        self.modality_preprocessors = nn.ModuleDict(
            {
                "vision": _Patches(config.vision, 3),
                "audio": _Patches(config.audio, 1, normed=True),
                "text": _Tokens(config),
            }
        )
        self.modality_trunks = nn.ModuleDict(
            {
                "vision": _Trunk(config.vision, normed=True),
                "audio": _Trunk(config.audio, extra_key=True),
                "text": _Trunk(config.text),
            }
        )
        # Numbered as in the published file, where number 1 picks the token and holds nothing.
        self.modality_heads = nn.ModuleDict(
            {
                "vision": _numbered(config.vision.width, out, ("0", "2")),
                "audio": _numbered(config.audio.width, out, ("0", "2")),
                "text": nn.ModuleDict({"proj": _numbered(config.text.width, out, ("0", "1"))}),
            }
        )
        self.modality_postprocessors = nn.ModuleDict(
            {kind: nn.ModuleDict({"1": _Scale()}) for kind in ("audio", "text")}
        )

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.modality_preprocessors["text"].pos_embed.device  # type: ignore[return-value]

    def forward(self, kind: str, given: Tensor) -> Tensor:
        """Turn B inputs of one kind into vectors `[B, out]`.

        vision: pictures `[B, 3, 2, 224, 224]` or `[B, 3, 1, 224, 224]` (shown twice); audio: filter banks
        `[B, 1, 128, 204]`; text: numbers `[B, 77]`, whose highest, the end's, says where a text ends.
        """
        tokens = self.modality_preprocessors[kind](given)
        mask = self.modality_preprocessors["text"].mask if kind == "text" else None
        tokens = self.modality_trunks[kind](tokens, mask)
        head = self.modality_heads[kind]
        if kind == "text":
            head = head["proj"]  # type: ignore[index]
            picked = tokens[torch.arange(len(tokens)), given.argmax(-1)]
        else:
            picked = tokens[:, 0]
        norm, project = head.values()  # type: ignore[operator]
        vectors = F.normalize(project(norm(picked)), dim=-1)
        if kind == "vision":
            return vectors
        return vectors * self.modality_postprocessors[kind]["1"]()  # type: ignore[index]


def _numbered(width: int, out: int, names: tuple[str, str]) -> nn.ModuleDict:
    return nn.ModuleDict(
        {names[0]: nn.LayerNorm(width, eps=_EPS), names[1]: nn.Linear(width, out, bias=False)}
    )


class _Scale(nn.Module):
    """exp of a learnt number, at most 100."""

    def __init__(self) -> None:
        super().__init__()
        self.log_logit_scale = nn.Parameter(torch.zeros(()))

    def forward(self) -> Tensor:
        return self.log_logit_scale.exp().clamp_max(100)


class _Patches(nn.Module):
    """Patches of pictures or of a filter bank, a learnt token before them, places added."""

    def __init__(self, config: TrunkConfig, channels: int, *, normed: bool = False) -> None:
        super().__init__()
        self.grid = config.grid
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        places = nn.Parameter(torch.zeros(1, 1 + config.tokens, config.width))
        self.pos_embedding_helper = nn.ParameterDict({"pos_embed": places})
        conv = nn.Conv3d if len(config.grid) == 3 else nn.Conv2d
        patches: nn.Module = conv(channels, config.width, config.patch, config.step, bias=False)  # type: ignore[arg-type]
        if normed:
            self.rgbt_stem = nn.ModuleDict({"proj": patches, "norm_layer": nn.LayerNorm(config.width)})
        else:
            self.rgbt_stem = nn.ModuleDict({"proj": nn.ModuleDict({"1": patches})})

    def forward(self, x: Tensor) -> Tensor:
        proj: nn.Module = self.rgbt_stem["proj"]
        if isinstance(proj, nn.ModuleDict):
            proj = proj["1"]
            if x.shape[2] == 1:
                x = x.expand(-1, -1, self.grid[0], -1, -1)
        x = proj(x).flatten(2).transpose(1, 2)
        if "norm_layer" in self.rgbt_stem:
            x = self.rgbt_stem["norm_layer"](x)
        first = self.cls_token.expand(len(x), -1, -1)
        return torch.cat([first, x], 1) + self.pos_embedding_helper["pos_embed"]


class _Tokens(nn.Module):
    """CLIP's numbers as vectors, places added. The mask lets a token see itself and what comes before it."""

    def __init__(self, config: ImageBindConfig) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.zeros(1, config.context, config.text.width))
        self.register_buffer("mask", torch.full((config.context, config.context), float("-inf")).triu(1))
        self.token_embedding = nn.Embedding(config.vocabulary, config.text.width)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.token_embedding(numbers) + self.pos_embed


class _Trunk(nn.Module):
    """A pre-norm transformer; sound attends to one learnt key more."""

    def __init__(self, config: TrunkConfig, *, normed: bool = False, extra_key: bool = False) -> None:
        super().__init__()
        before: list[nn.Module] = [nn.LayerNorm(config.width, eps=_EPS)] if normed else []
        self.pre_transformer_layer = nn.Sequential(*before)
        self.blocks = nn.ModuleList(
            [_Block(config.width, config.heads, extra_key) for _ in range(config.depth)]
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = self.pre_transformer_layer(x)
        for block in self.blocks:
            x = block(x, mask)
        return x


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, extra_key: bool) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, add_bias_kv=extra_key, batch_first=True)
        self.norm_1, self.norm_2 = nn.LayerNorm(width, eps=_EPS), nn.LayerNorm(width, eps=_EPS)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        given = self.norm_1(x)
        x = x + self.attn(given, given, given, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm_2(x))))
