"""The defects of the public metrics, one test each: the formula that is wrong stands in the test, and ours differs from
it in the way it is wrong. docs/metrics.md lists them, also those whose test stands beside the metric they concern."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg
from scipy.special import expit, log_softmax, softmax
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from weft.metrics import (
    condfoley,
    divergence,
    e_l1,
    envelope,
    favd,
    frechet,
    meaning,
    onset,
    spatial_align,
    volume,
)
from weft.metrics.onset_panel import Clip, evaluate


def moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return rows.mean(0), np.cov(rows, rowvar=False)


def by_square_root(x: np.ndarray, y: np.ndarray) -> float:
    """fadtk, audioldm_eval, av-benchmark, avgen-eval-toolkit, SpecVQGAN: an absolute test of the imaginary part."""
    (m, c), (n, s) = moments(x), moments(y)
    root = linalg.sqrtm(c.dot(s))
    if np.iscomplexobj(root):
        if not np.allclose(np.diagonal(root).imag, 0, atol=1e-3):
            raise ValueError(f"Imaginary component {np.abs(root.imag).max()}")
        root = root.real
    return float((m - n) @ (m - n) + np.trace(c) + np.trace(s) - 2 * np.trace(root))


def by_eigenvalues(x: np.ndarray, y: np.ndarray, kind: type = np.float64) -> float:
    (m, c), (n, s) = ((a.astype(kind), b.astype(kind)) for a, b in (moments(x), moments(y)))
    values = np.linalg.eigvals(c @ s)
    return float(
        (m - n) @ (m - n) + np.trace(c) + np.trace(s) - 2 * np.sqrt(values.astype(complex)).real.sum()
    )


# Time


def test_ap_stops_when_predictions_run_out() -> None:
    """CondFoleyGen: with one right onset of five the four missed are never looked at."""
    labels, scores = [1], [0.9]
    assert average_precision_score(labels, scores) == 1.0
    assert onset.average_precision([([0.4], [0.9], [0.4, 0.8, 1.2, 1.6, 2.0])]) == pytest.approx(0.2)


def test_f1_within_300_ms_that_stops_when_predictions_run_out() -> None:
    """MMAudio's eval_onsets: the threshold of the peaks, 0.3, is the tolerance in seconds too, and the F1 is over what
    was looked at. One onset of nine scores 1, all 250 ms late score 1, and a grid of 5 per second has every one."""
    true = np.arange(9) * 0.8 + 0.5
    looked_at, said = [1], [1]
    assert f1_score(looked_at, said) == 1.0
    assert onset.scores(true[:1], true).f1 == pytest.approx(0.2)
    assert all(abs(late - t) < 0.3 for late, t in zip(true + 0.25, true, strict=True))
    assert onset.scores(true + 0.25, true, 0.1).f1 == 0.0
    grid = np.arange(0.05, 8, 0.2)
    assert all((np.abs(grid - t) < 0.3).any() for t in true)
    assert onset.scores(grid, true).f1 < 0.4


def test_tolerance_of_50_ms_that_is_100() -> None:
    true, late = np.array([0.5, 1.0, 1.5]), np.array([0.59, 1.09, 1.59])
    assert sum(abs(a - b) < condfoley.TOLERANCE_S for a, b in zip(late, true, strict=True)) == 3
    assert condfoley.TOLERANCE_S == 0.1
    assert onset.scores(late, true).f1 == 0.0
    assert onset.average_precision([(late, [3, 2, 1], true)]) == 0.0


def test_an_onset_near_the_start_is_an_empty_window() -> None:
    """A negative start counts from the end: the slice is empty and its maximum an error."""
    level, at, near = np.ones(44100), 500, int(0.05 * 22050)
    with pytest.raises(ValueError, match="zero-size array"):
        level[at - near : at + near].max()
    assert condfoley.evaluate([at], [at], level * np.linspace(1, 0.5, 44100)).accuracy == 1.0
    assert onset.scores([at / 22050], [at / 22050]).f1 == 1.0


def test_suppression_removes_from_the_list_it_walks() -> None:
    near = [0, 5, 10, 15]  # ms, the first the loudest
    left = near.copy()
    for o in left:
        if o and o < 50:
            left.remove(o)
    assert left == [0, 10]
    curve = np.zeros(200)
    curve[100:120:5] = [1.0, 0.9, 0.8, 0.7]
    assert onset.pick(curve, 0.001, threshold=0.1, apart_s=0.05)[0] == pytest.approx([0.1])


def test_silence_has_full_marks_where_something_was_to_be_heard() -> None:
    """CondFoleyGen: labels all true, confidences all 0. SyncFusion gives 0 also where there is nothing to find."""
    assert average_precision_score([1] * 5, [0] * 5) == 1.0
    assert onset.average_precision([([], [], [0.5, 1.0, 1.5, 2.0, 2.5])]) == 0.0
    assert onset.average_precision([([], [], [])]) == 1.0


def test_positional_wave_that_librosa_no_longer_takes() -> None:
    import librosa

    wave = np.random.default_rng(0).standard_normal(22050)
    with pytest.raises(TypeError):
        librosa.onset.onset_detect(wave, sr=22050, units="samples", delta=0.3)
    assert condfoley.onsets(wave).dtype == np.int64


def test_ap_on_as_many_negatives_as_positives() -> None:
    """SyncFusion's Table 1: a batch's positives and its first as many negatives. A random detector scores .52, a weak
    one .855 that truly has .46."""
    rng = np.random.default_rng(0)
    true = rng.random((200, 480)) < 0.06  # frames of 16 chunks of 2 s a batch

    def balanced(scores: np.ndarray) -> float:
        found = []
        for labels, s in zip(true, scores, strict=True):
            on, off = np.flatnonzero(labels), np.flatnonzero(~labels)[: labels.sum()]
            both = np.concatenate([on, off])
            found.append(average_precision_score(labels[both], s[both]))
        return float(np.mean(found))

    def strict(scores: np.ndarray) -> float:
        """Ours: each frame a detection, true ones within a third of a frame."""
        frames = np.arange(480) / 15
        some = slice(0, 12)
        return onset.average_precision(
            [(frames, s, frames[t]) for s, t in zip(scores[some], true[some], strict=True)], 0.02
        )

    random, weak = rng.random(true.shape), rng.standard_normal(true.shape) + 1.6 * true
    assert balanced(random) == pytest.approx(0.52, abs=0.03)
    assert strict(random) < 0.1
    assert balanced(weak) > 0.85
    assert strict(weak) < 0.6


def test_frame_accuracy_is_high_for_nothing_at_all() -> None:
    """Video-Foley's onset accuracy: the share of right frames at 30 per second. An AP per frame misses by one frame
    what is 33 ms late."""
    frames = np.zeros(300, int)
    frames[[30, 90, 150, 210, 270]] = 1
    assert accuracy_score(frames, np.zeros(300, int)) > 0.98
    late = np.roll(frames, 1)
    assert average_precision_score(frames, late) < 0.02
    at = np.flatnonzero(frames) / 30
    assert onset.scores([], at).f1 == 0.0
    assert onset.scores(at + 1 / 30, at, 0.05).f1 == 1.0


def test_counting_onsets_says_nothing_of_when() -> None:
    clip = Clip(found=[0.2, 0.7, 1.7], confidence=[1, 1, 1], true=[0.5, 1.0, 1.5], duration_s=2.0)
    found = evaluate([clip])
    assert found.count == 1.0
    assert found.at[1].f1 == 0.0


def test_envelope_of_a_window_and_one_sample_more() -> None:
    """FoleyGRAM's eq. (5) as printed: W + 1 terms over W, 0.05% too loud."""
    wave, w, h = np.ones(4096), 512, 128
    printed = [np.sqrt(np.square(wave[i * h : i * h + w + 1]).sum() / w) for i in range(20)]
    assert printed == pytest.approx(np.full(20, np.sqrt(513 / 512)))
    assert e_l1.envelope(wave[None], 44100, "fol-ai")[8:20] == pytest.approx(np.ones(12), abs=1e-6)


def test_peak_of_silence_divides_by_zero() -> None:
    """T-Foley scales each sound by its peak, and silence has none."""
    silent, sound = np.zeros(22050), np.random.default_rng(0).standard_normal(22050)
    with np.errstate(invalid="ignore"):
        assert np.isnan(silent / np.abs(silent).max()).all()
    found = e_l1.evaluate([silent[None]], [sound[None]], 22050, "t-foley")
    assert found.value == pytest.approx(found.silence)
    assert found.relative == pytest.approx(1.0)


def test_e_l1_prefers_silence_to_sound_that_is_late() -> None:
    """Ours prints the distance of silence beside it, and a correlation that silence does not win."""
    t = np.arange(16000 * 4) / 16000
    shape = sum(np.exp(-np.maximum(t - a, 0) / 0.03) * (t >= a) for a in np.arange(0.3, 3.6, 0.4))
    true = (shape * np.random.default_rng(0).standard_normal(t.size))[None] * 0.1
    late = np.roll(true, 800, axis=1)
    a, b = e_l1.envelope(true, 16000, "video-foley"), e_l1.envelope(late, 16000, "video-foley")
    assert np.abs(a - b).mean() > np.abs(a).mean()
    found = e_l1.evaluate([late], [true], 16000, "video-foley")
    assert found.value > found.silence
    assert found.r > envelope.correlation(np.zeros_like(a), a)


# Distributions


def spread(rng: np.random.Generator, n: int, d: int, scale: float = 1.0) -> np.ndarray:
    return scale * rng.standard_normal((n, d)) / np.sqrt(np.arange(1, d + 1))


def test_square_root_turns_complex_at_a_large_scale() -> None:
    rng = np.random.default_rng(2)
    x, y = spread(rng, 60, 256, 1e5), spread(rng, 50, 256, 1e5)  # at 1e3 it hangs on the order of sums
    with pytest.raises(ValueError, match="Imaginary component"):
        by_square_root(x, y)
    assert frechet.distance(x, y) == pytest.approx(1e10 * frechet.distance(x / 1e5, y / 1e5), rel=1e-9)


def test_distance_of_a_set_from_itself_below_zero() -> None:
    x = 100 * np.random.default_rng(3).standard_normal((60, 256))
    assert by_eigenvalues(x, x) == pytest.approx(-0.145, abs=0.01)
    assert by_eigenvalues(10 * x, 10 * x) == pytest.approx(-14.5, abs=1)
    assert abs(frechet.distance(x, x)) < 1e-7
    found = frechet.evaluate(10 * x, 10 * x)
    assert found.value >= 0
    assert found.raw == pytest.approx(0, abs=1e-5)  # kept beside the value, not cut off in silence


def test_single_precision_eigenvalues_are_wrong_by_percents() -> None:
    x = spread(np.random.default_rng(4), 64, 256)
    y = 0.8 * x + 0.02
    true = np.square(x.mean(0) - y.mean(0)).sum() + 0.04 * np.trace(np.cov(x.T))
    assert abs(by_eigenvalues(x, y, np.float32) - true) > 0.01 * true
    single = frechet.distance(x.astype(np.float32), y.astype(np.float32))
    assert single == pytest.approx(true, rel=1e-5)


def test_no_call_of_the_square_root_that_scipy_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """SciPy 1.18 takes no `disp`: every public toolkit raises TypeError at its first distance."""

    def changed(a: np.ndarray) -> np.ndarray:
        return a

    monkeypatch.setattr(linalg, "sqrtm", changed)
    with pytest.raises(TypeError, match="disp"):
        linalg.sqrtm(np.eye(2), disp=False)
    rng = np.random.default_rng(5)
    x, y = spread(rng, 30, 8), spread(rng, 30, 8)
    assert frechet.evaluate(x, y).value > 0
    assert frechet.distance_of_moments(*moments(x), *moments(y)) > 0


def test_a_file_of_one_row_spoils_statistics_kept_file_by_file() -> None:
    """fadtk's online form: the covariance of one row is NaN, and so is everything it is added to."""
    files = [np.ones((1, 4)), *np.random.default_rng(6).standard_normal((3, 5, 4))]
    with np.errstate(invalid="ignore", divide="ignore"), pytest.warns(RuntimeWarning):
        sums = [np.cov(f, rowvar=False) * (len(f) - 1) for f in files]
    assert np.isnan(sum(sums)).all()
    rows = np.concatenate(files)
    assert np.isfinite(frechet.distance(rows, rows + 1))


def test_a_failure_is_no_distance_of_minus_one() -> None:
    """audioldm_eval and av-benchmark print -1 and go on."""
    rows = np.random.default_rng(7).standard_normal((9, 4))
    rows[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity in 1 of 9 rows"):
        frechet.distance(rows, rows)


def test_thirteen_layers_are_not_thirteen_clips() -> None:
    """audioldm_eval's default network gives 13 layers a clip, which become rows and are scored as logits."""
    layers = np.random.default_rng(8).standard_normal((10, 13, 30))
    assert divergence.inception_score(layers.reshape(-1, 30)).n == 130
    with pytest.raises(ValueError, match=r"\(10, 13, 30\), but must be \[clips, classes\]"):
        divergence.inception_score(layers)
    with pytest.raises(ValueError, match=r"\(10, 13, 30\), but must be \[rows, dimensions\]"):
        frechet.distance(layers, layers)


def test_fad_inf_with_replacement_extrapolates_to_the_plain_distance() -> None:
    rng = np.random.default_rng(9)
    d, n, true = 32, 1200, 0.5
    x, y = rng.standard_normal((30_000, d)), rng.standard_normal((n, d)) + np.sqrt(true / d)
    plain = frechet.distance(x, y)
    sizes = np.linspace(120, n, 12).astype(int)
    drawn = [frechet.distance(x, y[rng.integers(0, n, k)]) for k in sizes]
    wrong = np.polyfit(1 / sizes, drawn, 1)[1]
    ours = frechet.unbiased(x, y).value
    assert plain > true + 0.15
    assert abs(wrong - plain) < 0.4 * (plain - true)
    assert abs(ours - true) < 0.4 * (plain - true)


def test_a_distance_of_196_clips_is_mostly_bias() -> None:
    """Two draws of one source, D = 2048 with a 1 / k spectrum: .70 of the trace, with nothing to tell them apart."""
    rng = np.random.default_rng(10)
    x, y = spread(rng, 196, 2048), spread(rng, 196, 2048)
    found = frechet.evaluate(x, y, splits=1)
    trace = x.var(0, ddof=1).sum()
    assert found.value / trace == pytest.approx(0.70, abs=0.05)
    assert found.floor > found.value  # halves of it are worse still, and it says so
    assert found.mostly_bias
    assert found.rank == 195


def test_eight_bit_sound_is_all_of_favd() -> None:
    """99.8% of the value; and a clip of under two windows, squeezed to one dimension, stops the reference."""
    rng = np.random.default_rng(11)
    v = [0.3 * rng.random((4, 64)) for _ in range(40)]
    w = [0.3 * rng.random((4, 64)) for _ in range(40)]
    a, b = ([np.round(rng.uniform(0, 255, (4, 16))) for _ in range(40)] for _ in range(2))
    found = favd.evaluate(v, a, w, b, version="toolkit")
    assert found.video < 0.002 * found.value
    assert found.audio > 0.99 * found.value
    with pytest.raises(ValueError, match="at least two"):
        frechet.distance(np.hstack([v[0][:1], a[0][:1]]), np.hstack([v[0], a[0]]))
    assert favd.joint([v[0][:1]], [a[0][:1]])[0].shape == (1, 80)
    with pytest.raises(IndexError):
        np.squeeze(v[0][:1])[:1, :]


def test_kl_with_a_floor_caps_a_sure_mistake() -> None:
    """SpecVQGAN, audioldm_eval, avgen: 13.2 for 36.3."""
    rng = np.random.default_rng(12)
    p, q = 12 * rng.standard_normal((200, 309)), 12 * rng.standard_normal((200, 309))
    share = softmax(p, 1)
    capped = (share * (log_softmax(p, 1) - np.log(softmax(q, 1) + 1e-6))).sum(1).mean()
    assert capped < 14
    assert divergence.kl(p, q).mean() > 2 * capped
    assert divergence.kl(p, q, compat=True).mean() == pytest.approx(capped)


def test_kl_of_sigmoids_falls_below_zero() -> None:
    """Summed over classes without the terms of 1 - p it is no divergence: it rewards louder guesses."""
    p = np.random.default_rng(13).standard_normal((20, 10))
    surer = p + 2
    no_divergence = (expit(p) * (np.log(expit(p)) - np.log(expit(surer)))).sum(1)
    assert (no_divergence < 0).all()
    assert (divergence.kl(p, 2 * surer) > 0).all()


def test_probabilities_taken_for_logits() -> None:
    """Softmax of probabilities is nearly flat: about 0.2 whatever the sounds."""
    rng = np.random.default_rng(14)
    p, q = expit(8 * rng.standard_normal((2, 50, 527)) - 6)
    nonsense = (softmax(p, 1) * (log_softmax(p, 1) - log_softmax(q, 1))).sum(1).mean()
    assert nonsense < 0.3
    with pytest.raises(ValueError, match="probabilities instead of logits"):
        divergence.kl(p, q)


def test_ten_splits_of_sixty_clips_cost_most_of_the_score() -> None:
    """N = 60: 5.5 of 28.8. Ours does not split unless asked, and says n and splits."""
    rows = 6 * np.random.default_rng(15).standard_normal((60, 309))
    parts = np.array_split(rows, 10)
    split = np.mean(
        [
            np.exp((softmax(c, 1) * (log_softmax(c, 1) - np.log(softmax(c, 1).mean(0)))).sum(1).mean())
            for c in parts
        ]
    )
    whole = divergence.inception_score(rows)
    assert split < 0.25 * whole.value
    assert (whole.n, whole.splits) == (60, 1)


# Meaning and space


def test_clap_score_cut_off_at_zero() -> None:
    """avgen-eval-toolkit: 100 max(cos, 0). A sound that says the opposite scores as one that says nothing."""
    x = np.eye(4)
    opposite, nothing = -x, np.roll(x, 1, axis=0)

    def cut(y: np.ndarray) -> float:
        return float(np.mean(np.maximum(100 * (x * y).sum(1), 0)))

    assert cut(opposite) == cut(nothing) == 0
    assert meaning.evaluate(x, opposite).value == -1.0
    assert meaning.evaluate(x, nothing).value == 0.0


def test_volume_of_mean_cosines_is_another_number() -> None:
    rng = np.random.default_rng(16)
    base = rng.standard_normal((200, 16))
    v, a, p = (base + s * rng.standard_normal(base.shape) for s in (0.5, 1.5, 3.0))
    v, a, p = (meaning.unit(e) for e in (v, a, p))
    c = [(x * y).sum(1).mean() for x, y in ((v, a), (v, p), (a, p))]
    of_means = np.sqrt(1 - c[0] ** 2 - c[1] ** 2 - c[2] ** 2 + 2 * c[0] * c[1] * c[2])
    assert of_means > volume.evaluate(v, a, p).value + 0.005


def test_volume_in_single_precision_near_a_plane() -> None:
    """GRAM takes the root of |det| in float32: 4e-4 for 1e-4; and without the bars NaN."""
    rng = np.random.default_rng(17)
    v, p = (meaning.unit(rng.standard_normal((200, 512))) for _ in range(2))
    away = rng.standard_normal((200, 512))
    away -= (away * v).sum(1, keepdims=True) * v
    a = v + 1e-4 * meaning.unit(away)
    z = np.stack([meaning.unit(v), meaning.unit(a), meaning.unit(p)], 1).astype(np.float32)
    det = np.linalg.det(z @ np.swapaxes(z, 1, 2))
    assert (det < 0).any()  # whose root is NaN
    ours = volume.volume(v, a, p)
    exact = 1e-4 * np.sqrt(1 - np.square((meaning.unit(away) * p).sum(1)) - np.square((v * p).sum(1)))
    assert np.abs(np.sqrt(np.abs(det)) - exact).max() > 1e-4
    np.testing.assert_allclose(ours, exact, rtol=1e-3)


def test_delta_is_a_sum_of_three() -> None:
    """The papers' 2.068 cannot be a mean: 1 - cos is at most 2."""
    rng = np.random.default_rng(18)
    v, a, p = rng.standard_normal((3, 50, 256))
    found = volume.evaluate(v, a, p)
    assert found.total == pytest.approx(found.text_video + found.text_audio + found.video_audio)
    assert found.total > 2.5


def test_spatial_recall_forgives_extra_and_missing_sounds_and_divides_by_zero() -> None:
    box = [[0.4, 0.6]]
    seen = np.arange(20) / 4
    silent = spatial_align.Clip(heard_t=[], heard_x=[], seen_t=seen, boxes=[box] * 20)
    right, wrong = 0, 0
    with pytest.raises(ZeroDivisionError):
        right / (right + wrong)
    assert np.isnan(spatial_align.evaluate([silent]).value)
    once = spatial_align.Clip(heard_t=[1.0], heard_x=[0.5], seen_t=seen, boxes=[box] * 20)
    found = spatial_align.evaluate([once])
    assert (found.value, found.heard, found.mono) == (1.0, 1, 1.0)  # one sound in five seconds; so would mono


def test_saliency_divergence_without_a_floor_is_infinite_and_has_a_direction() -> None:
    p, q = np.zeros((1, 4, 4)), np.ones((1, 4, 4))
    p[0, 1, 1] = 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        bare = np.nansum(np.where(q / 16 > 0, q / 16 * np.log((q / 16) / p), 0))
    assert np.isinf(bare)
    made_first, true_first = spatial_align.saliency_divergence(p, q), spatial_align.saliency_divergence(q, p)
    assert made_first == pytest.approx(np.log(16), rel=1e-3)
    assert true_first > 5 * made_first / 2
