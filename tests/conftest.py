"""Fixtures every room may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from weft.weights.published import Published

os.environ.setdefault("MUJOCO_GL", "osmesa")
os.environ.setdefault("LP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_clips() -> Path:
    """The folder of real clips beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("no shared clips beside this checkout")
    return folder


@pytest.fixture
def weft_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `weft ARGS` in this process -> (exit status, stdout, stderr)."""
    from weft.cli import main

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["weft", *map(str, args)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return run


@pytest.fixture
def own_copies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a test put files of its own where published ones are looked for: own_copies(FILE, ...) forgets their sums."""

    def forget(*given: Published) -> None:
        for one in given:
            for kind in ("sha256", "md5", "git"):
                monkeypatch.setitem(vars(one), kind, None)

    return forget


@pytest.fixture(scope="session")
def bar_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A silent clip of 2.0 s, 160x120 at 25 fps: a bar falls and stops dead on the ground at 0.48 and 1.28 s."""
    import av
    import numpy as np

    path = tmp_path_factory.mktemp("clip") / "bar.mp4"
    ground = np.kron(
        np.random.default_rng(0).integers(60, 120, (12, 16, 3), dtype=np.uint8), np.ones((10, 10, 1))
    )
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for n in range(50):
            frame = ground.astype(np.uint8).copy()
            since = n % 20
            y = 10 + min(since, 12) ** 2 * 80 // 144
            frame[y : y + 12, 40:90] = (240, 210, 60)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    return path
