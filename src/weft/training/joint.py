"""How MMAudio learns, and every MM-DiT with it: sound with words and sound with pictures in one flow-matching lesson.

Cheng et al. 2024, section 3 and supplement D and H; where the paper is silent, the published training code. Each
example is the posterior of a latent, words, and perhaps pictures. What an example lacks, and what is hidden from it by
chance so that guidance has something to guide away from, is taken by the network's own empty tokens: the very tensors
that stand for "not given" when it generates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from weft.diffusion.process import Process, RectifiedFlow
from weft.generators.blocks import FinalLayer
from weft.generators.conditions import Conditions
from weft.generators.layers import Modulation, TimeEmbedding
from weft.generators.mmdit import MMDiT


@dataclass(frozen=True, kw_only=True)
class JointConfig:
    """hide_pictures, hide_text: how often they are hidden, each by its own chance; CLIP and Synchformer tokens go
    together. time_mean, time_scale: of the normal whose sigmoid is the time (the published code's 0 and 1; the paper
    does not say). `statistics` are over this many examples at most."""

    hide_pictures: float = 0.1
    hide_text: float = 0.1
    time_mean: float = 0.0
    time_scale: float = 1.0
    statistics: int = 20_000


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A process's share of a step: examples `first` to `first + B` of `total`.

    mean `[B, T, C]` and std, of the latent's posterior; clip `[B, Lc, D]`, sync `[B, Ls, D]`, text `[B, Lt, D]`;
    pictured `[B]` bool, whether clip and sync are there (else what they hold is not looked at).
    """

    mean: Tensor
    std: Tensor
    clip: Tensor
    sync: Tensor
    text: Tensor
    pictured: Tensor
    first: int
    total: int

    def to_dict(self) -> dict[str, Tensor | int]:
        """As the loop takes it."""
        return dict(vars(self))


class JointLesson(nn.Module):
    """The network and how it is asked: called with a batch it gives the losses, for `weft.training.loop`.

    All randomness is drawn for the whole step and then shared out, so that a step is the same whatever number of
    processes take it.
    """

    def __init__(self, net: MMDiT, config: JointConfig, process: Process | None = None) -> None:
        super().__init__()
        self.net, self.config, self.process = net, config, process or RectifiedFlow()

    def forward(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Losses of a batch (see `Batch`): `loss`, the mean squared error of the velocity over the process's share, and
        the same of its examples with and without pictures where there are some."""
        mean, config = batch["mean"].float(), self.config
        first, total = int(batch["first"]), int(batch["total"])
        own, device = slice(first, first + len(mean)), mean.device

        def normal(*shape: int) -> Tensor:
            return torch.randn(total, *shape, generator=generator, device=device)[own]

        def luck() -> Tensor:
            return torch.rand(total, generator=generator, device=device)[own]

        x0 = self.net.normalised(mean + batch["std"].float() * normal(*mean.shape[1:]))
        t = torch.sigmoid(config.time_mean + config.time_scale * normal())
        eps = normal(*mean.shape[1:])
        seen = batch["pictured"] & (luck() >= config.hide_pictures)
        told = luck() >= config.hide_text
        conditions = Conditions(
            clip=batch["clip"],
            sync=batch["sync"],
            text=batch["text"],
            clip_given=seen,
            sync_given=seen,
            text_given=told,
        )
        out = self.net(self.process.noise(x0, eps, t), t, conditions)
        each = (out.float() - self.process.target(x0, eps, t)).square().flatten(1).mean(1)
        losses = {"loss": each.mean()}
        for name, which in (("pictured", batch["pictured"]), ("heard", ~batch["pictured"])):
            if which.any():
                losses[name] = each[which].mean().detach()
        return losses


def begun(net: MMDiT, generator: torch.Generator) -> MMDiT:
    """Draw the weights that training begins with, as the published code does; returns the network.

    Linear maps are Xavier uniform without bias, those of the time N(0, 0.02); what modulates and the last convolution
    stay zero, convolutions and norms as torch makes them, and so do the empties.
    """
    last = {id(m[-1]) for m in net.modules() if isinstance(m, Modulation)}
    timed = {id(m) for e in net.modules() if isinstance(e, TimeEmbedding) for m in e.modules()}
    ends = {id(m.conv) for m in net.modules() if isinstance(m, FinalLayer)}
    with torch.no_grad():
        for module in net.modules():
            if not isinstance(module, nn.Linear) or id(module) in last | ends:
                continue
            if id(module) in timed:
                module.weight.normal_(0, 0.02, generator=generator)
            else:
                nn.init.xavier_uniform_(module.weight, generator=generator)
            if module.bias is not None:
                module.bias.zero_()
    return net


def informed(net: MMDiT, mean: Tensor, std: Tensor, no_words: Tensor) -> MMDiT:
    """Give the network what it keeps of its data: the latents' mean and deviation `[C]` (of the posterior means of the
    examples with pictures) and the text encoder's answer to no words `[Lt, D]`; returns the network.

    Raises ValueError for other shapes, or a deviation that is not above 0.
    """
    given = {"latent_mean": mean[None, None], "latent_std": std[None, None], "empty_string_feat": no_words}
    if not bool((std > 0).all()):
        raise ValueError(
            "a channel of the latents never changes: its deviation is 0, and it cannot be normalised"
        )
    for name, value in given.items():
        own = getattr(net, name)
        if own.shape != value.shape:
            raise ValueError(f"{name} has shape {tuple(value.shape)}; the network's is {tuple(own.shape)}")
        own.data.copy_(value)
    return net
