"""AudioLDM in miniature as one file of weights: the published classes at sizes that a processor trains, in the world.

It is no system of the table: a subject for experiments (`recipes/train_audio_ldm_mini.py` makes it, and
`recipes/evaluate_guidance.py` guides it), and not in the package. Its words are read by an encoder of weft's.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from weft import weights
from weft.codecs.audio_ldm import AudioLdmCodec, AudioLdmCodecConfig
from weft.encoders.own import WeftText
from weft.errors import WeightsError
from weft.generators.audio_ldm import AudioLdmConfig, AudioLdmNet
from weft.systems.audio_ldm import AudioLdm

FILE = "audio-ldm-mini.safetensors"
WORDS = "weft-guide"
"""The encoders whose words it was told in training; they take no part where it is judged."""


def save(
    folder: Path,
    net: AudioLdmNet,
    codec: AudioLdmCodec,
    sizes: tuple[AudioLdmConfig, AudioLdmCodecConfig],
    **notes: Any,
) -> Path:
    """Write the three networks in half precision to `folder`, with their sizes and `notes`; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"codec.{k}": v for k, v in codec.state_dict().items()}
    told = {"net": asdict(sizes[0]), "codec": asdict(sizes[1]), "words": WORDS, "licence": "Apache-2.0"}
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    weights.save(folder / FILE, half, told | {"words sha256": weights.sha256(WORDS)} | notes)
    return folder / FILE


def load(folder: Path) -> AudioLdm:
    """The performer of what `save` wrote. Raises WeightsError where it is missing, or its words were others than those
    here, MissingExtra without diffusers or transformers."""
    path = folder / FILE
    if not path.is_file():
        raise WeightsError(f"no {FILE} in {folder}; make it with recipes/train_audio_ldm_mini.py")
    tensors, told = weights.load(path)
    if told.get("words sha256") != weights.sha256(WORDS):
        raise WeightsError(f"{path} learnt with other words than {WORDS}'s here; train it anew")
    net = AudioLdmNet.build(AudioLdmConfig(**_tuples(told["net"])))
    codec = AudioLdmCodec.build(AudioLdmCodecConfig(**_tuples(told["codec"])))
    parts: dict[str, nn.Module] = {"net": net, "codec": codec}
    wanted = {f"{name}.{key}" for name, part in parts.items() for key in part.state_dict()}
    weights.check_keys(set(tensors), wanted, str(path))
    for name, part in parts.items():
        part.load_state_dict(
            {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
        )
    return AudioLdm(net, codec, WeftText.load(WORDS))


def _tuples(told: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
