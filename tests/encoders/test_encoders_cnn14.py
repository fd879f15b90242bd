"""Cnn14 against PANNs' own code, run by itself outside the project on the same drawn weights and sounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import published_parity as parity
import pytest
import torch

from weft.encoders.cnn14 import VARIANTS, Cnn14, Cnn14Net
from weft.encoders.embedder import AudioClassifier
from weft.encoders.logmel_layer import LogMelFilters, PowerSpectrum
from weft.errors import WeightsError


def net(name: str) -> Cnn14Net:
    filled = parity.fill(Cnn14Net(VARIANTS[name]))
    assert isinstance(filled, Cnn14Net)
    return filled


@pytest.mark.parametrize("name", list(VARIANTS))
def test_the_keys_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        assert parity.keys(Cnn14Net(VARIANTS[name])) == parity.read(name)["keys"]


@pytest.mark.parametrize("name", ["cnn14-16k", pytest.param("cnn14-32k", marks=pytest.mark.slow)])
def test_it_is_panns(name: str) -> None:
    wanted, config = parity.read(name), VARIANTS[name]
    embedder = Cnn14(net(name), config, name=name)
    wave = parity.drawn("in.wave", 2, config.rate) * 0.1
    mel = embedder.net.logmel_extractor(embedder.net.spectrogram_extractor(wave))
    parity.assert_same(mel, wanted["outputs"]["log_mel"])
    parity.assert_same(embedder.embed(wave, config.rate)[:, 0], wanted["outputs"]["embedding"])
    parity.assert_same(embedder.logits(wave, config.rate), wanted["outputs"]["logits"])


def test_silence_is_at_minus_100_decibels() -> None:
    config = VARIANTS["cnn14-16k"]
    power = PowerSpectrum(config.n_fft, config.hop)(torch.zeros(1, 1600))
    mel = LogMelFilters(rate=16000, n_fft=config.n_fft, n_mels=64, fmin=50, fmax=8000)(power)
    torch.testing.assert_close(mel, torch.full((1, 11, 64), -100.0))


def test_a_missing_file_and_another_variant_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(
        WeightsError, match=r"no Cnn14_16k_mAP=0.438.pth in .*zenodo.org/record/3987831.*CC-BY-4.0"
    ):
        Cnn14.load("cnn14-16k")
    with pytest.raises(ValueError, match=r"no Cnn14 'cnn14-8k': choose cnn14-16k or cnn14-32k"):
        Cnn14.load("cnn14-8k")


@pytest.mark.slow
def test_it_is_loaded_from_the_published_file_with_the_sampler_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(VARIANTS["cnn14-16k"].file)
    mine = net("cnn14-16k")
    held = {"iteration": 1, "model": mine.state_dict(), "sampler": {"indexes": np.arange(4)}}
    torch.save(held, tmp_path / "Cnn14_16k_mAP=0.438.pth")
    loaded = Cnn14.load("cnn14-16k")
    assert isinstance(loaded, AudioClassifier)
    assert (len(loaded.labels), loaded.labels[0], loaded.labels[-1]) == (527, "Speech", "Field recording")
    wave = parity.drawn("in.wave", 1, 500)
    padded = torch.cat([wave, torch.zeros(1, 31 * 160 - 500)], 1)
    assert torch.equal(loaded.logits(wave, 16000), mine(padded)[1])
    assert loaded.embed(wave, 16000).shape == (1, 1, 2048)
