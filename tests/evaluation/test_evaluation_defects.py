"""Defects of the public toolkits in reading, pairing and keeping: what they do stands in the test; ours does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from evaluation_toys import RATE, TOY, clicks
from test_evaluation_pairing import fill

from weft.errors import UserError
from weft.evaluation.pairing import pair
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.result import Evaluation

Run = Callable[..., Evaluation]
Write = Callable[..., Path]
PLAN = Protocol(
    name="small",
    version=1,
    summary="for tests",
    window=Window(rate=RATE, channels=2),
    metrics=("lufs", "frechet"),
    embedders=("log-mel-statistics",),
)


def loudness(path: Path) -> float:
    return float(20 * np.log10(np.abs(soundfile.read(path)[0]).mean()))


def test_features_kept_by_path_outlive_the_sound(run: Run, write: Write) -> None:
    """fadtk keeps them by path, audioldm_eval beside the data: a sound made anew keeps the score of the old one."""
    true, made = write("true", a=clicks(1), b=clicks(2)), write("made", a=clicks(1), b=clicks(2))
    by_path: dict[Path, float] = {}
    old = by_path.setdefault(made / "a.wav", loudness(made / "a.wav"))
    first = run(true, made, by=PLAN)
    write("made", a=0.1 * clicks(1))
    assert by_path.setdefault(made / "a.wav", loudness(made / "a.wav")) == old
    second = run(true, made, by=PLAN)
    apart = first.clips[0].values["lufs"] - second.clips[0].values["lufs"]
    assert apart == pytest.approx(20, abs=0.1)


def test_a_file_that_cannot_be_read_is_not_replaced_by_the_next(run: Run, write: Write) -> None:
    """audioldm_eval, av-benchmark: the next file stands in, so that it counts twice and n stays."""
    sounds = {name: clicks(k) * 0.4**k for k, name in enumerate("abc")}
    true, made = write("true", **sounds), write("made", **sounds)
    (made / "b.wav").write_bytes(b"no sound")
    paths = sorted(made.glob("*.wav"))

    def theirs(k: int) -> float:
        try:
            return loudness(paths[k])
        except soundfile.LibsndfileError:
            return theirs(k + 1)

    assert [theirs(k) for k in range(3)].count(loudness(paths[2])) == 2
    found = run(true, made, by=PLAN)
    assert found.score("lufs").n == 2 and [c.name for c in found.failed] == ["b"]
    assert not found.clips[1].values


def test_the_first_channel_is_not_the_sound(run: Run, write: Write) -> None:
    """audioldm_eval reads the first channel only: what sounds on the right is silence."""
    wave = clicks(1)
    wave[:, 0] = 0
    true = write("true", a=wave, b=clicks(2))
    assert np.abs(soundfile.read(true / "a.wav")[0][:, 0]).max() == 0
    for channels in (1, 2):
        plan = Protocol(
            name="p", version=1, summary="", window=Window(rate=RATE, channels=channels), metrics=()
        )
        found = run(true, true, by=plan, metrics=["lufs", "onset-r@50"])
        assert np.isfinite(found.clips[0].values["lufs"])
        assert not any("silent" in note for note in found.clips[0].notes)


def test_two_sorted_listings_pair_strangers(tmp_path: Path) -> None:
    """avgen-eval-toolkit: one sound too few, and every clip after it is compared with another's."""
    true, made = fill(tmp_path / "true", "a.wav", "b.wav", "c.wav"), fill(tmp_path / "made", "a.wav", "c.wav")
    listed = list(zip(sorted(true.iterdir()), sorted(made.iterdir()), strict=False))
    assert [(t.stem, m.stem) for t, m in listed] == [("a", "a"), ("b", "c")]
    found = pair(true, made)
    assert [(p.reference.path.stem, p.predicted.path.stem) for p in found.pairs] == [("a", "a"), ("c", "c")]
    assert found.only_reference == ("b",)


def test_files_of_one_stem_are_not_one_clip(tmp_path: Path) -> None:
    """av-benchmark keeps features by the stem of the file: the last of two folders wins."""
    true = fill(tmp_path / "true", "day1/take.wav", "day2/take.wav")
    made = fill(tmp_path / "made", "day1/take.wav", "day2/take.wav")
    assert len({p.stem: p for p in true.rglob("*.wav")}) == 1
    assert [p.name for p in pair(true, made).pairs] == ["day1/take", "day2/take"]
    with pytest.raises(UserError, match="two files are called day1/take"):
        pair(fill(true, "day1/take.flac"), made)


def test_distances_of_one_table_are_of_the_same_clips(run: Run, write: Write) -> None:
    """av-benchmark: FD_PaSST is over the clips that pair by name, FD_VGG and FD_PANNs over every file there is."""
    true = write("true", a=clicks(1), b=clicks(2), c=clicks(3))
    made = write("made", a=clicks(4), b=clicks(5), c=clicks(6), d=50 * clicks(7), e=50 * clicks(8))
    assert len(list(made.glob("*.wav"))) == 5
    found = run(true, made, by=PLAN, metrics=["frechet"], embedders=["log-mel-statistics", TOY])
    for name in ("frechet/log-mel-statistics", "frechet/toy"):
        assert found.score(name).n == 3 and found.score(name).rows == (3, 3)
    assert found.only_predicted == ("d", "e") and not found.ok


def test_a_clip_of_one_row_does_not_spoil_the_distance(run: Run, write: Write) -> None:
    """fadtk keeps statistics file by file: the covariance of one row is NaN, and so is the sum it goes into."""
    with np.errstate(invalid="ignore", divide="ignore"), pytest.warns(RuntimeWarning):
        assert np.isnan(np.cov(np.ones((1, 4)), rowvar=False)).all()
    lengths = {"a": 1.0, "b": 2.0, "c": 3.0}
    true = write("true", **{n: clicks(k, seconds=s) for k, (n, s) in enumerate(lengths.items())})
    made = write("made", **{n: clicks(k + 9, seconds=s) for k, (n, s) in enumerate(lengths.items())})
    found = run(true, made, by=PLAN, metrics=["frechet"]).score("frechet/log-mel-statistics")
    assert found.rows == (6, 6) and found.value > 0


def test_no_rate_is_taken_for_granted(run: Run, write: Write) -> None:
    """avgen-eval-toolkit's CLAP takes every file for 16 kHz: one at 32 kHz is heard an octave lower."""
    sounds = {name: clicks(k, seconds=2.0) for k, name in enumerate("abc")}
    true = write("true", **sounds)
    finer = {name: soxr.resample(wave, RATE, 2 * RATE) for name, wave in sounds.items()}
    made = write("made", rate=2 * RATE, **finer)
    wrong = write("wrong", **{name: wave[: 2 * RATE] for name, wave in finer.items()})
    right, theirs = (
        run(true, side, by=PLAN, metrics=["frechet"]).score("frechet/log-mel-statistics")
        for side in (made, wrong)
    )
    assert right.value < 0.1 * theirs.value
    assert right.rate == "16000/32000 → 32000 Hz mono"


def test_the_name_of_a_file_is_no_caption(run: Run, write: Write) -> None:
    """avgen-eval-toolkit scores a sound against the words of its file's name."""
    named = write("true", a_cup_falls=clicks(1))
    assert pair(named, named).pairs[0].text is None
    with pytest.raises(UserError, match="no clip has words: give a CSV with a text column"):
        run(named, named, by=PLAN, metrics=["cosine-ta"], embedders=[TOY])
