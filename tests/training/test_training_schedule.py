"""The learning rate: MMAudio's rise and stairs, and the cosine the other recipes use."""

import pytest

from weft.training.loop import LoopConfig, learning_rate
from weft.training.schedule import cosine, rise, stairs


def test_rise_is_linear_and_ends():
    assert [rise(n, 4) for n in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert rise(0, 0) == 1.0


def test_stairs_fall_at_the_milestone_itself():
    given = [stairs(p, (0.8, 0.9), 0.1) for p in (0.0, 0.799, 0.8, 0.899, 0.9, 1.0)]
    assert given == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_rates_of_the_paper():
    """Supplement H: 1e-4 after 1,000 steps of rise, 1e-5 after 80% of 300,000 and 1e-6 after 90%."""
    config = LoopConfig(steps=300_000, learning_rate=1e-4, warmup=1000, schedule="stairs")
    at = {n: learning_rate(config, n, n / 300_000) for n in (0, 499, 999, 239_999, 240_000, 270_000, 299_999)}
    wanted = {0: 1e-7, 499: 5e-5, 999: 1e-4, 239_999: 1e-4, 240_000: 1e-5, 270_000: 1e-6, 299_999: 1e-6}
    assert at == pytest.approx(wanted)


def test_cosine_ends_at_its_floor():
    assert cosine(0.0, 0.1) == 1.0
    assert cosine(0.5, 0.0) == pytest.approx(0.5)
    assert cosine(1.0, 0.1) == cosine(7.0, 0.1) == pytest.approx(0.1)
