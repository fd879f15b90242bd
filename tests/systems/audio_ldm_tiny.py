"""AudioLDM with little in it: the published classes, a repository of the published layout, values drawn at random."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from weft.codecs.audio_ldm import TINY_AUDIO_LDM_CODEC, AudioLdmCodec
from weft.encoders.clap_words import TINY_CLAP_WORDS, ClapWords
from weft.generators.audio_ldm import TINY_AUDIO_LDM, AudioLdmNet

SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.0015,
    "beta_end": 0.0195,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "set_alpha_to_one": False,
}
WORDS = ("a", "stick", "hits", "wood", "hiss")


def write_repository(home: Path, *, safetensors: bool = True) -> None:
    """Every part of a tiny AudioLDM in `home`; else weights as pickles, as they were first published."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    torch.manual_seed(0)
    codec = AudioLdmCodec.build(TINY_AUDIO_LDM_CODEC)
    parts: dict[str, nn.Module] = {
        "unet": AudioLdmNet.build(TINY_AUDIO_LDM).unet,
        "vae": codec.vae,
        "vocoder": codec.vocoder,
        "text_encoder": ClapWords.build(TINY_CLAP_WORDS),
    }
    for name, part in parts.items():
        drawn(part)
        part.save_pretrained(home / name)  # type: ignore[operator]
        if not safetensors:
            (made,) = (home / name).glob("*.safetensors")
            stem = "diffusion_pytorch_model" if name in ("unet", "vae") else "pytorch_model"
            torch.save(part.state_dict(), home / name / f"{stem}.bin")
            made.unlink()
    names = ["<s>", "<pad>", "</s>", "<unk>", *WORDS]
    plain = Tokenizer(models.WordLevel({word: k for k, word in enumerate(names)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    plain.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", unk_token="<unk>", model_max_length=12
    ).save_pretrained(home / "tokenizer")
    (home / "scheduler").mkdir()
    (home / "scheduler" / "scheduler_config.json").write_text(json.dumps(SCHEDULER))


@torch.no_grad()
def drawn(net: nn.Module) -> nn.Module:
    """Matrices that keep the scale of what they are given: as they begin, the vocoder is silent."""
    for key, value in net.state_dict().items():
        if value.is_floating_point() and key not in ("mean", "scale"):
            x = torch.randn_like(value)
            if value.ndim >= 2:
                value.copy_(x / value[0].numel() ** 0.5)
            else:
                value.copy_(1 + 0.1 * x if key.endswith("weight") else 0.1 * x)
    return net
