"""VGGish against torchvggish, run by itself outside the project on the same drawn weights and sounds."""

from __future__ import annotations

from collections.abc import Callable
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


def test_googles_variables_are_turned_and_named_as_ours() -> None:
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in VggishNet().state_dict().items()}
    names = ("conv1", "conv2", "conv3/conv3_1", "conv3/conv3_2", "conv4/conv4_1", "conv4/conv4_2")
    sizes = ((1, 64), (64, 128), (128, 256), (256, 256), (256, 512), (512, 512))
    theirs = {f"vggish/{n}/weights": torch.empty(3, 3, *s) for n, s in zip(names, sizes, strict=True)}
    for name, size in (("fc1/fc1_1", (12288, 4096)), ("fc1/fc1_2", (4096, 4096)), ("fc2", (4096, 128))):
        theirs[f"vggish/{name}/weights"] = torch.empty(size)
    theirs |= {k.replace("weights", "biases"): torch.empty(v.shape[-1]) for k, v in theirs.items()}
    kernel = parity.drawn("kernel", 3, 3, 1, 64)
    theirs["vggish/conv1/weights"] = kernel
    found = vggish.from_google(theirs)
    assert {k: v.shape for k, v in found.items()} == shapes
    picture = parity.drawn("picture", 5, 5)
    at = torch.nn.functional.conv2d(picture[None, None], found["features.0.weight"])[0, 7, 1, 2]
    assert float(at) == pytest.approx(float((picture[1:4, 2:5] * kernel[..., 0, 7]).sum()), rel=1e-5)
    with pytest.raises(
        WeightsError, match=r"2 variables missing \['vggish/fc2/biases', 'vggish/fc2/weights'\]"
    ):
        vggish.from_google({k: v for k, v in theirs.items() if "fc2" not in k})


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no vggish-10086976.pth in .*torchvggish.*Apache-2.0"):
        Vggish.load()


@pytest.mark.slow
def test_it_is_loaded_from_the_published_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None], embedder: Vggish
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(vggish.FILE, vggish.WHITENING)
    torch.save(embedder.net.state_dict(), tmp_path / vggish.FILE.file)
    with pytest.raises(WeightsError, match=r"no vggish_pca_params"):
        Vggish.load(whitening=True)
    arrays = {"pca_eigen_vectors": WHITENING[0].numpy(), "pca_means": WHITENING[1][:, None].numpy()}
    torch.save(arrays, tmp_path / vggish.WHITENING.file)
    loaded = Vggish.load(whitening=True)
    assert isinstance(loaded, AudioEmbedder)
    assert len(loaded.sha256) == 64
    assert torch.equal(loaded.quantised(WAVE[:1], 16000), embedder.quantised(WAVE[:1], 16000))
