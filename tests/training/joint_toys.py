"""A network of MMAudio's classes small enough to train in a test, and shards of made-up examples for it."""

from pathlib import Path

import torch

from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.training.embedded import Example, claim, write_shard

SIZES = MMDiTConfig(
    latent_dim=6,
    hidden=32,
    heads=2,
    joint=2,
    fused=1,
    clip_dim=5,
    sync_dim=4,
    text_dim=7,
    text_length=3,
    mlp_ratio=1.0,
    mlp_multiple=16,
    kernel=1,
    ffn_kernel=1,
    clip_kernel=1,
    input_kernel=1,
    sync_kernel=1,
    sync_segment=2,
)
FRAMES, PICTURES, ROWS = 10, 3, 4
MADE_OF = {
    "kind": "toy",
    "codec": "abc",
    "shapes": {"mean": [FRAMES, 6], "clip": [PICTURES, 5], "sync": [ROWS, 4], "text": [3, 7]},
}


def network(seed: int = 0) -> MMDiT:
    torch.manual_seed(seed)
    net = MMDiT(SIZES)
    with torch.no_grad():  # what starts at zero would hide what it is told
        for value in net.parameters():
            if value.requires_grad:
                value.add_(0.1 * torch.randn(value.shape))
    return net


def example(number: int, *, pictured: bool) -> Example:
    generator = torch.Generator().manual_seed(number + (1000 if pictured else 0))

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    return Example(
        key=f"one-{number}",
        mean=2.0 * normal(FRAMES, 6) + 1.0,
        std=normal(FRAMES, 6).abs() * 0.1,
        text=normal(3, 7),
        clip=normal(PICTURES, 5) if pictured else None,
        sync=normal(ROWS, 4) if pictured else None,
        caption=f"sound {number}",
        source={"file": f"{number}.wav", "start": 0.5},
    )


def shards(folder: Path, count: int, *, pictured: bool, per_shard: int = 4) -> Path:
    claim(folder, MADE_OF, torch.full((3, 7), 0.25))
    for first in range(0, count, per_shard):
        rows = [example(n, pictured=pictured) for n in range(first, min(first + per_shard, count))]
        write_shard(folder / f"part-{first:03d}.tar", rows, half=False)
    return folder
