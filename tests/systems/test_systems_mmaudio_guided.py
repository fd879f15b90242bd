"""MMAudio under a guide: obeyed, recorded for each take and window, and nothing runs back through its network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmaudio_tiny import TINY_16K, TINY_44K, request, write_clip
from torch.nn.modules.module import register_module_full_backward_hook

from weft.codecs.mel_codec import MelCodec
from weft.codecs.mel_layout import of_front
from weft.diffusion.step_rules import slope_of
from weft.encoders.own import WeftAudio
from weft.errors import UserError
from weft.generators.mmdit import MMDiT
from weft.media import Video
from weft.systems.guide import Guidance, Guide, guidable
from weft.systems.guide_log import GuideLog
from weft.systems.hearing import Listening, Voice
from weft.systems.mmaudio import MMAudio
from weft.systems.mmaudio_parts import Parts
from weft.systems.scene import Blank
from weft.systems.table import SYSTEMS, system

Ran = tuple[int, str, str]
Make = Callable[..., MMAudio]
NAME = "mmaudio-small-16k"


@pytest.fixture(scope="module")
def ear() -> WeftAudio:
    made = WeftAudio.load()
    made.net.requires_grad_(False)
    return made


def guide(ear: WeftAudio, kind: str = "volume", scale: float | None = None) -> Guide:
    fixed = torch.randn(21, 128, generator=torch.Generator().manual_seed(0))
    vectors = F.normalize(fixed, dim=-1)
    asked = Guidance(kind=kind, scale=scale)
    return Guide(asked=asked, ear=ear, pictures=vectors[:20], texts=vectors[20:])


def played(player: MMAudio, one, takes: tuple[int, ...] = (0,)) -> tuple[list[np.ndarray], list[GuideLog]]:
    logs = [GuideLog() for _ in takes]
    asked = [replace(one, take=take, log=log) for take, log in zip(takes, logs, strict=True)]
    return [np.concatenate(list(s), axis=1) for s in player.perform_together(asked)], logs


@pytest.mark.parametrize("parts", [TINY_16K, TINY_44K], ids=["16k", "44k"])
def test_the_guide_is_obeyed_by_mel_and_nothing_runs_back_through_the_network(
    performer: Make, ear: WeftAudio, parts: Parts
) -> None:
    backwards: set[type] = set()
    hook = register_module_full_backward_hook(lambda module, *_: backwards.add(type(module)) or None)
    last = {}
    try:
        for scale in (1e-9, 1.0):
            one = request(Blank(duration=1.2), steps=6, guide=guide(ear, scale=scale))
            (wave,), (log,) = played(performer(parts), one)
            assert wave.shape == (2, round(1.2 * 44100))
            assert log.by == "mel" and [row["step"] for row in log.steps] == [2, 3, 4, 5]
            last[scale] = log.steps[-1][
                "volume"
            ]  # by mel too: this vocoder was never trained to say the same
    finally:
        hook.remove()
    assert last[1.0] < last[1e-9] - 0.002
    assert torch.nn.Conv1d in backwards or torch.nn.Conv2d in backwards, "the hook works"
    assert MMDiT not in backwards and not any(kind.__module__.endswith("blocks") for kind in backwards)


def test_a_guide_of_no_length_changes_nothing_heard(performer: Make, ear: WeftAudio) -> None:
    one = request(Blank(duration=1.2))
    (still,), _ = played(performer(), replace(one, guide=guide(ear, scale=1e-9)))
    (plain,), _ = played(performer(), one)
    np.testing.assert_allclose(still, plain, atol=1e-4 * float(np.abs(plain).max()) + 1e-6)


def test_takes_of_a_batch_are_guided_each_by_itself(performer: Make, ear: WeftAudio) -> None:
    one = request(Blank(duration=1.2), steps=4, guide=guide(ear, "pairwise"))
    waves, logs = played(performer(), one, (0, 1))
    assert not np.array_equal(waves[0], waves[1])
    for take in (0, 1):
        (alone,), (log,) = played(performer(), one, (take,))
        assert logs[take].steps[0]["volume"] == pytest.approx(log.steps[0]["volume"], abs=1e-4)
        assert logs[take].after[0]["volume"] == pytest.approx(log.after[0]["volume"], abs=1e-3)
        assert float(np.abs(alone - waves[take]).max()) < 1e-2 * float(np.abs(alone).max()) + 1e-6


def test_a_long_take_is_guided_window_by_window_to_its_own_seconds(
    performer: Make, ear: WeftAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []
    plain = Guide.vectors

    def noting(self: Guide, start_s: float, end_s: float) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append((start_s, end_s))
        return plain(self, start_s, end_s)

    monkeypatch.setattr(Guide, "vectors", noting)
    one = request(Blank(duration=12.0), steps=3, guide=guide(ear))
    (wave,), (log,) = played(performer(), one)
    assert wave.shape == (2, 12 * 44100)
    assert sorted({row["window"] for row in log.steps}) == [0, 1] == [row["window"] for row in log.after]
    starts = sorted(set(asked))
    assert starts[0][0] == 0.0 and starts[-1][1] == pytest.approx(12.0, abs=0.04) and len(starts) == 2
    assert all(end - begin == pytest.approx(8.0, abs=0.04) for begin, end in starts)


def test_the_published_settings_go_through_the_vocoder(performer: Make, ear: WeftAudio) -> None:
    one = request(Blank(duration=1.0), steps=4, guide=guide(ear, "mdg"))
    _, (log,) = played(performer(), one)
    assert log.by == "sound" and [row["step"] for row in log.steps] == [1, 2, 3]
    assert all(row["moved"] == pytest.approx(0.1, rel=0.05) for row in log.steps)


def test_the_lean_way_to_sound_is_the_codecs_own(performer: Make, tiny_files: Path) -> None:
    codec = performer(TINY_44K).parts.load_codec()
    latent = torch.randn(2, 70, 40, generator=torch.Generator().manual_seed(0)).requires_grad_()
    lean, plain = codec.decode_lean(latent), codec.decode(latent)
    torch.testing.assert_close(lean, plain, atol=1e-5, rtol=1e-4)
    mix = torch.randn(plain.shape, generator=torch.Generator().manual_seed(1))
    slopes = [torch.autograd.grad((wave * mix).sum(), latent)[0] for wave in (lean, plain)]
    torch.testing.assert_close(*slopes, atol=1e-3 * float(slopes[1].abs().max()), rtol=1e-3)


def test_gradients_agree_with_differences_along_autoencoder_bridge_and_ear() -> None:
    torch.manual_seed(0)
    codec = MelCodec(TINY_16K.codec, encoder=False).double().requires_grad_(False)
    ear = WeftAudio.load()
    ear.net.double().requires_grad_(False)
    fixed = torch.randn(2, 128, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    one = Guide(asked=Guidance(kind="volume"), ear=ear, pictures=fixed[:1], texts=fixed[1:])
    voice = Voice(
        decode=codec.decode_lean,
        rate=codec.rate,
        latent_rate=codec.latent_rate,
        decode_mel=codec.decode_mel,
        layout=of_front(codec.config.front),
    )
    listening = Listening(one, voice, 0.0, 1.0)
    latent = torch.randn(1, 33, 20, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    _, slope = slope_of(latent, lambda z: listening(z, 0).loss)
    assert listening.by == "mel" and float(slope.abs().max()) > 0
    for seed in range(3):
        drawn = torch.randn(33 * 20, generator=torch.Generator().manual_seed(9 + seed), dtype=torch.float64)
        way = F.normalize(drawn, dim=0).reshape(latent.shape)
        with torch.no_grad():
            rise = (listening(latent + 1e-5 * way, 0).loss - listening(latent - 1e-5 * way, 0).loss) / 2e-5
        along = (slope * way).sum().reshape(1)
        torch.testing.assert_close(along, rise, rtol=1e-4, atol=1e-4 * float(slope.norm()))


def test_compat_and_no_video_are_refused() -> None:
    asked = Guidance(kind="volume")
    with pytest.raises(
        UserError, match="not what the published reference does; leave --compat or --guide out"
    ):
        guidable(system(NAME), asked, compat=True)
    with pytest.raises(UserError, match="there is no video; leave --guide out"):
        guidable(system(NAME), asked, scene=Blank(duration=1.0))
    guidable(system(NAME), asked)


@pytest.mark.slow
def test_the_command_writes_what_was_read_and_draws_it_and_plays_it_again(
    performer: Make, weft_command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = replace(system(NAME), load=lambda: performer(), check=lambda scene, without: None)
    monkeypatch.setitem(SYSTEMS, NAME, row)
    clip = write_clip(tmp_path / "clip.mp4", 1.2)
    written = {
        "version": 1,
        "clip": {"duration": Video.open(clip).duration},
        "when": {"onsets": []},
        "where": {"tracks": [{"label": "it", "t": [0.0], "box": [[0.4, 0.4, 0.6, 0.6]], "depth": [0.3]}]},
        "what": {"prompt": "a stick hits wood"},
    }
    (tmp_path / "cues.json").write_text(json.dumps(written))
    common = ("generate", clip, "--system", NAME, "--cues", tmp_path / "cues.json", "--steps", 4)
    flags = ("--guide", "volume", "--guide-every", 2, "--takes", 2)
    status, _, err = weft_command(*common, *flags, "-o", tmp_path / "x.wav")
    assert status == 0, err
    told = [json.loads((tmp_path / f"x.{n}.json").read_text())["guide"] for n in (1, 2)]
    assert [row["step"] for row in told[0]["steps"]] == [1, 3] and told[0]["by"] == "mel"
    assert told[0]["before"] != told[1]["before"] and set(told[0]["after"]) == set(told[0]["before"])
    assert (tmp_path / "x.1.guide.png").read_bytes().startswith(b"\x89PNG")
    status, out, err = weft_command("rerun", tmp_path / "x.2.json", "-o", tmp_path / "again.wav")
    assert status == 0 and "again.wav: the same samples" in out, err
    status, _, err = weft_command(*common, "--guide", "volume", "--compat", "-o", tmp_path / "y.wav")
    assert status == 2 and "leave --compat or --guide out" in err and err.count("\n") == 1
