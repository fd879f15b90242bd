"""The codec joined: lengths, blocks, gradients, and files of the published layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from redrawn import drawn, published, shapes_of, with_weight_norm

from weft.codecs.mel_codec import CONFIGS, FILES, TINY_MEL_CODEC, MelCodec, MelCodecFiles
from weft.codecs.mel_vae import Posterior
from weft.errors import WeightsError
from weft.weights.published import Published

FILES_HERE = MelCodecFiles(
    vae=Published(file="vae.pth", url="https://example.org/vae", licence="CC-BY-NC 4.0"),
    vocoder=Published(file="vocoder.pt", url="https://example.org/vocoder", licence="MIT"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both files of a tiny codec, in the published layout."""
    with torch.device("meta"):
        codec = MelCodec(TINY_MEL_CODEC)
    torch.save(published(shapes_of(codec.vae)), tmp_path / "vae.pth")
    vocoder = published(with_weight_norm(shapes_of(codec.vocoder)))
    torch.save({"generator": vocoder}, tmp_path / "vocoder.pt")
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def codec(folder: Path) -> MelCodec:
    return MelCodec.from_files(TINY_MEL_CODEC, FILES_HERE)


@pytest.mark.parametrize(
    ("variant", "rate", "hop", "frames"), [("16k", 16000, 512, 250), ("44k", 44100, 1024, 345)]
)
def test_published_rates_and_lengths(variant: str, rate: int, hop: int, frames: int) -> None:
    with torch.device("meta"):
        codec = MelCodec(CONFIGS[variant])  # type: ignore[index]
    assert (codec.rate, codec.hop, codec.vocoder.hop * 2) == (rate, hop, hop)
    assert codec.latent_rate == pytest.approx(rate / hop)
    assert codec.latent_frames(8 * rate) == frames
    assert codec.config.front.bands == codec.config.vae.bands == codec.config.vocoder.bands


@pytest.mark.parametrize("samples", [1, 511, 512, 513, 1600, 5000])
def test_any_length_comes_back_to_the_sample(codec: MelCodec, samples: int) -> None:
    audio = 0.1 * drawn("in.wave", 2, 1, samples)
    with torch.inference_mode():
        latent = codec.encode(audio)
        assert latent.shape == (2, -(-samples // 512), 20)
        assert codec.decode(latent, samples).shape == audio.shape
        assert codec.decode(latent).shape == (2, 1, latent.shape[1] * 512)


def test_sound_is_followed_by_silence_to_the_end_of_its_frame(codec: MelCodec) -> None:
    audio = 0.1 * drawn("in.wave", 1, 1, 1300)
    longer = torch.nn.functional.pad(audio, (0, 1536 - 1300))
    with torch.inference_mode():
        assert torch.equal(codec.encode(audio), codec.encode(longer))


@pytest.mark.parametrize("block", [1, 4, 1000])
def test_blocks_and_lengths_do_not_change_the_sound(codec: MelCodec, block: int) -> None:
    latent = drawn("in.latent", 1, 9, 20)
    with torch.inference_mode():
        whole = codec.decode(latent)
        pieces = list(codec.decode_blocks(latent, 4000, block=block))
        assert all(0 < p.shape[-1] <= block * 256 for p in pieces)
        torch.testing.assert_close(torch.cat(pieces, -1), whole[..., :4000], atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(codec.decode(latent, block=block), whole, atol=1e-6, rtol=1e-4)


def test_encoding_takes_the_mean_of_the_posterior(codec: MelCodec) -> None:
    audio = 0.1 * drawn("in.wave", 1, 1, 2048)
    with torch.inference_mode():
        posterior = codec.posterior(audio)
        assert isinstance(posterior, Posterior)
        assert posterior.mean.shape == posterior.log_variance.shape == (1, 20, 4)
        assert torch.equal(codec.encode(audio), posterior.mean.mT)


def test_both_ways_are_differentiable(codec: MelCodec) -> None:
    audio = (0.1 * drawn("in.wave", 1, 1, 2048)).requires_grad_()
    latent = codec.encode(audio)
    codec.decode(latent, 2000, block=3).square().sum().backward()
    assert audio.grad is not None
    assert bool(torch.isfinite(audio.grad).all())
    assert float(audio.grad.abs().sum()) > 0


def test_files_of_the_published_layout_load_and_are_folded(folder: Path) -> None:
    full = MelCodec.from_files(TINY_MEL_CODEC, FILES_HERE)
    bare = MelCodec.from_files(TINY_MEL_CODEC, FILES_HERE, encoder=False)
    assert not any(p.requires_grad or p.is_meta for p in full.parameters())
    assert not any(b.is_meta for b in full.buffers())
    weight = full.vae.decoder.conv_in.weight
    assert torch.allclose(weight.flatten(1).norm(dim=1), torch.ones(len(weight)), atol=2e-3)
    assert not any("weight_g" in key for key in full.state_dict())
    latent = drawn("in.latent", 1, 4, 20)
    with torch.inference_mode():
        assert torch.equal(full.decode(latent), bare.decode(latent))
    with pytest.raises(ValueError, match="without its encoder"):
        bare.encode(torch.zeros(1, 1, 1024))


def test_a_file_that_does_not_fit_is_refused_by_name(folder: Path) -> None:
    vae = torch.load(folder / "vae.pth")
    del vae["decoder.conv_in.weight"]
    torch.save(vae, folder / "vae.pth")
    with pytest.raises(
        WeightsError, match=r"vae\.pth does not fit: 1 keys missing \['decoder\.conv_in\.weight'\]"
    ):
        MelCodec.from_files(TINY_MEL_CODEC, FILES_HERE)


@pytest.mark.parametrize(
    ("drop", "message"),
    [
        ("conv_pre.weight_g", r"vocoder\.pt does not fit: conv_pre\.weight_g is missing; get it again"),
        ("conv_pre.bias", r"vocoder\.pt does not fit: 1 keys missing \['conv_pre\.bias'\]"),
    ],
)
def test_a_vocoder_that_does_not_fit_is_refused_by_name(folder: Path, drop: str, message: str) -> None:
    held = torch.load(folder / "vocoder.pt")
    del held["generator"][drop]
    torch.save(held, folder / "vocoder.pt")
    with pytest.raises(WeightsError, match=message):
        MelCodec.from_files(TINY_MEL_CODEC, FILES_HERE)


def test_a_vocoder_without_its_generator_is_refused(folder: Path) -> None:
    torch.save({"discriminator": {}}, folder / "vocoder.pt")
    with pytest.raises(WeightsError, match=r"vocoder\.pt has no 'generator' in it"):
        MelCodec.from_files(TINY_MEL_CODEC, FILES_HERE)


@pytest.mark.parametrize("variant", ["16k", "44k"])
def test_without_the_files_one_line_says_what_to_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=rf"no v1-{variant[:2]}\.pth in .*CC-BY-NC 4\.0"):
        MelCodec.load(variant)  # type: ignore[arg-type]


def test_another_file_of_the_same_name_is_told_by_its_md5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    torch.save({}, tmp_path / FILES["44k"].vae.file)
    with pytest.raises(WeightsError, match=r"v1-44\.pth is not the published file \(its MD5 differs\)"):
        MelCodec.load("44k")


def test_what_is_not_mono_or_too_long_is_refused(codec: MelCodec) -> None:
    with pytest.raises(ValueError, match=r"mono, \[B, 1, N\], not \[1, 2, 1024\]: mix its channels"):
        codec.encode(torch.zeros(1, 2, 1024))
    for samples in (0, 1025):
        with pytest.raises(
            ValueError, match=rf"{samples} samples cannot come of 2 latent frames: choose 1 to 1024"
        ):
            codec.decode(torch.zeros(1, 2, 20), samples)
    with pytest.raises(ValueError, match="no mel codec '48k': choose 16k or 44k"):
        MelCodec.load("48k")  # type: ignore[arg-type]
