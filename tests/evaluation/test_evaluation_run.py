"""Whole evaluations: right numbers, any order, bad clips alone, and everything said that a reader must know."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from evaluation_toys import LOST, RATE, TOY, clicks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weft.errors import MissingExtra, UserError, WeightsError
from weft.evaluation import run as harness
from weft.evaluation.comparisons import Measured
from weft.evaluation.protocols import PROTOCOLS, Protocol
from weft.evaluation.reading import Window
from weft.evaluation.result import Evaluation
from weft.evaluation.table import Metric
from weft.metrics import e_l1, frechet, kernel, onset, spectrum

Run = Callable[..., Evaluation]
Write = Callable[..., Path]
FAST = Protocol(
    name="fast",
    version=1,
    summary="for tests",
    window=Window(rate=RATE, channels=2),
    metrics=("onset-f1@50", "onset-ap@50", "envelope-r", "mel", "ild", "pan-r", "frechet", "kernel", "lufs"),
    embedders=("log-mel-statistics",),
)


def numbers(found: Evaluation) -> dict[str, tuple[object, ...]]:
    return {
        s.name: (s.value, s.low, s.high, s.n, s.floor, *sorted(s.baselines.items())) for s in found.scores
    }


@pytest.fixture
def four(write: Write) -> tuple[Path, Path]:
    true = write("true", **{f"c{k}": clicks(k) for k in range(4)})
    made = write("made", **{f"c{k}": clicks(k) + 0.01 * clicks(k + 50) for k in range(4)})
    return true, made


def test_the_same_sounds_written_another_day_give_the_same_numbers(run: Run, four: tuple[Path, Path]) -> None:
    first = run(*four, by=FAST)
    for path in [p for side in four for p in side.iterdir()]:
        data = bytearray(path.read_bytes())
        at = data.index(b"PEAK") + 12  # libsndfile's time stamp: after the name, the size and the version
        seconds = int.from_bytes(data[at : at + 4], "little")
        assert seconds > 1_700_000_000
        data[at : at + 4] = (seconds + 86_400 * len(path.stem) + path.stem.encode()[-1]).to_bytes(4, "little")
        path.write_bytes(data)
    again = run(*four, by=FAST)
    assert [c.reference_sha256 for c in first.clips] != [c.reference_sha256 for c in again.clips]
    assert numbers(first) == numbers(again)


def test_numbers_are_those_of_the_metrics(run: Run, four: tuple[Path, Path]) -> None:
    true, made = four
    found = run(true, made, by=FAST, metrics=[*FAST.metrics, "e-l1-video-foley"], embedders=[TOY])
    clips = [
        tuple(soundfile.read(f / f"c{k}.wav", dtype="float32", always_2d=True)[0].T for f in four)
        for k in range(4)
    ]
    mel = np.mean([spectrum.mel_error(m, t, RATE) for t, m in clips])
    assert found.score("mel").value == pytest.approx(mel, rel=1e-5)
    direct = e_l1.evaluate([m for _, m in clips], [t for t, _ in clips], RATE, "video-foley")
    assert found.score("e-l1-video-foley").value == pytest.approx(direct.value, rel=1e-5)
    assert found.score("e-l1-video-foley").baselines["silence"] == pytest.approx(direct.silence, rel=1e-5)

    def heard(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return onset.detect(wave * (0.5 / np.abs(wave).max()), RATE)

    f1 = [onset.scores(heard(m)[0], heard(t)[0], 0.05).f1 for t, m in clips]
    assert found.score("onset-f1@50").value == pytest.approx(np.mean(f1))
    assert found.score("onset-ap@50").value == pytest.approx(
        onset.average_precision([(*heard(m), heard(t)[0]) for t, m in clips], 0.05)
    )

    def rows(side: int) -> np.ndarray:
        mono = np.stack([c[side].mean(0) for c in clips]).astype(float)
        return np.stack([mono.mean(1), np.square(mono).mean(1)], 1)

    assert found.score("frechet/toy").value == pytest.approx(frechet.distance(rows(0), rows(1)), abs=1e-9)
    assert found.score("kernel/toy").value == pytest.approx(kernel.discrepancy(rows(0), rows(1)), abs=1e-9)
    assert found.ok and found.score("mel").n == 4
    assert found.score("frechet/toy").rows == (4, 4) and found.score("frechet/toy").d == 2


def test_shuffled_is_another_clips_reference(run: Run, write: Write) -> None:
    true = write("true", a=clicks(1), b=clicks(2))
    found = run(true, true, by=FAST, metrics=["mel", "onset-f1@50"])
    a, b = (clicks(k).T for k in (1, 2))
    assert found.score("mel").baselines["shuffled"] == pytest.approx(spectrum.mel_error(a, b, RATE), rel=1e-5)
    assert found.score("onset-f1@50").baselines["reference"] == 1


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pairs and their measured features, which permutations then share."""
    root = tmp_path_factory.mktemp("permuted")
    for side in ("true", "made"):
        (root / side).mkdir()
        for k in range(4):
            soundfile.write(root / side / f"{k}.wav", clicks(k + (9 if side == "made" else 0)), RATE)
    return root


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(4)))
def test_permuted_and_renamed_clips_change_nothing(shelf: Path, order: list[int]) -> None:
    def score(names: list[int]) -> dict[str, tuple[object, ...]]:
        place = shelf / "now"
        shutil.rmtree(place, ignore_errors=True)
        for side in ("true", "made"):
            (place / side).mkdir(parents=True)
            for k, name in enumerate(names):
                shutil.copy(shelf / side / f"{k}.wav", place / side / f"clip{name}.wav")
        return numbers(harness.evaluate(place / "true", place / "made", by=FAST, cache=shelf / "cache"))

    assert score(list(order)) == score([0, 1, 2, 3])


def test_identical_sets_score_zero_within_the_floor(run: Run, four: tuple[Path, Path]) -> None:
    found = run(four[0], four[0], by=FAST)
    distance = found.score("frechet/log-mel-statistics")
    assert distance.value < 1e-9 < distance.floor  # type: ignore[operator]
    spread = found.score("kernel/log-mel-statistics")
    assert spread.value <= (spread.floor or 0)
    assert [found.score(n).value for n in ("onset-f1@50", "envelope-r", "mel", "ild")] == [1, 1, 0, 0]


def corrupt(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def with_nan(path: Path) -> None:
    wave = clicks(3)
    wave[100] = np.nan
    soundfile.write(path, wave, RATE, subtype="FLOAT")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda p: p.write_bytes(b""), "is empty"),
    "noise": (lambda p: p.write_bytes(b"x" * 5000), "damaged, cut short or no sound"),
    "cut short": (corrupt, r"is cut short: \d{3,} bytes are missing"),
    "cut short by little": (
        lambda p: p.write_bytes(p.read_bytes()[:-400]),
        "is cut short: 400 bytes are missing",
    ),
    "NaN": (with_nan, "NaN or infinity in 2 of"),
    "too long": (
        lambda p: soundfile.write(p, clicks(3, seconds=1.5), RATE),
        "1.50 s long, but its reference 1.00",
    ),
    "too short": (lambda p: soundfile.write(p, clicks(3)[:200], RATE), "nothing to measure"),
    "surround": (lambda p: soundfile.write(p, clicks(3, channels=4), RATE), "4 channels; give one or two"),
}


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_that_was_streamed_promises_no_length(run: Run, write: Write, size: int) -> None:
    true, made = write("true", a=clicks(1)), write("made", a=clicks(2))
    whole = run(true, made, by=FAST, metrics=["mel"]).score("mel").value
    data = bytearray((made / "a.wav").read_bytes())
    data[4:8] = size.to_bytes(4, "little")
    (made / "a.wav").write_bytes(data)
    assert run(true, made, by=FAST, metrics=["mel"]).score("mel").value == whole


@pytest.mark.parametrize("case", BAD)
def test_a_bad_clip_fails_alone(run: Run, four: tuple[Path, Path], case: str) -> None:
    spoil, words = BAD[case]
    without = run(*four, by=FAST, metrics=["mel", "lufs"])
    spoil(four[1] / "c3.wav")
    found = run(*four, by=FAST, metrics=["mel", "lufs"])
    (failed,) = found.failed
    assert failed.name == "c3" and not found.ok
    assert re.search(words, " ".join(failed.failures))
    rest = [c.values["mel"] for c in without.clips if c.name != "c3"]
    assert found.score("mel").value == pytest.approx(np.mean(rest)) and found.score("mel").n == 3


def test_when_every_clip_fails_the_result_says_so(run: Run, write: Write) -> None:
    true = write("true", a=clicks(1))
    (write("made", a=clicks(1)) / "a.wav").write_bytes(b"")
    found = run(true, true.parent / "made", by=FAST, metrics=["mel"])
    assert not found.ok and not found.scores
    assert found.left_out[0].why == "no clip could be measured for it"


def test_silence_is_a_result(run: Run, four: tuple[Path, Path]) -> None:
    soundfile.write(four[1] / "c0.wav", np.zeros((RATE, 2)), RATE)
    found = run(*four, by=FAST)
    clip = found.clips[0]
    assert not clip.failures and "predicted is silent" in clip.notes
    assert clip.values["onset-f1@50"] == 0 and clip.values["envelope-r"] == 0
    assert found.score("lufs").n == 3 and "undefined for 1 of 4" in found.score("lufs").flags[0]
    assert json.dumps(found.to_json(), allow_nan=False)


def test_noise_for_a_sound_is_refused_without_its_decoders_own_words(
    run: Run, four: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    (four[1] / "c0.wav").write_bytes(np.random.default_rng(1).bytes(20000))
    found = run(*four, by=FAST, metrics=["mel"])
    assert "c0.wav cannot be read: it is damaged" in found.failed[0].failures[0]
    assert capfd.readouterr().err == ""


def test_one_clip_has_no_interval_and_no_distance(run: Run, write: Write) -> None:
    found = run(write("true", a=clicks(1)), write("made", a=clicks(2)), by=FAST)
    assert np.isnan(found.score("mel").low) and found.score("mel").flags == ("one clip: no interval",)
    assert found.score("mel").baselines.keys() == {"silence"}
    refused = found.score("frechet/log-mel-statistics")
    assert np.isnan(refused.value) and "a spread needs at least two" in refused.flags[0]


def test_mono_and_other_rates_are_taken_and_told(run: Run, write: Write) -> None:
    true = write("true", a=clicks(1), b=clicks(2))
    made = write("made", a=clicks(1, channels=1))
    write("made", rate=2 * RATE, b=np.repeat(clicks(2), 2, 0))
    found = run(true, made, by=FAST)
    assert "predicted is mono: played on both channels" in found.clips[0].notes
    assert "reference at 16000 Hz, predicted at 32000 Hz" in " ".join(found.clips[1].notes)
    assert found.rates["predicted"] == {"16000 Hz, 1 ch": 1, "32000 Hz, 2 ch": 1}
    assert found.score("frechet/log-mel-statistics").rate == "16000/32000 → 32000 Hz mono"
    assert found.clips[0].values["envelope-r"] > 0.5


def test_a_window_cuts_and_fills_only_when_the_protocol_says_so(run: Run, write: Write) -> None:
    true = write("true", a=clicks(1, seconds=2.0), b=clicks(2, seconds=1.0))
    cut = replace(FAST, window=Window(rate=RATE, channels=1, duration_s=1.5), metrics=("mel",))
    found = run(true, true, by=cut)
    assert [c.name for c in found.failed] == ["b"]
    assert "1.00 s long, but the protocol measures 1.5 s" in found.failed[0].failures[0]
    filled = run(true, true, by=replace(cut, window=replace(cut.window, short="fill")))
    assert filled.ok and "filled with 0.50 s of silence" in filled.clips[1].notes[0]


def test_a_cue_sheet_overrules_the_ear(run: Run, write: Write, tmp_path: Path) -> None:
    true = write("true", a=clicks(1))
    sheet = {
        "version": 1,
        "clip": {"duration": 1.0},
        "when": {"onsets": [{"t": 0.9}]},
        "where": {"tracks": [{"t": [0.0], "box": [[0.0, 0.0, 1.0, 1.0]]}]},
    }
    (tmp_path / "a.json").write_text(json.dumps(sheet))
    table = tmp_path / "t.csv"
    table.write_text("reference,predicted,cues\ntrue/a.wav,true/a.wav,a.json\n")
    found = run(table, by=FAST, metrics=["onset-f1@50", "spatial-align"])
    assert found.score("onset-f1@50").value == 0
    assert found.score("spatial-align").value == 1  # the box is the whole picture
    assert found.score("spatial-align").baselines["random"] == 1
    assert run(true, true, by=FAST, metrics=["onset-f1@50"]).score("onset-f1@50").value == 1


def test_few_rows_are_flagged_plainly(run: Run, four: tuple[Path, Path]) -> None:
    found = run(*four, by=FAST)
    assert (
        "4 rows of 128 dimensions, fewer than 2 D = 256" in found.score("frechet/log-mel-statistics").flags[0]
    )
    assert not run(*four, by=FAST, embedders=[TOY]).score("frechet/toy").flags


def letters(made: Measured, true: Measured) -> float:
    return float(true["text@"]["rows"][0, 0])


def pictures(made: Measured, true: Measured) -> int:
    return len(true["video@"]["rows"])


def mean(counts: Sequence[int]) -> float:
    return float(np.mean(counts))


def test_a_new_metric_and_embedder_are_one_entry_each(
    run: Run, write: Write, bar_clip: Path, tmp_path: Path
) -> None:
    sound = clicks(1, seconds=2.0)
    write("true", a=sound, b=sound * 2)
    rows = "".join(f"true/{n}.wav,true/{n}.wav,{bar_clip},cup\n" for n in "ab")
    (tmp_path / "t.csv").write_text("reference,predicted,video,text\n" + rows)
    text = Metric(
        name="letters",
        title="",
        unit="",
        better="higher",
        made=(),
        true=("text@",),
        clip=letters,
        baselines=(),
    )
    film = Metric(
        name="pictures",
        title="",
        unit="",
        better="higher",
        made=(),
        true=("video@",),
        clip=pictures,
        pool=mean,
        baselines=(),
    )
    found = run(tmp_path / "t.csv", by=FAST, metrics=[text, film, "kl", "isc", "av-align"], embedders=[TOY])
    assert found.score("letters/toy").value == 3
    assert found.score("pictures/toy").value == 10  # 2 s at 5 a second
    assert found.score("kl/toy").value == 0 and found.score("isc/toy").value > 1
    assert 0 <= found.score("av-align").value <= 1 and "random" in found.score("av-align").baselines


def test_a_missing_weights_file_costs_its_own_rows_only(
    run: Run, four: tuple[Path, Path], monkeypatch
) -> None:
    from weft.evaluation import embedders

    monkeypatch.setitem(embedders.EMBEDDERS, "lost", LOST)
    found = run(*four, by=replace(FAST, embedders=("lost", "log-mel-statistics")))
    assert "no toy.pth in there" in found.left_out[0].why
    assert found.score("frechet/log-mel-statistics").n == 4 and found.ok
    with pytest.raises(WeightsError, match="get it from its authors"):
        run(*four, by=FAST, embedders=["lost"])


def test_misuse(run: Run, four: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for more, words in (
        ({"by": "greatest-hit"}, "did you mean greatest-hits"),
        ({"by": "zzz"}, "known: plain, greatest-hits, vggsound, av-benchmark, world-hits, world-walks"),
        ({"metrics": ["mell"]}, "did you mean mel"),
        ({"embedders": ["vgg"]}, "unknown embedder 'vgg'"),
        ({"metrics": ["kl"]}, "no embedder here gives classes of sound"),
        ({"metrics": ["av-align"]}, "no clip has a picture"),
        ({"metrics": ["spatial-align"]}, "no clip has a cue sheet"),
        ({"by": "greatest-hits", "metrics": ["ild"]}, "greatest-hits is mono"),
        ({"jobs": 0}, "0 jobs"),
    ):
        with pytest.raises(UserError, match=words):
            run(*four, **{"by": FAST, **more})
    monkeypatch.setattr(harness, "EXTRA", ("no_such_module",))
    with pytest.raises(MissingExtra, match=r"weft eval needs the \[eval\] extra"):
        run(*four, by=FAST)


def test_every_protocol_runs_on_clips_long_enough(run: Run, write: Write) -> None:
    true = write("true", a=clicks(1, seconds=10.0))
    made = write("made", a=clicks(2, seconds=10.0))
    for name in PROTOCOLS:
        found = run(true, made, by=name)
        assert found.ok and found.protocol.name == name
        assert {s.name.partition("/")[0] for s in found.scores} | {
            m.name.partition("/")[0] for m in found.left_out
        } == set(PROTOCOLS[name].metrics)
