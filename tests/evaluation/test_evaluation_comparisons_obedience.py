"""What `weft eval` says of obedience is what `weft.metrics.sheet_obedience` says of the same sheets and sounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from weft.cues.conversions import rms_envelope
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Track, What, When, Where
from weft.cues.vocabulary import MATERIALS
from weft.evaluation import comparisons_obedience as compare
from weft.evaluation.cue_truth import truth
from weft.evaluation.embedding import EmbedderSpec
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.result import Evaluation
from weft.evaluation.sources import Source
from weft.metrics import sheet_obedience

Run = Callable[..., Evaluation]
RATE, SECONDS = 44100, 3.0
PLAN = Protocol(
    name="obedience",
    version=1,
    summary="for tests",
    window=Window(rate=RATE, channels=2),
    metrics=("obey-onsets", "obey-envelope", "obey-pan", "obey-depth"),
    headline="obey-onsets",
)


def asked(seed: int) -> CueSheet:
    """Five blows on metal by a thing that crosses the picture and goes off into the distance."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.choice(np.arange(0.2, 2.6, 0.4), 5, replace=False)) + 0.1 * (seed % 3)
    x = np.linspace(0.05, 0.95, 4)[:: 1 if seed % 2 else -1]
    box = np.stack([x - 0.04, np.full(4, 0.4), x + 0.04, np.full(4, 0.6)], axis=1)
    track = Track(t=np.linspace(0, 3, 4), box=box, depth=np.linspace(0.1, 0.9, 4))
    onsets = tuple(
        Onset(t=float(t), strength=float(s), material="metal")
        for t, s in zip(times, rng.uniform(0.4, 1, 5), strict=True)
    )
    return CueSheet(
        clip=Clip(duration=SECONDS),
        when=When(onsets=onsets),
        where=Where(tracks=(track,)),
        what=What(prompt="A stick hits Metal twice.", negative="No plastic-bag, please"),
    )


def played(sheet: CueSheet, *, wide: float = 1.0) -> np.ndarray:
    wave = np.zeros((2, round(SECONDS * RATE)))
    for k, o in enumerate(sheet.when.onsets or ()):
        at = round(o.t * RATE)
        burst = np.random.default_rng(k).standard_normal(8000) * np.exp(-np.arange(8000) / 1200)
        angle = (wide * float(sheet.pan_at(o.t)) + 1) * np.pi / 4
        part = wave[:, at : at + 8000]
        level = 0.3 * o.strength * 10 ** -float(sheet.depth_at(o.t))
        part += level * np.stack([np.cos(angle), np.sin(angle)])[:, None] * burst[: part.shape[1]]
    return wave


@pytest.fixture(scope="module")
def takes() -> list[tuple[CueSheet, np.ndarray]]:
    out = []
    for seed in range(3):
        sheet = asked(seed)
        curve = rms_envelope(played(sheet))
        out.append((replace(sheet, when=replace(sheet.when, envelope=curve)), played(sheet, wide=0.7)))
    return out


def write(folder: Path, takes: list[tuple[CueSheet, np.ndarray]]) -> Path:
    rows = ["reference,predicted,cues"]
    for k, (sheet, wave) in enumerate(takes):
        sheet.save(folder / f"{k}.json")
        soundfile.write(folder / f"made{k}.wav", wave.T, RATE, subtype="FLOAT")
        soundfile.write(folder / f"true{k}.wav", played(sheet).T, RATE, subtype="FLOAT")
        rows.append(f"true{k}.wav,made{k}.wav,{k}.json")
    (folder / "t.csv").write_text("\n".join(rows) + "\n")
    return folder / "t.csv"


def test_each_dial_is_as_the_sheets_and_sounds_say(
    run: Run, tmp_path: Path, takes: list[tuple[CueSheet, np.ndarray]]
) -> None:
    found = run(write(tmp_path, takes), by=PLAN)
    direct = {o.dial: o for o in sheet_obedience.evaluate(takes, RATE)}
    assert found.ok
    for dial in ("onsets", "envelope", "pan", "depth"):
        row, wanted = found.score(f"obey-{dial}"), direct[dial]
        assert row.value == pytest.approx(wanted.score, abs=0.01), dial
        assert row.parts["asked"] == wanted.n, dial
        if dial != "depth":
            assert row.parts[f"error, {wanted.unit}"] == pytest.approx(wanted.error, rel=0.05, abs=0.005), (
                dial
            )
    assert found.score("obey-pan").parts["error, pan"] > 0.05  # seven tenths as wide as asked
    assert found.score("obey-pan").value > 0.98
    assert found.score("obey-pan").baselines["ignored"] < 0.5
    assert found.score("obey-onsets").baselines["ignored"] < 0.7 < found.score("obey-onsets").value
    assert found.score("obey-onsets").baselines["silence"] == 0
    assert found.score("obey-depth").value > 0.9


def test_a_dial_that_no_sheet_turns_is_left_out_with_its_reason(run: Run, tmp_path: Path) -> None:
    sheet = CueSheet(clip=Clip(duration=SECONDS), when=When(onsets=asked(0).when.onsets))
    found = run(write(tmp_path, [(sheet, played(sheet))]), by=PLAN)
    assert [s.name for s in found.scores] == ["obey-onsets"]
    why = {m.name: m.why for m in found.left_out}
    assert "no clip has a cue sheet with an envelope" in why["obey-envelope"]
    assert "with onsets and a track with depths" in why["obey-depth"]


def test_what_a_sheet_asks_within_a_window(tmp_path: Path) -> None:
    sheet = replace(
        asked(0),
        when=When(
            onsets=tuple(Onset(t=t, material=m) for t, m in ((0.5, "wood"), (1.5, "metal"), (2.5, "metal"))),
            envelope=Envelope(hop=0.5, rms=np.array([0.0, 0.1, 0.2, 0.3, 0.4])),
        ),
    )
    sheet.save(tmp_path / "s.json")
    whole = truth(Source(path=tmp_path / "s.json"), Window())
    assert "asked material" not in whole  # two materials are no one request
    assert MATERIALS[int(whole["asked prompt"]["material"])] == "metal"
    assert MATERIALS[int(whole["asked away"]["material"])] == "plastic-bag"
    assert whole["negative"]["words"].tobytes().decode() == "No plastic-bag, please"
    assert len(whole["asked envelope"]["rms"]) == 300  # as long as the sheet, silent after the curve
    part = truth(Source(path=tmp_path / "s.json"), Window(start_s=1.0, duration_s=1.0))
    assert part["cues"]["times"].tolist() == [0.5]
    assert part["asked pan"]["times"].tolist() == [0.5]
    assert part["asked pan"]["pan"][0] == pytest.approx(float(sheet.pan_at(1.5)))
    assert part["asked depth"]["depth"][0] == pytest.approx(float(sheet.depth_at(1.5)))
    assert MATERIALS[int(part["asked material"]["material"])] == "metal"
    np.testing.assert_allclose(part["asked envelope"]["rms"][[0, 50, 99]], [0.2, 0.3, 0.398])
    label = {"sheet": json.loads((tmp_path / "s.json").read_text()), "captions": ["x"]}
    (tmp_path / "label.json").write_text(json.dumps(label))
    assert truth(Source(path=tmp_path / "label.json"), Window()).keys() == whole.keys()


class Ear:
    """How much of a sound lies above and below 4 kHz: metal is high, wood low."""

    name, sha256, windows, d, rate = "ear", "02", "the whole clip", 2, RATE

    def embed(self, wave: torch.Tensor, rate: int) -> torch.Tensor:
        power = torch.fft.rfft(wave.double()).abs().square()
        high = round(4000 / rate * wave.shape[1])
        both = torch.stack([power[:, :high].sum(1), power[:, high:].sum(1)], 1).sqrt()
        return both[:, None].float()

    def logits(self, wave: torch.Tensor, rate: int) -> torch.Tensor:
        low, high = self.embed(wave, rate)[:, 0].unbind(1)
        out = torch.zeros(len(wave), len(MATERIALS))
        out[:, MATERIALS.index("wood")], out[:, MATERIALS.index("metal")] = low, high
        return out

    def embed_text(self, texts: list[str]) -> torch.Tensor:
        return torch.tensor([[0.0, 1.0] if "metal" in t else [1.0, 0.0] for t in texts])


def ear() -> Ear:
    return Ear()


def ear_sha() -> str:
    return "02"


EAR = EmbedderSpec(
    name="ear",
    summary="low and high",
    windows="the whole clip",
    gives=("audio@", "logits@", "text@"),
    sha256=ear_sha,
    load=ear,
    materials=True,
)


def tone(hertz: float, seed: int) -> np.ndarray:
    t = np.arange(round(SECONDS * RATE)) / RATE
    noise = 0.003 * np.random.default_rng(seed).standard_normal(len(t))
    return np.stack([0.1 * np.sin(2 * np.pi * hertz * t) + noise] * 2)


def negated(folder: Path, *, heeds: bool) -> Path:
    """Takes told to stay away from metal or from wood, each beside the take that was not told, which is of it."""
    folder.mkdir()
    rows = ["reference,predicted,cues,without"]
    for k in range(6):
        away, pitch = ("metal", 8000.0) if k % 2 else ("wood", 300.0)
        other = 300.0 if k % 2 else 8000.0
        sheet = CueSheet(clip=Clip(duration=SECONDS), what=What(negative=f"a stick on {away}"))
        sheet.save(folder / f"{k}.json")
        sounds = {"true": tone(1000, k), "without": tone(pitch, k + 10)}
        sounds["made"] = tone(other if heeds else pitch, k + (20 if heeds else 10))
        for name, wave in sounds.items():
            soundfile.write(folder / f"{name}{k}.wav", wave.T, RATE, subtype="FLOAT")
        rows.append(f"true{k}.wav,made{k}.wav,{k}.json,without{k}.wav")
    (folder / "t.csv").write_text("\n".join(rows) + "\n")
    return folder / "t.csv"


def test_a_negative_prompt_is_heeded_or_not(run: Run, tmp_path: Path) -> None:
    asked_for = {"metrics": ["obey-negative", "obey-spared"], "embedders": [EAR]}
    heeded = run(negated(tmp_path / "a", heeds=True), **asked_for)
    assert heeded.ok
    fell, spared = heeded.score("obey-negative/ear"), heeded.score("obey-spared/ear")
    assert (fell.value, fell.n, fell.parts["asked"]) == (1.0, 6, 6.0)
    assert fell.parts["error, cosine"] < -0.9
    assert fell.baselines["ignored"] == 0.0  # towards the other clips' words, as these have only two
    assert (spared.value, spared.baselines["ignored"]) == (1.0, 0.0)
    deaf = run(negated(tmp_path / "b", heeds=False), **asked_for)
    fell, spared = deaf.score("obey-negative/ear"), deaf.score("obey-spared/ear")
    assert (fell.value, fell.parts["error, cosine"]) == (0.5, 0.0)  # the same sound twice
    assert (spared.value, spared.baselines["ignored"]) == (0.0, 1.0)


def test_without_the_other_take_or_a_negative_prompt_the_rows_say_what_is_lacking(
    run: Run, tmp_path: Path
) -> None:
    path = negated(tmp_path / "a", heeds=True)
    rows = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(rows) + "\n")
    plan = replace(PLAN, metrics=("obey-negative", "obey-spared"))
    found = run(path, by=plan, embedders=[EAR])
    assert found.score("obey-spared/ear").value == 1.0
    assert "a CSV with a column without" in {m.name: m.why for m in found.left_out}["obey-negative/ear"]
    for sheet in path.parent.glob("*.json"):
        CueSheet(clip=Clip(duration=SECONDS), what=What(negative="anything loud")).save(sheet, overwrite=True)
    why = {m.name: m.why for m in run(path, by=plan, embedders=[EAR]).left_out}
    assert "a negative prompt that names one material" in why["obey-spared/ear"]
    for sheet in path.parent.glob("*.json"):
        CueSheet(clip=Clip(duration=SECONDS), what=What(prompt="wood")).save(sheet, overwrite=True)
    why = {m.name: m.why for m in run(path, by=plan, embedders=[EAR]).left_out}
    assert "no clip has a cue sheet with a negative prompt:" in why["obey-negative/ear"]


@pytest.mark.parametrize("heeds", [True, False])
def test_a_take_sounds_like_the_recording_it_was_given_or_like_another(
    run: Run, tmp_path: Path, heeds: bool
) -> None:
    rows = ["reference,predicted,like"]
    for k in range(4):
        pitches = {
            "true": 1000.0,
            "like": (300.0, 8000.0)[k % 2],
            "made": (300.0, 8000.0)[(k + (not heeds)) % 2],
        }
        for seed, (name, pitch) in enumerate(pitches.items()):
            wave = tone(pitch, 10 * k + seed)
            soundfile.write(tmp_path / f"{name}{k}.wav", wave.T, RATE, subtype="FLOAT")
        rows.append(f"true{k}.wav,made{k}.wav,like{k}.wav")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    found = run(tmp_path / "t.csv", metrics=["obey-reference"], embedders=[EAR]).score("obey-reference/ear")
    ignored = found.baselines["ignored"]  # of three other recordings one is of the same pitch
    assert (found.value > 0.95 and ignored < 0.5) if heeds else (found.value < 0.3 and ignored > 0.5)
    assert found.parts["asked"] == 4
    (tmp_path / "t.csv").write_text("reference,predicted\ntrue0.wav,made0.wav\n")
    plan = replace(PLAN, metrics=("obey-reference", "obey-onsets"))
    left = {m.name: m.why for m in run(tmp_path / "t.csv", by=plan, embedders=[EAR]).left_out}
    assert "a CSV with a column like" in left["obey-reference/ear"]


def test_the_other_take_that_cannot_be_read_costs_that_row_alone(run: Run, tmp_path: Path) -> None:
    path = negated(tmp_path / "a", heeds=True)
    (path.parent / "without2.wav").write_bytes(b"RIFF, but no more")
    found = run(path, metrics=["obey-negative", "obey-spared"], embedders=[EAR])
    assert (found.score("obey-negative/ear").n, found.score("obey-spared/ear").n) == (5, 6)
    (failed,) = found.failed
    assert failed.name == "true2"
    assert failed.failures[0].startswith("without: ")


def test_a_listener_names_the_material() -> None:
    logits = np.zeros((1, len(MATERIALS)))
    logits[0, MATERIALS.index("glass")] = 3

    def clip(word: str) -> tuple[np.ndarray, np.ndarray]:
        asked = {"asked prompt": {"material": np.array(MATERIALS.index(word))}}
        return compare.asked_word({"logits@": {"rows": logits}}, asked, of="asked prompt")

    found = compare.words([clip("glass"), clip("glass"), clip("wood")])
    assert found.score == pytest.approx(2 / 3)
    assert compare.words([clip("glass"), clip("wood")]).baselines == {"ignored": 0.5}
