"""The timeline picture: what is drawn is where it should be, and nothing breaks it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from weft.cues.conversions import envelope_from_onsets
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Segment, Track, What, When, Where
from weft.cues.timeline import ENVELOPE, GAP, LEFT, ONSETS, RIGHT, STRIP, TOP, WAVEFORM, WIDTH, draw_timeline
from weft.cues.timeline_rows import DEEP, MATERIAL_COLOURS, SEA_PALE, clock, time_ticks
from weft.cues.timeline_sound import log_spectrogram
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.errors import CueError, MediaError

CLIP = Clip(duration=8.0, width=1280, height=720, fps=25.0)


def drawn(folder: Path, sheet: CueSheet, **given: object) -> np.ndarray:
    path = folder / "timeline.png"
    draw_timeline(path, sheet, overwrite=True, **given)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def places(picture: np.ndarray, colour: str, *, near: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels of a colour, inside the rows' area."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    y, x = np.nonzero((np.abs(picture - rgb) <= near).all(axis=2))
    return y[x >= LEFT], x[x >= LEFT]


def second(x: np.ndarray | float) -> np.ndarray | float:
    return (x - LEFT) / (WIDTH - LEFT - RIGHT) * CLIP.duration


def test_every_material_has_its_own_colour():
    assert set(MATERIAL_COLOURS) == set(MATERIALS)
    assert len(set(MATERIAL_COLOURS.values())) == len(MATERIALS)


def test_a_stem_stands_at_its_time_as_tall_as_it_is_strong(tmp_path: Path):
    strong = Onset(t=2.0, strength=1.0, material="wood")
    weak = Onset(t=6.0, strength=0.4, material="metal")
    picture = drawn(tmp_path, CueSheet(clip=CLIP, when=When(onsets=(strong, weak))))
    assert picture.shape[1] == WIDTH
    heights = {}
    for onset in (strong, weak):
        y, x = places(picture, MATERIAL_COLOURS[onset.material])
        stem = (second(x) < onset.t + 0.1) & (second(x) > onset.t - 0.1)
        assert np.median(second(x[stem])) == pytest.approx(onset.t, abs=0.02)
        heights[onset.material] = np.ptp(y[stem])
    assert heights["wood"] > 1.8 * heights["metal"]


def test_a_sustained_onset_is_a_bar_as_long_as_it_lasts(tmp_path: Path):
    held = CueSheet(
        clip=CLIP, when=When(onsets=(Onset(t=2.0, duration=3.0, material="water", action="scratch"),))
    )
    point = CueSheet(clip=CLIP, when=When(onsets=(Onset(t=2.0, material="water", action="scratch"),)))
    changed = np.abs(drawn(tmp_path, held) - drawn(tmp_path, point)).sum(axis=2) > 20
    x = np.nonzero(changed.any(axis=0))[0]
    assert (second(x.min()), second(x.max())) == pytest.approx((2.0, 5.0), abs=0.03)


def test_the_strip_shows_the_frame_nearest_in_time(tmp_path: Path):
    frames = np.zeros((4, 90, 160, 3), dtype=np.uint8)
    for frame, level in zip(frames, (40, 90, 140, 190), strict=True):
        frame[...] = level
    picture = drawn(tmp_path, CueSheet(clip=CLIP), frames=frames, frame_times=[0.4, 1.7, 3.0, 8.0])
    line = picture[TOP + STRIP // 2]
    seen = [int(np.median(line[LEFT + 20 + i : LEFT + 60 + i])) for i in (0, 500, 1300)]
    assert seen == [40, 140, 190]


def test_left_is_up_in_the_waveform_and_in_the_place(tmp_path: Path):
    beep = np.zeros((2, 8 * 44100), dtype=np.float32)
    beep[0, 44100:66150] = 0.5
    start = TOP + ONSETS + ENVELOPE + 2 * GAP
    middle = start + WAVEFORM // 2
    for sound, above in ((beep, True), (beep[::-1], False)):
        y, x = places(drawn(tmp_path, CueSheet(clip=CLIP), audio=sound), DEEP)
        inside = (y > start) & (y < start + WAVEFORM)
        assert ((y[inside] < middle) == above).mean() > 0.98
        assert second(x[inside].min()) == pytest.approx(1.0, abs=0.02)
        assert second(x[inside].max()) == pytest.approx(1.5, abs=0.02)

    def line(left: float) -> float:
        track = Track(t=[0.0, 8.0], box=[[left, 0, left + 0.2, 1]] * 2, depth=[0.0, 0.0])
        y, x = places(drawn(tmp_path, CueSheet(clip=CLIP, where=Where(tracks=(track,)))), "#14746f", near=30)
        return float(np.median(y[second(x) < 4]))

    assert line(0.0) < line(0.4) < line(0.8)


@pytest.mark.parametrize(("source", "tall"), [("spotter", True), ("motion", True), ("person", False)])
def test_a_spotted_envelope_is_drawn_to_the_take_a_written_one_as_loud_as_it_is(
    tmp_path: Path, source: str, tall: bool
):
    beep = np.zeros((2, 8 * 44100), dtype=np.float32)
    beep[:, 44100:66150] = 0.5
    rms = np.where(np.arange(801) < 400, 0.0, 0.005)
    sheet = CueSheet(clip=CLIP, when=When(onsets=(), envelope=Envelope(hop=0.01, rms=rms), source=source))
    y, x = places(drawn(tmp_path, sheet, audio=beep), SEA_PALE)
    row = (y > TOP + ONSETS) & (y < TOP + ONSETS + ENVELOPE) & (second(x) > 4.2) & (second(x) < 6)
    assert (np.ptp(y[row]) > ENVELOPE / 2 if row.any() else False) == tall


@pytest.mark.parametrize(
    "prompt",
    ["rain $on$ a_tin^roof \\frac{1}{0} " * 20, "日本語の音 🥁", "two\nlines\tand\x00nothing", "", None, "𝔘"],
)
def test_any_words_fit_inside_the_picture(tmp_path: Path, prompt: str | None):
    segments = (Segment(start=1.0, end=1.2, prompt="x" * 300), Segment(start=4.0, end=8.0, prompt="y" * 300))
    sheet = CueSheet(
        clip=CLIP,
        what=What(prompt=prompt, negative="no " * 200, reference="/a/" + "b" * 200, segments=segments),
    )
    picture = drawn(tmp_path, sheet)
    assert (picture[:TOP, -16:] == 255).all()
    assert (picture[:TOP] < 200).any()


@pytest.mark.parametrize(
    ("clip", "given"),
    [
        (Clip(duration=0.1), {}),
        (CLIP, {"audio": np.zeros(100)}),
        (CLIP, {"audio": np.zeros((2, 0))}),
        (CLIP, {"audio": np.zeros((1, 3 * 8000), dtype=np.float32), "rate": 8000}),
        (CLIP, {"audio": np.ones((2, 1), dtype=np.float32)}),
        (CLIP, {"frames": np.zeros((1, 500, 9, 3), dtype=np.uint8)}),
        (CLIP, {"frames": [np.zeros((9, 4000, 3), dtype=np.uint8)]}),
        (CLIP, {"frames": np.zeros((0, 9, 16, 3), dtype=np.uint8)}),
    ],
)
def test_little_or_nothing_can_be_drawn(tmp_path: Path, clip: Clip, given: dict):
    assert drawn(tmp_path, CueSheet(clip=clip), **given).shape[1] == WIDTH
    meant = CueSheet(clip=clip, when=When(onsets=()), where=Where(tracks=()))
    assert drawn(tmp_path, meant, **given).shape[1] == WIDTH


def test_an_hour_with_a_thousand_onsets_can_be_drawn(tmp_path: Path):
    rng = np.random.default_rng(1)
    onsets = tuple(
        Onset(t=t, strength=s, material=MATERIALS[i % 17], action=ACTIONS[i % 5], duration=float(i % 3))
        for i, (t, s) in enumerate(zip(rng.uniform(0, 3590, 1000), rng.uniform(0.1, 1, 1000), strict=True))
    )
    times = np.linspace(0, 3600, 20_000)
    box = np.tile([0.2, 0.2, 0.4, 0.8], (times.size, 1)) + 0.2 * np.sin(times / 300)[:, None] * [1, 0, 1, 0]
    sheet = CueSheet(
        clip=Clip(duration=3600.0),
        when=When(onsets=onsets, envelope=envelope_from_onsets(onsets, 3600.0, hop=128 / 44100)),
        where=Where(tracks=(Track(label="walker", t=times, box=box),) * 3),
    )
    assert drawn(tmp_path, sheet).shape[1] == WIDTH


def test_faults_are_named_and_leave_no_file(tmp_path: Path):
    sheet = CueSheet(clip=CLIP)
    path = tmp_path / "timeline.png"
    for given, message in (
        ({"frames": np.zeros((3, 9, 16), dtype=np.uint8)}, "^frames: pictures of shape"),
        (
            {"frames": np.zeros((3, 9, 16, 3), dtype=np.uint8), "frame_times": [0.0]},
            "^frame_times: 1 times for 3 frames",
        ),
        ({"audio": np.zeros((5, 100))}, r"^audio: an array of shape \(5, 100\)"),
        ({"audio": np.full(10, np.nan)}, "^audio: holds samples that are not finite"),
    ):
        with pytest.raises(CueError, match=message):
            draw_timeline(path, sheet, **given)
    assert not path.exists()
    draw_timeline(path, sheet)
    with pytest.raises(MediaError, match="exists already"):
        draw_timeline(path, sheet)


def test_the_spectrogram_finds_a_tone_in_its_band_at_its_level():
    rate, hz = 44100, 1000.0
    tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(2 * rate) / rate).astype(np.float32)
    edges = np.geomspace(50, 20000, 120)
    power = log_spectrogram(np.stack([tone, tone]), rate, edges, 50)
    assert power.shape == (119, 50)
    assert (np.abs(np.argmax(power, axis=0) - (np.searchsorted(edges, hz) - 1)) <= 1).all()
    assert 10 * np.log10(power[:, 25].max()) == pytest.approx(20 * np.log10(0.5), abs=3.0)
    assert power[60:, 25].max() > 1e4 * power[-20:, 25].max()


@pytest.mark.parametrize(
    ("duration", "last", "count"),
    [(0.1, "0.1", 11), (1, "1", 11), (8, "8", 17), (60, "60 s", 13), (3600, "1:00:00", 13)],
)
def test_ticks_are_round_and_few(duration: float, last: str, count: int):
    ticks = time_ticks(duration)
    assert (len(ticks), clock(ticks[-1], ticks)) == (count, last)
