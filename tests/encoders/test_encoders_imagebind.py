"""ImageBind against its published keys and the numbers of the reference implementation on redrawn weights.

The numbers are of the reference's own classes at a reduced width and depth; its dropped paths (timm) and file opener
(iopath) were stood in for, since neither takes part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from drawn_weights import assert_golden, drawn, fill, golden, keys, shapes

from weft.encoders.byte_pairs import BytePairs
from weft.encoders.embedder import AudioEmbedder, TextEmbedder, VideoEmbedder
from weft.encoders.imagebind import PUBLISHED, ImageBind
from weft.encoders.imagebind_net import HUGE, TINY_IMAGEBIND, ImageBindNet
from weft.errors import WeightsError

GOLDEN = golden("imagebind")
KINDS = ("vision", "audio", "text")


@pytest.fixture(scope="module")
def tiny() -> ImageBindNet:
    net = cast(ImageBindNet, fill(ImageBindNet(TINY_IMAGEBIND), keep=(".mask",)))
    for kind, scale in (("audio", 20.0), ("text", 50.0)):
        net.get_parameter(f"modality_postprocessors.{kind}.1.log_logit_scale").data.fill_(math.log(scale))
    return net


@pytest.fixture(scope="module")
def imagebind(tiny: ImageBindNet) -> ImageBind:
    merges = [tuple(pair.split(" ")) for pair in golden("byte_pairs")["merges"]]
    return ImageBind(tiny, "0" * 64, BytePairs(merges))  # type: ignore[arg-type]


def clip(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 45, 80, 3), dtype=np.uint8)


def test_imagebind_has_the_published_keys_and_shapes() -> None:
    with torch.device("meta"):
        found = shapes(ImageBindNet(HUGE))
    assert found == {k: v for k, v in keys("imagebind").items() if k.split(".")[1] in KINDS}


@torch.inference_mode()
def test_pictures_give_the_references_numbers(tiny: ImageBindNet) -> None:
    clips = drawn("in.vision", (2, 3, 3, 2, 224, 224)).flatten(0, 1)
    assert_golden(tiny("vision", clips).unflatten(0, (2, 3)).mean(1), GOLDEN["vision"])
    assert_golden(tiny("vision", drawn("in.image", (2, 3, 224, 224))[:, :, None]), GOLDEN["image"])


@torch.inference_mode()
def test_sound_gives_the_references_numbers(tiny: ImageBindNet) -> None:
    clips = drawn("in.audio", (2, 3, 1, 128, 204)).flatten(0, 1)
    assert_golden(tiny("audio", clips).unflatten(0, (2, 3)).mean(1), GOLDEN["audio"])


@torch.inference_mode()
def test_text_gives_the_references_numbers(tiny: ImageBindNet) -> None:
    numbers = torch.zeros(2, 77, dtype=torch.long)
    numbers[:, :14] = torch.tensor(GOLDEN["tokens"])
    assert_golden(tiny("text", numbers), GOLDEN["text"])


def test_the_three_clips_of_a_sound_are_prepared_as_in_the_reference(imagebind: ImageBind) -> None:
    wave = drawn("in.wave5s", (1, 80000))[0] * 0.1
    assert_golden(imagebind.clips(wave), golden("fbank")["imagebind_audio"])


@pytest.mark.parametrize(("samples", "last"), [(64000, 32000), (48321, 16321), (132300, 100300), (32001, 1)])
def test_the_last_clip_ends_with_the_sound(imagebind: ImageBind, samples: int, last: int) -> None:
    wave = drawn("in.last", (samples,)) * 0.1
    ends = imagebind.clips(wave[last:])  # 2 s: all three clips are these
    torch.testing.assert_close(imagebind.clips(wave)[2], ends[0])


def test_a_short_sound_is_heard_whole_three_times(imagebind: ImageBind) -> None:
    clips = imagebind.clips(drawn("in.short", (16000,)) * 0.1)
    assert torch.equal(clips[0], clips[1])
    assert torch.equal(clips[0], clips[2])
    assert torch.allclose(clips[0, 0, :, 98:], torch.tensor(4.268 / 9.138))
    assert not torch.allclose(clips[0, 0, :, 97], torch.tensor(4.268 / 9.138))


def test_pictures_are_normalised_as_clip_does(imagebind: ImageBind) -> None:
    grey = imagebind.pictures(np.full((1, 224, 224, 3), 128, np.uint8))[0, 0, :, 0, 0]
    expected = [(128 / 255 - m) / s for m, s in ((0.48145466, 0.26862954), (0.4578275, 0.26130258))]
    torch.testing.assert_close(grey[:2], torch.tensor(expected))
    assert float(grey[2]) == pytest.approx((128 / 255 - 0.40821073) / 0.27577711)


def test_pictures_are_cut_in_three_and_paired(imagebind: ImageBind, tiny: ImageBindNet) -> None:
    frames = clip(3)
    crops = imagebind.pictures(frames)
    assert crops.shape == (3, 3, 3, 224, 224)
    found = imagebind.embed_video(frames)
    assert found.shape == (2, 24)
    with torch.inference_mode():
        second = tiny("vision", crops[:, 1:3].transpose(1, 2)).mean(0)
    torch.testing.assert_close(found[1], second)
    still = np.concatenate([frames[:1], frames[:1]])
    torch.testing.assert_close(imagebind.embed_video(frames[:1]), imagebind.embed_video(still))


def test_embeddings_follow_the_protocols(imagebind: ImageBind) -> None:
    assert isinstance(imagebind, AudioEmbedder)
    assert isinstance(imagebind, VideoEmbedder)
    assert isinstance(imagebind, TextEmbedder)
    wave = drawn("in.two", (2, 3 * 44100)) * 0.1
    heard = imagebind.embed(wave, 44100)
    assert heard.shape == (2, 3, 24)
    assert torch.allclose(heard.norm(dim=-1), torch.tensor(20.0))
    torch.testing.assert_close(heard[1:], imagebind.embed(wave[1:], 44100))
    read = imagebind.embed_text(["the dog barks", "wood", "Wood "])
    assert read.shape == (3, 24)
    torch.testing.assert_close(read[1], read[2])
    assert not torch.allclose(read[0], read[1], atol=1e-2)
    assert imagebind.embed_text([]).shape == (0, 24)


def test_sound_that_cannot_be_heard_is_refused(imagebind: ImageBind) -> None:
    with pytest.raises(ValueError, match="399 samples are fewer than a frame's 400"):
        imagebind.embed(torch.zeros(1, 399), 16000)
    with pytest.raises(ValueError, match="NaN or infinity"):
        imagebind.embed(torch.full((1, 16000), float("nan")), 16000)
    with pytest.raises(ValueError, match=r"shape \(16000,\), but must be mono"):
        imagebind.embed(torch.zeros(16000), 16000)


def test_without_the_file_one_line_says_what_to_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no imagebind_huge\.pth in .*licence: CC-BY-NC-SA 4\.0"):
        ImageBind.load()


def test_a_file_that_lacks_a_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(PUBLISHED)
    tensors = {k: torch.zeros(()).expand(v) for k, v in keys("imagebind").items()}
    del tensors["modality_heads.audio.2.weight"]
    torch.save(tensors, tmp_path / PUBLISHED.file)
    with pytest.raises(WeightsError, match=r"1 keys missing \['modality_heads\.audio\.2\.weight'\], 0 unexp"):
        ImageBind.load()
