"""Maps of where it is heard and seen: in place, alike where they agree, and apart where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import saliency
from weft.metrics.spatial_align import saliency_divergence


def test_a_map_is_where_the_sound_is() -> None:
    maps = saliency.heard([0.0, 0.25, 0.99])
    assert maps.shape == (3, 1, 64)
    assert maps[:, 0].argmax(1).tolist() == [0, 15, 63]
    wide = saliency.seen([[0.25, 0.75]])[0, 0]
    middle = (np.arange(64) + 0.5) / 64
    assert (wide * middle).sum() / wide.sum() == pytest.approx(0.5)
    assert wide[32] > 0.99 * wide.max()
    assert wide[0] < 0.01 * wide.max()


def test_a_box_without_width_is_a_point() -> None:
    x = np.array([0.1, 0.5, 0.93])
    thin = saliency.seen(np.stack([x, x + 1e-5], 1))
    np.testing.assert_allclose(thin, saliency.heard(x), atol=2e-3)
    np.testing.assert_allclose(saliency.seen(np.stack([x, x], 1)), saliency.heard(x), atol=1e-12)


def test_divergence_grows_with_the_distance_and_knows_no_side() -> None:
    box = saliency.seen(np.array([[0.45, 0.55]]))
    apart = [saliency_divergence(saliency.heard([0.5 + d]), box) for d in (0.0, 0.1, 0.2, 0.4)]
    assert apart[0] < 0.02
    assert apart == sorted(apart)
    assert apart[2] > 10 * apart[0]
    assert saliency_divergence(saliency.heard([0.3]), box) == pytest.approx(apart[2])


def test_refusals() -> None:
    with pytest.raises(ValueError, match="pixels instead of fractions"):
        saliency.heard([128.0])
    with pytest.raises(ValueError, match=r"boxes have shape \(1, 4\)"):
        saliency.seen([[0.1, 0.2, 0.3, 0.4]])
    with pytest.raises(ValueError, match="ends before it begins"):
        saliency.seen([[0.6, 0.4]])
    with pytest.raises(ValueError, match="blur of 0"):
        saliency.heard([0.5], blur=0)
