"""weft-mini's performance of a sheet: lengths, seeds, windows. A small network with weights drawn at random."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from weft.codecs.stft_vae import StftVae, StftVaeConfig
from weft.cues.controls import CHANNELS, WIDTH
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Segment, What, When
from weft.cues.vocabulary import MATERIALS
from weft.encoders.text import TextEncoder
from weft.errors import UserError, WeightsError
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.systems.performer import Request
from weft.systems.weft_mini import WeftMini
from weft.systems.weft_mini_windows import AHEAD, WINDOW, windows

RATE, HOP = 44100, 1024


@pytest.fixture(scope="module")
def mini() -> WeftMini:
    torch.manual_seed(0)
    codec = StftVae(
        StftVaeConfig(
            latent=8,
            encoder_fine=(16, 1),
            encoder_deep=(16, 1),
            decoder_deep=(16, 1),
            decoder_fine=(16, 1),
        )
    ).eval()
    net = MMDiT(
        MMDiTConfig(
            latent_dim=8,
            hidden=16,
            heads=2,
            joint=1,
            fused=1,
            clip_dim=len(MATERIALS),
            sync_dim=WIDTH,
            text_dim=4,
            text_length=3,
            sync_segment=0,
            mlp_ratio=1.0,
            mlp_multiple=8,
            ffn_kernel=1,
            clip_kernel=1,
            input_kernel=1,
            reference_dim=8,
            frames_in_final=True,
            frames_at_input=True,
        )
    )
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    words = ["[UNK]", "a", "bell"]
    text = TextEncoder(
        {
            "table": torch.randint(-100, 100, (3, 4), dtype=torch.int8),
            "scale": torch.ones(3),
            "weight": torch.ones(3),
            "vocabulary": torch.tensor(list("\n".join(words).encode()), dtype=torch.uint8),
        },
        {},
    )
    return WeftMini(net.requires_grad_(False), codec.requires_grad_(False), text)


def _sheet(duration: float, *onsets: Onset) -> CueSheet:
    onsets = onsets or tuple(
        Onset(t=t, material="metal", action="hit") for t in np.arange(0.05, duration, 0.7).tolist()
    )
    return CueSheet(clip=Clip(duration=duration), when=When(onsets=onsets))


def _play(mini: WeftMini, request: Request) -> np.ndarray:
    return np.concatenate(list(mini.perform(replace(request, steps=request.steps or 2))), axis=1)


@pytest.mark.parametrize("duration", [0.1, 1.0, 4.0, 4.03, 9.37])
def test_mini_plays_exactly_as_long_as_the_picture(mini: WeftMini, duration: float) -> None:
    wave = _play(mini, Request(sheet=_sheet(duration), duration=duration))
    assert wave.shape == (2, round(duration * RATE))
    assert wave.dtype == np.float32
    assert np.isfinite(wave).all()
    assert wave.std() > 0


def test_mini_takes_are_named_by_seed_and_take(mini: WeftMini) -> None:
    request = Request(sheet=_sheet(1.0), duration=1.0, seed=3)
    first = _play(mini, request)
    np.testing.assert_array_equal(_play(mini, request), first)
    for other in (replace(request, seed=4), replace(request, take=1)):
        assert np.abs(_play(mini, other) - first).max() > 1e-6


def test_mini_steps_and_guidance_are_heard(mini: WeftMini) -> None:
    request = Request(sheet=_sheet(1.0), duration=1.0)
    first = _play(mini, request)
    assert np.abs(_play(mini, replace(request, steps=3)) - first).max() > 1e-6
    assert np.abs(_play(mini, replace(request, guidance=1.0)) - first).max() > 1e-6


def test_mini_blocks_join_without_a_seam(mini: WeftMini) -> None:
    """What is decoded window by window equals the whole decoded at once."""
    request = Request(sheet=_sheet(9.0), duration=9.0, steps=2)
    blocks = list(mini.perform(request))
    assert len(blocks) > 2
    kept: list[torch.Tensor] = []
    inner = mini.sample

    class Listening(WeftMini):
        def sample(self, *args: object, **named: object) -> torch.Tensor:
            latent = inner(*args, **named)  # type: ignore[arg-type]
            kept.append(latent[0])
            return latent

    _play(Listening(mini.net, mini.codec, mini.text), request)
    frames = -(-round(9.0 * RATE) // HOP)
    whole = torch.cat(
        [
            z[fresh - start : keep - start]
            for z, (start, fresh, _, keep) in zip(kept, windows(frames), strict=True)
        ]
    )
    wave = mini.codec.decode(whole[None], round(9.0 * RATE))[0].numpy()
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), wave, rtol=1e-5, atol=1e-5)


def test_mini_sound_long_before_an_edit_stays(mini: WeftMini) -> None:
    sheet = _sheet(12.0)
    edited = replace(sheet, when=When(onsets=(*sheet.when.onsets, Onset(t=11.5, material="glass"))))
    one = _play(mini, Request(sheet=sheet, duration=12.0))
    two = _play(mini, Request(sheet=edited, duration=12.0))
    decided = (WINDOW - AHEAD - mini.codec.context) * HOP
    np.testing.assert_array_equal(one[:, :decided], two[:, :decided])
    assert np.abs(one - two).max() > 1e-6


def test_mini_hears_a_reference(mini: WeftMini) -> None:
    request = Request(sheet=_sheet(1.0), duration=1.0)
    tone = np.sin(np.arange(RATE) * 0.1, dtype=np.float32) * np.ones((2, 1), np.float32)
    referred = replace(request, reference=tone)
    assert np.abs(_play(mini, referred) - _play(mini, request)).max() > 1e-6
    quieter = replace(request, reference=tone * 0.5)
    np.testing.assert_allclose(_play(mini, quieter), _play(mini, referred), atol=1e-4)
    with pytest.raises(UserError, match="reference has shape"):
        _play(mini, replace(request, reference=tone[:, :100]))


def test_mini_sees_the_picture(mini: WeftMini) -> None:
    request = Request(sheet=_sheet(1.0), duration=1.0)
    seen = replace(request, picture=np.eye(17, dtype=np.float32)[[3, 3, 3, 3]])
    assert np.abs(_play(mini, seen) - _play(mini, request)).max() > 1e-6
    with pytest.raises(UserError, match="picture tokens have shape"):
        _play(mini, replace(request, picture=np.zeros((4, 5), np.float32)))


def test_mini_refuses_what_makes_no_sense(mini: WeftMini) -> None:
    request = Request(sheet=_sheet(1.0), duration=1.0)
    with pytest.raises(UserError, match="0 sampler steps"):
        list(mini.perform(replace(request, steps=0)))
    with pytest.raises(UserError, match="guidance nan"):
        list(mini.perform(replace(request, guidance=float("nan"))))


def test_mini_trusts_an_envelope_by_its_source(mini: WeftMini) -> None:
    envelope = Envelope(hop=0.01, rms=np.full(100, 0.1))
    at = CHANNELS["envelope_known"].start
    for source, value in (("person", 1.0), ("spotter", 0.5), ("spotter+person", 1.0)):
        sheet = replace(_sheet(1.0), when=When(onsets=(), envelope=envelope, source=source))
        rows = mini.conditions(sheet, 0, 10).sync
        assert rows is not None
        assert float(rows[0, 0, at]) == value


def test_mini_words_yield_where_they_are_not_one(mini: WeftMini) -> None:
    segments = (Segment(start=0, end=1, prompt="a bell"), Segment(start=1, end=2, prompt="a"))
    sheet = replace(_sheet(2.0), what=What(segments=segments))
    assert mini.conditions(sheet, 0, 86).text is None


@pytest.mark.parametrize("frames", [1, 33, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 1000, 12345])
def test_mini_windows_decide_every_frame_once(frames: int) -> None:
    at = 0
    for start, fresh, end, keep in windows(frames):
        assert fresh == at
        assert 0 <= start <= fresh < keep <= end <= frames
        assert end - start <= WINDOW
        at = keep
    assert at == frames


def test_mini_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        WeftMini.load(tmp_path / "absent.safetensors")


def test_mini_refuses_weights_of_something_else(tmp_path: Path) -> None:
    from weft import weights

    weights.save(tmp_path / "other.safetensors", {"a": torch.zeros(2)}, {})
    with pytest.raises(WeightsError, match="no weft-mini configuration"):
        WeftMini.load(tmp_path / "other.safetensors")
