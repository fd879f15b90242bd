"""MS-CLAP 2023: sound and words as vectors of 1024 numbers, not of unit length, as its FAD takes them.

Elizalde et al. 2023 (arXiv:2309.05767): HTSAT and GPT-2. Two habits of the published code are kept because the weights
were trained with them: sound at 44.1 kHz goes through mel filters laid out for 32 kHz, and a text ends at its count of
tokens other than "!", so an exclamation mark inside it moves that end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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

FILE = Published(
    file="CLAP_weights_2023.pth",
    url="https://huggingface.co/microsoft/msclap",
    licence="MS-PL; the code's is MIT",
    sha256="2cef4016d47d00eb28d153d522f397222057f95000e9bad6b9583c631284a1e6",
)
TOKENS = Published(
    file="gpt2/tokenizer.json", url="https://huggingface.co/openai-community/gpt2", licence="MIT"
)
WINDOW_S = 7
_AT_ONCE = 8
_END, _PAD = " <|endoftext|>", "!"
_OLD_MASKS = re.compile(
    r"\.attn\.(masked_)?bias$"
)  # constants that older transformers kept among GPT-2's weights


@dataclass(frozen=True, kw_only=True)
class MsClapConfig:
    """`htsat.rate` is the 32 kHz its filters were laid out for, not that of the sound; `text` are GPT-2's settings."""

    htsat: HtsatConfig = field(default_factory=lambda: HtsatConfig(rate=32000, hop=320))
    text: dict[str, Any] = field(default_factory=dict)
    joint: int = 1024


class Projection(nn.Module):
    """LayerNorm(a + linear(GELU(a))), a = linear(x); neither has a bias."""

    def __init__(self, width: int, joint: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, joint, bias=False)
        self.linear2 = nn.Linear(joint, joint, bias=False)
        self.layer_norm = nn.LayerNorm(joint)

    def forward(self, x: Tensor) -> Tensor:
        a = self.linear1(x)
        return self.layer_norm(a + self.linear2(F.gelu(a)))


class MsClapNet(nn.Module):
    """Waves or tokens to vectors `[B, 1024]`. Keys as in Microsoft's file, without those of the text where `text` is
    False (then transformers is not needed)."""

    def __init__(self, config: MsClapConfig, *, text: bool = False) -> None:
        super().__init__()
        base = nn.ModuleDict({"htsat": Htsat(config.htsat)})
        self.audio_encoder = nn.ModuleDict(
            {"base": base, "projection": Projection(config.htsat.d, config.joint)}
        )
        self.logit_scale = nn.Parameter(torch.zeros(()))
        if text:
            gpt2 = language_model("gpt2", config.text)
            self.caption_encoder = nn.ModuleDict(
                {"base": gpt2, "projection": Projection(TEXT_WIDTH, config.joint)}
            )

    def forward(self, wave: Tensor) -> Tensor:
        """Return the embeddings of waves `[B, N]` at 44.1 kHz, at most 7.4 s."""
        heard = self.audio_encoder.get_submodule("base.htsat")(wave)
        return self.audio_encoder["projection"](heard)

    def words(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings of token numbers `[B, L]`, of which `mask` `[B, L]` is 1 where there is one."""
        states = self.caption_encoder["base"](input_ids=numbers, attention_mask=mask).last_hidden_state
        end = (numbers != 0).sum(-1) - 1
        return self.caption_encoder["projection"](states[torch.arange(len(states)), end])


class MsClap:
    """An `AudioEmbedder`, and a `TextEmbedder` where it was loaded with its text.

    compat "fadtk" is for published FAD numbers: a window begins every second and silence follows the sound.
    """

    name = "ms-clap-2023"
    rate = 44100
    d = 1024

    def __init__(
        self, net: MsClapNet, *, sha256: str = "", compat: Compat = "strict", tokens: Tokens | None = None
    ) -> None:
        self.net, self.sha256, self.compat, self.tokens = net.eval(), sha256, compat, tokens
        self.windows = (
            "7 s beginning every second, followed by silence (fadtk)"
            if compat == "fadtk"
            else "7 s side by side, the last one ends with the sound; a shorter sound is repeated"
        )

    @classmethod
    def load(cls, *, compat: Compat = "strict", text: bool = False) -> MsClap:
        """Return the embedder with the user's copy of `FILE` (and of `TOKENS` where `text`).

        Raises WeightsError; MissingExtra where `text` and transformers is not installed.
        """
        held = published.part(published.load(FILE), "model", FILE)
        with torch.device("cpu" if text else "meta"):  # GPT-2 makes buffers that no file holds
            net = MsClapNet(MsClapConfig(), text=text)
        published.fit(net, weights_of(held, text=text), FILE)
        tokens = Tokens.load(TOKENS, pad=_PAD, after=_END) if text else None
        return cls(net, sha256=published.sha256(published.path_of(FILE)), compat=compat, tokens=tokens)

    @torch.inference_mode()
    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Return embeddings `[B, T, 1024]` of mono sound `[B, N]` at `rate` Hz, about -1 to 1."""
        wave, samples = windows.at_rate(wave, rate, self.rate), WINDOW_S * self.rate
        if self.compat == "fadtk":
            cut = windows.every_second(wave, samples, self.rate)
        else:
            cut = windows.side_by_side(wave, samples, "repeat")
        found = [self.net(part) for part in cut.flatten(0, 1).split(_AT_ONCE)]
        return torch.cat(found).unflatten(0, cut.shape[:2])

    @torch.inference_mode()
    def embed_text(self, texts: list[str]) -> Tensor:
        """Return embeddings `[B, 1024]` of texts; what lies beyond 77 tokens is not read. Raises ValueError where the
        text was not loaded."""
        if self.tokens is None:
            raise ValueError("this CLAP was loaded without its text: MsClap.load(text=True)")
        return self.net.words(*self.tokens(texts))


def weights_of(held: dict[str, Tensor], *, text: bool) -> dict[str, Tensor]:
    """Return the tensors of `held` as `MsClapNet` names them: without the masks that older transformers kept, and
    without the text's where `text` is False."""
    return {
        key: value
        for key, value in held.items()
        if not key.startswith("caption_encoder.") or (text and not _OLD_MASKS.search(key))
    }
