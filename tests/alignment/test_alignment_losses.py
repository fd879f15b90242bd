"""The losses are the reference's numbers, torch's cross-entropy, and each other where the measures meet."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weft.alignment.area import area_table
from weft.alignment.losses import AlignmentConfig, AlignmentLoss, measure, own_cross_entropy
from weft.alignment.volume import volume_table

GOLDEN = json.loads((Path(__file__).parent / "volume_golden.json").read_text())["loss"]


def drawn(name: str) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(f"dev-1:in.{name}".encode()))
    return torch.from_numpy(rng.standard_normal((8, 512), dtype=np.float32))


def some(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_both_directions_are_the_references() -> None:
    found = AlignmentLoss(AlignmentConfig())(drawn("text"), drawn("video"), drawn("audio"))
    assert float(found["anchor to others"]) == pytest.approx(GOLDEN["text_to_av"], abs=2e-5)
    assert float(found["others to anchor"]) == pytest.approx(GOLDEN["av_to_text"], abs=2e-5)
    assert float(found["anchor to others"]) != pytest.approx(GOLDEN["av_to_text"], abs=5e-5)
    assert float(found["loss"].detach()) == pytest.approx(sum(GOLDEN.values()) / 2, abs=2e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.floats(0, 0.9), st.integers(0, 2**31))
def test_cross_entropy_is_torchs(b: int, smoothing: float, seed: int) -> None:
    logits = 5 * some(seed, b, b)
    want = F.cross_entropy(logits, torch.arange(b), label_smoothing=smoothing)
    torch.testing.assert_close(own_cross_entropy(logits, smoothing=smoothing), want)


def test_clips_of_one_kind_are_not_told_apart() -> None:
    """Rows 0 and 1 are one kind: row 0 has then the classes 0, 2 and 3, smoothing and gradients included."""
    logits = some(1, 4, 4).requires_grad_()
    kept = torch.ones(4, 4, dtype=torch.bool)
    kept[0, 1] = kept[1, 0] = False
    found = own_cross_entropy(logits, smoothing=0.2, kept=kept)
    rows = [([0, 2, 3], 0), ([1, 2, 3], 0), ([0, 1, 2, 3], 2), ([0, 1, 2, 3], 3)]
    want = [
        F.cross_entropy(logits[i, c], torch.tensor(own), label_smoothing=0.2)
        for i, (c, own) in enumerate(rows)
    ]
    torch.testing.assert_close(found, torch.stack(want).mean())
    found.backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())
    assert float(logits.grad[0, 1]) == 0
    a, b, kind = some(2, 4, 6), some(3, 4, 6), torch.tensor([7, 7, 1, 2])
    loss = AlignmentLoss(AlignmentConfig(form="pairwise", smoothing=0))
    torch.testing.assert_close(
        loss(a, b, kind=kind)["anchor to others"].double(),
        own_cross_entropy(F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / 0.07, kept=kept),
        atol=1e-5,
        rtol=0,
    )


def test_pairwise_is_clips_loss_of_each_pair() -> None:
    t, v, a = (F.normalize(some(i, 5, 8), dim=1) for i in range(3))

    def clip(x: Tensor, y: Tensor) -> Tensor:
        table = x @ y.T / 0.07
        return 0.5 * (F.cross_entropy(table, torch.arange(5)) + F.cross_entropy(table.T, torch.arange(5)))

    anchored = AlignmentLoss(AlignmentConfig(form="pairwise", smoothing=0))(t, v, a)["loss"]
    every = AlignmentLoss(AlignmentConfig(form="pairwise", smoothing=0, every_pair=True))(t, v, a)["loss"]
    torch.testing.assert_close(anchored.double(), (clip(t, v) + clip(t, a)) / 2, atol=1e-4, rtol=0)
    torch.testing.assert_close(every.double(), (clip(t, v) + clip(t, a) + clip(v, a)) / 3, atol=1e-4, rtol=0)


@pytest.mark.parametrize("form", ["volume", "area", "pairwise"])
def test_detached_cuts_the_gradient_as_the_reference_does(form: str) -> None:
    """The values stay; eq. 9 alone teaches the text then, and eq. 8 alone sound and picture."""
    parts = [some(i, 6, 10).requires_grad_() for i in range(3)]
    values, gradients = [], []
    for detached in (False, True):
        loss = AlignmentLoss(AlignmentConfig(form=form, detached=detached))(*parts)["loss"]
        values.append(loss.detach())
        gradients.append(torch.autograd.grad(loss, parts))
    torch.testing.assert_close(values[0], values[1])
    config = AlignmentConfig(form=form)
    bodies = [parts] if form != "pairwise" else [[parts[0], p] for p in parts[1:]]
    one_way = sum(own_cross_entropy(-measure(config, *b) / 0.07, smoothing=0.1) for b in bodies) / len(bodies)
    text_alone = torch.autograd.grad(0.5 * one_way, parts[0])[0]
    torch.testing.assert_close(gradients[1][0], text_alone, atol=1e-5, rtol=1e-4)
    assert float((gradients[0][0] - gradients[1][0]).norm()) > 0.01 * float(gradients[0][0].norm())


def test_temperature_is_learnt_only_if_asked_and_never_crosses_0() -> None:
    t, v = some(1, 4, 6), some(2, 4, 6)
    learnt, fixed = AlignmentLoss(AlignmentConfig()), AlignmentLoss(AlignmentConfig(learnt=False))
    assert list(learnt.state_dict()) == ["contra_temp"]
    learnt(t, v)["loss"].backward()
    assert learnt.contra_temp.grad is not None
    assert float(learnt.contra_temp.grad.abs()) > 0
    assert not fixed.contra_temp.requires_grad
    with torch.no_grad():
        learnt.contra_temp.fill_(-1)
    assert float(learnt(t, v)["temperature"]) == pytest.approx(1e-3)


def test_cosine_term_mends_the_blindness_of_the_loss() -> None:
    """Sounds that are the opposite of their text are perfect for the volume, and not with a cosine term."""
    t = some(1, 6, 12)
    plain, mended = (AlignmentConfig(cosine=c) for c in (0.0, 0.5))
    torch.testing.assert_close(measure(plain, t, t), measure(plain, t, -t))
    assert float((measure(mended, t, -t) - measure(mended, t, t)).diagonal().min()) == pytest.approx(1.0)
    torch.testing.assert_close(measure(plain, t, -t), volume_table(t, -t))


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 12), st.integers(0, 2**31))
def test_area_is_herons(d: int, seed: int) -> None:
    t, v, a = (F.normalize(some(seed + i, 4, d), dim=1) for i in range(3))
    x, y, z = ((p - q).norm(dim=1) for p, q in ((t, v), (v, a), (a, t)))
    s = (x + y + z) / 2
    heron = s * (s - x) * (s - y) * (s - z)
    table = area_table(t, v, a)
    torch.testing.assert_close(table.diagonal() ** 2, heron, atol=1e-11, rtol=0)
    torch.testing.assert_close(area_table(t, v) ** 2, 2 - 2 * t @ v.T, atol=1e-11, rtol=0)
    assert float(table.max()) <= 0.75 * 3**0.5 + 1e-9


def test_area_sees_the_signs_that_the_volume_does_not() -> None:
    t, v = some(1, 3, 9), some(2, 3, 9)
    assert float(volume_table(t, v, -v).diagonal().max()) < 1e-6
    assert float(area_table(t, v, -v).diagonal().min()) > 0.5
    assert (
        float(area_table(t, v, v).diagonal().max()) < 1e-6
    )  # two of three that are one leave no area either


@pytest.mark.parametrize("form", ["volume", "area", "pairwise"])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_every_form_teaches_vectors_to_agree(form: str, k: int) -> None:
    """Some steps of plain descent make each clip's own vectors the nearest ones, for any number of modalities."""
    torch.manual_seed(0)
    parts = [torch.randn(8, 24, requires_grad=True) for _ in range(k)]
    loss = AlignmentLoss(AlignmentConfig(form=form, learnt=False))
    optimiser = torch.optim.Adam(parts, lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        loss(*parts)["loss"].backward()
        optimiser.step()
    table = measure(loss.config, *parts)
    assert table.argmin(1).tolist() == list(range(8))
    assert table.argmin(0).tolist() == list(range(8))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="form is 'cosine', but must be volume, area or pairwise"):
        AlignmentConfig(form="cosine")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"temperature is 0\.0, but must be 0\.001 or more"):
        AlignmentConfig(temperature=0.0)
    with pytest.raises(ValueError, match=r"smoothing is 1\.0, but must be 0 or more"):
        AlignmentConfig(smoothing=1.0)
    with pytest.raises(ValueError, match="cosine weighs -1, but must be 0"):
        AlignmentConfig(cosine=-1)
    with pytest.raises(ValueError, match=r"must all be \[B, D\]"):
        AlignmentLoss(AlignmentConfig())(torch.ones(3, 4), torch.ones(2, 4))
