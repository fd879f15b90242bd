"""The map in ARCHITECTURE.md is the law of imports, and the README prints the same rooms."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "weft"
MAP = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)


def rooms_on_disk() -> set[str]:
    folders = {p.parent.name for p in SOURCE.glob("*/__init__.py")}
    files = {p.stem for p in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    return folders | files


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> set[str]:
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = (
                [f"{node.module}.{a.name}" for a in node.names] if node.module == "weft" else [node.module]
            )
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        rooms |= {n.split(".")[1] for n in names if n.startswith("weft.")}
    return rooms


def test_every_room_is_on_the_map():
    assert rooms_on_disk() == set(MAP)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_nothing_imports_upwards(path):
    room = room_of(path)
    if room in {"__init__", "__main__"}:
        return  # the front door may open any room, lazily
    assert not any(
        isinstance(n, ast.ImportFrom) and n.level for n in ast.walk(ast.parse(path.read_text()))
    ), "relative"
    above = {
        r for r in imports_of(ast.parse(path.read_text())) if r in MAP and MAP.index(r) > MAP.index(room)
    }
    assert not above, f"{room} may not import {sorted(above)}"


def test_readme_prints_the_tree():
    tree = set(re.findall(r"^  (\w+)(?:/|\.py) ", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert tree == rooms_on_disk()


def test_importing_weft_is_light():
    code = "import weft, sys; print([m for m in ('torch', 'av', 'matplotlib', 'scipy', 'mujoco') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_a_performance_brings_neither_scipy_signal_nor_what_draws():
    code = """
import sys, numpy as np
from weft.cues.sheet import Clip, CueSheet, Onset, When
from weft.media import LoudnessMeter
from weft.spotting import observe  # noqa: F401
from weft.systems.performer import Request
from weft.systems.weft_mini import WeftMini
from weft.systems.weft_physical import WeftPhysical

blow = Onset(t=0.1, strength=0.8, material="wood", action="hit")
sheet = CueSheet(clip=Clip(duration=0.5), when=When(onsets=(blow,)))
for performer in (WeftPhysical(), WeftMini.load()):
    sound = np.concatenate(list(performer.perform(Request(sheet=sheet, duration=0.5))), axis=1)
    LoudnessMeter(44100).add(sound)
print([m for m in ("scipy.signal", "scipy.stats", "matplotlib", "mujoco", "sklearn") if m in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
