"""AudioLDM's denoiser: diffusers' UNet2DConditionModel on latents, told by one CLAP vector of the words.

Liu et al. 2023. The vector enters beside the time (`class_labels`); attention looks at the latent alone. It predicts
the noise at levels of AudioLDM's own schedule (`weft.diffusion.ddpm.AUDIO_LDM`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weft.codecs.audio_ldm import as_picture, as_rows
from weft.diffusion.ddpm import Ddpm
from weft.diffusion.guidance import ClassifierFree, Combination, Predict, standing
from weft.diffusion.sampler import sample
from weft.diffusion.steering import Steer
from weft.errors import MissingExtra


@dataclass(frozen=True, kw_only=True)
class AudioLdmConfig:
    """Sizes of the network; those of audioldm-m-full. `words`: length of the CLAP vector."""

    latent: int = 8
    widths: tuple[int, ...] = (192, 384, 576, 960)
    layers: int = 2
    heads: int = 8
    words: int = 512
    norm_groups: int = 32


TINY_AUDIO_LDM = AudioLdmConfig(widths=(8, 16, 16), layers=1, heads=2, words=32, norm_groups=4)


class AudioLdmNet(nn.Module):
    """Mixtures `[B, T, 128]`, levels and word vectors to the noise in them."""

    def __init__(self, unet: nn.Module) -> None:
        """unet: a UNet2DConditionModel of AudioLDM's kind."""
        super().__init__()
        self.unet = unet

    @classmethod
    def build(cls, config: AudioLdmConfig) -> AudioLdmNet:
        """One of these sizes with random weights. Raises MissingExtra where diffusers is not there."""
        depth = len(config.widths)
        unet = unet_class()(
            in_channels=config.latent,
            out_channels=config.latent,
            block_out_channels=config.widths,
            layers_per_block=config.layers,
            down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * (depth - 1)),
            up_block_types=(*("CrossAttnUpBlock2D",) * (depth - 1), "UpBlock2D"),
            attention_head_dim=config.heads,
            cross_attention_dim=config.widths,
            class_embed_type="simple_projection",
            projection_class_embeddings_input_dim=config.words,
            class_embeddings_concat=True,
            norm_num_groups=config.norm_groups,
        )
        return cls(unet)

    def forward(self, z: Tensor, level: Tensor, words: Tensor) -> Tensor:
        """The noise `[B, T, 128]` in `z` at schedule levels `[B]`, told `words` `[B, 512]` of length 1."""
        told: Any = self.unet(as_picture(z), level, encoder_hidden_states=None, class_labels=words)
        return as_rows(told.sample)


def unet_class() -> Any:
    """UNet2DConditionModel. Raises MissingExtra."""
    try:
        from diffusers import UNet2DConditionModel
    except ModuleNotFoundError as error:
        raise MissingExtra(f"AudioLDM (no module {error.name})", "systems") from error
    return UNet2DConditionModel


def predicting(net: AudioLdmNet, words: dict[str, Tensor], term: Combination, process: Ddpm) -> Predict:
    """The prediction that `term` makes of the network's, told `words` `[1, 512]` by the names that the term needs: one
    pass of the network a call."""

    def predict(z: Tensor, t: Tensor) -> Tensor:
        now = standing(term, t)
        count = len(now.needs)
        told = torch.cat([words[name].expand(len(z), -1) for name in now.needs])
        outs = net(z.repeat(count, 1, 1), process.level(t).repeat(count), told)
        return now(dict(zip(now.needs, outs.chunk(count), strict=True)))

    return predict


def latents(
    net: AudioLdmNet,
    noise: Tensor,
    words: Tensor,
    without: Tensor,
    *,
    steps: int,
    scale: float,
    process: Ddpm | None = None,
    steer: Steer | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Latents `[B, T, 128]` of `noise` by DDIM, told `words` `[1, 512]` and led away from `without` `[1, 512]` by
    `scale` (1 is off). Raises ValueError for steps below 1 or above the schedule's."""
    process = process or Ddpm()
    predict = predicting(net, {"cond": words, "uncond": without}, ClassifierFree(scale=scale), process)
    return sample(predict, process, noise, steps, steer=steer, on_step=on_step)
