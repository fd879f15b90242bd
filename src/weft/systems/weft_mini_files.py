"""weft-mini's weights on disk: half precision, with the network's configuration and the codec they belong to."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from weft import weights
from weft.codecs.stft_vae import StftVae
from weft.generators.mmdit import MMDiT


def save(net: MMDiT, codec: StftVae, path: Path, **notes: Any) -> None:
    """Write a network in half precision with its configuration, the codec it belongs to, and `notes`."""
    tensors = {key: value.half() for key, value in net.state_dict().items()}
    weights.save(path, tensors, {"config": asdict(net.config), "latent_space": latent_space(codec), **notes})


def latent_space(codec: StftVae) -> str:
    """A name for what the codec's latents mean: the same for codecs that differ in their decoders only."""
    digest = hashlib.sha256()
    for tensor in (codec.latent_mean, codec.latent_std, codec.to_latent.weight):
        digest.update(tensor.detach().half().numpy().tobytes())
    return digest.hexdigest()[:16]
