"""`weft generate --guide`: each flag changes the sound, the family has the picture of V, misuse is one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

SHEET = {
    "version": 1,
    "clip": {"duration": 2.0},
    "when": {"onsets": [{"t": 0.4, "strength": 0.8, "duration": 0.0, "material": "wood", "action": "hit"}]},
    "where": {"tracks": [{"label": "bar", "t": [0.0], "box": [[0.2, 0.1, 0.6, 0.9]], "depth": [0.3]}]},
    "what": {"prompt": "a stick hits wood"},
}
MINI = ("--system", "weft-mini", "--steps", 4)


@pytest.fixture
def weft_generate(weft_command, bar_clip: Path, tmp_path: Path):
    """Run `weft generate CLIP --cues SHEET ARGS` in a folder of the test's own -> (exit status, stderr)."""
    clip, sheet = Path(shutil.copy(bar_clip, tmp_path / "clip.mp4")), tmp_path / "sheet.json"
    sheet.write_text(json.dumps(SHEET))

    def run(*args: object) -> tuple[int, str]:
        status, _, err = weft_command("generate", clip, "--cues", sheet, *args)
        return status, err

    return run


@pytest.mark.slow
def test_every_flag_changes_the_samples_and_v_is_drawn(weft_generate, tmp_path: Path) -> None:
    flags = {
        "none": (),
        "volume": ("--guide", "volume"),
        "scale": ("--guide", "volume", "--guide-scale", 0.2),
        "start": ("--guide", "volume", "--guide-start", 0.5),
        "stop": ("--guide", "volume", "--guide-stop", 0.5),
        "every": ("--guide", "volume", "--guide-every", 2),
    }
    for name, given in flags.items():
        assert weft_generate(*MINI, *given, "-o", tmp_path / f"{name}.wav") == (0, "")
    told = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in flags}
    assert len({t["audio"]["sha256"] for t in told.values()}) == len(flags)
    assert told["none"]["guide"] is None and not (tmp_path / "none.guide.png").exists()
    assert (tmp_path / "volume.guide.png").read_bytes().startswith(b"\x89PNG")
    steps = {name: [row["step"] for row in t["guide"]["steps"]] for name, t in told.items() if t["guide"]}
    assert steps["volume"] == [1, 2, 3]
    assert (steps["start"], steps["stop"], steps["every"]) == ([2, 3], [1], [1, 3])
    status, err = weft_generate(*MINI, "--guide", "volume", "-o", tmp_path / "volume.wav")
    assert status == 2 and "volume.wav" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--guide", "volume"), "weft-physical has no diffusion to guide; choose --system weft-mini"),
        ((*MINI, "--guide", "cosine"), "no guidance called 'cosine'"),
        ((*MINI, "--guide-every", 2), "--guide-every 2 changes nothing without --guide"),
        ((*MINI, "--guide", "volume", "--guide-stop", 0.1), "guidance from 0.2 to 0.1"),
    ],
)
def test_misuse_is_one_line_and_exit_2(weft_generate, tmp_path: Path, args, said: str) -> None:
    before = sorted(p.name for p in tmp_path.iterdir())
    status, err = weft_generate(*args)
    assert status == 2
    assert err.count("\n") == 1 and err.startswith("weft: ") and said in err
    assert sorted(p.name for p in tmp_path.iterdir()) == before
