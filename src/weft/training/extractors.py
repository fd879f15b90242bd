"""What turns a clip into a training example: MMAudio's published encoders, or weft's own for the miniature.

An extractor says what it is made of (`made_of`, kept beside the shards), and gives the posterior of a window's sound,
the vectors of its words and those of its pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from weft import weights
from weft.codecs.stft_vae import StftVae
from weft.encoders.eye import FPS, SIZE
from weft.encoders.own import WeftVideo
from weft.encoders.text import TextEncoder
from weft.media.video import Video

OWN_WINDOW_S = 2.0
OWN_WORDS = 16
OWN_HOP = 4  # pictures from one picture token to the next


class Extractor(Protocol):
    """`rate` Hz and `channels` of the sound it takes, `seconds` of its windows; `peak`: what the loudest sample of a
    file is brought to, None to leave it."""

    rate: int
    channels: int
    seconds: float
    peak: float | None

    @property
    def samples(self) -> int:
        """That `sound` looks at: whole latent frames."""
        ...

    @property
    def made_of(self) -> dict[str, Any]:
        """Plain JSON: the files (SHA-256) and sizes that decide the vectors, and under `shapes` those of an example."""
        ...

    def sound(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation `[T, C]` of the latent of `wave` `[channels, at least a window]`."""
        ...

    def words(self, text: str) -> Tensor:
        """The tokens `[Lt, D]` of a text; of "" they stand for no words."""
        ...

    def pictures(self, path: Path, start: float) -> tuple[Tensor, Tensor]:
        """Picture tokens `[Lc, D]` and frame-aligned ones `[Ls, D]` of the window of a film that begins at `start`."""
        ...


@dataclass(kw_only=True, eq=False)
class OwnExtractor:
    """weft's codec, word vectors and video encoder: what the miniature of MMAudio is trained on, windows of 2 s.

    Picture tokens are the encoder's windows of 0.96 s (root mean square 1), as CLIP's pictures are to MMAudio; the
    frame-aligned ones its features at 12.5 Hz before they are pooled, each of variance 1, as Synchformer's are.
    """

    codec: StftVae
    text: TextEncoder
    video: WeftVideo
    rate: int = 44100
    channels: int = 2
    seconds: float = OWN_WINDOW_S
    peak: float | None = None

    @classmethod
    def load(cls) -> OwnExtractor:
        """The embedded weights. Raises WeightsError."""
        return cls(codec=StftVae.load(), text=TextEncoder.load(), video=WeftVideo.load())

    @property
    def frames(self) -> int:
        """Latent frames of a window: whole ones that it holds."""
        return int(self.seconds * self.codec.latent_rate)

    @property
    def samples(self) -> int:
        return self.frames * self.codec.hop

    @property
    def made_of(self) -> dict[str, Any]:
        steps = round(self.seconds * FPS)
        window = self.video.net.config.window
        return {
            "kind": "own",
            "codec": weights.sha256("weft-codec"),
            "text": weights.sha256("weft-text"),
            "video": weights.sha256("weft-encoders"),
            "seconds": self.seconds,
            "rate": self.rate,
            "shapes": {
                "mean": [self.frames, self.codec.config.latent],
                "clip": [(steps - window) // OWN_HOP + 1, self.video.d],
                "sync": [steps, self.video.net.config.width],
                "text": [OWN_WORDS, self.text.dim],
            },
        }

    @torch.inference_mode()
    def sound(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.codec.posterior(wave[None, :, : self.samples])
        return mean[0], (0.5 * log_variance[0]).exp()

    def words(self, text: str) -> Tensor:
        return self.text.tokens([text], OWN_WORDS)[0][0]

    def pictures(self, path: Path, start: float) -> tuple[Tensor, Tensor]:
        frames = Video.open(path, start, self.seconds).frames(FPS, SIZE)
        short = round(self.seconds * FPS) - len(frames)
        return self.seen(np.concatenate([frames, np.repeat(frames[-1:], max(0, short), 0)]))

    @torch.inference_mode()
    def seen(self, frames: np.ndarray) -> tuple[Tensor, Tensor]:
        """Tokens of frames uint8 `[S, 72, 96, 3]` at 12.5 fps."""
        net = self.video.net
        steps = self.video.features(frames)
        return net.embeddings(steps, OWN_HOP)[0] * self.video.d**0.5, net.head.norm(steps)[0].T


@dataclass(kw_only=True, eq=False)
class PublishedExtractor:
    """The codec, CLIP and Synchformer of MMAudio, from the user's own copies: windows of 8 s, mono.

    Sound is 128,000 samples at 16 kHz, or 353,280 at 44.1 kHz, which is 10.9 ms over 8 s (a whole latent frame).
    """

    codec: Any
    clip: Any
    sync: Any
    variant: str
    rate: int
    channels: int = 1
    seconds: float = 8.0
    peak: float | None = 0.95

    @classmethod
    def load(cls, variant: str, device: str = "cpu") -> PublishedExtractor:
        """Of variant "16k" or "44k". Raises WeightsError for a file that is not there, MissingExtra without
        transformers, ValueError for another variant."""
        from weft.codecs.mel_codec import MelCodec
        from weft.encoders.dfn_clip import DfnClip
        from weft.encoders.synchformer import load_visual

        codec = MelCodec.load(variant).to(device)  # type: ignore[arg-type]
        clip = DfnClip.load()
        clip.net.to(device)  # type: ignore[arg-type]
        return cls(codec=codec, clip=clip, sync=load_visual().to(device), variant=variant, rate=codec.rate)

    @property
    def samples(self) -> int:
        """Of a window: whole latent frames that cover it."""
        return math.ceil(self.seconds * self.rate / self.codec.hop) * self.codec.hop

    @property
    def made_of(self) -> dict[str, Any]:
        from weft.codecs.mel_codec import FILES
        from weft.encoders import synchformer
        from weft.weights import published

        return {
            "kind": f"mmaudio-{self.variant}",
            "codec": published.sha256(published.path_of(FILES[self.variant].vae)),  # type: ignore[index]
            "clip": self.clip.sha256,
            "sync": published.sha256(published.path_of(synchformer.PUBLISHED)),
            "seconds": self.seconds,
            "rate": self.rate,
            "shapes": self._shapes,
        }

    @property
    def _shapes(self) -> dict[str, list[int]]:
        from weft.generators.mmaudio import VARIANTS

        variant = VARIANTS[f"small_{self.variant}"]
        lengths, config = variant.lengths(self.seconds, compat=True), variant.config
        return {
            "mean": [lengths.latent, config.latent_dim],
            "clip": [lengths.clip, config.clip_dim],
            "sync": [lengths.sync, config.sync_dim],
            "text": [config.text_length, config.text_dim],
        }

    @torch.inference_mode()
    def sound(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        device = next(self.codec.parameters()).device
        found = self.codec.posterior(wave[None, :, : self.samples].to(device))
        deviation = (0.5 * found.log_variance[0].float()).exp()
        return found.mean[0].float().T.cpu(), deviation.T.cpu()

    def words(self, text: str) -> Tensor:
        return self.clip.encode_text([text])[0]

    def pictures(self, path: Path, start: float) -> tuple[Tensor, Tensor]:
        from weft.encoders.mmaudio_pictures import read_pictures

        read = read_pictures(Video.open(path, start, self.seconds), exact=True)
        return self.clip.embed_video(read.clip), self.sync.encode(read.sync).flatten(0, 1)


KINDS = ("own", "mmaudio-16k", "mmaudio-44k")


def extractor(kind: str, device: str = "cpu") -> Extractor:
    """The extractor of a kind: one of KINDS. Raises UserError for another, and what loading raises."""
    from weft.errors import UserError

    if kind == "own":
        return OwnExtractor.load()
    if kind not in KINDS:
        raise UserError(f"unknown encoders {kind!r}: use {', '.join(KINDS)}")
    return PublishedExtractor.load(kind.removeprefix("mmaudio-"), device)
