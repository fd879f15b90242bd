"""Places heard and seen: azimuth by level and by delay, and S_KL of maps brought along or drawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from evaluation_toys import RATE

from weft.errors import UserError
from weft.evaluation import comparisons_space as compare
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.result import Evaluation
from weft.metrics import azimuth
from weft.metrics.spatial_align import saliency_divergence

Run = Callable[..., Evaluation]
PLAN = Protocol(
    name="places",
    version=1,
    summary="for tests",
    window=Window(rate=RATE, channels=2),
    metrics=("azimuth-level", "azimuth-time", "s-kl-heard"),
    headline="s-kl-heard",
    scatter=("s-kl-heard", "s-kl-heard"),
)
AT = (0.2, 0.6, 1.0, 1.4)
PANS = (-0.8, -0.3, 0.4, 0.9)


def blows(pans: tuple[float, ...], *, delay_s: float = 0.0) -> np.ndarray:
    """A burst at each of AT `[N, 2]`, placed by level, and by `delay_s` of the channel that is further away."""
    out = np.zeros((2 * RATE, 2))
    for k, (t, pan) in enumerate(zip(AT, pans, strict=True)):
        burst = np.random.default_rng(k).standard_normal(1600) * np.exp(-np.arange(1600) / 300)
        angle = (pan + 1) * np.pi / 4
        for channel, gain in enumerate((np.cos(angle), np.sin(angle))):
            late = max(0, round(delay_s * RATE * (pan if channel == 0 else -pan)))
            start = round(t * RATE) + late
            out[start : start + 1600, channel] += 0.3 * gain * burst
    return out.astype(np.float32)


@pytest.fixture
def table(tmp_path: Path) -> Callable[[np.ndarray], Path]:
    """Write two clips whose sheets show the sound where PANS say, and the prediction given -> the table."""
    middle = 0.5 + np.tan(np.radians(azimuth.STAGE_DEG * np.array(PANS))) / np.tan(np.radians(30)) / 2
    box = [[float(np.clip(x - 0.02, 0, 1)), 0.4, float(np.clip(x + 0.02, 0, 1)), 0.6] for x in middle]
    sheet = {"version": 1, "clip": {"duration": 2.0}, "where": {"tracks": [{"t": list(AT), "box": box}]}}
    (tmp_path / "sheet.json").write_text(json.dumps(sheet))

    def write(predicted: np.ndarray) -> Path:
        soundfile.write(tmp_path / "true.wav", blows(PANS), RATE)
        soundfile.write(tmp_path / "made.wav", predicted, RATE)
        (tmp_path / "t.csv").write_text("reference,predicted,cues\ntrue.wav,made.wav,sheet.json\n")
        return tmp_path / "t.csv"

    return write


def test_sound_at_its_place_and_on_the_other_side(run: Run, table: Callable[[np.ndarray], Path]) -> None:
    right = run(table(blows(PANS)), by=PLAN)
    by_level = right.score("azimuth-level")
    assert right.ok
    assert by_level.parts["places"] == 4
    assert by_level.parts["r"] > 0.95
    assert by_level.value < 8  # the outer two are seen at the picture's edge, 30 degrees
    assert by_level.baselines["swapped"] > by_level.baselines["mono"] > by_level.value
    assert by_level.baselines["reference"] == pytest.approx(by_level.value)
    wrong = run(table(blows(tuple(-p for p in PANS))), by=PLAN)
    assert wrong.score("azimuth-level").value == pytest.approx(by_level.baselines["swapped"], abs=0.5)
    for name in ("s-kl-heard", "azimuth-level"):
        here, there = right.score(name), wrong.score(name)
        assert here.value < here.baselines["mono"] < there.value, name
        assert here.value < here.baselines["random"], name
    assert right.score("s-kl-heard").baselines["swapped"] == pytest.approx(
        wrong.score("s-kl-heard").value, rel=0.05
    )


def test_delays_are_heard_by_the_time_alone(run: Run, table: Callable[[np.ndarray], Path]) -> None:
    delayed = blows(PANS, delay_s=0.0005)
    level = np.sqrt(np.square(delayed).mean(1, keepdims=True))
    flat = run(table(blows((0, 0, 0, 0))), by=PLAN).score("azimuth-time")
    assert flat.value == pytest.approx(flat.baselines["mono"], abs=1e-9)
    found = run(table(delayed), by=PLAN).score("azimuth-time")
    assert level.max() > 0
    assert found.parts["r"] > 0.9
    assert found.baselines["swapped"] > 2 * found.value


def test_a_silent_take_has_no_place(run: Run, table: Callable[[np.ndarray], Path]) -> None:
    found = run(table(np.zeros((2 * RATE, 2), np.float32)), by=PLAN)
    assert "no place was heard" in found.score("azimuth-level").flags[0]
    assert np.isnan(found.score("s-kl-heard").value)


def test_maps_that_clips_bring(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wave = rng.standard_normal((RATE, 2)) * 0.1
    soundfile.write(tmp_path / "a.wav", wave, RATE)
    target, given = rng.random((2, 3, 4, 6))
    np.save(tmp_path / "target.npy", target)
    np.save(tmp_path / "given.npy", given)
    table = tmp_path / "t.csv"
    table.write_text("reference,predicted,maps,predicted_maps\na.wav,a.wav,target.npy,given.npy\n")
    found = run(table, by=PLAN, metrics=["s-kl"]).score("s-kl")
    assert found.value == pytest.approx(saliency_divergence(given, target))
    assert found.value != pytest.approx(saliency_divergence(target, given), rel=1e-3)
    assert found.baselines["flat"] == pytest.approx(saliency_divergence(np.ones_like(target), target))
    np.save(tmp_path / "given.npy", given[:2])
    broken = run(table, by=PLAN, metrics=["s-kl"])
    assert "maps have shapes (2, 4, 6) and (3, 4, 6)" in broken.failed[0].failures[0]
    (tmp_path / "given.npy").write_bytes(b"nothing")
    assert "is no array of numpy" in run(table, by=PLAN, metrics=["s-kl"]).failed[0].failures[0]
    table.write_text("reference,predicted\na.wav,a.wav\n")
    with pytest.raises(UserError, match="no clip brings saliency maps"):
        run(table, by=PLAN, metrics=["s-kl"])


def test_the_box_nearest_in_time_is_taken() -> None:
    pan = {"pan": np.zeros(4), "active": np.array([1, 0, 1, 1]), "step": np.array(1.0)}
    tracks = {"t": np.array([0.0, 2.0, 9.0]), "x": np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])}
    x, box = compare._stage({"pan": pan}, {"tracks": tracks})
    assert x.tolist() == [0.5, 0.5, 0.5]
    assert box[:, 0].tolist() == [0.1, 0.3, 0.3]
    one = {"t": np.array([5.0]), "x": np.array([[0.7, 0.8]])}
    assert compare._stage({"pan": pan}, {"tracks": one})[1][:, 0].tolist() == [0.7, 0.7, 0.7]
