"""The MM-DiT's identities: items of a batch, nulls, the final layer, and that every weight learns."""

from __future__ import annotations

from dataclasses import replace

import torch

from weft.generators.conditions import Conditions
from weft.generators.mmdit import MMDiT, MMDiTConfig

TINY = MMDiTConfig(
    latent_dim=6,
    hidden=32,
    heads=2,
    joint=2,
    fused=1,
    clip_dim=5,
    sync_dim=7,
    text_dim=8,
    text_length=4,
    sync_segment=0,
    mlp_ratio=1.0,
    mlp_multiple=16,
    modulation_rank=8,
    reference_dim=6,
    frames_in_final=True,
    frames_at_input=True,
    text_null_learned=True,
)


def _tiny(config: MMDiTConfig = TINY) -> MMDiT:
    torch.manual_seed(0)
    net = MMDiT(config).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return net


def _conditions(batch: int = 3, frames: int = 20) -> Conditions:
    draw = torch.Generator().manual_seed(1)
    return Conditions(
        clip=torch.randn(batch, 4, 5, generator=draw),
        sync=torch.randn(batch, frames, 7, generator=draw),
        text=torch.randn(batch, 4, 8, generator=draw),
        reference=torch.randn(batch, 2, 6, generator=draw),
        reference_tokens=2,
        clip_tokens=4,
    )


@torch.no_grad()
def test_mmdit_item_does_not_depend_on_its_batch() -> None:
    net, conditions = _tiny(), _conditions()
    x = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(2))
    t = torch.tensor([0.1, 0.5, 0.9])
    together = net(x, t, conditions)
    for i in range(3):
        alone = replace(
            conditions,
            **{k: getattr(conditions, k)[i : i + 1] for k in ("clip", "sync", "text", "reference")},
        )
        torch.testing.assert_close(
            net(x[i : i + 1], t[i : i + 1], alone), together[i : i + 1], atol=1e-5, rtol=1e-4
        )


@torch.no_grad()
def test_mmdit_null_of_an_item_is_the_null_of_nothing_given() -> None:
    net, conditions = _tiny(), _conditions()
    x, t = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(2)), torch.full((3,), 0.5)
    for name in ("clip", "sync", "text", "reference"):
        kept = torch.tensor([True, False, True])
        some = net(x, t, replace(conditions, **{f"{name}_given": kept}))
        full, none = net(x, t, conditions), net(x, t, replace(conditions, **{name: None}))
        torch.testing.assert_close(some[0], full[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(some[1], none[1], atol=1e-5, rtol=1e-4)
        assert not torch.allclose(full[1], none[1], atol=1e-3), name


@torch.no_grad()
def test_mmdit_final_layer_quirk_is_a_choice() -> None:
    """MMAudio's last layer is modulated by the global condition: of the frames it sees what attention
    carried.
    """
    quirk, ours = _tiny(replace(TINY, frames_in_final=False)), _tiny()
    conditions, t = _conditions(1), torch.tensor([0.5])
    x = torch.randn(1, 20, 6, generator=torch.Generator().manual_seed(2))
    for net in (quirk, ours):
        for block in (*net.fused_blocks, *(b.latent_block for b in net.joint_blocks)):
            for parameter in block.adaLN_modulation.parameters():
                parameter.zero_()  # the blocks pass the latent on untouched
    object.__setattr__(quirk, "config", replace(quirk.config, frames_at_input=False))
    object.__setattr__(ours, "config", replace(ours.config, frames_at_input=False))
    other = replace(conditions, sync=torch.flip(conditions.sync, [1]))
    torch.testing.assert_close(quirk(x, t, conditions), quirk(x, t, other))
    assert not torch.allclose(ours(x, t, conditions), ours(x, t, other), atol=1e-3)


def test_mmdit_learns_from_every_condition() -> None:
    net = _tiny().train()
    x, t = torch.randn(3, 20, 6), torch.full((3,), 0.5)
    which = torch.tensor([True, False, True])
    given = {f"{name}_given": which for name in ("clip", "sync", "text", "reference")}
    net(x, t, replace(_conditions(), **given)).pow(2).mean().backward()
    silent = [
        n for n, p in net.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())
    ]
    # The last joint block uses the keys and values of pictures and text, but not what their queries find.
    assert silent == [f"joint_blocks.1.{s}_block.attn.q_norm.weight" for s in ("clip", "text")]
