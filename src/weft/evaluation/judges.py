"""Networks that look at sound and picture together, and the pair of networks that FAVD sets side by side.

What can be measured of a sound or a picture alone is, and is kept like any feature; the last step, which needs both,
is short and done in scoring. None of them fails a clip that is too short: it gives no rows, and the metric no number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from weft.encoders.i3d import I3D, I3DFlow
    from weft.encoders.synchformer import Synchformer
    from weft.encoders.vggish import Vggish

Rows = NDArray[np.floating]
_SEEN, _HEARD = 8, 6  # vectors of a segment of 0.64 s
_AT_ONCE = 24  # pairs of frames whose flow is computed together, to bound the memory


class SyncJudge:
    """Synchformer by halves: rows of either branch, and the offset that its transformer reads off both."""

    name = "synchformer"

    def __init__(self, net: Synchformer) -> None:
        self.net = net
        self.windows, self.rate, self.fps, self.size = net.windows, net.rate, net.fps, net.size
        self.sha256, self.d = net.sha256, net.d

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound `[B, N]` at `rate` Hz into vectors `[B, 6 S, D]` of S segments; none under 0.64 s."""
        import torch

        try:
            return self.net.embed(wave, rate)
        except ValueError:
            if wave.shape[1] >= 0.65 * rate:
                raise
            return torch.zeros(len(wave), 0, self.d)

    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 25 fps into vectors `[8 S, D]`; none under 16 frames."""
        import torch

        return self.net.embed_video(frames) if len(frames) >= 16 else torch.zeros(0, self.d)

    def offsets(self, seen: Rows, heard: Rows) -> Rows | None:
        """Return logits `[2, 21]` of the first and of the last 14 segments that both have; None with fewer."""
        import torch

        from weft.metrics import desync

        shared = min(len(seen) // _SEEN, len(heard) // _HEARD)
        if shared < desync.SEGMENTS:
            return None
        parts = desync.windows(shared)
        sides = []
        for rows, each in ((seen, _SEEN), (heard, _HEARD)):
            segments = torch.from_numpy(np.asarray(rows, np.float32)).unflatten(0, (-1, each))
            sides.append(torch.stack([segments[part] for part in parts]))
        with torch.inference_mode():
            return np.asarray(self.net.net.compare(sides[0], sides[1]))


class VggishI3d:
    """FAVD's two networks: VGGish of the sound, I3D of the picture and its flow, added; 1152 dimensions in all.

    The flow is pyramidal Lucas-Kanade's here, PWC-Net's in the published toolkit: values of the two do not compare.
    """

    name = "vggish-i3d"
    windows = (
        "0.96 s side by side: of the sound an unfinished one left out; 24 pictures at 25 fps, the next one "
        "must exist"
    )
    fps, size = 25.0, (256, 256)

    def __init__(self, sound: Vggish, rgb: I3D, flow: I3DFlow, *, sha256: str) -> None:
        self.sound, self.rgb, self.flow, self.sha256 = sound, rgb, flow, sha256
        self.rate, self.d = sound.rate, sound.d + rgb.d

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound `[B, N]` at `rate` Hz into `[B, T, 128]`, before the last ReLU."""
        return self.sound.embed(wave, rate)

    def quantised(self, wave: Tensor, rate: int) -> Tensor:
        """The same whitened and in 8 bits: whole numbers of 0 to 255."""
        return self.sound.quantised(wave, rate)

    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 25 fps, shorter side 256, into `[(T - 1) // 24, 1024]`; none under
        25 frames."""
        import torch

        from weft.spotting.flow import lucas_kanade

        if len(frames) < 25:
            return torch.zeros(0, self.rgb.d)
        grey = torch.from_numpy(frames).float().mean(-1)
        pairs = len(grey) - 1
        flow = [
            lucas_kanade(grey[k : min(k + _AT_ONCE, pairs)], grey[k + 1 : min(k + _AT_ONCE, pairs) + 1])
            for k in range(0, pairs, _AT_ONCE)
        ]
        return self.rgb.embed_video(frames) + self.flow.embed_flow(torch.cat(flow))
