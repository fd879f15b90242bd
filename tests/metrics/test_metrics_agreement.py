"""What the public implementations give on shared random inputs. They were run outside the project; these are their
numbers. Where a library stands in the tests' own environment it is asked directly."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import desync, divergence, e_l1, favd, frechet, meaning, spatial_align


def two_sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20)
    x = rng.standard_normal((300, 24)) @ rng.standard_normal((24, 24))
    y = rng.standard_normal((260, 24)) @ rng.standard_normal((24, 24)) + 0.5
    return x, y


FRECHET = {
    "fadtk": 343.4504810055889,
    "audioldm_eval": 343.45048100558824,
    "SpecVQGAN": 343.45048100558824,
    "av-benchmark": 343.45048100558824,
    "avgen-eval-toolkit": 343.45048100558824,
    "torchmetrics 1.9.0": 343.4504810055905,
}


@pytest.mark.parametrize("name", FRECHET)
def test_frechet(name: str) -> None:
    x, y = two_sets()
    assert frechet.distance(x, y) == pytest.approx(FRECHET[name], rel=1e-11)
    moments = frechet.distance_of_moments(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert moments == pytest.approx(FRECHET[name], rel=1e-11)


def test_frechet_of_torchmetrics_where_it_is_installed() -> None:
    torch = pytest.importorskip("torch")
    fid = pytest.importorskip("torchmetrics.image.fid")

    def moments(rows: np.ndarray) -> tuple[object, object]:
        return torch.from_numpy(rows.mean(0)), torch.from_numpy(np.cov(rows.T))

    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((90, 12)), 2 * rng.standard_normal((70, 12)) + 1
        theirs = fid._compute_fid(*moments(x), *moments(y)).item()
        assert frechet.distance(x, y) == pytest.approx(theirs, rel=1e-9)


def logits() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(21)
    return rng.standard_normal((40, 30)) * 4, rng.standard_normal((40, 30)) * 4


def test_kl_exact_is_av_benchmarks_and_compat_that_of_the_older_toolkits() -> None:
    """av-benchmark; SpecVQGAN, audioldm_eval and avgen-eval-toolkit, which agree to the last digit."""
    true, made = logits()
    assert divergence.kl(true, made).mean() == pytest.approx(7.029115217045913, rel=1e-12)
    assert divergence.kl(true, made, compat=True).mean() == pytest.approx(6.8115656769621875, rel=1e-12)


def test_inception_score_with_ten_splits_is_that_of_three_toolkits() -> None:
    """SpecVQGAN, audioldm_eval and av-benchmark, shuffle seed 2020."""
    found = divergence.inception_score(logits()[1], splits=10, seed=2020)
    assert found.value == pytest.approx(3.102832933054435, rel=1e-12)
    assert found.spread == pytest.approx(0.26661318615681284, rel=1e-12)


def test_inception_score_unsplit_is_torchmetrics() -> None:
    """InceptionScore(splits=1, normalize=False) of torchmetrics 1.9.0, in float32."""
    assert divergence.inception_score(logits()[1]).value == pytest.approx(8.224387168884277, rel=1e-6)


def test_favd_is_avgen_eval_toolkits_in_both_forms() -> None:
    def clips(seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        r = np.random.default_rng(seed)
        return (
            [r.standard_normal((r.integers(3, 9), 12)) for _ in range(30)],
            [r.standard_normal((r.integers(3, 9), 5)) for _ in range(30)],
        )

    def rounded(sounds: list[np.ndarray]) -> list[np.ndarray]:
        return [np.clip(np.round(128 + 40 * x), 0, 255) for x in sounds]

    (v, a), (w, b) = clips(30), clips(31)
    assert favd.evaluate(v, a, w, b, version="float").value == pytest.approx(1.4224417464021784, rel=1e-11)
    toolkit = favd.evaluate(v, rounded(a), w, rounded(b), version="toolkit")
    assert toolkit.value == pytest.approx(185.33016454788958, rel=1e-11)


def sound(seed: int, rate: int, seconds: float) -> np.ndarray:
    r = np.random.default_rng(seed)
    n = round(rate * seconds)
    wave = 0.3 * r.standard_normal(n)
    swell = np.interp(np.arange(n), np.linspace(0, n, 30), r.random(30))
    return (wave * swell).astype(np.float32)[None]


@pytest.mark.parametrize(
    ("preset", "rate", "seconds", "seeds", "printed"),
    [
        ("t-foley", 22050, 4, (40, 41), 0.057591136544942856),
        ("video-foley", 16000, 10, (42, 43), 0.082803704),
    ],
)
def test_e_l1_presets(preset: str, rate: int, seconds: float, seeds: tuple[int, int], printed: float) -> None:
    a, b = (sound(seed, rate, seconds) for seed in seeds)
    assert e_l1.distance(a, b, rate, preset) == pytest.approx(printed, rel=2e-5)


def test_spatial_av_align_hits_and_sounds_are_savgbenchs() -> None:
    """Hits and heard frames of eight random clips, by the original's frames and pixels."""
    printed = [(32, 34), (18, 19), (27, 33), (29, 32), (27, 29), (18, 27), (15, 18), (27, 37)]
    for seed, (hits, heard) in enumerate(printed):
        r = np.random.default_rng(seed)
        frames = np.sort(r.choice(50, r.integers(1, 40), replace=False))
        pixels = r.integers(0, 257, len(frames))
        boxes: list[list[np.ndarray]] = [[] for _ in range(20)]
        for frame in range(20):
            for _ in range(r.integers(0, 3)):
                boxes[frame].append(np.sort(r.integers(0, 257, 2)) / 256)
        clip = spatial_align.Clip(
            heard_t=frames / 10, heard_x=pixels / 256, seen_t=np.arange(20) / 4, boxes=boxes
        )
        found = spatial_align.evaluate([clip])
        assert (round(found.value * found.heard), found.heard) == (hits, heard)


def test_desync_and_cosine_scores_are_av_benchmarks() -> None:
    """Its loop over both ends of 25 clips, with its class grid; torch's cosine similarity, averaged."""
    first, last = np.random.default_rng(50).standard_normal((2, 25, 21))
    assert desync.evaluate(first, last).value == pytest.approx(1.1320000022649765, rel=1e-7)
    rng = np.random.default_rng(50)
    rng.standard_normal((2, 25, 21))
    video = rng.standard_normal((25, 64))
    sound = video + rng.standard_normal((25, 64)) * 2
    assert meaning.evaluate(sound, video).value == pytest.approx(0.46358645862712067, rel=1e-12)


def test_onsets_are_mir_evals() -> None:
    mir_eval = pytest.importorskip("mir_eval")
    from weft.metrics import onset

    rng = np.random.default_rng(22)
    for _ in range(20):
        true, found = (np.sort(rng.uniform(0, 4, rng.integers(1, 12))) for _ in range(2))
        ours = onset.scores(found, true, 0.05)
        theirs = mir_eval.onset.f_measure(true, found, 0.05)
        assert (ours.f1, ours.precision, ours.recall) == pytest.approx(theirs, abs=1e-12)
