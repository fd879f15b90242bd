"""Defects of MMAudio's reference, by number, where they show in a whole performance; and `compat`, which has them.

Those of one part are tested beside it: D1 in encoders (mmaudio_pictures), D2, D3, D4, D8 and D9 in generators and
diffusion, D5 in generators (lengths).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmaudio_tiny import TINY_16K, TINY_44K, request, write_clip

from weft.codecs.mel_codec import CONFIGS
from weft.cues.sheet import Clip, CueSheet, Track, What, Where
from weft.diffusion.guidance import ClassifierFree
from weft.encoders.mmaudio_pictures import read_pictures
from weft.errors import UserError
from weft.generators.conditions import Conditions
from weft.generators.mmaudio import VARIANTS
from weft.generators.sampling import latents
from weft.media import Video, read_audio
from weft.media.caching import Cache
from weft.systems.generate import perform
from weft.systems.mmaudio import MMAudio
from weft.systems.mmaudio_parts import Parts, parts
from weft.systems.mmaudio_seeing import Seeing, View
from weft.systems.scene import Blank
from weft.systems.table import SYSTEMS, SystemSpec, system

Make = Callable[..., MMAudio]
Play = Callable[..., np.ndarray]
RATE = 44100


@pytest.fixture
def tiny_row(performer: Make, monkeypatch: pytest.MonkeyPatch) -> SystemSpec:
    """The row of small-16k with tiny networks behind it."""
    row = replace(system("mmaudio-small-16k"), name="mmaudio-tiny", load=lambda: performer(TINY_16K))
    monkeypatch.setitem(SYSTEMS, row.name, row)
    return row


def packets(path: Path) -> list[str]:
    with av.open(str(path)) as file:
        return [hashlib.md5(bytes(p)).hexdigest() for p in file.demux(video=0) if p.size]


@pytest.mark.parametrize("seconds", [1.3, 8.0])
@pytest.mark.parametrize("one", [TINY_16K, TINY_44K], ids=["16k", "44k"])
def test_d5_the_sound_ends_with_the_picture(play: Play, seconds: float, one: Parts) -> None:
    """The reference's is as long as its latent: 8.0109 s for 8 s at 44.1 kHz, 1.344 s for 1.3 s at 16 kHz."""
    wave = play(request(Blank(duration=seconds), steps=1), one)
    assert wave.shape[1] == round(seconds * RATE)
    theirs = one.flow.lengths(seconds, compat=True).samples / one.flow.rate_hz
    assert theirs > seconds or seconds == 8.0


def test_d6_odd_sizes_uneven_times_and_the_clips_own_sound_survive(
    tiny_row: SystemSpec, tmp_path: Path
) -> None:
    """The reference encodes the picture anew: odd sizes fail, uneven times drift, the clip's own sound is dropped."""
    clip = tmp_path / "odd.mkv"
    with av.open(str(clip), "w") as sink:
        picture = sink.add_stream("ffv1", rate=25)
        picture.width, picture.height, picture.pix_fmt = 33, 35, "yuv444p"
        picture.codec_context.time_base = Fraction(1, 1000)
        voice = sink.add_stream("flac", rate=RATE)
        voice.codec_context.layout = "mono"
        for at in (0, 40, 95, 300, 340, 700):
            frame = av.VideoFrame.from_ndarray(np.full((35, 33, 3), at % 250, np.uint8), format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            sink.mux(picture.encode(frame))
        sink.mux(picture.encode(None))
        tone = (3000 * np.sin(np.arange(30000) * 0.05)).astype(np.int16)[None]
        block = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        block.sample_rate, block.pts = RATE, 0
        sink.mux(voice.encode(block))
        sink.mux(voice.encode(None))
    video = Video.open(clip)
    take = perform(video, CueSheet(clip=Clip(duration=video.duration)), system=tiny_row.name, steps=1)
    made = take.save(tmp_path / "made.mkv", original="keep")
    assert packets(made) == packets(clip), "the picture's packets are the clip's own"
    with av.open(str(made)) as file:
        assert len(file.streams.audio) == 2
    assert read_audio(made).shape == (2, round(video.duration * RATE))


def test_d7_the_picture_is_copied_by_default(tiny_row: SystemSpec, tmp_path: Path) -> None:
    """The reference's own copying of streams is dead code that no longer runs."""
    clip = write_clip(tmp_path / "c.mp4", 0.8, 30)
    take = perform(
        clip, CueSheet(clip=Clip(duration=Video.open(clip).duration)), system=tiny_row.name, steps=1
    )
    assert packets(take.save(tmp_path / "made.mp4")) == packets(clip)


def test_takes_are_as_loud_as_the_network_made_them(tiny_row: SystemSpec, play: Play, tmp_path: Path) -> None:
    """The one gain that lifts weft's own instruments is not for a network that speaks at full level."""
    clip = Video.open(write_clip(tmp_path / "c.mp4", 0.8))
    sheet = CueSheet(clip=Clip(duration=clip.duration))
    wave = play(request(clip, sheet=sheet))
    assert 1e-3 < np.abs(wave).max() < 0.5, "nothing for the limiter to do"
    np.testing.assert_allclose(
        perform(clip, sheet, system=tiny_row.name, steps=2).audio, wave, atol=1e-5 * np.abs(wave).max()
    )


def test_d8_clips_of_a_tenth_of_a_second_and_batches_of_any_length_run(play: Play, tmp_path: Path) -> None:
    clip = Video.open(write_clip(tmp_path / "c.mp4", 0.12))
    assert play(request(clip)).shape == (2, round(clip.duration * RATE))
    with pytest.raises(UserError, match=r"the reference needs 0\.64 s"):
        play(request(clip, compat=True))


def test_d10_no_words_are_no_fault(play: Play, tmp_path: Path) -> None:
    """The reference counts its texts before it looks whether there are any."""
    clip = Video.open(write_clip(tmp_path / "c.mp4", 0.8))
    for what in (What(), What(prompt=""), What(negative="music"), What(prompt="", negative="")):
        sheet = CueSheet(clip=Clip(duration=clip.duration), what=what)
        assert np.isfinite(play(request(clip, sheet=sheet, steps=1))).all()


@pytest.mark.parametrize("rate", [12, 16, 25, 60])
def test_d11_pictures_are_read_by_time_whatever_the_rate(tmp_path: Path, rate: int) -> None:
    """A port takes the first 8 d and 25 d pictures of any clip: the first 2.56 s of 8 s at 25 fps."""
    clip = Video.open(write_clip(tmp_path / "c.mp4", 3.0, rate))
    found = read_pictures(clip)
    assert len(found.clip) == 24 and len(found.sync) == 16 + 8 * 8
    k = round(23 / 8 * rate)  # the last picture for CLIP is shown at 23 / 8 s
    near = clip.frames(rate, (384, 384))[k - 1 : k + 2].astype(int)
    assert min(np.abs(found.clip[-1].astype(int) - picture).mean() for picture in near) < 3


def test_d11_every_size_has_its_own_rate_width_and_latent() -> None:
    """A port writes all sounds at 44.1 kHz, cannot load small-16k, and takes medium for large."""
    rows = [row for row in SYSTEMS.values() if row.name.startswith("mmaudio-")]
    assert [row.name for row in rows] == ["mmaudio-" + v.replace("_", "-") for v in VARIANTS]
    for variant, row in zip(VARIANTS, rows, strict=True):
        one = parts(variant)
        kind = CONFIGS["16k" if "16k" in variant else "44k"]
        assert one.codec == kind and one.flow.rate_hz == kind.front.rate
        assert one.flow.hop == 2 * kind.front.hop and one.flow.config.latent_dim == kind.vae.latent
        assert row.files() == one.files and len({f.file for f in one.files}) == 6
        assert row.memory_gb * 1e9 == pytest.approx(
            max(one.encoding_bytes(clip=True, sync=True, text=True), one.playing_bytes()), rel=0.03
        )
        assert row.size_mb == pytest.approx(
            one.flow_file.megabytes
            + {"16k": 687 + 449, "44k": 1222 + 489}[kind_name(variant)]
            + 3947
            + 951
            + 1,
            abs=1,
        )


def kind_name(variant: str) -> str:
    return "16k" if "16k" in variant else "44k"


def test_compat_is_the_reference_s_own_path(performer: Make, tmp_path: Path) -> None:
    """Its pictures, lengths, noise and words, through the networks by hand."""
    clip = Video.open(write_clip(tmp_path / "c.mp4", 2.1))
    told = CueSheet(clip=Clip(duration=clip.duration), what=What(prompt="rain"))
    made = performer()
    wave = np.concatenate(list(made.perform(request(clip, sheet=told, compat=True, seed=42))), axis=1)

    one, eyes = TINY_16K, Seeing(parts=TINY_16K, cache=Cache(root=tmp_path / "other"))
    view = View(scene=clip, duration=clip.duration, compat=True)
    eyes.encode([view], ["clip", "sync"], ["rain", ""])
    seen = eyes.seen(view, ["clip", "sync"])
    lengths = one.flow.lengths(seen.duration, compat=True)
    assert (seen.clip.shape[1], seen.sync.shape[1]) == (lengths.clip, lengths.sync)
    noise = torch.randn(1, lengths.latent, 20, generator=torch.Generator().manual_seed(42))
    conditions = {
        "cond": lengths.conditions(clip=seen.clip, sync=seen.sync, text=eyes.words("rain")),
        "uncond": Conditions(text=eyes.words(""), clip_tokens=lengths.clip, sync_tokens=lengths.sync),
    }
    net, codec = one.load_flow(), one.load_codec()
    z = latents(net, noise, conditions, ClassifierFree(scale=4.5), 2)
    plain = codec.decode(net.unnormalised(z))[0, 0].numpy()
    import soxr

    wanted = soxr.resample(plain, 16000, RATE, quality="HQ")[: wave.shape[1]]
    np.testing.assert_allclose(
        wave[0, : len(wanted) - 2000], wanted[:-2000], atol=2e-4 * np.abs(wanted).max()
    )
    assert np.array_equal(wave[0], wave[1])


def test_compat_guidance_below_one_is_off_and_otherwise_it_is_not(play: Play, tmp_path: Path) -> None:
    clip = Video.open(write_clip(tmp_path / "c.mp4", 1.0))

    def at(scale: float, compat: bool) -> np.ndarray:
        return play(request(clip, guidance=scale, compat=compat))

    assert np.array_equal(at(0.5, True), at(1.0, True))
    assert not np.array_equal(at(0.5, False), at(1.0, False))


def test_compat_leaves_the_desk_out_and_takes_are_the_reference_s_next_seeds(
    play: Play, tmp_path: Path
) -> None:
    clip = Video.open(write_clip(tmp_path / "c.mp4", 1.0))
    where = Where(tracks=(Track(t=[0.0], box=[[0.8, 0.4, 1.0, 0.6]]),))
    placed = CueSheet(clip=Clip(duration=clip.duration), where=where)
    wave = play(request(clip, sheet=placed, compat=True))
    assert np.array_equal(wave[0], wave[1])
    assert np.array_equal(play(request(clip, compat=True, take=2)), play(request(clip, compat=True, seed=2)))
    assert not np.array_equal(play(request(clip, take=2)), play(request(clip, seed=2)))


def test_compat_is_refused_by_systems_without_a_reference(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mp4", 0.5)
    sheet = CueSheet(clip=Clip(duration=0.5))
    with pytest.raises(UserError, match="weft-mini has no published reference; leave --compat out"):
        perform(clip, sheet, system="weft-mini", compat=True)
    with pytest.raises(UserError, match="does not look at the picture itself; leave --without out"):
        perform(clip, sheet, system="weft-physical", without=("clip",))
