"""The picture's packets come through untouched, the sound is exactly as long, and nothing is half-written."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from weft.media import Video, mux, read_audio, true_peak_db

Maker = Callable[..., Path]
Number = Callable[[np.ndarray], int]
RATE = 44100


def packets(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [hashlib.sha256(bytes(p)).hexdigest() for p in container.demux(stream) if p.size]


def noise(seconds: float, level: float = 0.1, channels: int = 2) -> np.ndarray:
    samples = np.random.default_rng(5).standard_normal((channels, round(seconds * RATE))) * level
    return samples.astype(np.float32)


def tone(seconds: float, hz: float, level: float, rate: int = RATE) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.repeat(level * np.sin(2 * np.pi * hz * t)[None], 2, 0).astype(np.float32)


def level_of(sound: np.ndarray, hz: float, rate: int = RATE) -> float:
    """Amplitude of the tone of `hz` in `[C, N]`."""
    t = np.arange(sound.shape[1]) / rate
    return float(abs(2 * (sound[0] * np.exp(-2j * np.pi * hz * t)).mean()))


def audio_codecs(path: Path) -> list[tuple[str, int]]:
    with av.open(str(path)) as container:
        return [(s.codec_context.name, s.rate) for s in container.streams.audio]


SOURCES = {
    "b-frames": {"bframes": 3, "count": 60},
    "variable": {"pts": [0, 3, 4, 10, 17, 18, 30, 31, 50, 52], "time_base": Fraction(1, 100), "bframes": 2},
    "29.97": {"rate": Fraction(30000, 1001), "bframes": 2, "count": 64},
    "late": {"start": 0.48, "sound": noise(2)},
    "10 bit": {"pix_fmt": "yuv420p10le", "codec": "libx264"},
    "odd size": {"size": (65, 49), "pix_fmt": "yuv444p"},
    "short": {"rate": 30, "count": 3},
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("source", SOURCES)
def test_packets_times_and_length_are_kept(clip: Maker, tmp_path: Path, suffix: str, source: str) -> None:
    video = Video.open(clip("in.mp4", **SOURCES[source]))
    out = tmp_path / f"out{suffix}"
    result = mux(video, noise(video.duration + 1), out)
    assert packets(out) == packets(video.path)
    after = Video.open(out)
    assert after.duration == pytest.approx(video.duration, abs=1e-4 if suffix != ".mkv" else 1e-3)
    before, now = ([t for t, _ in v.iter_frames(None, (16, 16))] for v in (video, after))
    assert now == pytest.approx(before, abs=1e-6 if suffix != ".mkv" else 1.1e-3)
    assert result.samples == read_audio(out, None).shape[1] == round(video.duration * result.rate)


@pytest.mark.parametrize(
    ("source", "codec", "out", "sound"),
    [
        ("in.mp4", "libx264", "o.mp4", ("aac", 44100)),
        ("in.mp4", "libx264", "o.m4v", ("aac", 44100)),
        ("in.mkv", "libx264", "o.mov", ("aac", 44100)),
        ("in.ts", "libx264", "o.mkv", ("flac", 44100)),
        ("in.avi", "mpeg4", "o.mp4", ("aac", 44100)),
        ("in.webm", "libvpx-vp9", "o.webm", ("libopus", 48000)),
        ("in.webm", "libvpx-vp9", "o.mp4", ("aac", 44100)),
    ],
)
def test_each_container_gets_the_codec_it_wants(
    clip: Maker, tmp_path: Path, number: Number, source: str, codec: str, out: str, sound: tuple[str, int]
) -> None:
    video = Video.open(clip(source, codec=codec, count=40))
    heard = tone(1.6, 1000, 0.3)
    result = mux(video, heard, tmp_path / out)
    [(name, rate)] = audio_codecs(tmp_path / out)
    assert (name.removeprefix("lib"), rate) == (
        sound[0].removeprefix("lib"),
        sound[1],
    ) and result.rate == rate
    after = Video.open(tmp_path / out)
    assert [number(f) for _, f in after.iter_frames(25)] == list(range(40))
    back = read_audio(tmp_path / out, None)
    assert back.shape == (2, round(1.6 * rate))
    assert level_of(back, 1000, rate) == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("frames", [3, 40, 77])
def test_sound_is_exactly_as_long_and_in_its_place(
    clip: Maker, tmp_path: Path, suffix: str, frames: int
) -> None:
    """A click in the middle is found in the middle; other programs decode at most one codec frame more."""
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    video = Video.open(clip("in.mkv", rate=30, count=frames, codec=codec))
    sound = np.zeros((2, round(video.duration * RATE)), np.float32)
    sound[:, sound.shape[1] // 2] = 0.8
    out = tmp_path / f"o{suffix}"
    result = mux(video, sound, out)
    back = read_audio(out, None)
    assert back.shape[1] == round(video.duration * result.rate)
    middle = sound.shape[1] // 2 / RATE * result.rate
    assert np.abs(back[0]).argmax() == pytest.approx(middle, abs=0.001 * result.rate)
    with av.open(str(out)) as container:
        plain = sum(f.samples for f in container.decode(audio=0))
        assert 0 <= plain - result.samples < 1024
        if suffix in (".mp4", ".mov"):
            stream = container.streams.audio[0]
            assert stream.duration * stream.time_base == Fraction(result.samples, result.rate)


def test_rotation_pixel_shape_colour_and_metadata_are_kept(clip: Maker, tmp_path: Path) -> None:
    path = clip(
        rotate=90,
        aspect=Fraction(4, 3),
        count=5,
        metadata={"title": "A spoon", "comment": "mine"},
        size=(96, 48),
    )
    before = Video.open(path)
    for suffix in (".mp4", ".mov", ".mkv"):
        out = tmp_path / f"o{suffix}"
        mux(path, noise(1), out, comment="weft seed 7")
        after = Video.open(out)
        assert (
            (after.width, after.height, after.rotation) == (before.width, before.height, 90) == (48, 128, 90)
        )
        assert np.array_equal(after.frames(25), before.frames(25))
        with av.open(str(out)) as container:
            tags = {k.lower(): v for k, v in container.metadata.items()}
            assert tags["title"] == "A spoon" and tags["comment"] == "mine\nweft seed 7"


@pytest.mark.parametrize("colour", [(1, 1, 1), (9, 16, 9)], ids=["bt709", "bt2020 pq"])
def test_colour_is_kept(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as sink:
        stream = sink.add_stream("libx264", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 64, 48, "yuv420p"
        context.color_primaries, context.color_trc, context.colorspace = colour
        sink.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        sink.mux(stream.encode(None))
    for suffix in (".mp4", ".mov", ".mkv"):
        mux(source, noise(1), tmp_path / f"o{suffix}")
        with av.open(str(tmp_path / f"o{suffix}")) as container:
            context = container.streams.video[0].codec_context
            assert (context.color_primaries, context.color_trc, context.colorspace) == colour


@pytest.mark.parametrize(("source", "suffix"), [(".mp4", ".mov"), (".mkv", ".mp4"), (".ts", ".mp4")])
@pytest.mark.parametrize(("start", "duration"), [(0.2, 0.5), (0.52, 1.0), (1.0, None), (1.9, 0.1)])
def test_an_excerpt_is_exact_by_an_edit_list(
    clip: Maker,
    tmp_path: Path,
    number: Number,
    source: str,
    suffix: str,
    start: float,
    duration: float | None,
) -> None:
    path = clip(f"in{source}", bframes=3, gop=30, count=60)
    video = Video.open(path, start, duration)
    sound = np.zeros((2, round(video.duration * RATE)), np.float32)
    sound[:, 500] = 0.8
    out = tmp_path / f"o{suffix}"
    result = mux(video, sound, out)
    all_packets = packets(path)
    kept = packets(out)
    if source != ".ts":  # whose packets are framed anew: start codes become lengths
        assert any(all_packets[i : i + len(kept)] == kept for i in range(len(all_packets)))
    after = Video.open(out)
    assert after.duration == pytest.approx(video.duration, abs=2e-4) and result.lead == 0.0
    assert [number(f) for f in after.frames(25)] == [number(f) for f in video.frames(25)]
    back = read_audio(out)
    assert back.shape[1] == result.samples and np.abs(back[0]).argmax() == pytest.approx(500, abs=2)


def test_an_excerpt_in_matroska_begins_at_a_key_frame_and_says_so(
    clip: Maker, tmp_path: Path, number: Number
) -> None:
    video = Video.open(clip(bframes=3, gop=20, count=60), 1.0, 0.6)
    sound = np.zeros((2, round(video.duration * RATE)), np.float32)
    sound[:, 500] = 0.8
    result = mux(video, sound, tmp_path / "o.mkv")
    assert result.lead == pytest.approx(0.2)
    after = Video.open(tmp_path / "o.mkv")
    frames = [number(f) for f in after.frames(25)]
    assert frames[:20] == list(range(20, 40))
    back = read_audio(tmp_path / "o.mkv")
    assert back.shape[1] == round(after.duration * RATE) == result.samples
    assert np.abs(back[0]).argmax() == round(0.2 * RATE) + 500


def test_an_excerpt_of_an_excerpt(clip: Maker, tmp_path: Path, number: Number) -> None:
    mux(Video.open(clip(bframes=3, gop=50, count=75), 0.52, 2.0), noise(2), tmp_path / "a.mp4")
    mux(Video.open(tmp_path / "a.mp4", 0.4, 0.8), noise(1), tmp_path / "b.mp4")
    mux(tmp_path / "b.mp4", noise(1), tmp_path / "c.mov")
    frames = [number(f) for f in Video.open(tmp_path / "c.mov").frames(25)]
    assert frames == list(range(23, 43))


def with_sound(clip: Maker, name: str = "in.mp4", seconds: float = 2.0) -> Path:
    return clip(name, count=round(25 * seconds), sound=tone(seconds, 500, 0.25))


def test_replace_is_the_default(clip: Maker, tmp_path: Path) -> None:
    mux(with_sound(clip), tone(2, 2000, 0.25), tmp_path / "o.mp4")
    back = read_audio(tmp_path / "o.mp4")
    assert len(audio_codecs(tmp_path / "o.mp4")) == 1
    assert level_of(back, 2000) == pytest.approx(0.25, rel=0.03) and level_of(back, 500) < 0.003


@pytest.mark.parametrize("out", ["o.mp4", "o.mov", "o.mkv"])
def test_keep_puts_the_own_sound_into_a_second_track(clip: Maker, tmp_path: Path, out: str) -> None:
    path = with_sound(clip)
    mux(path, tone(2, 2000, 0.25), tmp_path / out, original="keep")
    with av.open(str(path)) as container:
        own = [bytes(p) for p in container.demux(audio=0) if p.size]
    with av.open(str(tmp_path / out)) as container:
        assert len(container.streams.audio) == 2
        kept = [bytes(p) for p in container.demux(container.streams.audio[1]) if p.size]
        assert kept == own[-len(kept) :] and len(own) - len(kept) <= (out == "o.mkv")  # the encoder's delay
    assert level_of(read_audio(tmp_path / out), 2000) == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("name", ["o.mp4", "o.mov", "o.mkv"])
def test_an_excerpt_keeps_the_own_sound_of_that_part(clip: Maker, tmp_path: Path, name: str) -> None:
    own = np.zeros((2, 4 * RATE), np.float32)
    own[:, round(2.1 * RATE)] = own[:, round(2.9 * RATE)] = 0.7
    path = clip(count=100, gop=20, sound=own)
    result = mux(Video.open(path, 1.52, 1.0), noise(1), tmp_path / name, original="keep")
    kept = np.abs(read_audio(tmp_path / name, track=1)[0])
    assert kept.argmax() / RATE == pytest.approx(2.1 - 1.52 + result.lead, abs=0.001)
    with av.open(str(tmp_path / name)) as container:  # and little of what came before
        assert sum(1 for p in container.demux(audio=1) if p.size) <= (1.0 + result.lead + 0.2) * RATE / 1024
    assert kept.shape[0] <= result.samples + 1024 and np.count_nonzero(kept > 0.3) == 1


def test_hevc_gets_the_tag_that_apple_plays(clip: Maker, tmp_path: Path) -> None:
    path = clip(codec="libx265", count=10)
    mux(path, noise(1), tmp_path / "o.mov")
    with av.open(str(path)) as before, av.open(str(tmp_path / "o.mov")) as after:
        assert before.streams.video[0].codec_context.codec_tag == "hev1"
        assert after.streams.video[0].codec_context.codec_tag == "hvc1"
    assert packets(tmp_path / "o.mov") == packets(path)


def test_cover_art_and_attachments(clip: Maker, tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(clip(count=25))) as source, av.open(str(path), "w") as sink:
        picture = sink.add_stream_from_template(source.streams.video[0], opaque=True)
        sink.add_attachment("font.ttf", "application/x-truetype-font", b"letters")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = picture
                sink.mux(packet)
    assert mux(path, noise(1), tmp_path / "o.mkv").dropped == ()
    with av.open(str(tmp_path / "o.mkv")) as container:
        assert [s.type for s in container.streams] == ["video", "audio", "attachment"]
    assert mux(path, noise(1), tmp_path / "o.mp4").dropped == ("attachment 1",)


def test_keep_encodes_anew_what_the_container_cannot_hold(clip: Maker, tmp_path: Path) -> None:
    sound = tone(2, 500, 0.25)
    path = clip("in.mkv", codec="libvpx-vp9", sound=sound, sound_codec="pcm_s16le")
    mux(path, tone(2, 2000, 0.25), tmp_path / "o.webm", original="keep")
    with av.open(str(tmp_path / "o.webm")) as container:
        second = container.streams.audio[1]
        assert second.codec_context.name.endswith("opus")
        own = np.concatenate([f.to_ndarray() for f in container.decode(second)], axis=1)
    assert level_of(own[:, 4800:-4800], 500, 48000) == pytest.approx(0.25, rel=0.05)


def test_mix_adds(clip: Maker, tmp_path: Path) -> None:
    mux(with_sound(clip), tone(2, 2000, 0.25), tmp_path / "o.mkv", original="mix")
    back = read_audio(tmp_path / "o.mkv")
    assert level_of(back, 2000) == pytest.approx(0.25, rel=0.02)
    assert level_of(back, 500) == pytest.approx(0.25, rel=0.02)


def test_duck_lowers_the_own_sound_only_while_the_new_is_heard(clip: Maker, tmp_path: Path) -> None:
    new = tone(4, 2000, 0.25)
    new[:, : 2 * RATE] = 0
    mux(with_sound(clip, seconds=4), new, tmp_path / "o.mkv", original="duck")
    back = read_audio(tmp_path / "o.mkv")
    before, during = back[:, : 2 * RATE - 2000], back[:, 2 * RATE + 4000 :]
    assert level_of(before, 500) == pytest.approx(0.25, rel=0.02)
    assert 20 * np.log10(level_of(during, 500) / 0.25) == pytest.approx(-12, abs=0.5)
    assert level_of(during, 2000) == pytest.approx(0.25, rel=0.02)


def test_an_excerpt_mixes_the_own_sound_of_that_part(clip: Maker, tmp_path: Path) -> None:
    own = np.zeros((2, 2 * RATE), np.float32)
    own[:, round(1.1 * RATE)] = 0.7
    path = clip(count=50, sound=own)
    mux(Video.open(path, 1.0, 0.5), np.zeros((2, RATE // 2), np.float32), tmp_path / "o.mp4", original="mix")
    back = read_audio(tmp_path / "o.mp4")
    assert np.abs(back[0]).argmax() / RATE == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("original", ["replace", "mix", "duck"])
def test_nothing_clips(clip: Maker, tmp_path: Path, original: str) -> None:
    mux(with_sound(clip), noise(2, level=0.8), tmp_path / "o.mkv", original=original)  # type: ignore[arg-type]
    back = read_audio(tmp_path / "o.mkv")
    assert -1.6 < true_peak_db(back) <= -0.99


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_what_is_decoded_again_does_not_pass_the_ceiling(clip: Maker, tmp_path: Path, suffix: str) -> None:
    """Dense sound at the ceiling: the first encoding of it decodes to peaks above."""
    out = tmp_path / f"o{suffix}"
    source = clip() if suffix == ".mp4" else clip("in.webm", codec="libvpx-vp9")
    burst = np.repeat([[1.0] * 30 + [0.01] * 70], 883, axis=0).reshape(1, -1)[:, : 2 * RATE]
    mux(source, noise(2, level=0.8)[:, : burst.shape[1]] * burst.astype(np.float32), out)
    assert -2.5 < true_peak_db(read_audio(out, None)) <= -0.97


def test_loudness_target(clip: Maker, tmp_path: Path) -> None:
    import pyloudnorm

    mux(clip(count=100), noise(4), tmp_path / "o.mkv", lufs=-27.0)
    back = read_audio(tmp_path / "o.mkv").T.astype(float)
    assert pyloudnorm.Meter(RATE).integrated_loudness(back) == pytest.approx(-27.0, abs=0.1)


def test_sound_alone(clip: Maker, tmp_path: Path) -> None:
    path = clip(rate=Fraction(30000, 1001), count=50)
    sound = noise(1)
    for suffix in (".wav", ".flac"):
        result = mux(path, sound, tmp_path / f"o{suffix}", comment="weft")
        back = read_audio(tmp_path / f"o{suffix}")
        assert back.shape[1] == result.samples == round(50 * 1001 / 30000 * RATE)
        assert np.abs(back[:, :RATE] - sound).max() < 1e-6 and not back[:, RATE:].any()


def test_sound_may_be_a_file_blocks_or_mono(clip: Maker, tmp_path: Path) -> None:
    path = clip(count=25)
    sound = noise(1, channels=1)
    mux(path, sound, tmp_path / "a.flac")
    mux(path, tmp_path / "a.flac", tmp_path / "b.mkv")
    mux(path, (sound[:, i : i + 999] for i in range(0, RATE, 999)), tmp_path / "c.mkv")
    one, two = read_audio(tmp_path / "b.mkv"), read_audio(tmp_path / "c.mkv")
    assert one.shape == two.shape == (1, RATE)
    assert np.abs(one - sound).max() < 1e-6 and np.array_equal(one, two)


def test_subtitles_and_chapters_are_kept_where_they_can_be(clip: Maker, tmp_path: Path) -> None:
    plain = clip("plain.mkv", count=50)
    path = tmp_path / "in.mkv"
    with av.open(str(plain)) as source, av.open(str(path), "w") as sink:
        picture = sink.add_stream_from_template(source.streams.video[0], opaque=True)
        words = sink.add_mux_stream("subrip")
        sink.set_chapters(
            [{"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}}]
        )
        line = av.Packet(b"tap")
        line.stream, line.pts, line.dts, line.duration, line.time_base = (
            words,
            500,
            500,
            700,
            Fraction(1, 1000),
        )
        sink.mux(line)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = picture
                sink.mux(packet)
    assert mux(path, noise(2), tmp_path / "o.mkv").dropped == ()
    with av.open(str(tmp_path / "o.mkv")) as container:
        assert [bytes(p) for p in container.demux(container.streams.subtitles[0]) if p.size] == [b"tap"]
        assert [c["metadata"].get("title") for c in container.chapters()] == ["one"]
    assert mux(path, noise(2), tmp_path / "o.mp4").dropped == ("subtitle 1",)


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.wav"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_a_failure_half_way_leaves_the_folder_as_it_was(
    clip: Maker, tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    path = clip(count=250)

    def failing() -> Iterator[np.ndarray]:
        for _ in range(4):
            yield noise(1)
        raise error

    with pytest.raises(error):
        mux(path, failing(), tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.slow
def test_control_c_leaves_the_folder_as_it_was(clip: Maker, tmp_path: Path) -> None:
    path = clip(count=250)
    code = f"""
import signal, time
import numpy as np
from weft.media import mux
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it otherwise
def endlessly():
    yield np.zeros((2, 44100), np.float32)
    yield np.zeros((2, 44100), np.float32)
    print("writing", flush=True)
    time.sleep(60)
mux({str(path)!r}, endlessly(), {str(tmp_path / "o.mp4")!r})
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"writing\n"
        assert len(list(tmp_path.iterdir())) == 2  # the temporary file is there
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
        assert child.returncode != 0 and b"KeyboardInterrupt" in said
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_the_terminal_stays_quiet(clip: Maker, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = clip("in.avi", codec="mpeg4", count=25, sound=tone(1, 500, 0.1), sound_codec="pcm_s16le")
    capfd.readouterr()
    for name in ("o.mp4", "o.mkv", "o.mov"):
        mux(path, noise(1), tmp_path / name, original="keep")
        Video.open(tmp_path / name).frames(25)
    assert capfd.readouterr() == ("", "")


def test_long_sound_is_taken_block_by_block(clip: Maker, tmp_path: Path) -> None:
    """Six minutes of blocks: never more than a few seconds of them are waiting to be written."""
    path = clip(rate=1, count=360, gop=20, size=(16, 16))
    alive: set[int] = set()
    most = 0

    class Block(np.ndarray):
        def __del__(self) -> None:
            alive.discard(id(self))

    def blocks() -> Iterator[np.ndarray]:
        nonlocal most
        for _ in range(360):
            block = np.zeros((1, 8000), np.float32).view(Block)
            alive.add(id(block))
            most = max(most, len(alive))
            yield block

    result = mux(path, blocks(), tmp_path / "o.mp4", rate=8000)
    assert result.samples == 360 * 8000 == read_audio(tmp_path / "o.mp4", None).shape[1]
    assert most < 30


@pytest.mark.slow
@pytest.mark.clips
def test_real_clips(shared_clips: Path, tmp_path: Path) -> None:
    for path in sorted(shared_clips.glob("*.mp4")):
        video = Video.open(path)
        sound = noise(video.duration)
        for name in ("o.mp4", "o.mkv"):
            result = mux(video, sound, tmp_path / name, overwrite=True, original="keep")
            assert packets(tmp_path / name) == packets(path)
            assert read_audio(tmp_path / name, None).shape[1] == result.samples
        assert result.samples == round((video.duration + result.lead) * RATE)
        part = Video.open(path, 1.3, 1.5)
        mux(part, sound, tmp_path / "part.mp4", overwrite=True, original="mix")
        after = Video.open(tmp_path / "part.mp4")
        assert after.duration == pytest.approx(part.duration, abs=2e-4)
        assert np.array_equal(after.frames(5, (32, 18)), part.frames(5, (32, 18)))
