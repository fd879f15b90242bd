"""The picture as tokens, for a generator that is to sound like what it sees."""

from __future__ import annotations

import numpy as np

from weft.media.video import Video
from weft.spotting.network import PICTURE_RATE
from weft.spotting.observe import Observation, observe
from weft.spotting.reader import embedded

TOKEN_RATE = 1.0  # tokens per second
WIDTH = 128  # D


def picture_tokens(video: Video, seen: Observation | None = None) -> np.ndarray:
    """Return appearance tokens float32 `[L, 128]`, one per second, L = ceil(duration) (at least 1).

    They are the layer before the material head, averaged over each second. An observation of the same clip saves
    decoding it again. Raises MediaError, or WeightsError when the network's weights are missing.
    """
    embedded()
    tokens = (seen or observe(video)).tokens
    if tokens is None:
        tokens = observe(video).tokens
    assert tokens is not None, "the embedded network has just been loaded"
    per = round(PICTURE_RATE / TOKEN_RATE)
    padded = np.pad(tokens, ((0, -len(tokens) % per), (0, 0)), mode="edge")
    return padded.reshape(-1, per, tokens.shape[1]).mean(1).astype(np.float32)
