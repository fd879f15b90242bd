"""Wrong pairs are never right ones, the hard ones are drawn oftener, and the matcher is asked about 3 B pairs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.alignment.matching import hard_negatives, matching_loss


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_wrong_pairs_are_wrong_and_hard_ones_come_oftener() -> None:
    logits = torch.full((4, 4), -3.0)
    logits.fill_diagonal_(9.0)
    logits[:, 2] = 0.0
    picks = torch.stack([hard_negatives(logits, generator(i)) for i in range(300)])
    assert not bool((picks == torch.arange(4)).any())
    often = (picks[:, [0, 1, 3]] == 2).double().mean()
    assert 0.5 < float(often) < 1  # softmax leaves e^-9 of each row's own weight; 1e-4 keeps the others in


def test_a_clip_of_its_own_kind_is_no_wrong_pair() -> None:
    kind = torch.tensor([0, 0, 1, 2])
    picks = torch.stack([hard_negatives(torch.zeros(4, 4), generator(i), kind) for i in range(100)])
    assert set(picks[:, 0].tolist()) == {2, 3}
    assert set(picks[:, 2].tolist()) == {0, 1, 3}
    with pytest.raises(ValueError, match="a batch of 2 has no wrong pair for some clip"):
        hard_negatives(torch.zeros(2, 2), generator(), torch.zeros(2))
    with pytest.raises(ValueError, match="a batch of 1 has no wrong pair"):
        hard_negatives(torch.zeros(1, 1), generator())


def test_matcher_is_asked_about_right_pairs_first_then_wrong_conditions_then_wrong_texts() -> None:
    asked: list[tuple[Tensor, Tensor]] = []

    def matcher(text: Tensor, condition: Tensor) -> Tensor:
        asked.append((text, condition))
        same = (text == condition).float() * 2 - 1
        return torch.stack([-same, same], 1)

    rows = torch.arange(5.0)
    loss = matching_loss(matcher, rows, rows, torch.zeros(5, 5), generator())
    text, condition = asked[0]
    assert text[:10].tolist() == [*range(5), *range(5)]
    assert condition[:5].tolist() == condition[10:].tolist() == list(range(5))
    assert not bool((text[5:] == condition[5:]).any())
    torch.testing.assert_close(loss, F.softplus(torch.tensor(-2.0)))  # right on all fifteen


def test_a_matcher_that_says_always_right_pays_for_two_of_three() -> None:
    loss = matching_loss(
        lambda t, c: torch.tensor([[0.0, 3.0]]).expand(len(t), 2),
        torch.zeros(4, 2),
        torch.zeros(4, 3),
        torch.zeros(4, 4),
        generator(),
    )
    assert float(loss) == pytest.approx(
        float(F.softplus(torch.tensor(3.0)) * 2 / 3 + F.softplus(torch.tensor(-3.0)) / 3)
    )


def test_wrong_texts_are_drawn_by_columns() -> None:
    """Text 0 is near every condition, condition 3 near no text: rows and columns draw differently."""
    logits = torch.full((4, 4), -60.0)
    logits[0] = 0.0
    asked: list[tuple[Tensor, Tensor]] = []

    def matcher(text: Tensor, condition: Tensor) -> Tensor:
        asked.append((text, condition))
        return torch.zeros(len(text), 2)

    rows = torch.arange(4.0)
    for seed in range(20):
        matching_loss(matcher, rows, rows, logits, generator(seed))
    texts = torch.stack([text[8:] for text, _ in asked])
    conditions = torch.stack([condition[4:8] for _, condition in asked])
    assert float((texts[:, 1:] == 0).double().mean()) > 0.9
    assert float((conditions[:, 1:] == 0).double().mean()) < 0.7
