"""Networks that look at sound and picture together, from files of random weights: the whole way to their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from evaluation_toys import RATE, clicks

from weft.encoders import diff_foley, synchformer
from weft.encoders.alignment_net import AlignmentConfig
from weft.encoders.diff_foley import Aligner, Cavp, DiffFoleyJudge
from weft.encoders.latent_eye import LatentEyeConfig
from weft.encoders.loading import filled
from weft.encoders.slow_only import SlowOnlyConfig
from weft.encoders.synchformer import TINY_SYNCHFORMER, Synchformer, SynchformerNet
from weft.errors import UserError
from weft.evaluation.embedders import EMBEDDERS
from weft.evaluation.judges import SyncJudge
from weft.evaluation.result import Evaluation
from weft.metrics import desync
from weft.weights import published

Run = Callable[..., Evaluation]
EYE, ALIGNMENT, SLOW = (
    LatentEyeConfig(width=32),
    AlignmentConfig(width=32, context=48),
    SlowOnlyConfig(width=8),
)


def tiny_synchformer() -> SyncJudge:
    given = synchformer.PUBLISHED
    net = filled(lambda: SynchformerNet(TINY_SYNCHFORMER), published.load(given), given)
    return SyncJudge(Synchformer(net, published.sha256(published.path_of(given))))


def tiny_diff_foley() -> DiffFoleyJudge:
    return DiffFoleyJudge.load(eye=EYE, alignment=ALIGNMENT, slow_only=SLOW)


def table(folder: Path, seconds: list[float]) -> Path:
    """Pairs with a picture each, as long as `seconds` says."""
    rows = ["reference,predicted,video"]
    for k, length in enumerate(seconds):
        for side, seed in (("true", k), ("made", k + 50)):
            soundfile.write(folder / f"{side}{k}.wav", clicks(seed, seconds=length), RATE)
        rng = np.random.default_rng(k)
        with av.open(str(folder / f"film{k}.mp4"), "w") as out:
            stream = out.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
            for _ in range(round(25 * length)):
                picture = rng.integers(0, 255, (9, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode())
        rows.append(f"true{k}.wav,made{k}.wav,film{k}.mp4")
    (folder / "pairs.csv").write_text("\n".join(rows) + "\n")
    return folder / "pairs.csv"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("WEFT_WEIGHTS", str(folder))
    own_copies(synchformer.PUBLISHED, diff_foley.CLASSIFIER, diff_foley.CAVP)
    torch.manual_seed(0)
    return folder


def spread(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights large enough that answers differ from input to input."""
    return {
        k: v + 0.2 * torch.randn_like(v) if v.is_floating_point() and "running" not in k else v
        for k, v in net.state_dict().items()
    }


def test_desync_by_synchformers_file(run: Run, weights: Path, tmp_path: Path) -> None:
    torch.save(spread(SynchformerNet(TINY_SYNCHFORMER)), weights / synchformer.PUBLISHED.file)
    spec = replace(EMBEDDERS["synchformer"], load=tiny_synchformer)
    pairs = table(tmp_path, [5.2, 4.9, 2.0])
    found = run(pairs, metrics=["desync"], embedders=[spec])
    score = found.score("desync/synchformer")
    assert found.ok
    assert (score.n, score.unit, score.baselines["random"]) == (2, "s", desync.CHANCE)
    assert "undefined for 1 of 3 clips" in score.flags[0]
    assert {"silence", "shuffled", "reference", "random"} == set(score.baselines)
    judge = tiny_synchformer()
    from weft.media.video import Video

    frames = Video.open(tmp_path / "film0.mp4").frames(25.0, (299, 224))
    wave = torch.from_numpy(soundfile.read(tmp_path / "made0.wav", dtype="float32")[0].mean(1))
    logits = judge.net.offset_logits(frames, wave, RATE)
    wanted = float(np.abs(desync.offset(logits.numpy())).mean())
    assert found.clips[0].values["desync/synchformer"] == pytest.approx(wanted)
    assert score.sha256 == published.sha256(weights / synchformer.PUBLISHED.file)
    assert score.rate == "16000 → 16000 Hz mono"


def test_a_clip_too_short_for_a_segment_is_undefined_and_not_a_failure(weights: Path) -> None:
    torch.save(SynchformerNet(TINY_SYNCHFORMER).state_dict(), weights / synchformer.PUBLISHED.file)
    judge = tiny_synchformer()
    heard = judge.embed(torch.zeros(1, 8000), RATE)[0]
    seen = judge.embed_video(np.zeros((10, 40, 56, 3), np.uint8))
    assert (heard.shape, seen.shape) == ((0, 48), (0, 48))
    assert judge.offsets(seen.numpy(), heard.numpy()) is None
    with pytest.raises(ValueError, match="NaN"):
        judge.embed(torch.full((1, 80000), torch.nan), RATE)


def test_align_acc_by_diff_foleys_files(run: Run, weights: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": spread(Aligner(EYE, ALIGNMENT))}, weights / diff_foley.CLASSIFIER.file)
    torch.save(
        {"state_dict": {f"module.{k}": v for k, v in spread(Cavp(SLOW, 48)).items()}},
        weights / diff_foley.CAVP.file,
    )
    spec = replace(EMBEDDERS["diff-foley"], load=tiny_diff_foley)
    found = run(table(tmp_path, [2.0, 1.5]), metrics=["align-acc"], embedders=[spec])
    score = found.score("align-acc/diff-foley")
    assert found.ok
    assert score.n == 2
    assert {"silence", "shuffled", "reference"} == set(score.baselines)
    judge = tiny_diff_foley()
    wave = torch.from_numpy(soundfile.read(tmp_path / "made1.wav", dtype="float32")[0].mean(1))[None]
    from weft.media.video import Video

    frames = Video.open(tmp_path / "film1.mp4").frames(4.0, (224, 224), "squash")
    probability = judge.aligned(judge.embed_video(frames).numpy(), judge.embed(wave, RATE)[0].numpy())
    assert found.clips[1].values["align-acc/diff-foley"] == float(probability > 0.5)


@pytest.mark.slow
def test_favd_by_the_four_files_of_vggish_and_i3d(
    run: Run, weights: Path, tmp_path: Path, own_copies: Callable[..., None]
) -> None:
    from weft.encoders.i3d import FLOW, RGB
    from weft.encoders.i3d_net import I3DConfig, I3DNet
    from weft.encoders.vggish import FILE, WHITENING, VggishNet

    own_copies(FILE, WHITENING, RGB, FLOW)
    torch.save(VggishNet().state_dict(), weights / FILE.file)
    white = {"pca_eigen_vectors": torch.randn(128, 128), "pca_means": torch.zeros(128, 1)}
    torch.save(white, weights / WHITENING.file)
    torch.save(I3DNet(I3DConfig()).state_dict(), weights / RGB.file)
    torch.save(I3DNet(I3DConfig(channels=2)).state_dict(), weights / FLOW.file)
    found = run(table(tmp_path, [1.1, 1.1]), metrics=["favd-float", "favd-toolkit"], embedders=["vggish-i3d"])
    assert found.ok
    for name in ("favd-float", "favd-toolkit"):
        score = found.score(f"{name}/vggish-i3d")
        assert (score.rows, score.d) == ((2, 2), 1152)
        assert score.value > 0
        assert set(score.parts) == {"sound alone", "picture alone", "scaled"}
        assert score.parts["picture alone"] == pytest.approx(0, abs=1e-6 * (1 + score.value))
    assert found.score("favd-toolkit/vggish-i3d").value > found.score("favd-float/vggish-i3d").value


def test_each_reason_is_said_once_with_the_rows_it_costs(run: Run, weights: Path, tmp_path: Path) -> None:
    pairs = table(tmp_path, [1.0, 1.0])
    found = run(pairs, by="av-benchmark", metrics=["frechet", "mel"])
    assert [s.name for s in found.scores] == ["frechet/weft", "mel"]
    reasons = {tuple(names): why for why, names in found.why_left_out.items()}
    assert "no vggish-10086976.pth in" in reasons["frechet/vggish",]
    assert "licence: Apache-2.0" in reasons["frechet/vggish",]
    with pytest.raises(
        UserError, match=r"desync/synchformer cannot be computed: no synchformer_state_dict\.pth"
    ):
        run(pairs, by="av-benchmark", metrics=["desync", "mel"])
    assert not any("imagebind" in row.name for row in found.left_out)
