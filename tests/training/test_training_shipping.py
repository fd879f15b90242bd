"""Encoders that are shipped are the trained ones, to half precision, and read by `weft.encoders.own`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from weft import weights
from weft.encoders.audio_net import AudioNetConfig
from weft.encoders.own import WeftEncoders
from weft.encoders.steps import summary
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNetConfig
from weft.encoders.video_net import VideoNetConfig
from weft.training.gram import Miniature, MiniatureConfig
from weft.training.shipping import ship


@pytest.fixture
def module() -> Miniature:
    torch.manual_seed(3)
    config = MiniatureConfig(
        audio=AudioNetConfig(channels=(4, 8, 8, 8), width=16, d=24),
        video=VideoNetConfig(channels=(8, 8), width=16, depth=1, d=24),
        text=TextNetConfig(width=16, d=24),
    )
    return Miniature(config).eval()


def test_what_is_read_again_says_the_same(module: Miniature, tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    ship(module, out, seed=3)
    read = WeftEncoders.load(out)
    draw = torch.Generator().manual_seed(0)
    mel, wave = torch.randn(1, 200, 64, generator=draw), 0.1 * torch.randn(1, 3 * 44100, generator=draw)
    with torch.no_grad():
        heard = summary(read.audio.net.embeddings(read.audio.net.steps(mel), 1))
        torch.testing.assert_close(heard, module.hear(mel), atol=5e-3, rtol=0)
    assert read.embed(wave, 44100).shape[-1] == 24

    words = ["a stick hits wood", "gravel"]
    with torch.no_grad():
        wanted = module.read(*TextEncoder.load().tokens(words, module.config.text.length))
    torch.testing.assert_close(read.embed_text(words), wanted, atol=5e-3, rtol=0)


def test_notes_and_the_words_it_reads_are_written_and_the_loss_is_left(
    module: Miniature, tmp_path: Path
) -> None:
    out = tmp_path / "small.safetensors"
    ship(module, out, seed=3, steps=20)
    tensors, told = weights.load(out)
    assert (told["seed"], told["steps"], told["words"]) == (3, 20, weights.sha256("weft-text"))
    assert told["audio"]["width"] == 16
    assert not [key for key in tensors if key.split(".")[0] not in ("audio", "video", "text")]
    assert all(torch.equal(value, value.half().to(value.dtype)) for value in tensors.values())
