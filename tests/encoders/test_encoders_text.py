"""The text encoder that ships: shapes, nearness, and prompts people really type."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from weft import weights
from weft.encoders.text import TextEncoder
from weft.errors import WeightsError


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load()


def test_the_file_is_small_and_says_where_it_comes_from(encoder: TextEncoder) -> None:
    assert weights.path_of("weft-text").stat().st_size < 8 * 2**20
    assert encoder.metadata["teacher_sha256"].startswith("53aa51172d142c89")
    assert encoder.metadata["licence"] == "Apache-2.0"


def test_embeddings_are_unit_and_near_by_meaning(encoder: TextEncoder) -> None:
    texts = ["a goblet", "a drinking glass", "a gravel path", "pebbles"]
    e = encoder.embed(texts)
    assert e.shape == (4, encoder.dim)
    assert e.norm(dim=1) == pytest.approx(torch.ones(4), abs=1e-5)
    near = e @ e.T
    assert near[0, 1] > near[0, 2] and near[0, 1] > near[0, 3]
    assert near[2, 3] > near[2, 1]


def test_tokens_and_their_mask(encoder: TextEncoder) -> None:
    tokens, mask = encoder.tokens(["metal clang", "", "one two three four five six"], length=4)
    assert tokens.shape == (3, 4, encoder.dim) and mask.dtype == torch.bool
    assert mask.sum(1).tolist() == [2, 0, 4]
    assert tokens[0, :2].square().mean(1) == pytest.approx(torch.ones(2), abs=1e-4)
    assert (tokens[~mask] == 0).all()


@pytest.mark.parametrize(
    "text", ["", "   ", "木の机を叩く", "🥁🥁", "\x00\ufffd", "x" * 5000, "wood " * 5000]
)
def test_awkward_prompts_stay_finite(encoder: TextEncoder, text: str) -> None:
    assert torch.isfinite(encoder.embed([text])).all()
    tokens, mask = encoder.tokens([text], length=16)
    assert torch.isfinite(tokens).all() and mask.sum() <= 16
    if not text.startswith("wood"):
        assert encoder.embed([text]).norm() == pytest.approx(0) or text.isalpha()


def test_case_accents_and_batching_do_not_matter(encoder: TextEncoder) -> None:
    both = encoder.embed(["CAFÉ Table", "cafe table"])
    assert torch.equal(both[0], both[1])
    assert torch.equal(both[:1], encoder.embed(["CAFÉ Table"]))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    weights.save(tmp_path / "x.safetensors", {"table": torch.zeros(2, 2)}, {})
    with pytest.raises(WeightsError, match="text weights lack scale, weight, vocabulary"):
        TextEncoder.load(tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="no weights at"):
        TextEncoder.load(tmp_path / "none.safetensors")
