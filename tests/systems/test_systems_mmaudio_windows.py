"""Windows over long clips: every frame decided once, and no seams in what is heard."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from mmaudio_tiny import TINY_16K, TINY_44K
from torch import Tensor

from weft.codecs.mel_codec import MelCodec
from weft.systems.mmaudio_parts import Parts
from weft.systems.mmaudio_windows import BLEND, Window, sounded, windows

BOTH = pytest.mark.parametrize("parts", [TINY_16K, TINY_44K], ids=["16k", "44k"])


@BOTH
@pytest.mark.parametrize("frames", [1, 100, 345, 346, 347, 500, 690, 1000, 12345])
def test_windows_decide_every_frame_once_and_the_last_is_whole(parts: Parts, frames: int) -> None:
    size, rate = parts.flow.lengths(8.0).latent, parts.flow.rate_hz / parts.flow.hop
    found, at = windows(frames, size, rate), 0
    for window in found:
        assert window.fresh == at
        assert 0 <= window.start <= window.fresh < window.keep <= window.end <= frames
        assert window.end - window.start == min(size, frames)
        at = window.keep
    assert at == frames
    for before, after in pairwise(found):
        assert before.start < after.start
        assert after.fresh - after.start >= BLEND, "enough is known to blend over"
        assert after.start < before.keep <= before.end, "what is known was made by the window before"


def _codec(parts: Parts) -> MelCodec:
    torch.manual_seed(1)
    return MelCodec(parts.codec, encoder=False).eval().requires_grad_(False)


@BOTH
def test_one_window_sounds_as_the_codec_does(parts: Parts) -> None:
    codec = _codec(parts)
    latent = torch.randn(1, 300, parts.codec.vae.latent)
    window = Window(start=0, fresh=0, end=300, keep=300)
    assert torch.equal(torch.cat(list(sounded(codec, [(window, latent)])), -1), codec.decode(latent))


@BOTH
def test_windows_of_one_latent_join_without_a_seam(parts: Parts) -> None:
    """The autoencoder sees a whole window, so windows differ a little where they meet; no more than inside them."""
    codec, frames = _codec(parts), 900
    latent = torch.randn(1, frames, parts.codec.vae.latent)
    size, rate = parts.flow.lengths(8.0).latent, parts.flow.rate_hz / parts.flow.hop
    plan = windows(frames, size, rate)
    pieces: list[tuple[Window, Tensor]] = [(w, latent[:, w.start : w.end]) for w in plan]
    blocks = list(sounded(codec, pieces))
    wave, whole = torch.cat(blocks, -1)[0, 0].numpy(), codec.decode(latent)[0, 0].numpy()
    assert len(blocks) > 3
    assert wave.shape == whole.shape == (frames * codec.hop,)
    error = np.abs(wave - whole) / np.sqrt(np.square(whole).mean())
    assert np.median(error) < 0.05
    steps = np.abs(np.diff(wave))
    for window in plan[1:]:
        at = window.fresh * codec.hop
        assert steps[at - 200 : at + 200].max() < 1.5 * np.quantile(steps, 0.9999)
