"""Results of whole sets: their baselines and parts by the functions of one clip, and what weighs in them."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import (
    av_align,
    boxes,
    condfoley,
    conventions,
    divergence,
    envelope,
    favd,
    frechet,
    gap,
    kernel,
    material,
    mmaudio_onsets,
    onset,
    retrieval,
    saliency,
    sets,
    sound,
    space,
    spatial_align,
    spectrum,
)
from weft.metrics.interval import half_spread, halves_for
from weft.metrics.result import Source, few_rows, mean_of, whole_of

RATE = 8000


def waves(count: int, seed: int = 0, n: int = RATE) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.02, 0.3) * rng.standard_normal((2, n)) * np.linspace(0, 1, n) for _ in range(count)]


def test_a_clip_without_a_value_weighs_nowhere() -> None:
    found = mean_of(
        [1.0, np.nan, 3.0, np.inf], baselines={"silence": [5.0, 100.0, 7.0, 100.0], "random": 2.0}
    )
    assert (found.value, found.n, found.of) == (2.0, 2, "clips")
    assert found.baselines == {"silence": 6.0, "random": 2.0}
    assert found.flags == ("undefined for 2 of 4 clips (silent, still or too short)",)
    none = mean_of([np.nan, np.nan], baselines={"silence": [1.0, 2.0]})
    assert np.isnan(none.value) and (none.n, none.baselines, none.interval) == (0, {}, "")
    with pytest.raises(ValueError, match=r"shape \(2, 1\)"):
        mean_of([[1.0], [2.0]])
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        mean_of([])


def test_a_number_of_a_set_is_kept_in_its_range_and_needs_four_clips() -> None:
    values = list(np.random.default_rng(0).standard_normal(40) - 5)

    def pooled(some: object) -> float:
        return float(np.mean(some))  # type: ignore[arg-type]

    found = whole_of(values, pooled, least=0.0, most=1.0)
    assert (found.value, found.raw) == (0.0, pytest.approx(np.mean(values)))
    assert found.low == found.high == 0.0
    free = whole_of(values, pooled)
    assert free.raw is None
    assert free.high - free.low == pytest.approx(2 * 1.96 * half_spread(values, pooled))
    assert free.interval == "half-sampling of clips, 24 halves"
    few = whole_of(values[:3], pooled, of="places")
    assert np.isnan(few.low) and few.flags == ("3 places: too few for an interval",)
    assert whole_of(values, pooled, halves=0).flags == ()
    assert whole_of(values[:1], pooled, of="queries").flags == ("one query: no interval",)
    assert (halves_for(30_000), halves_for(30_001)) == (24, 10)
    assert few_rows((10, 6), 3) == () and "5 rows of 3 dimensions" in few_rows((10, 5), 3)[0]


def test_sounds_beside_silence_and_the_next_clips_sound() -> None:
    made, true = waves(3), waves(3, 1)
    silent = [np.zeros_like(w) for w in true]
    moved = [*true[1:], *true[:1]]
    for evaluate, one in (
        (spectrum.evaluate, lambda a, b: spectrum.mel_error(a, b, RATE)),
        (envelope.evaluate, envelope.agreement),
    ):
        found = evaluate(made, true, RATE)
        for score, sounds in (
            (found.value, made),
            (found.baselines["silence"], silent),
            (found.baselines["shuffled"], moved),
        ):
            assert score == pytest.approx(np.mean([one(a, b) for a, b in zip(sounds, true, strict=True)]))
    parts = envelope.evaluate(made, true, RATE).parts
    pairs = list(zip(made, true, strict=True))
    assert parts["level error, dB"] == pytest.approx(np.mean([envelope.level_error(a, b) for a, b in pairs]))
    active = spectrum.evaluate(made, true, RATE).parts["where it sounds"]
    assert active == pytest.approx(np.mean([spectrum.mel_error_active(a, b, RATE) for a, b in pairs]))
    with pytest.raises(ValueError, match=r"clip 1: estimate is \(2, 8000\) and reference \(1, 8000\)"):
        envelope.evaluate(made[:2], [true[0], true[1][:1]], RATE)


def test_sounds_described_leave_out_what_has_no_number() -> None:
    made, true = waves(3), waves(2, 1)
    found = sound.evaluate_set([*made, np.zeros((2, RATE))], RATE, references=true)
    assert found["lufs"].n == 3 and "undefined for 1 of 4" in found["lufs"].flags[0]
    assert found["lufs"].value == pytest.approx(np.mean([sound.loudness(w, RATE) for w in made]))
    wanted = np.mean([sound.loudness(w, RATE) for w in true])
    assert found["lufs"].baselines["reference"] == pytest.approx(wanted)
    assert found["silent"].n == 4 and found["silent"].rate == "8000 Hz"


def test_av_align_of_a_set_is_the_mean_of_its_clips() -> None:
    rng = np.random.default_rng(0)
    lists = [(np.sort(rng.uniform(0, 4, 6)), np.sort(rng.uniform(0, 4, 8))) for _ in range(5)]
    clips = [av_align.Clip(heard=h, seen=s, duration_s=4.0) for h, s in lists]
    each = [av_align.evaluate(h, s, fps=5, duration_s=4.0) for h, s in lists]
    found = av_align.evaluate_set(clips, fps=5)
    assert found.value == pytest.approx(np.mean([e.value for e in each]))
    assert found.baselines["random"] == pytest.approx(np.mean([e.chance for e in each]))
    for form in av_align.FORMS:
        theirs = av_align.evaluate_set(clips, fps=5, form=form)
        assert theirs.value == pytest.approx(
            np.mean([av_align.published(h, s, fps=5, form=form) for h, s in lists])
        )
        moved = [av_align.published(lists[(k + 1) % 5][0], lists[k][1], fps=5, form=form) for k in range(5)]
        assert theirs.baselines["shuffled"] == pytest.approx(np.mean(moved))


def test_onsets_of_a_set_and_of_two_published_forms() -> None:
    found, true = [[0.5, 1.0], [2.0]], [[0.51, 2.0], [2.5]]
    scored = onset.evaluate(found, true, durations_s=[3, 3])
    assert (scored.value, scored.parts) == (0.25, {"precision": 0.25, "recall": 0.25})
    assert scored.baselines["shuffled"] == 0.0
    with pytest.raises(ValueError, match=r"reach 2\.5 s of 2 s"):
        onset.evaluate(found, true, durations_s=[3, 2])
    wave = np.random.default_rng(0).standard_normal(22050)
    clips = [
        condfoley.Clip(true=[5000], found=[5000], wave=wave),
        condfoley.Clip(true=[5000], found=[15000], wave=wave),
    ]
    for module in (condfoley, mmaudio_onsets):
        both = module.evaluate_set(clips)
        assert (both.value, both.baselines["shuffled"]) == (0.5, 0.5)
        one, other = (module.evaluate(c.true, c.found, c.wave).ap for c in clips)
        assert both.parts["AP"] == pytest.approx((one + other) / 2)
    with pytest.raises(ValueError, match=r"wave of shape \(2,\) holds NaN"):
        condfoley.evaluate([1], [1], [0.0, np.nan])


def test_where_it_is_beside_the_middle_and_mirrored() -> None:
    rng = np.random.default_rng(0)
    heard, true = ([rng.uniform(-1, 1, 5) for _ in range(4)] for _ in range(2))
    found = space.evaluate(heard, true)
    assert found.value == pytest.approx(space.pan_correlation(list(zip(heard, true, strict=True))))
    assert found.baselines == {"mono": 0.0, "swapped": pytest.approx(-found.value)}
    x, box = np.array([0.2, 0.8]), np.array([[0.1, 0.3], [0.7, 0.9]])
    placed = saliency.evaluate([saliency.Clip(x=x, box=box)])
    target = saliency.seen(box)
    for name, at in (("mono", [0.5, 0.5]), ("swapped", 1 - x)):
        wanted = spatial_align.saliency_divergence(saliency.heard(at), target)
        assert placed.baselines[name] == pytest.approx(wanted)
        assert wanted > placed.value
    maps = [rng.random((2, 3, 4)) for _ in range(2)]
    given = saliency.of_maps(maps[:1], maps[1:])
    flat = spatial_align.saliency_divergence(np.ones((2, 3, 4)), maps[1])
    assert given.baselines["flat"] == pytest.approx(flat)
    clips = [
        spatial_align.Clip(heard_t=[0.5] * n, heard_x=[p] * n, seen_t=[0.5], boxes=[[[0.4, 0.5]]])
        for n, p in ((3, 0.45), (1, 0.99))
    ]
    apart = [spatial_align.evaluate([c]) for c in clips]
    merged, whole = spatial_align.merged(apart), spatial_align.evaluate(clips)
    assert (merged.value, merged.heard, merged.mono) == (whole.value, 4, whole.mono) == (0.75, 4, 1.0)


def test_queries_words_and_boxes_beside_chance() -> None:
    rng = np.random.default_rng(0)
    right = np.eye(6, 8, dtype=bool)
    found = retrieval.evaluate(rng.standard_normal((6, 8)) + 2 * right, right, rank=2)
    assert (found.n, found.of) == (6, "queries") and found.baselines["random"] == pytest.approx(2 / 8)
    said = material.evaluate(["wood", "wood", "metal"], ["wood", "metal", "metal"])
    assert said.value == pytest.approx(2 / 3)
    assert said.baselines["shuffled"] == pytest.approx(2 / 6)
    with pytest.raises(ValueError, match="words, not places"):
        material.evaluate([1], ["wood"])  # type: ignore[list-item]
    a, b = [0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]
    seen = boxes.evaluate([a, a], [a, b])
    assert (seen.value, seen.n, seen.of, seen.baselines["shuffled"]) == (0.5, 2, "boxes", 0.0)


def test_sets_have_floors_and_intervals_over_clips() -> None:
    rng = np.random.default_rng(0)
    heard = Source(embedder="toy", sha256="00", rate="48000 → 16000 Hz mono")
    true = [rng.standard_normal((5, 3)) for _ in range(12)]
    made = [rng.standard_normal((5, 3)) + 1 for _ in range(12)]
    stack = np.concatenate(true), np.concatenate(made)
    for found, one in (
        (frechet.evaluate(true, made, source=heard), frechet.distance(*stack)),
        (kernel.evaluate(true, made, source=heard), kernel.discrepancy(*stack)),
    ):
        assert found.value == pytest.approx(one)
        assert (found.n, found.of, found.rows, found.d) == (12, "clips", (60, 60), 3)
        assert found.low < found.value < found.high and found.floor is not None
        assert abs(found.floor) < found.value
        assert (found.embedder, found.sha256, found.rate) == ("toy", "00", heard.rate)
    rows = frechet.evaluate(*stack)
    assert (rows.n, rows.of) == (60, "rows") and rows.value == pytest.approx(frechet.distance(*stack))
    apart = gap.evaluate(*stack)
    assert apart.floor is not None and apart.floor < apart.value == gap.modality_gap(*stack)
    joint = favd.evaluate(true, true, true, made, version="float")
    assert joint.parts == {"sound alone": joint.audio, "picture alone": joint.video, "scaled": joint.scaled}
    assert joint.floor is not None and joint.low < joint.value < joint.high and joint.n == 12
    uneven = sets.cut(true, made[:5])
    assert [len(x) for x, _ in uneven.units()] == [15, 15, 10, 10, 10] and uneven.rows == (60, 25)
    with pytest.raises(ValueError, match=r"clips of shapes \[\(5, 3\), \(5, 2\)\]"):
        sets.cut([true[0], true[1][:, :2]], made)


def test_a_distance_by_name_is_of_its_embedder() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((6, 128))
    assert conventions.evaluate("fad", rows, rows + 1).value == pytest.approx(128)
    with pytest.raises(ValueError, match=r"shape \(6, 128\), but FAD-LC \(LAION-CLAP\) has 512"):
        conventions.evaluate("fad-lc", rows, rows)
    with pytest.raises(ValueError, match="not of length 1"):
        conventions.evaluate("fad-lc", rng.standard_normal((6, 512)), rng.standard_normal((6, 512)))
    with pytest.raises(ValueError, match="no Fréchet convention 'fid-x'"):
        conventions.validate("fid-x", rows)


def test_kl_beside_the_next_clips_classes() -> None:
    rng = np.random.default_rng(0)
    p, q = 3 * rng.standard_normal((2, 7, 5))
    found = divergence.evaluate(p, q)
    assert found.value == pytest.approx(divergence.kl(p, q).mean())
    assert found.baselines["shuffled"] == pytest.approx(divergence.kl(p, np.roll(p, -1, 0)).mean())
