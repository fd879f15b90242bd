"""From clips and captions to shards: which windows, what is left out and named, and going on after a stop."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from weft.errors import UserError
from weft.media.video import Video
from weft.training import extraction
from weft.training.embedded import Embedded
from weft.training.extraction import captioned, embed, starts
from weft.training.extractors import OwnExtractor, extractor

RATE = 44100


@pytest.fixture(scope="module")
def own():
    return OwnExtractor.load()


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * t) * np.exp(-3 * (t % 0.5))).astype(np.float32)


def film(path: Path, seconds: float, fps: int = 25, sound: bool = True) -> None:
    """A bright square that moves over grey, with or without a tone."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        voice = out.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for k in range(round(seconds * fps)):
            picture = np.full((48, 64, 3), 90, np.uint8)
            picture[10:20, k % 50 : k % 50 + 10] = 250
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
        if voice is not None:
            heard = av.AudioFrame.from_ndarray(tone(seconds)[None], format="fltp", layout="mono")
            heard.sample_rate = RATE
            out.mux(voice.encode(heard))
            out.mux(voice.encode(None))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    soundfile.write(folder / "long.wav", tone(5.0), RATE)
    soundfile.write(folder / "short.wav", tone(1.0), RATE)
    soundfile.write(folder / "silent.wav", np.zeros(4 * RATE, np.float32), RATE)
    (folder / "broken.wav").write_bytes(b"no sound at all")
    film(folder / "film.mp4", 4.5, fps=24)
    (folder / "captions.csv").write_text(
        'file,caption\nlong.wav,"a tone, falling"\nfilm,a square\nshort.wav,a\nsilent.wav,b\nbroken.wav,c\n'
    )
    return folder


def test_windows_are_spread_as_in_the_published_code():
    """Windows of 8.1 s: none of a shorter sound, one at the start, else from the start to the end."""
    assert starts(8.05, 8.0, 5) == []
    assert starts(10.0, 8.0, 5) == [0.0]
    assert starts(16.2, 8.0, 5) == pytest.approx([0.0, 8.1])
    assert starts(20.0, 8.0, 5) == pytest.approx([0.0, 11.9])
    assert starts(100.0, 8.0, 5) == pytest.approx([k * 91.9 / 4 for k in range(5)])


def test_clips_become_examples_and_the_rest_are_named(tmp_path, clips, own):
    done = embed(captioned(clips, clips / "captions.csv"), own, tmp_path, film_windows=2, per_shard=3)
    assert done.shards == 2 and done.examples == 4
    assert done.failed.keys() == {"short_wav", "silent_wav", "broken_wav"}
    assert "1.00 s of sound; a window is 2 s" in done.failed["short_wav"]
    assert "is silent" in done.failed["silent_wav"]
    read = Embedded([tmp_path])
    notes = [read.note(n) for n in range(len(read))]
    assert [n["source"]["file"] for n in notes] == ["long.wav"] * 2 + ["film.mp4"] * 2
    assert [n["pictures"] for n in notes] == [False, False, True, True]
    assert notes[0]["caption"] == "a tone, falling"
    shapes = own.made_of["shapes"]
    for number in range(4):
        row = read[number]
        assert list(row["mean"].shape) == list(row["std"].shape) == shapes["mean"]
        assert list(row["text"].shape) == shapes["text"]
        assert ("clip" in row) == (number > 1)
    assert torch.allclose(read.no_words(), own.words(""))


def test_an_example_is_what_the_encoders_say_of_its_window(tmp_path, clips, own):
    embed(captioned(clips, clips / "captions.csv")[1:2], own, tmp_path, film_windows=2)
    read = Embedded([tmp_path])
    start = read.note(1)["source"]["start"]
    assert start == pytest.approx(58 / 24, abs=1e-3)  # of 2.42 s, which is between two pictures
    video = Video.open(clips / "film.mp4", start, 2.0)
    clip, sync = own.seen(video.frames(12.5, (96, 72)))
    assert torch.allclose(read[1]["sync"], sync, rtol=2e-2, atol=2e-2)
    assert torch.allclose(read[1]["clip"], clip, rtol=2e-2, atol=2e-2)
    assert torch.allclose(read[1]["text"], own.words("a square"), rtol=1e-2)
    assert not torch.allclose(read[0]["sync"], sync, rtol=2e-2, atol=2e-2)


def test_sound_and_picture_of_a_later_window_begin_together(tmp_path, clips, own):
    heard = []

    class Listening(OwnExtractor):
        def sound(self, wave):
            heard.append(wave)
            return super().sound(wave)

    by = Listening(codec=own.codec, text=own.text, video=own.video)
    embed(captioned(clips, clips / "captions.csv")[1:2], by, tmp_path, film_windows=2)
    start = Embedded([tmp_path]).note(1)["source"]["start"]
    whole = heard[0].shape[1]
    assert whole - heard[1].shape[1] == pytest.approx(start * RATE, abs=5)  # it is noted to 0.1 ms


def test_a_stopped_embedding_goes_on_with_what_is_missing(tmp_path, clips, own):
    rows = captioned(clips, clips / "captions.csv")
    embed(rows, own, tmp_path / "a", per_shard=2)
    before = {p.name: p.read_bytes() for p in (tmp_path / "a").glob("*.tar")}
    (tmp_path / "a" / "clips-00000002.tar").unlink()
    again = embed(rows, own, tmp_path / "a", per_shard=2)
    assert again.examples == 0 and again.failed.keys() == {"short_wav", "silent_wav", "broken_wav"}
    assert {p.name: p.read_bytes() for p in (tmp_path / "a").glob("*.tar")} == before


def test_shares_are_the_whole(tmp_path, clips, own):
    rows = captioned(clips, clips / "captions.csv")
    for k in range(2):
        embed(rows, own, tmp_path, per_shard=1, share=(k, 2))
    assert len(list(tmp_path.glob("*.tar"))) == 5
    with pytest.raises(UserError, match="share 2 of 2"):
        embed(rows, own, tmp_path, share=(2, 2))


def test_loudness_is_left_or_brought_to_a_peak(tmp_path, clips, own):
    seen = []

    class Peaked(OwnExtractor):
        def sound(self, wave):
            seen.append(float(wave.abs().max()))
            return super().sound(wave)

    by = Peaked(codec=own.codec, text=own.text, video=own.video, peak=0.95)
    embed(captioned(clips, clips / "captions.csv")[:1], by, tmp_path)
    assert seen[0] == pytest.approx(0.95, rel=1e-3)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "names no clips"),
        ("file,words\nlong.wav,a\n", "has no column 'caption', but file, words"),
        ("file,caption\nlong.wav,a\nnone.wav,b\n", r"line 3: no none.wav in"),
        ("file,caption\nlong.wav,a\nlong,b\n", "names long_wav twice"),
    ],
)
def test_bad_tables_are_named(tmp_path, clips, table, said):
    path = tmp_path / "t.csv"
    path.write_text(table)
    with pytest.raises(UserError, match=said):
        captioned(clips, path)


def test_unknown_and_missing_encoders_are_named(monkeypatch, tmp_path):
    with pytest.raises(UserError, match="unknown encoders 'clap': use own, mmaudio-16k, mmaudio-44k"):
        extractor("clap")
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match=r"no v1-16.pth in .*: get it from"):
        extractor("mmaudio-16k")


@pytest.mark.slow
def test_the_recipe_says_what_it_left_out_and_fails(tmp_path, clips):
    recipe = Path(__file__).parents[2] / "recipes/embed_clips.py"
    done = subprocess.run(
        [sys.executable, str(recipe), str(clips), str(clips / "captions.csv"), "--out", str(tmp_path / "s")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "3 examples written now, 3 clips left out" in done.stdout
    assert "left out silent_wav:" in done.stderr
    failed = json.loads((tmp_path / "s" / f"clips-00000000-{extraction.FAILED}").read_text())
    assert failed.keys() == {"short_wav", "silent_wav", "broken_wav"}
