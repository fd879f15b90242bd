"""The volume: its three forms agree, are the reference's, and have a gradient where a determinant has none."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from weft.alignment.volume import Span, volume, volume_table

GOLDEN = json.loads((Path(__file__).parent / "volume_golden.json").read_text())
NAMES = ("text", "video", "audio", "subtitle", "depth")


def drawn(name: str) -> Tensor:
    """The drawing behind the golden numbers."""
    rng = np.random.default_rng(zlib.crc32(f"dev-1:in.{name}".encode()))
    return torch.from_numpy(rng.standard_normal((8, 512), dtype=np.float32))


def some(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True)


def near(delta: float) -> tuple[Tensor, Tensor, Tensor]:
    """v and p in 512 dimensions, at 60 degrees or so, and float32 a, `delta` beside v at right angles to both."""
    v, p, u = unit(some(1, 512)), unit(some(2, 512)), some(3, 512)
    p = unit(p + v)
    for _ in range(2):
        for held in (v, unit(p - (p @ v) * v)):
            u = u - (u @ held) * held
    return v, p, (v + delta * unit(u)).float().requires_grad_()


@pytest.mark.parametrize("k", [3, 4, 5])
def test_table_is_the_references(k: int) -> None:
    table = volume_table(*(drawn(name) for name in NAMES[:k]))
    want = torch.tensor(GOLDEN[f"volume{k}"]["value"], dtype=torch.float64)
    assert table.shape == (8, 8)
    torch.testing.assert_close(table.flatten()[GOLDEN[f"volume{k}"]["index"]], want, atol=3e-6, rtol=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(2, 24), st.integers(0, 2**31))
def test_three_forms_are_one(k: int, d: int, seed: int) -> None:
    vectors = list(some(seed, k, 3, d))
    paired = volume(*vectors)
    table = volume_table(*vectors)
    assert bool((paired >= 0).all())
    assert bool((paired <= 1 + 1e-12).all())
    torch.testing.assert_close(table.diagonal() ** 2, paired**2, atol=1e-11, rtol=0)
    projected = Span.of(*vectors[1:]).volume(vectors[0])
    torch.testing.assert_close(projected**2, paired**2, atol=1e-11, rtol=0)
    i, j = seed % 3, (seed // 3) % 3
    one = volume(vectors[0][i], *(v[j] for v in vectors[1:]))
    torch.testing.assert_close(table[i, j] ** 2, one**2, atol=1e-11, rtol=0)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(4)), st.integers(0, 2**31), st.floats(0.01, 100))
def test_order_length_and_sign_do_not_matter(order: list[int], seed: int, scale: float) -> None:
    vectors = list(some(seed, 4, 5, 9))
    turned = [vectors[i] * (scale if i else -scale) for i in order]
    torch.testing.assert_close(volume(*turned), volume(*vectors), atol=1e-9, rtol=1e-9)


def test_two_vectors_span_the_sine_of_their_angle_and_right_angles_1() -> None:
    angle = torch.tensor([0.1, 1.0, 2.5], dtype=torch.float64)
    x = torch.stack([angle.cos(), angle.sin()], -1)
    torch.testing.assert_close(volume(torch.tensor([1.0, 0.0]), x), angle.sin())
    assert float(volume(*torch.eye(5))) == 1
    assert float(Span.of(*torch.eye(5)[1:]).volume(torch.eye(5)[0])) == 1


def test_table_is_not_symmetric_and_knows_rows_from_columns() -> None:
    table = volume_table(some(1, 2, 8), some(2, 3, 8), some(3, 3, 8))
    assert table.shape == (2, 3)
    square = volume_table(*some(4, 3, 4, 8))
    assert float((square - square.T).abs().max()) > 1e-3


@pytest.mark.parametrize("delta", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_projection_is_exact_where_the_determinant_is_not(delta: float) -> None:
    """V = sin(v, p) · distance, |dV/da| ≤ sin(v, p), in float32's own vector; rounding it moves it by some 2e-8."""
    v, p, a = near(delta)
    span = Span.of(v, p)
    found = span.volume(a)
    found.backward()
    assert float(found.detach()) == pytest.approx(float(span.size) * delta, rel=5e-4 + 4e-8 / delta)
    assert a.grad is not None
    assert float(a.grad.norm()) == pytest.approx(float(span.size), rel=5e-4)
    toward = torch.nn.functional.cosine_similarity(a.grad.double(), a.detach().double() - v, dim=0)
    assert float(toward) > 1 - 1e-3 - (4e-8 / delta) ** 2


@pytest.mark.parametrize("which", ["v", "-v", "v - p", "p"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_in_the_span_v_is_0_with_a_finite_gradient_where_the_determinant_gives_nan(
    which: str, dtype: torch.dtype
) -> None:
    v, p, _ = near(1.0)
    start = {"v": v, "-v": -v, "v - p": v - p, "p": p}[which].to(dtype)
    for form in (lambda a: Span.of(v, p).volume(a), lambda a: volume(a, v, p)):
        a = start.clone().requires_grad_()
        found = form(a)
        found.backward()
        assert a.grad is not None
        assert bool(a.grad.isfinite().all())
        assert float(a.grad.norm()) <= 1.001 / float(start.norm())
        assert float(found.detach()) < (2e-7 if dtype == torch.float32 else 1e-12)
    if which == "v":  # what the reference's formula does there
        k = torch.stack([start, start, p.to(dtype)])
        k.requires_grad_()
        (k @ k.T).det().abs().sqrt().backward()
        assert not bool(k.grad.isfinite().all()) or float(k.grad.norm()) > 1e3


def test_volume_is_blind_to_sign_and_the_cosine_term_is_not() -> None:
    v, p, _ = near(1.0)
    span = Span.of(v, p)
    for a in (v, -v, unit(v - p)):
        assert float(span.loss(a)) < 1e-12
    own, opposite, between = (float(span.loss(a, cosine=0.5)) for a in (v, -v, unit(v - p)))
    assert own < between < opposite
    assert opposite - own == pytest.approx(0.5 * float(1 + v @ p), abs=1e-9)
    assert own == pytest.approx(0.25 * (1 - float(v @ p)), abs=1e-9)
    with pytest.raises(ValueError, match=r"cosine weighs -0\.1, but must be 0"):
        span.loss(v, cosine=-0.1)


def test_gradients_are_finite_differences() -> None:
    v, p = some(5, 2, 7)
    a = some(6, 3, 7).requires_grad_()
    span = Span.of(v, p)
    assert torch.autograd.gradcheck(lambda x: span.loss(x, cosine=0.3), (a,))
    assert torch.autograd.gradcheck(lambda x: volume(x, v, p), (a,))
    others = some(7, 2, 2, 7).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: volume_table(x, y[0], y[1]), (a, others))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 1e-30, 1e-8, 1e-4, 1.0]), st.integers(1, 4))
def test_no_start_gives_a_gradient_that_is_not_a_number(seed: int, off: float, r: int) -> None:
    """Sounds from anywhere, from the fixed vectors themselves, and fixed vectors that are all but one."""
    fixed = [some(seed, 6).float()]
    fixed += [fixed[0] + off * some(seed + i, 6).float() for i in range(1, r)]
    a = (fixed[-1] + off * some(seed + 99, 6).float()).requires_grad_()
    span = Span.of(*fixed)
    (span.volume(a) + span.distance(a)).backward()
    assert a.grad is not None
    assert bool(a.grad.isfinite().all())
    assert float(a.grad.norm()) <= 2.001 / float(a.detach().norm())


def test_fixed_vectors_are_constants_and_batches_are_kept() -> None:
    v, p = some(8, 4, 9).requires_grad_(), some(9, 9)
    span = Span.of(v, p)
    assert span.basis.shape == (4, 2, 9)
    assert span.size.shape == (4,)
    found = span.volume(some(10, 4, 9).requires_grad_())
    assert found.shape == (4,)
    found.sum().backward()
    assert v.grad is None
    torch.testing.assert_close(found.detach(), volume(some(10, 4, 9), v.detach(), p))


def test_two_fixed_vectors_that_are_one_leave_no_volume_but_a_distance() -> None:
    v, _, a = near(0.3)
    span = Span.of(v, v)
    assert float(span.volume(a).detach()) == 0
    torch.testing.assert_close(span.distance(a), volume(a, v))


def test_autocast_does_not_reach_the_volume() -> None:
    t, v, a = (drawn(name) for name in NAMES[:3])
    with torch.autocast("cpu", torch.bfloat16):
        found = volume_table(t, v, a), volume(t, v, a), Span.of(t, v).volume(a)
    for one, other in zip(found, (volume_table(t, v, a), volume(t, v, a), volume(t, v, a)), strict=True):
        assert one.dtype == torch.float64
        torch.testing.assert_close(one, other, atol=1e-9, rtol=0)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="1 embeddings given, but at least 2 are needed"):
        volume(torch.ones(3))
    with pytest.raises(ValueError, match=r"shapes \[\(2, 3\), \(2, 4\)\]: use one space"):
        volume_table(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(ValueError, match=r"must be \[B1, D\] and then \[B2, D\] each"):
        volume_table(torch.ones(2, 3), torch.ones(2, 3), torch.ones(5, 3))
    with pytest.raises(ValueError, match="0 embeddings given, but at least 1 are needed"):
        Span.of()


def test_basis_is_orthonormal_when_the_fixed_vectors_are_all_but_one() -> None:
    v = some(11, 64)
    basis = Span.of(v, v + 1e-7 * some(12, 64), v + 1e-7 * some(13, 64)).basis
    torch.testing.assert_close(basis @ basis.T, torch.eye(3, dtype=torch.float64), atol=1e-12, rtol=0)
