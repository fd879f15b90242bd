"""Synchformer against its published keys and the numbers of the reference implementation on redrawn weights.

The reference is av-benchmark's copy of it; its base class from transformers and its initialiser from timm were stood
in for, since neither takes part in a forward pass.
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

from weft.encoders.embedder import AudioEmbedder, VideoEmbedder
from weft.encoders.synchformer import (
    OFFSETS,
    PUBLISHED,
    TINY_SYNCHFORMER,
    Synchformer,
    SynchformerConfig,
    SynchformerNet,
    desync,
    load_visual,
)
from weft.encoders.synchformer_audio import TINY_AUDIO, SynchformerAudio
from weft.encoders.synchformer_visual import TINY_VISUAL, SynchformerVisual, VisualConfig
from weft.errors import WeightsError

GOLDEN = golden("synchformer")


def clip(count: int, height: int = 40, width: int = 56) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def tiny() -> SynchformerNet:
    return cast(SynchformerNet, fill(SynchformerNet(TINY_SYNCHFORMER)))


@pytest.fixture(scope="module")
def judged(tiny: SynchformerNet) -> tuple[Synchformer, np.ndarray, torch.Tensor]:
    """The tiny network as an embedder, and a clip of 5.6 s."""
    return Synchformer(tiny, "0" * 64), clip(140), drawn("in.wave", (int(5.6 * 16000),)) * 0.1


def test_synchformer_has_the_published_keys_and_shapes() -> None:
    with torch.device("meta"):
        assert shapes(SynchformerNet(SynchformerConfig())) == keys("synchformer")


@torch.inference_mode()
def test_tiny_visual_branch_gives_the_references_numbers(tiny: SynchformerNet) -> None:
    frames = drawn("in.frames", (1, 2, 16, 3, 224, 224)).clamp(-1, 1)
    assert_golden(tiny.vfeat_extractor(frames), GOLDEN["tiny"]["visual"])


@torch.inference_mode()
def test_tiny_audio_branch_gives_the_references_numbers(tiny: SynchformerNet) -> None:
    mel = drawn("in.mel", (1, 14, 1, 128, 66))[:, :, 0]
    assert_golden(tiny.afeat_extractor(mel), GOLDEN["tiny"]["audio"])


@torch.inference_mode()
def test_tiny_head_gives_the_references_numbers(tiny: SynchformerNet) -> None:
    seen, heard = drawn("in.vis", (2, 14, 8, 48)), drawn("in.aud", (2, 14, 6, 48))
    assert_golden(tiny.compare(seen, heard), GOLDEN["tiny"]["logits"])


@pytest.mark.slow
@torch.inference_mode()
def test_synchformer_of_the_published_size_gives_the_references_numbers() -> None:
    with torch.device("meta"):
        net = SynchformerNet(SynchformerConfig())
    net = cast(SynchformerNet, fill(net.to_empty(device="cpu")))
    found = GOLDEN["published"]
    frames = drawn("in.frames", (1, 1, 16, 3, 224, 224)).clamp(-1, 1)
    assert_golden(net.vfeat_extractor(frames), found["visual"])
    assert_golden(net.afeat_extractor(drawn("in.mel", (1, 2, 1, 128, 66))[:, :, 0]), found["audio"])
    seen, heard = drawn("in.vis", (2, 14, 8, 768)), drawn("in.aud", (2, 14, 6, 768))
    assert_golden(net.compare(seen, heard), found["logits"])


def test_the_sound_of_a_segment_is_prepared_as_in_av_benchmark() -> None:
    wave = drawn("in.wave16k", (1, 2 * 5120 + 10240)) * 0.1
    assert_golden(SynchformerAudio(TINY_AUDIO).segments(wave), golden("fbank")["synchformer_mel"])


def test_silence_is_the_logarithm_of_its_floor_and_the_last_column_is_zero_before_normalising() -> None:
    found = SynchformerAudio(TINY_AUDIO).segments(torch.zeros(1, 10240 + 5119))
    assert found.shape == (1, 1, 128, 66)
    assert torch.allclose(found[..., :65], torch.tensor((math.log(1e-6) + 4.2677393) / (2 * 4.5689974)))
    assert torch.allclose(found[..., 65], torch.tensor(4.2677393 / (2 * 4.5689974)))


def test_picture_segments_start_every_eight_frames() -> None:
    frames = np.zeros((41, 30, 50, 3), np.uint8) + np.arange(41, dtype=np.uint8)[:, None, None, None]
    found = SynchformerVisual(TINY_VISUAL).segments(frames)
    assert found.shape == (4, 16, 3, 224, 224)
    shown = found[:, :, 0, 100, 100]
    assert shown[:, 0].tolist() == [0, 8, 16, 24]
    assert shown[3].tolist() == list(range(24, 40))


def test_grey_levels_become_minus_one_to_one(tiny: SynchformerNet) -> None:
    frames = np.full((16, 224, 224, 3), 255, np.uint8)
    frames[8:] = 0
    levels = torch.cat([torch.ones(8, 3, 224, 224), -torch.ones(8, 3, 224, 224)])
    with torch.inference_mode():
        expected = tiny.vfeat_extractor(levels[None, None])[0]
    torch.testing.assert_close(tiny.vfeat_extractor.encode(frames), expected)


def test_segments_do_not_depend_on_how_many_are_seen_at_once(tiny: SynchformerNet) -> None:
    frames = clip(32)
    together, alone = (tiny.vfeat_extractor.encode(frames, at_once=n) for n in (3, 1))
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_offset_logits_are_of_the_first_and_the_last_4_8_seconds(
    judged: tuple[Synchformer, np.ndarray, torch.Tensor], tiny: SynchformerNet
) -> None:
    synchformer, frames, wave = judged
    found = synchformer.offset_logits(frames, wave, 16000)
    assert found.shape == (2, 21)
    assert not torch.allclose(found[0], found[1])
    seen, heard = tiny.vfeat_extractor.encode(frames), tiny.afeat_extractor.encode(wave[None])[0]
    assert (len(seen), len(heard)) == (16, 16)
    with torch.inference_mode():
        last = tiny.compare(seen[None, -14:], heard[None, -14:])[0]
    torch.testing.assert_close(found[1], last, atol=1e-5, rtol=1e-5)


def test_what_picture_or_sound_has_more_than_the_other_is_left_out(
    judged: tuple[Synchformer, np.ndarray, torch.Tensor],
) -> None:
    synchformer, frames, wave = judged
    both = synchformer.offset_logits(frames[:120], wave[:76800], 16000)
    torch.testing.assert_close(both[0], both[1], atol=1e-5, rtol=1e-5)
    for more in ((frames[:120], wave), (frames[:136], wave[:76800])):
        torch.testing.assert_close(synchformer.offset_logits(*more, 16000), both, atol=1e-5, rtol=1e-5)


def test_embeddings_follow_the_protocols(judged: tuple[Synchformer, np.ndarray, torch.Tensor]) -> None:
    synchformer, frames, wave = judged
    assert isinstance(synchformer, AudioEmbedder)
    assert isinstance(synchformer, VideoEmbedder)
    assert synchformer.embed_video(frames[:24]).shape == (2 * 8, 48)
    twice = torch.stack([wave, -wave])[:, : 15360 * 3]
    assert synchformer.embed(twice, 48000).shape == (2, 2 * 6, 48)


def test_desync_is_the_mean_of_the_offsets_whatever_their_sign() -> None:
    assert tuple(np.linspace(-2, 2, 21).round(1).tolist()) == OFFSETS
    logits = torch.eye(21)[[0, 10, 12, 20]]
    assert desync(logits[:1]) == pytest.approx(2.0)
    assert desync(logits[1:2]) == pytest.approx(0.0)
    assert desync(logits.reshape(2, 2, 21)) == pytest.approx((2.0 + 0.0 + 0.4 + 2.0) / 4)
    with pytest.raises(ValueError, match=r"logits \[\.\.\., 21\], not \[4, 20\]"):
        desync(logits[:, 1:])


def test_too_short_a_clip_is_refused(judged: tuple[Synchformer, np.ndarray, torch.Tensor]) -> None:
    synchformer, frames, wave = judged
    with pytest.raises(ValueError, match=r"4\.8 s of picture and of sound, not 4\.76 s and 5\.60 s"):
        synchformer.offset_logits(frames[:119], wave, 16000)
    with pytest.raises(ValueError, match=r"at least 16 frames at 25 fps, not 15"):
        synchformer.embed_video(frames[:15])
    with pytest.raises(ValueError, match=r"10240 samples or more, not \[1, 10239\]"):
        synchformer.embed(wave[None, :10239], 16000)
    with pytest.raises(ValueError, match=r"mono \[N\], not \[2, 89600\]"):
        synchformer.offset_logits(frames, torch.stack([wave, wave]), 16000)
    with pytest.raises(ValueError, match="14 segments"):
        synchformer.net.compare(torch.zeros(1, 13, 8, 48), torch.zeros(1, 14, 6, 48))


def test_without_the_file_one_line_says_what_to_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    for load in (Synchformer.load, load_visual):
        with pytest.raises(WeightsError, match=r"no synchformer_state_dict\.pth in .*MMAudio.*licence: MIT"):
            load()


def test_another_file_is_refused_with_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    torch.save({"vfeat_extractor.cls_token": torch.zeros(1, 1, 768)}, tmp_path / PUBLISHED.file)
    with pytest.raises(WeightsError, match="not the published file"):
        Synchformer.load()
    own_copies(PUBLISHED)
    with pytest.raises(WeightsError, match="512 keys missing"):
        Synchformer.load()
    with pytest.raises(WeightsError, match="237 keys missing"):
        load_visual()


@pytest.mark.slow
def test_a_file_of_the_published_layout_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(PUBLISHED)
    with torch.device("meta"):
        state = SynchformerNet(SynchformerConfig()).state_dict()
    torch.save(
        {key: torch.tensor(0.25).expand(v.shape) for key, v in state.items()}, tmp_path / PUBLISHED.file
    )
    synchformer = Synchformer.load()
    assert synchformer.d == 768
    assert len(synchformer.sha256) == 64
    assert all(bool((p == 0.25).all()) and not p.requires_grad for p in synchformer.net.parameters())


@pytest.mark.slow
@torch.inference_mode()
def test_the_visual_branch_gives_mmaudios_numbers_for_two_segments() -> None:
    """The same branch as MMAudio's own code runs it, on the file's names with their "vfeat_extractor." in front."""
    with torch.device("meta"):
        net = SynchformerVisual(VisualConfig())
    net = cast(SynchformerVisual, fill(net.to_empty(device="cpu"), prefix="vfeat_extractor."))
    frames = drawn("in.frames", (1, 2, 16, 3, 224, 224)).clamp(-1, 1)
    assert_golden(net(frames), golden("mmaudio_visual")["visual"])
