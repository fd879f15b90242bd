"""MMAudio under a guide: each window of all takes held to its own seconds of picture and words.

The network's velocity gives the data estimate; it is brought to the codec's units, decoded and heard, and nothing runs
back through the network. Takes of a batch are pushed each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from weft.codecs.mel_codec import MelCodec
from weft.codecs.mel_layout import of_front
from weft.diffusion.steering import Steer
from weft.generators.mmdit import MMDiT
from weft.systems.hearing import Listening, Voice
from weft.systems.mmaudio_windows import Window
from weft.systems.performer import Request


class Held:
    """The guide of requests that are played together."""

    def __init__(self, requests: Sequence[Request], net: MMDiT, codec: MelCodec, rate: float) -> None:
        """rate: latent frames a second."""
        self.guide, self.duration, self.rate = requests[0].guide, requests[0].duration, rate
        self.logs = [request.log for request in requests]
        self.heard: dict[int, Listening] = {}
        self.voice = Voice(
            decode=lambda z: codec.decode_lean(net.unnormalised(z)),
            rate=codec.rate,
            latent_rate=rate,
            decode_mel=lambda z: codec.decode_mel(net.unnormalised(z)),
            layout=of_front(codec.config.front),
        )

    def steer(self, window: Window) -> Steer:
        """What pushes a window between steps."""
        return self._of(window).steer(self.logs, len(self.heard) - 1)

    def finish(self, window: Window, latent: Tensor) -> None:
        """Note what came out of a window, [N, T, C] in the network's units."""
        self._of(window).finish(latent, self.logs, len(self.heard) - 1)

    def _of(self, window: Window) -> Listening:
        assert self.guide is not None
        if window.start not in self.heard:
            seconds = (window.start / self.rate, min(window.end / self.rate, self.duration))
            self.heard[window.start] = Listening(self.guide, self.voice, *seconds)
        return self.heard[window.start]
