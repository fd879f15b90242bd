"""MMAudio's CLIP: pictures to one unit vector each, words to 77.

Cheng et al. 2025 (MMAudio): Apple's DFN5B ViT-H/14. Pictures of 384 x 384 go into a network of 378 x 378, whose patches
leave out the last six rows and columns. Of a text MMAudio takes every token after the last norm, also the empty ones
behind its end, each scaled to length 1; neither the end token alone nor the projection of CLIP's own text vector.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.encoders.byte_pairs import BytePairs
from weft.encoders.dfn_clip_net import CONTEXT, DfnClipConfig, build, from_open_clip
from weft.encoders.picture_tower import first_token
from weft.encoders.pictures import channels_first, normalised, squashed
from weft.weights import published
from weft.weights.published import Published

if TYPE_CHECKING:
    from transformers import CLIPModel

PUBLISHED = Published(
    file="DFN5B-CLIP-ViT-H-14-384/open_clip_pytorch_model.bin",
    url="https://huggingface.co/apple/DFN5B-CLIP-ViT-H-14-384",
    licence="Apple's own, see the model's page",
    sha256="c07a17b547d461c60a3cce5062b26bf8545b13de602c4c59d8490361eb716033",
)
FPS = 8.0
SIDE = 384  # pixels that pictures are resized to
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class DfnClip:
    """The published model on pictures and words. Frames may have any size; their aspect is not kept."""

    name = "clip-dfn5b-vit-h14-384"
    windows = "a picture, 384 x 384; 77 tokens of a text"
    fps, size = FPS, (SIDE, SIDE)

    def __init__(self, net: CLIPModel, sha256: str, tokenizer: BytePairs | None = None) -> None:
        self.net, self.sha256 = net.eval(), sha256
        self.d = net.config.projection_dim
        if tokenizer is not None:
            self.tokenizer = tokenizer

    @classmethod
    def load(
        cls,
        given: Published = PUBLISHED,
        config: DfnClipConfig | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> DfnClip:
        """Return the user's copy of the published weights, 4 GB in memory; what sees pictures is in `dtype`.

        Raises WeightsError when it is not there or does not fit, MissingExtra when transformers is not installed.
        """
        tensors = from_open_clip(published.load(given))
        net = build(config or DfnClipConfig())
        published.fit(net, tensors, given)
        for part in (net.vision_model, net.visual_projection):
            part.to(dtype)
        return cls(net.requires_grad_(False), published.sha256(published.path_of(given)))

    @cached_property
    def tokenizer(self) -> BytePairs:
        """CLIP's table of byte pairs, the user's copy. Raises WeightsError when it is not there."""
        return BytePairs.load()

    @torch.inference_mode()
    def embed_video(self, frames: np.ndarray, at_once: int = 4) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` into unit vectors float32 `[T, D]` on the CPU, `at_once` frames a pass."""
        parts = [
            self._seen(squashed(channels_first(frames[start : start + at_once]), SIDE))
            for start in range(0, max(1, len(frames)), at_once)
        ]
        return torch.cat(parts)

    @torch.inference_mode()
    def encode_text(self, texts: list[str]) -> Tensor:
        """Turn B texts into unit vectors float32 `[B, 77, W]` on the CPU, one a token; a long text loses its tail."""
        numbers = torch.tensor([self.tokenizer.numbers(text, CONTEXT) for text in texts])
        found = token_vectors(self.net, numbers.to(self._device))
        return found.float().cpu()

    def _seen(self, pictures: Tensor) -> Tensor:
        levels = normalised(pictures, _MEAN, _STD).to(self._device, self.net.visual_projection.weight.dtype)
        return picture_vectors(self.net, levels).float().cpu()

    @property
    def _device(self) -> torch.device:
        return self.net.logit_scale.device


def picture_vectors(net: CLIPModel, levels: Tensor) -> Tensor:
    """Turn normalised pictures `[B, 3, H, W]`, no smaller than the network's, into unit vectors `[B, D]`.

    What lies right of and below the network's square is cut off, as open_clip's strided convolution never reaches it.
    """
    size = net.vision_model.embeddings.image_size
    seen = first_token(net.vision_model, levels[..., :size, :size])
    return F.normalize(net.visual_projection(seen).float(), dim=-1)


def token_vectors(net: CLIPModel, numbers: Tensor) -> Tensor:
    """Turn token numbers `[B, 77]` into the unit vectors `[B, 77, W]` of every token after the last norm."""
    return F.normalize(net.text_model(input_ids=numbers).last_hidden_state, dim=-1)
