"""PaSST against hear21passt's own code, run by itself outside the project on drawn weights and sounds.

Its front end takes torchaudio's Kaldi filters; their Python file was run as it is. The numbers are of a small PaSST,
the same class with fewer and narrower blocks; of the published size every key and shape is held.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import published_parity as parity
import pytest
import torch

from weft.encoders import passt
from weft.encoders.embedder import AudioClassifier
from weft.encoders.passt import Passt, PasstConfig, PasstNet
from weft.errors import WeightsError
from weft.evaluation.embedders import EMBEDDERS

WANTED = parity.read("passt-small")["outputs"]
SMALL = PasstConfig(width=48, depth=2, heads=3)


@pytest.fixture(scope="module")
def net() -> PasstNet:
    filled = parity.fill(PasstNet(SMALL))
    assert isinstance(filled, PasstNet)
    return filled


def sound(samples: int) -> torch.Tensor:
    return parity.drawn("in.wave", 1, samples) * 0.1


def test_the_keys_are_the_published_ones() -> None:
    with torch.device("meta"):
        assert parity.keys(PasstNet(PasstConfig())) == parity.read("passt")["keys"]


def test_the_picture_is_the_references() -> None:
    parity.assert_same(passt.log_mel(sound(41600)), WANTED["log_mel 1.3 s"])


@pytest.mark.parametrize(("name", "samples"), [("1.3 s", 41600), ("10 s", 320000)])
def test_it_is_hear21passt(net: PasstNet, name: str, samples: int) -> None:
    embedder = Passt(net)
    parity.assert_same(embedder.embed(sound(samples), 32000)[:, 0], WANTED[f"embedding {name}"])
    parity.assert_same(embedder.logits(sound(samples), 32000), WANTED[f"logits {name}"])


def test_av_benchmark_takes_ten_seconds_with_silence_after_a_shorter_sound(net: PasstNet) -> None:
    embedder = Passt(net, compat="av-benchmark")
    parity.assert_same(embedder.embed(sound(41600), 32000)[:, 0], WANTED["av-benchmark"])
    long = torch.cat([sound(320000), torch.ones(1, 9999)], 1)
    assert torch.equal(embedder.embed(long, 32000), embedder.embed(long[:, :320000], 32000))


def test_a_longer_sound_has_more_windows_and_the_logits_are_their_mean(net: PasstNet) -> None:
    long = sound(480000)
    embedder = Passt(net)
    assert embedder.embed(long, 32000).shape == (1, 2, 48)
    halves = torch.stack([embedder.logits(part, 32000) for part in (long[:, :320000], long[:, -320000:])])
    torch.testing.assert_close(embedder.logits(long, 32000), halves.mean(0), atol=1e-5, rtol=1e-5)
    assert embedder.embed(sound(100), 32000).shape == (1, 1, 48)


def test_it_is_loaded_from_the_published_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None], net: PasstNet
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(passt.FILE)
    with pytest.raises(WeightsError, match=r"no passt-s-f128-p16-s10-ap.476-swa.pt in .*PaSST.*Apache-2.0"):
        Passt.load()
    torch.save(net.state_dict(), tmp_path / passt.FILE.file)
    with pytest.raises(WeightsError, match=r"does not fit: 120 keys missing \['blocks.10.attn"):
        Passt.load()


@pytest.mark.slow
def test_the_published_size_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(passt.FILE)
    torch.save(parity.state(PasstNet(PasstConfig())), tmp_path / passt.FILE.file)
    loaded = Passt.load()
    assert isinstance(loaded, AudioClassifier)
    assert (len(loaded.sha256), len(loaded.labels)) == (64, 527)
    assert loaded.embed(sound(32000), 32000).shape == (1, 1, 768)
    assert EMBEDDERS["passt-s"].load().windows == loaded.windows
    row = EMBEDDERS["passt-s-av-benchmark"]
    assert row.load().windows == row.windows != loaded.windows
