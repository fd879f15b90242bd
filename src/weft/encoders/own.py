"""weft's own embedders of sound, pictures and words, in one space: what `weft eval` uses where nothing else is at hand.

Trained together in the world (recipes/train_encoders.py), they share no weights with a generator, a codec or the
spotter. They judge; what guides a take (weft-guide, `weft generate --guide`) are networks of the same kind, learnt in
another run. All vectors have norm 1, D = 128. Sound and pictures are cut into the same windows, so rows of the two can
be compared: their cosine falls when the sound is of another thing, and when it is late. Compare
`weft.encoders.steps.summary` of either with a text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft import weights
from weft.codecs.mel_layout import MelLayout
from weft.cues.vocabulary import MATERIALS
from weft.encoders.audio_net import STEP_FRAMES, AudioNet, AudioNetConfig
from weft.encoders.eye import CHANGES, FPS, SIZE, cells, looked
from weft.encoders.log_mel import FLOOR_DB, RATE, layout, log_mel
from weft.encoders.log_mel import HOP as FRAME
from weft.encoders.steps import HOP, STEP_HZ
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNet, TextNetConfig
from weft.encoders.video_net import VideoNet, VideoNetConfig
from weft.errors import WeightsError

NAME = "weft-encoders"
_AT_ONCE = 4000  # log-mel frames through the network together
Net = TypeVar("Net", bound=nn.Module)
_Read = Callable[[Tensor], Tensor]


class WeftAudio:
    """Mono sound to embeddings, and to materials and actions. An `AudioClassifier`."""

    name = "weft-audio"
    rate = RATE
    labels = MATERIALS

    def __init__(self, net: AudioNet, sha256: str, *, hop: int = HOP) -> None:
        """hop: steps of 80 ms from window to window."""
        self.net, self.sha256, self.hop, self.d = net.eval(), sha256, hop, net.config.d
        self.windows = _windows(net.config.window, hop)

    @classmethod
    def load(cls, name: str | Path = NAME, *, hop: int = HOP) -> WeftAudio:
        """Return the encoder in the weights `name`. Raises WeightsError when they are missing or of another kind."""
        return cls(_loaded(name, "audio", AudioNet, AudioNetConfig), weights.sha256(name), hop=hop)

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound float `[B, N]` at `rate` Hz into unit vectors `[B, T, D]`, a window each (see `windows`).

        Raises ValueError for other shapes, no samples, a rate below 1 Hz, NaN or infinity.
        """
        return self._each(wave, rate, lambda steps: self.net.embeddings(steps, self.hop))

    def felt(self, wave: Tensor) -> Tensor:
        """As `embed` at 44.1 kHz, all at once and with gradients from the vectors back to `wave`; finite or not."""
        short = self.net.config.window * STEP_FRAMES * FRAME
        ready = F.pad(wave, (0, max(0, short - wave.shape[1])))
        return self.net.embeddings(self.net.steps(log_mel(ready)), self.hop)

    @property
    def mel(self) -> MelLayout:
        """The layout of what `felt_mel` takes."""
        return layout()

    def felt_mel(self, mel: Tensor) -> Tensor:
        """As `felt`, of what `weft.encoders.log_mel` makes of a sound: dB `[B, F, 64]`."""
        short = self.net.config.window * STEP_FRAMES
        ready = F.pad(mel, (0, 0, 0, max(0, short - mel.shape[1])), value=FLOOR_DB)
        return self.net.embeddings(self.net.steps(ready), self.hop)

    def logits(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound float `[B, N]` at `rate` Hz into logits `[B, 17]` of the material heard, for softmax. It
        learnt from sounds of 4 s. Raises as `embed`."""
        return self._each(wave, rate, lambda steps: self.net.classes(steps)[0])

    def actions(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound float `[B, N]` at `rate` Hz into logits `[B, 5]` over `weft.cues.vocabulary.ACTIONS`."""
        return self._each(wave, rate, lambda steps: self.net.classes(steps)[1])

    @torch.inference_mode()
    def _each(self, wave: Tensor, rate: int, read: _Read) -> Tensor:
        """`read` of the steps of all sounds, a few at a time."""
        ready = _padded(_at_rate(wave, rate), self.net.config.window)
        few = max(1, _AT_ONCE * FRAME // ready.shape[1])
        return torch.cat([read(self.net.steps(log_mel(part))) for part in ready.split(few)])


class WeftVideo:
    """Pictures to embeddings, windows as the audio encoder's. A `VideoEmbedder`."""

    name = "weft-video"
    fps = FPS
    size = SIZE

    def __init__(self, net: VideoNet, sha256: str, *, hop: int = HOP) -> None:
        """hop: pictures from window to window."""
        self.net, self.sha256, self.hop, self.d = net.eval(), sha256, hop, net.config.d
        self.windows = _windows(net.config.window, hop)

    @classmethod
    def load(cls, name: str | Path = NAME, *, hop: int = HOP) -> WeftVideo:
        """Return the encoder in the weights `name`. Raises WeightsError when they are missing or of another kind."""
        return cls(_loaded(name, "video", VideoNet, VideoNetConfig), weights.sha256(name), hop=hop)

    @torch.inference_mode()
    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, 72, 96, 3]`, 12.5 a second, into unit vectors `[T', D]`, a window each.

        Frame k is what is seen at k / 12.5 s. A clip of under 12 frames stands still after its last. Raises ValueError
        for other shapes and types.
        """
        return self.net.embeddings(self.features(frames), self.hop)[0]

    @torch.inference_mode()
    def features(self, frames: np.ndarray) -> Tensor:
        """What `embed_video` gathers in windows, for each of S steps: `[1, width, S]`; frames and errors as there."""
        seen = cells(frames)
        short = self.net.config.window - len(seen)
        if short > 0:
            last = np.repeat(seen[-1:], short, 0)
            last[:, CHANGES:] = 0
            seen = np.concatenate([seen, last])
        at = np.minimum(looked(len(seen)), len(frames) - 1)
        looks = torch.from_numpy(frames[at]).permute(0, 3, 1, 2).float() / 255
        return self.net.steps(torch.from_numpy(seen)[None], looks[None])


class WeftText:
    """Prompts to embeddings. A `TextEmbedder`."""

    name = "weft-words"
    windows = "a prompt's first 32 pieces"

    def __init__(self, net: TextNet, words: TextEncoder, sha256: str) -> None:
        self.net, self.words, self.sha256, self.d = net.eval(), words, sha256, net.config.d

    @classmethod
    def load(cls, name: str | Path = NAME, *, words: str | Path = "weft-text") -> WeftText:
        """Return the encoder in the weights `name` over the word vectors `words`. Raises WeightsError when they are
        missing or of another kind."""
        net = _loaded(name, "text", TextNet, TextNetConfig)
        return cls(net, TextEncoder.load(words), weights.sha256(name))

    @torch.inference_mode()
    def embed_text(self, texts: list[str]) -> Tensor:
        """Turn B prompts into unit vectors `[B, D]`; those without a known word all give one vector."""
        if not texts:
            return torch.zeros(0, self.d)
        return self.net(*self.words.tokens(texts, self.net.config.length))


class WeftEncoders:
    """The three as one embedder, of sound, pictures and words."""

    name = "weft"
    rate, fps, size, labels = WeftAudio.rate, WeftVideo.fps, WeftVideo.size, WeftAudio.labels

    def __init__(self, audio: WeftAudio, video: WeftVideo, text: WeftText) -> None:
        self.audio, self.video, self.text = audio, video, text
        self.sha256, self.windows, self.d = audio.sha256, audio.windows, audio.d
        self.embed, self.logits = audio.embed, audio.logits
        self.embed_video, self.embed_text = video.embed_video, text.embed_text

    @classmethod
    def load(cls, name: str | Path = NAME) -> WeftEncoders:
        """Return the three in the weights `name`. Raises WeightsError when they are missing or of another kind."""
        return cls(WeftAudio.load(name), WeftVideo.load(name), WeftText.load(name))


def _windows(window: int, hop: int) -> str:
    return (
        f"windows of {window / STEP_HZ:.2f} s every {hop / STEP_HZ:.2f} s; a tail that fills none is left out, "
        "a shorter clip is padded to one"
    )


def _loaded(name: str | Path, part: str, net: Callable[[Any], Net], config: Callable[..., Any]) -> Net:
    tensors, metadata = weights.load(name)
    if part not in metadata:
        raise WeightsError(f"{name} has no {part} encoder in it: train one with recipes/train_encoders.py")
    lists = {k: tuple(v) if isinstance(v, list) else v for k, v in metadata[part].items()}
    made = net(config(**lists))
    found = {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
    counters = {k: v for k, v in made.state_dict().items() if k.endswith("num_batches_tracked")}
    weights.check_keys(found.keys() | counters.keys(), set(made.state_dict()), str(name))
    made.load_state_dict(found | counters)
    return made


def _at_rate(wave: Tensor, rate: int) -> Tensor:
    """`wave` `[B, N]` at 44.1 kHz. Raises ValueError for what is no sound."""
    if wave.ndim != 2 or 0 in wave.shape:
        raise ValueError(
            f"wave has shape {tuple(wave.shape)}, but must be [sounds, samples] with some of each"
        )
    if rate < 1:
        raise ValueError(f"rate is {rate} Hz, but must be at least 1 Hz")
    if rate == RATE:
        return wave.float()
    import soxr

    rows = [soxr.resample(row, rate, RATE, quality="VHQ") for row in wave.double().cpu().numpy()]
    return torch.from_numpy(np.stack(rows)).float()


def _padded(wave: Tensor, window: int) -> Tensor:
    return F.pad(wave, (0, max(0, window * STEP_FRAMES * FRAME - wave.shape[1])))
