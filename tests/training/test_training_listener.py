"""The listener is fitted once, on sounds it can tell, and read again from where it was kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from weft.metrics.material import MaterialClassifier, features
from weft.training.listener import listener


@pytest.mark.slow
def test_listener_tells_a_clap_of_metal_from_dirt_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weft.world import render_clip, revoice, sample_scene, split_seed

    kept = tmp_path / "listener.joblib"
    fitted = listener(kept, 68, 2.0)
    assert kept.is_file()

    clips = [
        (m, render_clip(revoice(sample_scene("hits", split_seed("test", k), duration=2.0), m), picture=False))
        for k in range(6)
        for m in ("metal", "dirt")
    ]
    told = [(m, fitted.predict([features(c.audio)])[0]) for m, c in clips if c.events and c.audio is not None]
    assert sum(m == said for m, said in told) > len(told) / 3  # 17 materials: chance is one in 17

    monkeypatch.setattr(MaterialClassifier, "fit", lambda *_: pytest.fail("fitted anew"))
    assert [
        listener(kept, 68, 2.0).predict([features(c.audio)])[0] for _, c in clips if c.audio is not None
    ] == [fitted.predict([features(c.audio)])[0] for _, c in clips if c.audio is not None]
