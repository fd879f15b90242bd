"""I3D of Kinetics-400, pictures and flow: the picture half of FAVD and PEAVS.

Carreira and Zisserman 2017, as the avgen evaluation toolkit runs it: 25 fps, shorter side 256, middle 224, stacks of 24
frames (0.96 s) one after the other; a stack counts only when one frame more follows it, because flow needs it. FAVD
adds the vectors of both streams. The toolkit's flow comes from PWC-Net, which is not here: bring flow of your own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from weft.encoders.i3d_net import I3DConfig, I3DNet
from weft.encoders.loading import filled
from weft.encoders.pictures import centre_crop, channels_first, shorter_side
from weft.weights import published
from weft.weights.published import Published

_WHERE = (
    "https://github.com/amazon-science/avgen-eval-toolkit/raw/main/"
    "PEAVS/av_features_extraction/models/i3d/checkpoints/"
)
_LICENCE = "MIT, ported from DeepMind's of Apache-2.0"
RGB = Published(
    file="i3d_rgb.pt",
    url=f"{_WHERE}i3d_rgb.pt",
    licence=_LICENCE,
    git="2a7c22e23e6c74f50a0166ce61110bccd2ab48bb",
)
FLOW = Published(
    file="i3d_flow.pt",
    url=f"{_WHERE}i3d_flow.pt",
    licence=_LICENCE,
    git="5d552d2206f41089c428b0d9d8de3b1fccc85b5a",
)
STACK = 24
_SIDE, _CROP = 256, 224
_FLOW_LIMIT = 20.0  # pixels a frame


class I3D:
    """The stream that sees pictures. Frames may have any size of 25 fps."""

    name = "i3d-rgb"
    windows = "0.96 s, one after the other: 24 frames at 25 fps, the next one must exist"
    fps, size = 25.0, (_CROP, _CROP)

    def __init__(self, net: I3DNet, sha256: str) -> None:
        self.net, self.sha256, self.d = net.eval(), sha256, net.config.width

    @classmethod
    def load(cls) -> I3D:
        """Return the user's copy of the published weights. Raises WeightsError when it is not there or does not fit."""
        return cls(_filled(I3DConfig(), RGB), published.sha256(published.path_of(RGB)))

    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 25 fps into vectors float32 `[(T - 1) // 24, 1024]`.

        Raises ValueError below 25 frames.
        """
        return self._each(frames, self.net.features)

    def logits_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames as for `embed_video` into logits of the 400 actions `[(T - 1) // 24, 400]`."""
        return self._each(frames, self.net.logits)

    @torch.inference_mode()
    def _each(self, frames: np.ndarray, run: Callable[[Tensor], Tensor]) -> Tensor:
        pictures = channels_first(frames)
        stacks = [
            centre_crop(shorter_side(pictures[s], _SIDE, "bilinear"), _CROP, floor=True)
            for s in _stacks(len(frames))
        ]
        return torch.cat([run(_to_one(stack, self.net)).cpu() for stack in stacks])


class I3DFlow:
    """The stream that sees optical flow of 25 fps, measured in pixels a frame where the shorter side has 256."""

    name = "i3d-flow"
    windows, fps = I3D.windows, I3D.fps

    def __init__(self, net: I3DNet, sha256: str) -> None:
        self.net, self.sha256, self.d = net.eval(), sha256, net.config.width

    @classmethod
    def load(cls) -> I3DFlow:
        """Return the user's copy of the published weights. Raises WeightsError when it is not there or does not fit."""
        return cls(_filled(I3DConfig(channels=2), FLOW), published.sha256(published.path_of(FLOW)))

    @torch.inference_mode()
    def embed_flow(self, flow: Tensor) -> Tensor:
        """Turn flow float `[T - 1, 2, H, W]` between T frames (x, y; sides of 224 or more) into vectors
        `[(T - 1) // 24, 1024]`. Raises ValueError below 24 fields."""
        if flow.dim() != 4 or flow.shape[1] != 2:
            raise ValueError(f"flow must be [T - 1, 2, H, W], not {list(flow.shape)}")
        stacks = [flow_levels(flow[s]) for s in _stacks(len(flow) + 1)]
        return torch.cat([self.net.features(_to_one(stack, self.net)).cpu() for stack in stacks])


def flow_levels(flow: Tensor) -> Tensor:
    """Return the middle 224 of flow `[T, 2, H, W]` as levels of 0..256, 20 pixels a frame and more at the ends.

    128 + 255 / 40 x flow, rounded; so +20 becomes 256 and not 255, as in the toolkit.
    """
    middle = centre_crop(flow, _CROP, floor=True).clamp(-_FLOW_LIMIT, _FLOW_LIMIT)
    return (128 + 255 / (2 * _FLOW_LIMIT) * middle).round()


def _to_one(levels: Tensor, net: I3DNet) -> Tensor:
    """Levels `[T, C, H, W]` of 0..255 as a stack `[1, C, T, H, W]` of -1..1, where the net's weights lie."""
    return (2 * levels.float() / 255 - 1).transpose(0, 1)[None].to(net.conv3d_1a_7x7.conv3d.weight.device)


def _stacks(frames: int) -> list[slice]:
    if frames <= STACK:
        raise ValueError(f"I3D needs at least {STACK + 1} frames at 25 fps, not {frames}")
    return [slice(start, start + STACK) for start in range(0, frames - STACK, STACK)]


def _filled(config: I3DConfig, given: Published) -> I3DNet:
    tensors = published.load(given)
    # Files older than PyTorch 0.4.1 do not count their batches; nothing reads the count.
    counts = {
        k.replace("running_var", "num_batches_tracked"): torch.tensor(0)
        for k in tensors
        if "running_var" in k
    }
    return filled(lambda: I3DNet(config), counts | tensors, given)
