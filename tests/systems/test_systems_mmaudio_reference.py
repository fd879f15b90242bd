"""A recording that MMAudio begins from: how much of it is heard, where it lies, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from mmaudio_tiny import TINY_16K, TINY_44K, request

from weft.codecs.mel_codec import MelCodec
from weft.errors import UserError
from weft.media import read_audio
from weft.systems.mmaudio import STRENGTH, MMAudio
from weft.systems.mmaudio_known import laid_under, reference_of
from weft.systems.mmaudio_parts import Parts
from weft.systems.mmaudio_windows import Window
from weft.systems.scene import Blank
from weft.systems.table import SYSTEMS, system

RATE = 44100
BOTH = pytest.mark.parametrize("parts", [TINY_16K, TINY_44K], ids=["16k", "44k"])
Play = Callable[..., np.ndarray]


def hiss(seconds: float, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.repeat(level * rng.standard_normal((1, round(seconds * RATE))), 2, 0).astype(np.float32)


@BOTH
def test_the_more_of_the_reference_the_nearer_it_comes(play: Play, parts: Parts) -> None:
    one, recording = request(Blank(duration=1.2), steps=10), hiss(1.2)
    codec = parts.load_codec(encoder=True)
    wanted = codec.decode(reference_of(codec, recording))[0, 0].numpy()
    plain = play(one, parts)

    def at(strength: float | None) -> np.ndarray:
        return play(replace(one, reference=recording, reference_strength=strength), parts)

    assert np.array_equal(at(0.0), plain), "from noise alone"
    assert np.array_equal(at(None), at(STRENGTH)) and not np.array_equal(at(None), plain)
    if codec.rate == RATE:  # else it has been resampled
        np.testing.assert_allclose(at(1.0)[0], wanted[: plain.shape[1]], atol=1e-4 * np.abs(wanted).max())
    whole = at(1.0)
    apart = [float(np.square(at(s) - whole).mean()) for s in (0.0, 0.5, 0.9, 1.0)]
    assert apart[-1] == 0 and apart[-1] < apart[-2] < apart[0]


def test_a_quiet_recording_is_heard_as_a_loud_one(play: Play) -> None:
    one = request(Blank(duration=0.8))
    loud, quiet = (play(replace(one, reference=hiss(0.5, level))) for level in (0.1, 0.001))
    np.testing.assert_allclose(loud, quiet, atol=1e-3 * np.abs(loud).max())


def test_a_short_recording_is_repeated_and_a_long_one_is_cut(play: Play) -> None:
    codec = MelCodec(TINY_16K.codec).eval().requires_grad_(False)
    short, long = reference_of(codec, hiss(0.5)), reference_of(codec, hiss(11.0))
    assert short.shape[1] == 16 and long.shape[1] == 313
    under = laid_under(short, Window(start=20, fresh=25, end=60, keep=55))
    assert torch.equal(under[:, :12], short[:, 4:]) and torch.equal(under[:, 12:28], short)
    one = request(Blank(duration=12.0), steps=2, reference=hiss(3.0))
    wave = play(one)
    assert wave.shape == (2, 12 * RATE)
    assert not np.array_equal(wave, play(replace(one, reference=None)))


def test_what_makes_no_sense_is_refused(performer: Callable[..., MMAudio]) -> None:
    one = request(Blank(duration=0.8), reference=hiss(0.5))
    for wrong, said in (
        (replace(one, compat=True), "begins from no recording; leave --reference out, or --compat"),
        (replace(one, reference_strength=1.2), r"--reference-strength 1\.2; give 0"),
        (replace(one, steps=1), r"--reference-strength 0\.4 lies between noise and data: give 2 --steps"),
        (replace(one, reference_strength=float("nan")), "--reference-strength nan"),
        (replace(one, reference=np.zeros((2, RATE), np.float32)), "no sound in the reference recording"),
        (replace(one, reference=np.zeros((2, 0), np.float32)), "no sound in the reference recording"),
    ):
        with pytest.raises(UserError, match=said):
            list(performer().perform(wrong))


def test_flags_are_obeyed_recorded_and_rerun(
    own_weights: Path,
    performer: Callable[..., MMAudio],
    weft_command: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    name = "mmaudio-small-16k"
    monkeypatch.setitem(SYSTEMS, name, replace(system(name), load=lambda: performer(TINY_16K)))
    soundfile.write(tmp_path / "ref.wav", hiss(0.5).T, RATE)
    common = ("--system", name, "--steps", 4, "--duration", 0.8)
    flags = {
        "none": (),
        "half": ("--reference", tmp_path / "ref.wav"),
        "most": ("--reference", tmp_path / "ref.wav", "--reference-strength", 0.9),
        "bf16": ("--precision", "bf16"),
    }
    for label, given in flags.items():
        status, _, err = weft_command("generate", *common, *given, "-o", tmp_path / f"{label}.wav")
        assert status == 0, err
    sounds = {label: read_audio(tmp_path / f"{label}.wav") for label in flags}
    assert len({wave.tobytes() for wave in sounds.values()}) == len(flags)
    told = {label: json.loads((tmp_path / f"{label}.json").read_text()) for label in flags}
    assert (told["most"]["reference_strength"], told["half"]["reference_strength"]) == (0.9, None)
    assert (told["bf16"]["precision"], told["none"]["precision"]) == ("bf16", "fp32")
    for label in ("most", "bf16"):
        again = ("-o", tmp_path / "again.wav", "--force")
        status, out, err = weft_command("rerun", tmp_path / f"{label}.json", *again)
        assert status == 0 and "again.wav: the same samples" in out, err
    before = sorted(tmp_path.iterdir())
    for args, said in (
        ((*common, "--reference-strength", 0.5), "changes nothing without --reference"),
        ((*common, "--precision", "fp16"), "--precision 'fp16' is unknown; give fp32 or bf16"),
    ):
        status, out, err = weft_command("generate", *args, "-o", tmp_path / "x.wav")
        assert (status, out, err.count("\n")) == (2, "", 1) and said in err, err
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--precision", "bf16"), "weft-physical plays in fp32 alone; leave --precision out"),
        (("--reference-strength", 0.5), "weft-physical hears how a reference sounds, not how much"),
    ],
)
def test_systems_that_cannot_say_so(weft_command, bar_clip, tmp_path: Path, flags, said: str) -> None:
    status, out, err = weft_command("generate", bar_clip, *flags, "-o", tmp_path / "x.wav")
    assert (status, out, err.count("\n")) == (2, "", 1) and said in err, err
