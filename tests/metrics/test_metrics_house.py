"""Every file of weft.metrics alike: conventions at the top, a public validate, one result with all that it rests on."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from metric_families import FAMILIES, WHO, Family

import weft.metrics
from weft.cues.sheet import Clip, CueSheet, Onset, When
from weft.metrics import sheet_obedience
from weft.metrics.result import Result

NO_FAMILY = {
    "checks": "what others ask of their inputs",
    "interval": "how sure a number is",
    "result": "what a number comes with",
    "sets": "how sets of embeddings are cut",
    "splits": "lists of names, and who trained on which",
}
FILES = sorted(m.name for m in pkgutil.iter_modules(weft.metrics.__path__) if m.name not in NO_FAMILY)
SAID = re.compile(
    r"seconds|samples|kHz|Hz|\bdB\b|degrees|nats|logits|probabilit|cosine|share|fractions|embeddings|dimensions"
)
X3, WAVE = np.zeros((2, 3, 4)), np.zeros((2, 2, 9))
WRONG: dict[str, Callable[[Any], Any]] = {
    "align_accuracy": lambda f: f(np.zeros((2, 3))),
    "av_align": lambda f: f(np.zeros((2, 3)), [], fps=25),
    "azimuth": lambda f: f(np.zeros((2, 3)), np.zeros(3)),
    "boxes": lambda f: f(np.zeros((2, 3))),
    "condfoley": lambda f: f([], [], np.zeros((2, 3))),
    "conventions": lambda f: f("fad", np.zeros((2, 3))),
    "desync": lambda f: f(np.zeros((2, 3)), np.zeros((2, 3))),
    "divergence": lambda f: f(X3),
    "e_l1": lambda f: f([WAVE], [WAVE]),
    "envelope": lambda f: f([WAVE], [WAVE]),
    "favd": lambda f: f([X3], [X3], "float"),
    "frechet": lambda f: f(X3),
    "gap": lambda f: f(np.ones((2, 3)), np.ones((2, 4))),
    "kernel": lambda f: f(X3, X3),
    "material": lambda f: f(["wood"] * 2, ["wood"] * 3),
    "meaning": lambda f: f(np.ones((2, 3)), np.ones((2, 4))),
    "mmaudio_onsets": lambda f: f([], [], np.zeros((2, 3))),
    "obedience": lambda f: f(np.zeros((2, 3)), np.zeros((2, 3))),
    "onset": lambda f: f([np.zeros((2, 3))], [[]], [1.0]),
    "onset_panel": lambda f: f([_panel_clip(np.zeros((2, 3)))]),
    "retrieval": lambda f: f(np.zeros((2, 3)), np.zeros((2, 4))),
    "saliency": lambda f: f(np.zeros((2, 3))),
    "sheet_obedience": lambda f: f([(_sheet(), WAVE)]),
    "sound": lambda f: f(WAVE),
    "space": lambda f: f(np.zeros((1, 9))),
    "spatial_align": lambda f: f(_placed_clip(np.zeros((2, 3)))),
    "spectrum": lambda f: f([WAVE], [WAVE]),
    "volume": lambda f: f(np.ones((2, 3)), np.ones((2, 4)), np.ones((2, 3))),
}
"""What of a wrong shape each family's validate is given."""


def _sheet() -> CueSheet:
    return CueSheet(clip=Clip(duration=1.0), when=When(onsets=(Onset(t=0.5, strength=1.0),)))


def _panel_clip(found: np.ndarray) -> Any:
    from weft.metrics.onset_panel import Clip as Panelled

    return Panelled(found=found, confidence=found, true=[], duration_s=1.0)


def _placed_clip(heard: np.ndarray) -> Any:
    from weft.metrics.spatial_align import Clip as Placed

    return Placed(heard_t=heard, heard_x=heard, seen_t=[0.0], boxes=[[]])


def module(name: str) -> ModuleType:
    return importlib.import_module(f"weft.metrics.{name}")


@pytest.mark.parametrize("name", [*FILES, *(n for n in NO_FAMILY if n not in ("checks", "splits"))])
def test_the_conventions_stand_at_the_top(name: str) -> None:
    said = module(name).__doc__ or ""
    assert "Conventions:" in said
    if name not in NO_FAMILY:
        assert SAID.search(said), "says no unit, rate or scale"
        assert "`[" in said or "seconds" in said or "probability" in said or "dimensions" in said, (
            "no shape or order"
        )


@pytest.mark.parametrize("name", FILES)
def test_validate_is_public_and_says_the_shape(name: str) -> None:
    check = module(name).validate
    assert inspect.isfunction(check)
    assert "ValueError" in (check.__doc__ or "")
    with pytest.raises(
        ValueError, match=r"\(2, [23], ?[0-9]?\)|\(2, 3\)|\(2, 2, 9\)|\(1, 9\)|2 predictions for 3"
    ):
        WRONG[name](check)


def test_every_file_is_tried() -> None:
    assert set(WRONG) == set(FILES)
    assert {f.file for f in FAMILIES} | {"sheet_obedience"} == set(FILES)


@pytest.mark.parametrize("family", FAMILIES, ids=[f.name for f in FAMILIES])
def test_a_result_says_what_it_rests_on(family: Family) -> None:
    rng = np.random.default_rng(3)
    found = family.score([family.draw(rng) for _ in range(6)])
    assert isinstance(found, Result)
    assert {f.name for f in dataclasses.fields(Result)} <= set(vars(found))
    assert isinstance(found.value, float) and isinstance(found.n, int)
    assert found.n > 0 and found.of in ("clips", "rows", "places", "moments", "queries", "boxes")
    assert found.low <= found.value <= found.high
    assert re.match(r"(bootstrap over|half-sampling of) ", found.interval)
    floored = ("frechet", "kernel", "gap", "favd", "conventions")
    alone = ("divergence inception", "sound")  # one side only: there is nothing to put in its place
    if family.file in floored:
        assert found.floor is not None and found.rows is not None and found.d is not None
    elif family.name not in alone:
        assert found.baselines and all(isinstance(v, float) for v in found.baselines.values())
    heard = (found.embedder, found.sha256, found.rate)
    if family.told:
        assert heard == (WHO.embedder, WHO.sha256, WHO.rate)
    else:
        assert heard[:2] == (None, None)


def test_a_sheets_dials_are_results_too() -> None:
    wave = np.zeros((2, 44100))
    wave[:, 22050:26000] = 0.1
    (found,) = sheet_obedience.evaluate([(_sheet(), wave)])
    assert isinstance(found, Result)
    assert (found.value, found.n, found.flags) == (1.0, 1, ("one clip: no interval",))
    with pytest.raises(ValueError, match="take 0 holds NaN"):
        sheet_obedience.evaluate([(_sheet(), wave * np.nan)])
