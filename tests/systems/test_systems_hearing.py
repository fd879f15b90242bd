"""How a guide hears a generator: by mel or by sound, all or a stretch, takes one by one, with right gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

pytest.importorskip("diffusers")

from audio_ldm_tiny import drawn

from weft.codecs import audio_ldm as parts
from weft.codecs.audio_ldm import TINY_AUDIO_LDM_CODEC, AudioLdmCodec
from weft.codecs.mel_layout import of_front
from weft.diffusion.step_rules import slope_of
from weft.encoders.log_mel import log_mel
from weft.encoders.own import WeftAudio
from weft.systems.guide import Guidance, Guide
from weft.systems.guide_log import GuideLog
from weft.systems.hearing import Listening, MelEar, Voice, _bridged

LATENT_HZ = 25.0


def _draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def codec() -> AudioLdmCodec:
    torch.manual_seed(0)
    return parts.frozen(drawn(AudioLdmCodec.build(TINY_AUDIO_LDM_CODEC)))


@pytest.fixture(scope="module")
def ear() -> WeftAudio:
    made = WeftAudio.load()
    made.net.requires_grad_(False)
    return made


def voice(codec: AudioLdmCodec, **named: object) -> Voice:
    given = {
        "decode": codec.decode,
        "rate": codec.rate,
        "latent_rate": codec.latent_rate,
        "decode_mel": codec.decode_mel,
        "layout": of_front(parts.FRONT),
    }
    return Voice(**{**given, **named})  # type: ignore[arg-type]


def guide(ear: object, kind: str = "volume", rows: int = 20) -> Guide:
    pictures, texts = F.normalize(_draw(rows, 128), dim=-1), F.normalize(_draw(1, 128, seed=1), dim=-1)
    return Guide(asked=Guidance(kind=kind), ear=ear, pictures=pictures, texts=texts)  # type: ignore[arg-type]


def test_the_ear_hears_the_same_by_its_spectrogram(ear: WeftAudio) -> None:
    assert isinstance(ear, MelEar)
    wave = 0.1 * _draw(2, 2 * 44100)
    torch.testing.assert_close(ear.felt_mel(log_mel(wave)), ear.felt(wave))
    short = ear.felt_mel(log_mel(wave[:, : 30 * 441]))
    assert short.shape == (2, 1, 128)
    # Silence is put behind the spectrogram there, behind the sound here: a frame differs, in which it fades.
    assert float((short * ear.felt(wave[:, : 30 * 441])).sum(-1).min()) > 0.9


@pytest.mark.parametrize(
    ("kind", "by"),
    [("volume", "mel"), ("pairwise", "mel"), ("mdg", "sound"), ("seeing-hearing", "sound")],
)
def test_ours_leave_the_vocoder_out_and_the_published_do_not(
    codec: AudioLdmCodec, ear: WeftAudio, kind: str, by: str
) -> None:
    called: list[int] = []
    hook = codec.vocoder.register_forward_hook(lambda *_: called.append(1))
    try:
        listening = Listening(guide(ear, kind), voice(codec), 0.0, 1.2)
        latent = _draw(1, 30, 128)
        listening(latent, 3)
        assert listening.by == by and bool(called) == (by == "sound")
        called.clear()
        listening(latent, -1)
        assert called, "what came out is heard as sound"
    finally:
        hook.remove()


def test_an_ear_or_a_codec_without_mel_is_heard_as_sound(codec: AudioLdmCodec, ear: WeftAudio) -> None:
    class Plain:
        rate = 44100
        felt = staticmethod(ear.felt)

    assert Listening(guide(Plain()), voice(codec), 0.0, 1.0).by == "sound"
    assert Listening(guide(ear), voice(codec, decode_mel=None), 0.0, 1.0).by == "sound"


def test_a_stretch_is_held_to_its_own_seconds(codec: AudioLdmCodec, ear: WeftAudio) -> None:
    asked: list[tuple[float, float]] = []
    one = guide(ear)

    class Noting(Guide):
        def vectors(self, start_s: float, end_s: float) -> tuple[Tensor, Tensor]:
            asked.append((start_s, end_s))
            return one.vectors(start_s, end_s)

    noting = Noting(asked=one.asked, ear=ear, pictures=one.pictures, texts=one.texts)
    listening = Listening(noting, voice(codec, stretch_s=1.0), 2.0, 6.0)
    latent = _draw(1, 100, 128).requires_grad_()
    places = set()
    for step in range(6):
        (slope,) = torch.autograd.grad(listening(latent, step).loss.sum(), latent)
        begin, end = asked[-1]
        assert end - begin == pytest.approx(1.0) and begin >= 2.0 and end <= 6.0
        moved = slope[0].abs().amax(-1).gt(0).nonzero()[:, 0]
        assert int(moved[0]) >= round((begin - 2) * LATENT_HZ)
        assert int(moved[-1]) < round((end - 2) * LATENT_HZ)
        places.add(begin)
    assert len(places) > 3
    listening(latent.detach(), -1)
    assert asked[-1] == (2.0, 6.0)
    whole = Listening(guide(ear, "mdg"), voice(codec, stretch_s=1.0), 2.0, 6.0)
    (slope,) = torch.autograd.grad(whole(latent, 0).loss.sum(), latent)
    assert int(slope[0].abs().amax(-1).gt(0).sum()) == 100, "the published hear all of it"


@pytest.mark.parametrize("kind", ["volume", "mdg"])
def test_items_of_a_batch_are_heard_as_if_alone(codec: AudioLdmCodec, ear: WeftAudio, kind: str) -> None:
    listening = Listening(guide(ear, kind), voice(codec), 0.0, 1.0)
    latents = _draw(3, 25, 128)
    loss, slope = slope_of(latents, lambda z: listening(z, 0).loss)
    for k in range(3):
        alone, own = slope_of(latents[k : k + 1], lambda z: listening(z, 0).loss)
        torch.testing.assert_close(loss[k : k + 1], alone)
        torch.testing.assert_close(slope[k : k + 1], own, rtol=1e-3, atol=1e-3 * float(own.abs().max()))
    logs: list[GuideLog | None] = [GuideLog(), None, GuideLog()]
    listening.finish(latents, logs, 4)
    assert logs[0].after != logs[2].after and logs[2].after[0]["window"] == 4  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["volume", "pairwise", "mdg"])
def test_gradients_agree_with_differences_along_decoder_bridge_and_ear(kind: str) -> None:
    torch.manual_seed(0)
    codec = parts.frozen(drawn(AudioLdmCodec.build(TINY_AUDIO_LDM_CODEC))).double()
    ear = WeftAudio.load()
    ear.net.double().requires_grad_(False)
    one = guide(ear, kind)
    one = Guide(asked=one.asked, ear=ear, pictures=one.pictures.double(), texts=one.texts.double())
    listening = Listening(one, voice(codec), 0.0, 1.0)
    latent = _draw(1, 25, 128).double()
    _, slope = slope_of(latent, lambda z: listening(z, 0).loss)
    assert float(slope.abs().max()) > 0
    for seed in range(3):
        way = F.normalize(_draw(25 * 128, seed=9 + seed).double(), dim=0).reshape(latent.shape)
        with torch.no_grad():
            rise = (listening(latent + 1e-5 * way, 0).loss - listening(latent - 1e-5 * way, 0).loss) / 2e-5
        along = (slope * way).sum().reshape(1)
        torch.testing.assert_close(along, rise, rtol=1e-4, atol=1e-4 * float(slope.norm()))


def test_no_nan_over_1000_random_starts_where_sound_is_picture_and_text_too(
    codec: AudioLdmCodec, ear: WeftAudio
) -> None:
    starts = _draw(1000, 5, 128) * 10 ** torch.linspace(-2, 2, 1000)[:, None, None]
    by_mel = _bridged(ear, voice(codec))
    assert by_mel is not None
    with torch.no_grad():
        own = by_mel(starts[:1])
    other = F.normalize(_draw(1, 128, seed=3), dim=-1)
    for text, few in ((other, 1000), (own, 100)):
        same = Guide(asked=Guidance(kind="volume"), ear=ear, pictures=own, texts=text)
        objective = same.objective(by_mel, 0.0, 0.2)
        for part in starts[:few].split(100):
            leaf = part.clone().requires_grad_()
            score = objective(leaf, 0)
            score.loss.sum().backward()
            assert bool(torch.isfinite(score.loss).all()) and bool(torch.isfinite(leaf.grad).all())
        assert float(objective(starts[:1], 0).readings["video_audio"]) < 1e-5
