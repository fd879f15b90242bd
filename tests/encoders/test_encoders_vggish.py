"""VGGish against torchvggish, run by itself outside the project on the same drawn weights and sounds."""

from __future__ import annotations

from pathlib import Path

import published_parity as parity
import pytest
import torch

from weft.encoders import vggish
from weft.encoders.embedder import AudioEmbedder
from weft.encoders.vggish import Vggish, VggishNet
from weft.errors import WeightsError

REFERENCE = parity.read("vggish")
WAVE = parity.drawn("in.wave", 2, 32000) * 0.1
WHITENING = (parity.drawn("pca_eigen_vectors", 128, 128) / 4, 0.1 * parity.drawn("pca_means", 128, 1)[:, 0])


@pytest.fixture(scope="module")
def embedder() -> Vggish:
    net = parity.fill(VggishNet())
    assert isinstance(net, VggishNet)
    return Vggish(net, whitening=WHITENING)


def test_the_keys_are_the_published_ones() -> None:
    with torch.device("meta"):
        assert parity.keys(VggishNet()) == REFERENCE["keys"]


def test_the_examples_are_the_references() -> None:
    assert vggish.log_mel(WAVE).shape == (2, 2, 96, 64)
    parity.assert_same(vggish.log_mel(WAVE).flatten(0, 1), REFERENCE["outputs"]["log_mel"])


def test_the_embedding_is_the_references_before_its_relu(embedder: Vggish) -> None:
    found = embedder.embed(WAVE, 16000)
    assert found.shape == (2, 2, 128)
    assert bool((found < 0).any())
    parity.assert_same(found.flatten(0, 1), REFERENCE["outputs"]["embedding"])


def test_the_quantised_form_is_the_references(embedder: Vggish) -> None:
    found = embedder.quantised(WAVE, 16000)
    assert bool((found == found.round()).all())
    assert float(found.min()) >= 0
    assert float(found.max()) <= 255
    parity.assert_same(
        found.flatten(0, 1), REFERENCE["outputs"]["quantised"], within=0.02
    )  # one step of rounding


def test_without_the_whitening_nothing_is_quantised(embedder: Vggish) -> None:
    with pytest.raises(ValueError, match="needs the whitening"):
        Vggish(embedder.net).quantised(WAVE, 16000)


def test_an_unfinished_window_is_left_out_and_a_short_sound_is_followed_by_silence() -> None:
    assert vggish.log_mel(WAVE[:, : 2 * 15360 - 1]).shape[1] == 1
    short = vggish.log_mel(WAVE[:, :5000])
    longer = torch.cat([WAVE[:, :5000], torch.zeros(2, 11000)], 1)  # fadtk's: silence up to one second
    assert torch.equal(short, vggish.log_mel(longer))


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no vggish-10086976.pth in .*torchvggish.*Apache-2.0"):
        Vggish.load()


@pytest.mark.slow
def test_it_is_loaded_from_the_published_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Vggish
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    torch.save(embedder.net.state_dict(), tmp_path / vggish.FILE.file)
    with pytest.raises(WeightsError, match=r"no vggish_pca_params"):
        Vggish.load(whitening=True)
    arrays = {"pca_eigen_vectors": WHITENING[0].numpy(), "pca_means": WHITENING[1][:, None].numpy()}
    torch.save(arrays, tmp_path / vggish.WHITENING.file)
    loaded = Vggish.load(whitening=True)
    assert isinstance(loaded, AudioEmbedder)
    assert len(loaded.sha256) == 64
    assert torch.equal(loaded.quantised(WAVE[:1], 16000), embedder.quantised(WAVE[:1], 16000))
