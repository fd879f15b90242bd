"""Sound in and out: placed against the picture, resampled, exactly as long as asked, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from weft.errors import MediaError
from weft.media import AudioWriter, iter_audio, read_audio, write_audio

Maker = Callable[..., Path]
RATE = 44100


def tone(seconds: float, rate: int = RATE, hz: float = 440.0, channels: int = 2) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * hz * (1 + 0.5 * c) * t) for c in range(channels)]).astype(
        np.float32
    )


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize(("subtype", "step"), [("float", 2**-23), ("24", 2**-23), ("16", 2**-15)])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_what_is_written_is_read(
    tmp_path: Path, suffix: str, subtype: str, step: float, channels: int
) -> None:
    sound = tone(0.7, channels=channels)
    path = tmp_path / f"a{suffix}"
    assert write_audio(path, sound, subtype=subtype, comment="seed 7") == sound.shape[1]  # type: ignore[arg-type]
    back = read_audio(path, None)
    assert back.dtype == np.float32 and back.shape == sound.shape
    assert np.abs(back - sound).max() <= step
    with soundfile.SoundFile(path) as file:
        assert file.comment == "seed 7"
        kinds = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT" if suffix == ".wav" else "PCM_24"}
        assert file.subtype == kinds[subtype]


def test_integer_samples_clip_and_do_not_wrap(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", np.array([[1.5, -1.5, 0.5]], np.float32), subtype="16")
    assert read_audio(tmp_path / "a.wav", None)[0] == pytest.approx([1.0, -1.0, 0.5], abs=1e-4)


@pytest.mark.parametrize(("own", "wanted"), [(48000, 44100), (22050, 44100), (44100, 48000), (96000, 44100)])
def test_resampling_keeps_tones_times_and_length(tmp_path: Path, own: int, wanted: int) -> None:
    write_audio(tmp_path / "a.wav", tone(1.3, own), own)
    back = read_audio(tmp_path / "a.wav", wanted)
    ideal = tone(1.3, wanted)
    assert back.shape == ideal.shape
    assert np.abs(back - ideal)[:, 500:-500].max() < 1e-3


@pytest.mark.parametrize("rate", [None, 48000])
def test_a_part_equals_that_part_of_the_whole(tmp_path: Path, rate: int | None) -> None:
    rng = np.random.default_rng(0)
    write_audio(tmp_path / "a.flac", (rng.standard_normal((2, RATE * 6)) * 0.1).astype(np.float32))
    at = rate or RATE
    whole = read_audio(tmp_path / "a.flac", rate)
    for start in (0.0, 0.05, 0.5, 4.0):
        part = read_audio(tmp_path / "a.flac", rate, start, 1.25)
        first = round(start * at)
        assert np.abs(part - whole[:, first : first + round(1.25 * at)]).max() < 1e-4, start


@pytest.mark.parametrize("block", [1000, 65536, 10**6])
def test_blocks_are_the_whole_cut(tmp_path: Path, block: int) -> None:
    write_audio(tmp_path / "a.wav", tone(3.0, 48000), 48000)
    blocks = list(iter_audio(tmp_path / "a.wav", block=block))
    assert all(b.shape[1] == block for b in blocks[:-1])
    assert np.array_equal(np.concatenate(blocks, axis=1), read_audio(tmp_path / "a.wav"))


@pytest.mark.parametrize("duration", [0.1, 0.33333, 5.0])
def test_duration_is_exact_and_padded_with_silence(tmp_path: Path, duration: float) -> None:
    write_audio(tmp_path / "a.wav", tone(1.0))
    back = read_audio(tmp_path / "a.wav", RATE, 0.5, duration)
    assert back.shape == (2, round(duration * RATE))
    assert np.abs(back[:, : min(back.shape[1], RATE // 2)]).max() > 0.4
    assert not back[:, RATE // 2 :].any()


def test_channels_are_mixed_down_and_up(tmp_path: Path) -> None:
    left = np.stack([tone(0.5)[0], np.zeros(22050, np.float32)])
    write_audio(tmp_path / "a.wav", left)
    assert np.allclose(read_audio(tmp_path / "a.wav", channels=1), left[:1] / 2, atol=1e-3)
    write_audio(tmp_path / "m.wav", left[:1])
    assert np.allclose(read_audio(tmp_path / "m.wav", channels=2), np.repeat(left[:1], 2, 0), atol=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts"])
def test_sound_is_placed_against_the_first_picture(clip: Maker, name: str) -> None:
    """The sound begins 0.48 s before the first picture and clicks 0.75 s in: 0.27 s on the picture's clock."""
    sound = np.zeros((2, 2 * RATE), np.float32)
    sound[:, round(0.75 * RATE)] = 0.9
    back = read_audio(clip(name, start=0.48, sound=sound))
    assert np.abs(back).max(axis=0).argmax() / RATE == pytest.approx(0.27, abs=0.002)
    part = read_audio(clip(name, start=0.48, sound=sound), start=0.2, duration=0.5)
    assert np.abs(part).max(axis=0).argmax() / RATE == pytest.approx(0.07, abs=0.002)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.345])
def test_compressed_sound_keeps_its_length_and_place(clip: Maker, seconds: float) -> None:
    """The encoder's delay and the last frame's filling are not part of the sound."""
    sound = np.zeros((1, round(seconds * RATE)), np.float32)
    sound[:, -1000] = 0.9
    back = read_audio(clip(sound=sound), None)
    assert back.shape == sound.shape
    assert np.abs(back[0]).argmax() == pytest.approx(sound.shape[1] - 1000, abs=2)


def test_an_hour_passes_in_blocks(tmp_path: Path) -> None:
    """Sound of any length: the writer is given an hour that never exists as a whole, and a reader takes its end."""

    def hour() -> Iterator[np.ndarray]:
        block = np.zeros((1, 8000 * 60), np.float32)
        for minute in range(60):
            block[0, 0] = minute / 100
            yield block

    path = tmp_path / "hour.flac"
    assert write_audio(path, hour(), 8000, subtype="16") == 3600 * 8000
    last = read_audio(path, None, 3539.0, 2.0)
    assert last.shape == (1, 16000)
    assert last[0, 8000] == pytest.approx(0.59, abs=1e-3) and np.count_nonzero(np.abs(last) > 1e-3) == 1


def test_a_failed_writer_leaves_nothing(tmp_path: Path) -> None:
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), AudioWriter(tmp_path / "a.wav") as sink:
            sink.write(tone(0.1))
            assert list(tmp_path.iterdir()) != []
            raise error
        assert list(tmp_path.iterdir()) == []


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"written as .wav or .flac"):
        write_audio(tmp_path / "a.mp3", tone(0.1))
    with pytest.raises(MediaError, match="'8' is not one of float, 24, 16"):
        write_audio(tmp_path / "a.wav", tone(0.1), subtype="8")  # type: ignore[arg-type]
    with pytest.raises(MediaError, match="no sound to write"):
        write_audio(tmp_path / "a.wav", [])
    write_audio(tmp_path / "a.wav", tone(0.1))
    with pytest.raises(MediaError, match="exists already"):
        write_audio(tmp_path / "a.wav", tone(0.1))
    with pytest.raises(MediaError, match="start -1 s"):
        read_audio(tmp_path / "a.wav", start=-1.0)
    with pytest.raises(MediaError, match="past the end"):
        read_audio(tmp_path / "a.wav", start=5.0)


@pytest.mark.slow
@pytest.mark.clips
def test_real_clips(shared_clips: Path) -> None:
    for path in sorted(shared_clips.glob("*.mp4")):
        if "silent" not in path.name:
            whole = read_audio(path)
            assert np.abs(whole).max() > 0.05 and whole.shape[1] > 4 * RATE
            part = read_audio(path, start=2.0, duration=1.0)
            assert np.abs(part - whole[:, 2 * RATE : 3 * RATE]).max() < 1e-3, path
