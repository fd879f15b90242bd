"""Diff-Foley's alignment classifier against its published layout and the reference's numbers on redrawn weights.

The reference is the authors' code, run outside the project; mmcv's convolution, omegaconf's lists and a linear
attention that nothing uses were stood in for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_weights import assert_golden, drawn, fill, golden, keys, shapes

from weft.encoders.alignment_net import AlignmentConfig
from weft.encoders.diff_foley import CAVP, CLASSIFIER, Aligner, Cavp, DiffFoleyJudge, log_mel
from weft.encoders.latent_eye import LatentEyeConfig
from weft.encoders.slow_only import SlowOnlyConfig
from weft.errors import WeightsError

EYE, ALIGNMENT, SLOW = (
    LatentEyeConfig(width=32),
    AlignmentConfig(width=32, context=48),
    SlowOnlyConfig(width=8),
)
GOLDEN = golden("diff_foley")


def test_the_published_keys_and_shapes() -> None:
    with torch.device("meta"):
        assert shapes(Aligner(LatentEyeConfig(), AlignmentConfig())) == keys("diff_foley")
        assert shapes(Cavp(SlowOnlyConfig(), 512)) == keys("cavp")


@torch.inference_mode()
def test_the_references_numbers() -> None:
    aligner, cavp = fill(Aligner(EYE, ALIGNMENT)), fill(Cavp(SLOW, 48))
    assert isinstance(aligner, Aligner)
    mel = drawn("in.mel", (1, 128, 64)).abs().clamp(0, 1)
    assert_golden(aligner.latent(mel), GOLDEN["latent"])
    seen = torch.nn.functional.normalize(drawn("in.seen", (2, 32, 48)), dim=-1)
    assert_golden(aligner(drawn("in.latent", (2, 4, 16, 64)), seen), GOLDEN["probability"])
    assert_golden(cavp(drawn("in.pictures", (1, 3, 6, 64, 64)).abs().clamp(0, 1)), GOLDEN["cavp"])


def test_the_spectrogram_is_the_published_one() -> None:
    import librosa

    wave = drawn("in.wave", (9000,)) * 0.1
    power = np.abs(librosa.stft(wave.numpy(), n_fft=1024, hop_length=256, pad_mode="constant"))
    mel = librosa.filters.mel(sr=16000, n_fft=1024, fmin=125, fmax=7600, n_mels=128) @ power
    wanted = np.clip((np.log10(np.maximum(mel, 1e-5)) * 20 - 20 + 100) / 100, 0, 1)
    np.testing.assert_allclose(log_mel(wave[None])[0], wanted, atol=1e-4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_copies: Callable[..., None]) -> Path:
    """Files of random weights as the published ones are laid out, but smaller."""
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    own_copies(CLASSIFIER, CAVP)
    more = {"betas": torch.ones(3), "first_stage_model.decoder.conv_in.weight": torch.ones(2)}
    torch.save({"state_dict": fill(Aligner(EYE, ALIGNMENT)).state_dict() | more}, tmp_path / CLASSIFIER.file)
    named = {f"module.{k}": v for k, v in fill(Cavp(SLOW, 48)).state_dict().items()}
    torch.save({"state_dict": named | {"module.logit_scale": torch.ones(())}}, tmp_path / CAVP.file)
    return tmp_path


def loaded() -> DiffFoleyJudge:
    return DiffFoleyJudge.load(eye=EYE, alignment=ALIGNMENT, slow_only=SLOW)


def test_a_short_clip_is_repeated_and_both_halves_meet(folder: Path) -> None:
    judge = loaded()
    wave, frames = drawn("in.wave", (1, 8000)) * 0.1, np.zeros((3, 224, 224, 3), np.uint8)
    frames[1] = 200
    heard, seen = judge.embed(wave, 16000)[0], judge.embed_video(frames)
    assert (heard.shape, seen.shape) == ((64, 64), (32, 48))
    torch.testing.assert_close(seen[:3], seen[3:6])
    assert 0 < judge.aligned(seen.numpy(), heard.numpy()) < 1
    latent = judge.aligner.latent(log_mel(wave).repeat(1, 1, 17)[..., :512])
    with torch.inference_mode():
        direct = float(judge.aligner(latent, seen[None])[0])
    assert judge.aligned(seen.numpy(), heard.numpy()) == pytest.approx(direct, abs=1e-6)


def test_a_file_that_lacks_weights_or_is_not_there(folder: Path) -> None:
    torch.save({"state_dict": {"module.video_project_head.bias": torch.zeros(48)}}, folder / CAVP.file)
    with pytest.raises(WeightsError, match=r"cavp_epoch66\.ckpt does not fit: \d+ keys missing"):
        loaded()
    (folder / CLASSIFIER.file).unlink()
    with pytest.raises(WeightsError, match=r"no eval_classifier\.ckpt .*Diff-Foley \(licence: MIT\)"):
        loaded()
