"""LAION-CLAP: sound and words as unit vectors of 512 numbers that point the same way where they mean the same.

Wu et al. 2023 (arXiv:2211.06687): HTSAT and RoBERTa, without fusion. The published wrapper cuts a random 10 s out of a
longer sound; here windows are fixed, so the same sound has the same embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders import windows
from weft.encoders.htsat import Htsat, HtsatConfig
from weft.encoders.language import TEXT_WIDTH, Tokens, language_model
from weft.weights import published
from weft.weights.published import Published

Compat = Literal["strict", "fadtk"]

_HF = "https://huggingface.co/lukewys/laion_clap"
WINDOW_S = 10
_AT_ONCE = 8
_HTSAT = HtsatConfig(rate=48000, hop=480)
_HTSAT_BASE = HtsatConfig(rate=48000, hop=480, width=128, depths=(2, 2, 12, 2))
ROBERTA = {
    "vocab_size": 50265,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
TOKENS = Published(
    file="roberta-base/tokenizer.json", url="https://huggingface.co/FacebookAI/roberta-base", licence="MIT"
)


@dataclass(frozen=True, kw_only=True)
class LaionClapConfig:
    """One published file; `text` are the settings of its RoBERTa."""

    file: Published
    htsat: HtsatConfig
    text: dict[str, Any]
    joint: int = 512


VARIANTS = {
    "laion-clap-audio": LaionClapConfig(
        file=Published(
            file="630k-audioset-best.pt",
            url=_HF,
            licence="CC0-1.0",
            sha256="8053c9775516af2f4902e1e8281e356cc1bf7a85e8b761908170767b77c3f037",
        ),
        htsat=_HTSAT,
        text=ROBERTA,
    ),
    "laion-clap-music-speech": LaionClapConfig(
        file=Published(
            file="music_speech_audioset_epoch_15_esc_89.98.pt",
            url=_HF,
            licence="CC0-1.0",
            sha256="51c68f12f9d7ea25fdaaccf741ec7f81e93ee594455410f3bca4f47f88d8e006",
        ),
        htsat=_HTSAT_BASE,
        text=ROBERTA,
    ),
}


class _Transform(nn.Module):
    """A head of the training loss: there for the keys alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sequential = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Identity(), nn.Linear(width, width)
        )


def _projection(width: int, joint: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, joint), nn.ReLU(), nn.Linear(joint, joint))


class LaionClapNet(nn.Module):
    """Waves or tokens to unit vectors `[B, 512]`. Keys as in LAION's files, without those of the text where `text` is
    False (then transformers is not needed)."""

    def __init__(self, config: LaionClapConfig, *, text: bool = False) -> None:
        super().__init__()
        self.audio_branch = Htsat(config.htsat)
        self.audio_projection = _projection(config.htsat.d, config.joint)
        self.audio_transform = _Transform(config.joint)
        self.logit_scale_a = nn.Parameter(torch.zeros(()))
        self.logit_scale_t = nn.Parameter(torch.zeros(()))
        if text:
            self.text_branch = language_model("roberta", config.text)
            self.text_projection = _projection(TEXT_WIDTH, config.joint)
            self.text_transform = _Transform(config.joint)

    def forward(self, wave: Tensor) -> Tensor:
        """Return the embeddings of waves `[B, N]` at 48 kHz, at most 10.2 s."""
        return F.normalize(self.audio_projection(self.audio_branch(wave)), dim=-1)

    def words(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings of token numbers `[B, L]`, of which `mask` `[B, L]` is 1 where there is one."""
        pooled = self.text_branch(input_ids=numbers, attention_mask=mask).pooler_output
        return F.normalize(self.text_projection(pooled), dim=-1)


class LaionClap:
    """An `AudioEmbedder`, and a `TextEmbedder` where it was loaded with its text.

    compat "fadtk" is for published FAD numbers: a window begins every second, silence follows the sound (over half of
    what it embeds of a 10 s clip), and samples are rounded towards 0 to 16 bits.
    """

    rate = 48000
    d = 512

    def __init__(
        self,
        net: LaionClapNet,
        *,
        name: str = "laion-clap",
        sha256: str = "",
        compat: Compat = "strict",
        tokens: Tokens | None = None,
    ) -> None:
        self.net, self.name, self.sha256, self.compat, self.tokens = net.eval(), name, sha256, compat, tokens
        self.windows = (
            "10 s beginning every second, followed by silence; 16-bit samples (fadtk)"
            if compat == "fadtk"
            else "10 s side by side, the last one ends with the sound; a shorter sound is repeated whole, then silence"
        )

    @classmethod
    def load(
        cls, variant: str = "laion-clap-audio", *, compat: Compat = "strict", text: bool = False
    ) -> LaionClap:
        """Return a variant with the user's copy of its file (and of `TOKENS` where `text`).

        Raises WeightsError; MissingExtra where `text` and transformers is not installed; ValueError for another
        variant.
        """
        if variant not in VARIANTS:
            raise ValueError(f"no LAION-CLAP {variant!r}: choose {' or '.join(VARIANTS)}")
        config = VARIANTS[variant]
        held = published.part(published.load(config.file), "state_dict", config.file)
        with torch.device("cpu" if text else "meta"):  # RoBERTa makes buffers that no file holds
            net = LaionClapNet(config, text=text)
        published.fit(net, weights_of(held, text=text), config.file)
        digest = published.sha256(published.path_of(config.file))
        tokens = Tokens.load(TOKENS, pad="<pad>") if text else None
        return cls(net, name=variant, sha256=digest, compat=compat, tokens=tokens)

    @torch.inference_mode()
    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Return unit embeddings `[B, T, 512]` of mono sound `[B, N]` at `rate` Hz, about -1 to 1."""
        wave = windows.at_rate(wave, rate, self.rate)
        if self.compat == "fadtk":
            wave = (wave.clamp(-1, 1) * 32767).trunc() / 32767
            cut = windows.every_second(wave, WINDOW_S * self.rate, self.rate)
        else:
            cut = windows.side_by_side(wave, WINDOW_S * self.rate, "whole repeats")
        found = [self.net(part) for part in cut.flatten(0, 1).split(_AT_ONCE)]
        return torch.cat(found).unflatten(0, cut.shape[:2])

    @torch.inference_mode()
    def embed_text(self, texts: list[str]) -> Tensor:
        """Return unit embeddings `[B, 512]` of texts; what lies beyond 77 tokens is not read. Raises ValueError where
        the text was not loaded."""
        if self.tokens is None:
            raise ValueError("this CLAP was loaded without its text: LaionClap.load(text=True)")
        return self.net.words(*self.tokens(texts))


def weights_of(held: dict[str, Tensor], *, text: bool) -> dict[str, Tensor]:
    """Return the tensors of `held` as `LaionClapNet` names them: without the training's "module." in front, without
    the position numbers of older transformers, and without the text's where `text` is False."""
    plain = {key.removeprefix("module."): value for key, value in held.items()}
    return {
        key: value
        for key, value in plain.items()
        if not key.endswith("embeddings.position_ids") and (text or not key.startswith("text_"))
    }
