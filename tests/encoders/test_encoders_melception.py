"""Melception against SpecVQGAN's own code, run by itself outside the project on drawn weights and sounds.

torchvision's Inception3 was its Python file alone. The picture is that of SpecVQGAN's transforms by librosa 0.11; the
network's numbers are of a picture of 120 frames, since 848 take long.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import librosa
import published_parity as parity
import pytest
import torch

from weft.encoders import melception
from weft.encoders.embedder import AudioClassifier
from weft.encoders.melception import Melception, MelceptionNet
from weft.errors import WeightsError

REFERENCE = parity.read("melception")
WAVE = parity.drawn("in.wave", 1, 220500) * 0.1


def test_the_keys_are_the_published_ones() -> None:
    with torch.device("meta"):
        assert parity.keys(MelceptionNet()) == REFERENCE["keys"]


def test_the_picture_is_the_references() -> None:
    found = melception.log_mel(WAVE)
    assert found.shape == (1, 80, 848)
    parity.assert_same(found, REFERENCE["outputs"]["log_mel"])


@pytest.mark.parametrize(("hz", "band", "without_limits"), [(1000, 24, 23), (6000, 73, 66), (7500, 79, 71)])
def test_bands_lie_between_125_and_7600_hz(hz: int, band: int, without_limits: int) -> None:
    """Diff-Foley's converter to Melception's picture left the limits out: a band meant another pitch."""
    for fmin, fmax, wanted in ((125, 7600, band), (0, 11025, without_limits)):
        centres = librosa.mel_frequencies(82, fmin=fmin, fmax=fmax)[1:-1]
        assert abs(centres - hz).argmin() == wanted
    tone = 0.5 * torch.sin(2 * torch.pi * hz * torch.arange(220500) / 22050)[None]
    assert int(melception.log_mel(tone)[0, :, 400].argmax()) == band


def test_nothing_is_heard_beyond_7600_hz() -> None:
    beyond = 0.5 * torch.sin(2 * torch.pi * 9000 * torch.arange(220500) / 22050)[None]
    within = 0.5 * torch.sin(2 * torch.pi * 7000 * torch.arange(220500) / 22050)[None]
    loudest = [float(melception.log_mel(tone)[0, :, 400].max()) for tone in (beyond, within)]
    assert loudest[0] < 1 < 4 < loudest[1]


def test_the_network_is_the_references() -> None:
    net = parity.fill(MelceptionNet())
    with torch.inference_mode():
        embedding, logits = net(parity.drawn("in.mel", 1, 80, 120))
    parity.assert_same(embedding, REFERENCE["outputs"]["embedding"])
    parity.assert_same(logits, REFERENCE["outputs"]["logits"])
    parity.assert_same(logits - net.fc.bias, REFERENCE["outputs"]["bare"])


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no melception-21-05-10T09-28-40.pt in .*specvqgan_public.*MIT"):
        Melception.load()


@pytest.mark.slow
def test_it_is_loaded_and_its_windows_are_ten_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(melception.FILE)
    net = MelceptionNet().eval()
    torch.save({"model": net.state_dict(), "epoch": 3}, tmp_path / melception.FILE.file)
    loaded = Melception.load()
    assert isinstance(loaded, AudioClassifier)
    assert (len(loaded.labels), loaded.labels[0], loaded.labels[-1]) == (
        309,
        "air conditioning noise",
        "zebra braying",
    )
    with torch.inference_mode():
        padded = melception.log_mel(torch.cat([WAVE[:, :50000], torch.zeros(1, 170500)], 1))
        embedding, logits = net(padded)
    assert torch.equal(loaded.embed(WAVE[:, :50000], 22050)[:, 0], embedding)
    torch.testing.assert_close(loaded.bare_logits(WAVE[:, :50000], 22050), logits - net.fc.bias)
