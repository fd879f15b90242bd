"""MMAudio as a performer, through the real loading code on tiny files of the published layout."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from mmaudio_tiny import TINY_16K, TINY_44K, request, write_clip
from PIL import Image

from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Segment, Track, What, When, Where
from weft.errors import UserError
from weft.media import Video
from weft.systems.mmaudio import MMAudio
from weft.systems.mmaudio_parts import Parts
from weft.systems.scene import Blank, Still, open_scene

RATE = 44100
BOTH = pytest.mark.parametrize("parts", [TINY_16K, TINY_44K], ids=["16k", "44k"])
Make = Callable[..., MMAudio]
Play = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "c.mp4", 1.6)


def sheet(duration: float, **named: object) -> CueSheet:
    return CueSheet(clip=Clip(duration=duration), **named)  # type: ignore[arg-type]


def apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / np.sqrt(np.square(b).mean()))


@BOTH
def test_a_clip_has_a_sound_as_long_in_the_middle_of_the_stereo(play: Play, clip: Path, parts: Parts) -> None:
    wave = play(request(Video.open(clip)), parts)
    assert wave.shape == (2, round(1.6 * RATE))
    assert wave.dtype == np.float32
    assert np.isfinite(wave).all() and wave.std() > 1e-4
    assert np.array_equal(wave[0], wave[1])


@BOTH
def test_words_pictures_and_what_is_left_out_are_heard(play: Play, clip: Path, parts: Parts) -> None:
    video = Video.open(clip)
    plain = play(request(video), parts)
    told = sheet(1.6, what=What(prompt="a dog barks"))
    turned_down = sheet(1.6, what=What(prompt="a dog barks", negative="music"))
    others = {
        "words": play(request(video, sheet=told), parts),
        "negative words": play(request(video, sheet=turned_down), parts),
        "seed": play(request(video, seed=1), parts),
        "take": play(request(video, take=1), parts),
        "steps": play(request(video, steps=3), parts),
        "guidance": play(request(video, guidance=2.0), parts),
        "without clip": play(request(video, without=("clip",)), parts),
        "without sync": play(request(video, without=("sync",)), parts),
        "length alone": play(request(Blank(duration=1.6)), parts),
    }
    sounds = {"plain": plain, **others}
    for a in sounds:
        for b in sounds:
            assert a == b or apart(sounds[a], sounds[b]) > 1e-3, (a, b)
    blind = play(request(video, without=("clip", "sync")), parts)
    assert np.array_equal(blind, others["length alone"]), "without eyes a clip is a length"


def test_words_that_only_the_spotter_read_are_not_told(play: Play, clip: Path) -> None:
    video = Video.open(clip)
    spotted = sheet(1.6, what=What(prompt="a dog barks", source="spotter"))
    assert np.array_equal(play(request(video, sheet=spotted)), play(request(video)))


def test_a_still_picture_is_seen_and_does_not_move(play: Play, tmp_path: Path) -> None:
    for name, level in (("dark", 20), ("light", 200)):
        Image.fromarray(np.full((30, 40, 3), level, np.uint8)).save(tmp_path / f"{name}.png")
    dark, light = (open_scene(tmp_path / f"{name}.png", duration=1.0) for name in ("dark", "light"))
    assert isinstance(dark, Still) and (dark.width, dark.height) == (40, 30)
    one = play(request(dark))
    assert one.shape == (2, RATE)
    assert apart(one, play(request(light))) > 1e-3
    assert np.array_equal(one, play(request(dark, without=("sync",)))), (
        "nothing moves, so nothing is synchronous"
    )
    assert open_scene(tmp_path / "dark.png").duration == 8.0


LENGTHS = [(0.5, 12, 0), (3.3, Fraction(24000, 1001), 1), (3.3, 25, 0), (31.0, 10, 0)]
GRID = [
    (seconds, rate, uneven)
    for seconds in (0.5, 3.3, 8.0, 31.0)
    for rate in (12, Fraction(24000, 1001), 25, Fraction(30000, 1001), 60)
    for uneven in (0, 1)
]


def assert_as_long(play: Play, folder: Path, seconds: float, rate: Fraction | int, uneven: int) -> None:
    video = Video.open(write_clip(folder / "c.mp4", seconds, rate, variable=bool(uneven)))
    assert video.duration == pytest.approx(seconds, abs=1 / float(rate))
    wave = play(request(video, steps=1))
    assert wave.shape == (2, round(video.duration * RATE))
    tail = wave[:, -round(0.05 * RATE) :]
    assert np.abs(tail).max() > 1e-4, "sound to the very end, not silence filled in"


@pytest.mark.parametrize(("seconds", "rate", "uneven"), LENGTHS)
def test_sound_is_exactly_as_long_as_the_picture(
    play: Play, tmp_path: Path, seconds: float, rate: Fraction | int, uneven: int
) -> None:
    assert_as_long(play, tmp_path, seconds, rate, uneven)


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "rate", "uneven"), GRID)
def test_sound_is_exactly_as_long_as_any_picture(
    play: Play, tmp_path: Path, seconds: float, rate: Fraction | int, uneven: int
) -> None:
    assert_as_long(play, tmp_path, seconds, rate, uneven)


@BOTH
@pytest.mark.parametrize("seconds", [0.1, 1.0, 9.9, 10.1, 25.0])
def test_a_length_alone_may_be_any(play: Play, parts: Parts, seconds: float) -> None:
    wave = play(request(Blank(duration=seconds), steps=1), parts)
    assert wave.shape == (2, round(seconds * RATE))


@pytest.mark.slow
def test_sixty_seconds_may_be_one_pass(play: Play) -> None:
    wave = play(request(Blank(duration=60.0), steps=1), one_pass_s=60.0)
    assert wave.shape == (2, 60 * RATE)
    windowed = play(request(Blank(duration=60.0), steps=1))
    assert apart(wave, windowed) > 1e-3


def test_two_threads_of_different_durations_give_what_each_gives_alone(performer: Make, play: Play) -> None:
    """Bit for bit: there is no state outside a performance."""
    seconds = (0.7, 2.1)
    alone = [play(request(Blank(duration=s))) for s in seconds]
    shared, found = performer(), {}

    def run(s: float) -> None:
        found[s] = np.concatenate(list(shared.perform(request(Blank(duration=s)))), axis=1)

    threads = [threading.Thread(target=run, args=(s,)) for s in seconds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for s, wanted in zip(seconds, alone, strict=True):
        assert np.array_equal(found[s], wanted)


@BOTH
def test_takes_in_one_batch_are_those_made_alone(
    performer: Make, play: Play, clip: Path, parts: Parts
) -> None:
    one = request(Video.open(clip))
    sounds = performer(parts).perform_together([replace(one, take=take) for take in (0, 1, 2)])
    together = [np.concatenate(list(sound), axis=1) for sound in reversed(sounds)][::-1]
    for take, sound in enumerate(together):
        assert (
            apart(sound, play(replace(one, take=take), parts)) < 1e-4
        )  # 1e-5 in the latent; the vocoder adds
    assert apart(together[0], together[1]) > 1e-3


def test_takes_of_different_requests_are_refused(performer: Make, clip: Path) -> None:
    one = request(Video.open(clip))
    with pytest.raises(ValueError, match="differ in their take alone"):
        performer().perform_together([one, replace(one, seed=1)])


def test_the_trajectory_places_the_sound(play: Play, clip: Path) -> None:
    def ears(x: float) -> np.ndarray:
        box = [[x - 0.1, 0.4, x + 0.1, 0.6]] * 2
        where = Where(tracks=(Track(label="it", t=[0.0, 1.6], box=box),))
        wave = play(request(Video.open(clip), sheet=sheet(1.6, where=where)))
        return 10 * np.log10(np.square(wave).mean(axis=1))

    for x, lean in ((0.85, 9.8), (0.15, -9.8), (0.5, 0.0)):
        left, right = ears(x)
        assert right - left == pytest.approx(lean, abs=0.5)


def test_an_envelope_that_a_person_wrote_is_kept_and_a_spotted_one_is_not(play: Play, clip: Path) -> None:
    rms = np.where(np.arange(160) < 80, 0.1, 0.0)
    when = When(envelope=Envelope(hop=0.01, rms=rms))
    kept = play(request(Video.open(clip), sheet=sheet(1.6, when=when)))
    first, second = kept[:, : round(0.7 * RATE)], kept[:, round(0.9 * RATE) :]
    assert np.sqrt(np.square(first).mean()) == pytest.approx(0.1, rel=0.3)
    assert np.square(second).mean() < np.square(first).mean() / 50
    spotted = replace(when, source="spotter")
    plain = play(request(Video.open(clip)))
    assert np.array_equal(play(request(Video.open(clip), sheet=sheet(1.6, when=spotted))), plain)


def test_onsets_that_a_person_wrote_stand_out(play: Play, clip: Path) -> None:
    when = When(onsets=(Onset(t=0.4, strength=1.0), Onset(t=1.2, strength=0.5)))
    wave = play(request(Video.open(clip), sheet=sheet(1.6, when=when)))

    def level(t: float) -> float:
        at = round(t * RATE)
        return float(np.sqrt(np.square(wave[:, at : at + round(0.04 * RATE)]).mean()))

    assert level(0.41) > 5 * level(0.3)
    assert level(1.21) > 5 * level(1.1)
    assert level(0.41) / level(1.21) == pytest.approx(2, rel=0.3)


def test_segments_are_told_to_their_windows(play: Play) -> None:
    words = What(prompt="rain", segments=(Segment(start=15.0, end=21.0, prompt="a bell"),))
    other = replace(words, segments=(Segment(start=15.0, end=21.0, prompt="a saw"),))
    one, two = (
        play(request(Blank(duration=21.0), steps=1, sheet=sheet(21.0, what=what))) for what in (words, other)
    )
    assert np.array_equal(one[:, : 5 * RATE], two[:, : 5 * RATE]), (
        "a window that ends before hears nothing of it"
    )
    assert apart(one[:, -5 * RATE :], two[:, -5 * RATE :]) > 1e-4  # one step, and one word of random weights


def test_what_makes_no_sense_is_refused(performer: Make, clip: Path) -> None:
    one = request(Video.open(clip))
    for wrong, said in (
        (replace(one, steps=0), "0 sampler steps"),
        (replace(one, guidance=float("nan")), "guidance nan"),
        (replace(one, without=("eyes",)), "--without 'eyes' is unknown; give clip or sync"),
    ):
        with pytest.raises(UserError, match=said):
            performer().perform(wrong)
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(UserError, match="give a --duration above 0"):
            open_scene(None, duration=seconds)
