"""GRAM: pictures, sound and words in one space that was learnt by their volume; what MDG and FoleyGRAM steer by.

Cicchetti et al. 2025. The checkpoint is the user's own copy, in its own layout: GRAM_pretrained_4modalities/ with
log/hps.json, which says what its encoders are, and ckpt/model_step_N.pt, of which the largest N is read.

`hear` lets a gradient through to the sound, all of it (see `weft.encoders.beats_net`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from weft.encoders import beats
from weft.encoders.gram_net import GramConfig, GramNet, build, from_gram
from weft.encoders.pictures import centre_crop, channels_first, normalised, shorter_side, squashed
from weft.encoders.windows import at_rate
from weft.encoders.wordpiece import WordPiece
from weft.errors import WeightsError
from weft.weights import published
from weft.weights.published import Published

NAME = "GRAM_pretrained_4modalities"
_URL, _LICENCE = "https://github.com/ispamm/GRAM (its README links the folder)", "MIT"
VOCABULARY = Published(
    file="bert-base-uncased/vocab.txt",
    url="https://huggingface.co/google-bert/bert-base-uncased",
    licence="Apache-2.0",
)
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's
_EXPECTED = {
    "vision_encoder_type": "evaclip01_giant",
    "audio_encoder_type": "beats",
    "vision_resolution": 224,
}


@dataclass(frozen=True, kw_only=True)
class GramRules:
    """What GRAM is shown of a clip. frames: pictures, from the middles of as many parts of it. chunks: of 10.24 s.
    crop: "squash" to a square (GRAM's fast path, MDG's presumably), or the "centre" of it, as GRAM evaluates. bands,
    chunk: of the filter banks, of the checkpoint's hps.json. pieces: of a text, with its two ends."""

    frames: int = 2
    chunks: int = 1
    crop: Literal["squash", "centre"] = "squash"
    bands: int = 64
    chunk: int = beats.CHUNK
    pieces: int = 40


class Gram:
    """The published model on pictures, sound and words: an embedder of all three. Frames may have any size."""

    name = "gram"
    rate, fps = beats.RATE, 10.0

    def __init__(
        self,
        net: GramNet,
        *,
        sha256: str = "",
        rules: GramRules | None = None,
        words: WordPiece | None = None,
    ) -> None:
        self.net, self.sha256, self.rules = net.eval(), sha256, rules or GramRules()
        side = net.config.sight.size
        self.d, self.size = net.config.joint, (side, side)
        self.windows = (
            f"one vector a clip: {self.rules.frames} frames, {self.rules.chunks} chunk(s) of 10.24 s of sound"
        )
        if words is not None:
            self.tokenizer = words

    @classmethod
    def load(
        cls, name: str = NAME, *, rules: GramRules | None = None, config: GramConfig | None = None
    ) -> Gram:
        """Return the checkpoint in the folder `name` of the published weights, 5 GB in memory.

        Bands and chunks of `rules` are those of its hps.json. Raises WeightsError when a file is missing or does not
        fit, or its encoders are others; MissingExtra when transformers is not installed.
        """
        said = settings(name)
        own = {"bands": said.get("audio_melbins", 64), "chunk": said.get("audio_target_length", beats.CHUNK)}
        given = newest(name)
        config = config or GramConfig()
        if said.get("contra_dim", config.joint) != config.joint:
            raise WeightsError(
                f"{name}/log/hps.json says contra_dim {said['contra_dim']}, not {config.joint}"
            )
        net = build(config)
        published.fit(net, from_gram(published.load(given)), given)
        digest = published.sha256(published.path_of(given))
        return cls(net.requires_grad_(False), sha256=digest, rules=replace(rules or GramRules(), **own))

    @cached_property
    def tokenizer(self) -> WordPiece:
        """BERT's vocabulary, the user's copy. Raises WeightsError when it is not there."""
        return WordPiece(published.path_of(VOCABULARY).read_text(encoding="utf-8").splitlines())

    def hear(self, wave: Tensor) -> Tensor:
        """Turn mono sound `[B, N]` at 16 kHz, -1..1, into unit vectors `[B, D]`, with a gradient to the sound."""
        r = self.rules
        cut = beats.chunks(beats.banks(wave, n_mels=r.bands), length=r.chunk, least=r.chunks)
        return self.net.hear(cut[:, beats.middles(cut.shape[1], r.chunks)])

    @torch.inference_mode()
    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound `[B, N]` at `rate` Hz into unit vectors float32 `[B, 1, D]`, on the CPU."""
        return self.hear(at_rate(wave, rate, self.rate).to(self._device))[:, None].cpu()

    @torch.inference_mode()
    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn the frames uint8 `[T, H, W, 3]` of a whole clip into one unit vector float32 `[1, D]`, on the CPU."""
        return self.net.see(self.pictures(frames)[None].to(self._device)).cpu()

    def pictures(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` into the chosen ones `[n, 3, S, S]`, with CLIP's mean and deviation."""
        channels_first(frames)
        chosen = channels_first(frames[beats.middles(len(frames), self.rules.frames)]).float()
        side = self.size[0]
        if self.rules.crop == "centre":
            square = centre_crop(shorter_side(chosen, side, "bilinear"), side)
        else:
            square = squashed(chosen, side, "bilinear")
        return normalised(square, _MEAN, _STD)

    @torch.inference_mode()
    def embed_text(self, texts: list[str]) -> Tensor:
        """Turn B texts into unit vectors float32 `[B, D]`, on the CPU; what is beyond 38 pieces is not read."""
        numbers, mask = self.numbers(texts)
        return self.net.read(numbers.to(self._device), mask.to(self._device)).cpu()

    def numbers(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Return piece numbers `[B, 40]`, "[CLS]" … "[SEP]" and "[PAD]" behind it, and 1 where there is a piece."""
        begin, end, pad = (self.tokenizer.vocabulary.index(p) for p in ("[CLS]", "[SEP]", "[PAD]"))
        length = self.rules.pieces
        rows = [[begin, *self.tokenizer.numbers(text)[: length - 2], end] for text in texts]
        numbers = [row + [pad] * (length - len(row)) for row in rows]
        mask = [[1] * len(row) + [0] * (length - len(row)) for row in rows]
        return (torch.tensor(x, dtype=torch.long).reshape(-1, length) for x in (numbers, mask))  # type: ignore[return-value]

    @property
    def _device(self) -> torch.device:
        return self.net.head_sound.weight.device


def settings(name: str = NAME) -> dict[str, Any]:
    """Return what `name`/log/hps.json says of the model. Raises WeightsError when it is missing or damaged, or names
    encoders that are not EVA01-CLIP-g at 224 pixels and BEATs."""
    path = published.path_of(Published(file=f"{name}/log/hps.json", url=_URL, licence=_LICENCE))
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
        given = {key: said.get(key, own) for key, own in _EXPECTED.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path} has no model_cfg that can be read: get it again from {_URL}") from error
    for key, own in _EXPECTED.items():
        if given[key] != own:
            raise WeightsError(
                f"{path} says {key} {given[key]!r}, but only {own!r} can be built: use another file"
            )
    return dict(said)


def newest(name: str = NAME) -> Published:
    """Return the checkpoint of the most steps in the folder `name`. Raises WeightsError when there is none."""
    found = {
        int(step[1]): path
        for path in (published.folder() / name / "ckpt").glob("model_step_*.pt")
        if (step := re.fullmatch(r"model_step_(\d+)\.pt", path.name))
    }
    file = found[max(found)].name if found else "model_step_N.pt"
    given = Published(file=f"{name}/ckpt/{file}", url=_URL, licence=_LICENCE)
    published.path_of(given)
    return given
