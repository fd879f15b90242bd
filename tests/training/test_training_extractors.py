"""The two extractors: what they say they give is what they give, in the order that the network reads."""

import pytest
import torch

from weft.codecs.mel_codec import TINY_MEL_CODEC, MelCodec
from weft.encoders.byte_pairs import BytePairs
from weft.encoders.dfn_clip import DfnClip
from weft.encoders.dfn_clip_net import TINY_DFN_CLIP, build
from weft.encoders.synchformer_visual import SynchformerVisual, VisualConfig
from weft.generators.mmaudio import VARIANTS
from weft.training.extractors import OwnExtractor, PublishedExtractor


@pytest.fixture(scope="module")
def small() -> PublishedExtractor:
    """The published extractor around small networks of random weights."""
    torch.manual_seed(0)
    pytest.importorskip("transformers")
    codec = MelCodec(TINY_MEL_CODEC).eval()
    net = build(TINY_DFN_CLIP).to_empty(device="cpu")
    for name, value in (*net.named_parameters(), *net.named_buffers()):
        value.data = (
            torch.arange(value.numel())[None]
            if "position" in name and value.dtype == torch.int64
            else (0.05 * torch.randn(value.shape))
        )
    clip = DfnClip(net.requires_grad_(False), "0", BytePairs([]))
    sync = SynchformerVisual(VisualConfig(width=16, depth=1, heads=2)).eval()
    return PublishedExtractor(codec=codec, clip=clip, sync=sync, variant="16k", rate=codec.rate)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    from test_training_extraction import film as made

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    made(path, 8.0)
    return path


def test_sound_is_the_posterior_of_whole_latent_frames():
    torch.manual_seed(0)
    codec = MelCodec(TINY_MEL_CODEC).eval()
    small = PublishedExtractor(codec=codec, clip=None, sync=None, variant="16k", rate=codec.rate)
    wave = torch.randn(1, 130_000) * 0.1
    mean, std = small.sound(wave)
    assert small.samples == 128_000 and len(mean) == 250
    found = small.codec.posterior(wave[None, :, :128_000])
    assert torch.allclose(mean, found.mean[0].T, atol=1e-6)
    assert torch.allclose(std, (found.log_variance[0] / 2).exp().T, atol=1e-6)


def test_windows_at_44_khz_are_345_frames():
    class Codec:
        hop = 1024

    by = PublishedExtractor(codec=Codec(), clip=None, sync=None, variant="44k", rate=44100)
    assert by.samples == 353_280


@pytest.mark.slow
def test_pictures_are_those_of_training_segment_by_segment(small, film):
    clip, sync = small.pictures(film, 0.0)
    assert clip.shape[0] == 64 and sync.shape[0] == 192
    lengths = VARIANTS["small_16k"].lengths(8.0, compat=True)
    assert (len(clip), len(sync)) == (lengths.clip, lengths.sync)
    from weft.encoders.mmaudio_pictures import read_pictures
    from weft.media.video import Video

    read = read_pictures(Video.open(film), exact=True)
    second = small.sync.encode(read.sync[8:24])[0]
    assert torch.allclose(sync[8:16], second, atol=1e-5)
    assert torch.allclose(clip[63], small.clip.embed_video(read.clip[63:64])[0], atol=1e-5)


def test_shapes_that_are_said_are_the_networks():
    config = VARIANTS["small_44k"].config
    by = PublishedExtractor(codec=None, clip=None, sync=None, variant="44k", rate=44100)
    assert by._shapes == {
        "mean": [345, config.latent_dim],
        "clip": [64, config.clip_dim],
        "sync": [192, config.sync_dim],
        "text": [config.text_length, config.text_dim],
    }


def test_own_extractor_gives_what_it_says():
    own = OwnExtractor.load()
    shapes = own.made_of["shapes"]
    mean, std = own.sound(torch.randn(2, 90_000) * 0.1)
    assert list(mean.shape) == list(std.shape) == shapes["mean"] == [86, 64]
    assert (std > 0).all()
    assert list(own.words("a stick hits metal").shape) == shapes["text"]
    assert torch.equal(own.words(""), torch.zeros(*shapes["text"]))
    frames = torch.randint(0, 255, (25, 72, 96, 3), dtype=torch.uint8).numpy()
    clip, sync = own.seen(frames)
    assert list(clip.shape) == shapes["clip"] and list(sync.shape) == shapes["sync"]
    assert clip.square().mean() == pytest.approx(1.0, rel=1e-4)
    assert own.made_of["codec"] != own.made_of["video"]
