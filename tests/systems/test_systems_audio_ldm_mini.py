"""The file of AudioLDM's miniature: what was saved plays, told nothing too, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from audio_ldm_tiny import drawn

from weft import weights
from weft.codecs.audio_ldm import TINY_AUDIO_LDM_CODEC, AudioLdmCodec
from weft.cues.sheet import Clip, CueSheet, What
from weft.encoders.own import WeftText
from weft.errors import UserError, WeightsError
from weft.generators.audio_ldm import TINY_AUDIO_LDM, AudioLdmNet
from weft.systems import audio_ldm_mini
from weft.systems.audio_ldm import AudioLdm
from weft.systems.performer import Request

NET = replace(TINY_AUDIO_LDM, words=128)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[Path, AudioLdm]:
    pytest.importorskip("diffusers")
    torch.manual_seed(0)
    net, codec = AudioLdmNet.build(NET), AudioLdmCodec.build(TINY_AUDIO_LDM_CODEC)
    drawn(net)
    drawn(codec)
    folder = tmp_path_factory.mktemp("mini")
    path = audio_ldm_mini.save(folder, net, codec, (NET, TINY_AUDIO_LDM_CODEC), steps=3)
    assert path == folder / audio_ldm_mini.FILE
    return folder, AudioLdm(net.half().float(), codec.half().float(), WeftText.load(audio_ldm_mini.WORDS))


def request(prompt: str | None, **named) -> Request:
    sheet = CueSheet(clip=Clip(duration=0.5), what=What(prompt=prompt))
    return Request(**{"sheet": sheet, "duration": 0.5, "steps": 2} | named)


def test_what_was_saved_plays_the_same(saved: tuple[Path, AudioLdm]) -> None:
    folder, own = saved
    tensors, told = weights.load(folder / audio_ldm_mini.FILE)
    assert told["words"] == "weft-guide" and told["steps"] == 3 and tensors
    small = audio_ldm_mini.load(folder)
    assert small.codec.scaling == TINY_AUDIO_LDM_CODEC.scaling
    asked = request("a stick hits wood")
    (one,), (other,) = small.perform(asked), own.perform(asked)
    assert one.shape == (2, 8000)
    torch.testing.assert_close(torch.from_numpy(one), torch.from_numpy(other), atol=1e-5, rtol=1e-4)


def test_words_tell_and_silence_is_played_where_the_command_refuses_it(saved: tuple[Path, AudioLdm]) -> None:
    small = audio_ldm_mini.load(saved[0])
    wood, metal, nothing = (small.play(request(p), steps=2) for p in ("wood is hit", "scraping metal", None))
    assert nothing.shape == (8000,) and bool(torch.isfinite(nothing).all())
    assert not torch.equal(wood, metal) and not torch.equal(wood, nothing)
    with pytest.raises(UserError, match="this clip has none; give --prompt"):
        list(small.perform(request(None)))


def test_what_does_not_fit_is_refused(saved: tuple[Path, AudioLdm], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no audio-ldm-mini.safetensors in .*train_audio_ldm_mini.py"):
        audio_ldm_mini.load(tmp_path)
    tensors, told = weights.load(saved[0] / audio_ldm_mini.FILE)
    path = tmp_path / audio_ldm_mini.FILE
    weights.save(path, tensors, told | {"words sha256": "0" * 64})
    with pytest.raises(WeightsError, match="learnt with other words than weft-guide's here"):
        audio_ldm_mini.load(tmp_path)
    weights.save(path, dict(list(tensors.items())[1:]), told)
    with pytest.raises(WeightsError, match="1 keys missing"):
        audio_ldm_mini.load(tmp_path)
