"""ImageBind-huge: pictures, sound and text in one space, for the IB-score of av-benchmark.

Girdhar et al. 2023. The weights are CC-BY-NC-SA 4.0: a user's own copy, never ours. Vectors of the three kinds are
compared by their cosine; sound comes out 20 long and text as long as its learnt temperature, pictures 1 (before means).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from weft.encoders.byte_pairs import BytePairs
from weft.encoders.imagebind_net import HUGE, ImageBindNet
from weft.encoders.kaldi import fbank
from weft.encoders.loading import filled
from weft.encoders.pictures import channels_first, normalised, shorter_side, three_crops
from weft.encoders.windows import at_rate
from weft.weights import published
from weft.weights.published import Published

PUBLISHED = Published(
    file="imagebind_huge.pth",
    url="https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth",
    licence="CC-BY-NC-SA 4.0",
    sha256="d6f6c22bedcc90708448d5d2fbb7b2db9c73f505dc89bd0b2e09b23af1b62157",
)
_KINDS = ("vision", "audio", "text")
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's
_SOUND_MEAN, _SOUND_STD = -4.268, 9.138  # of AudioSet's filter banks
_CLIP_S, _CLIPS = 2, 3


class ImageBind:
    """The published model on sound, pictures and text. Frames may have any size; three squares along them are seen."""

    name = "imagebind-huge"
    windows = (
        "pictures: pairs of frames 2 s apart, three squares each; sound: three clips of 2 s, evenly spread"
    )
    rate, fps, size = 16000, 0.5, (224, 224)

    def __init__(self, net: ImageBindNet, sha256: str, tokenizer: BytePairs | None = None) -> None:
        self.net, self.sha256, self.d = net.eval(), sha256, net.config.out
        if tokenizer is not None:
            self.tokenizer = tokenizer

    @classmethod
    def load(cls) -> ImageBind:
        """Return the user's copy of the published weights. Raises WeightsError when it is not there or does not fit.

        Depth, heat and motion, which the file also holds, are left out.
        """
        tensors = {k: v for k, v in published.load(PUBLISHED).items() if k.split(".")[1] in _KINDS}
        net = filled(lambda: ImageBindNet(HUGE), tensors, PUBLISHED)
        return cls(net, published.sha256(published.path_of(PUBLISHED)))

    @cached_property
    def tokenizer(self) -> BytePairs:
        """CLIP's table of byte pairs, the user's copy. Raises WeightsError when it is not there."""
        return BytePairs.load()

    @torch.inference_mode()
    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 0.5 fps into vectors float32 `[max(T - 1, 1), D]`, one a pair of frames.

        Each is the mean over the three squares; a single frame is paired with itself. Their mean is av-benchmark's
        vector of the clip.
        """
        crops = self.pictures(frames)
        pairs = torch.stack([crops[:, i : i + 2] for i in range(max(crops.shape[1] - 1, 1))])
        return torch.stack([self._run("vision", pair.transpose(1, 2)).mean(0) for pair in pairs])

    def pictures(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` into squares `[3, T, 3, 224, 224]` with CLIP's mean and deviation."""
        side = self.size[0]
        return three_crops(normalised(shorter_side(channels_first(frames), side), _MEAN, _STD), side)

    @torch.inference_mode()
    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound `[B, N]` at `rate` Hz into vectors float32 `[B, 3, D]`, one each 2 s.

        The clips start at 0, half way and 2 s before the end; a sound under 2 s is heard whole three times. The mean
        of the three is av-benchmark's vector. Raises ValueError below 25 ms.
        """
        heard = at_rate(wave, rate, self.rate)
        return torch.stack([self._run("audio", self.clips(one)) for one in heard])

    def clips(self, wave: Tensor) -> Tensor:
        """Turn mono sound `[N]` at 16 kHz into three normalised filter banks `[3, 1, 128, 204]`, zeros before
        normalising where 2 s give only 198 columns.

        The reference takes the mean off each clip first; every window then loses its own, so that changes nothing.
        """
        config = self.net.config.audio
        length = _CLIP_S * self.rate
        spare = max(len(wave) - length, 0)
        banks = torch.zeros(_CLIPS, 1, *config.grid)
        for i, bank in enumerate(banks):
            start = spare * i // (_CLIPS - 1)  # the reference floors seconds, and may start a sample earlier
            clip = wave[start : start + length]
            heard = fbank(clip, rate=self.rate, n_mels=config.grid[0], window="hanning")[: config.grid[1]]
            bank[0, :, : len(heard)] = heard.T
        return (banks - _SOUND_MEAN) / _SOUND_STD

    @torch.inference_mode()
    def embed_text(self, texts: list[str]) -> Tensor:
        """Turn B texts into vectors float32 `[B, D]`; what is beyond 77 pieces is not read."""
        length = self.net.config.context
        numbers = [self.tokenizer.numbers(text, length) for text in texts]
        return self._run("text", torch.tensor(numbers, dtype=torch.long).reshape(-1, length))

    def _run(self, kind: str, given: Tensor) -> Tensor:
        return self.net(kind, given.to(self.net.device)).cpu()
