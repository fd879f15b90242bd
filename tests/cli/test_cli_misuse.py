"""Misuse of a flag is one line and exit 2, whoever finds it; Ctrl-C is one line and exit 130, however early."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = tuple[int, str, str]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("generate", "clip.mp4", "--start", "abc"), "--start"),
        (("generate", "clip.mp4", "--takes", "0"), "greater than or equal to 1; see weft generate --help"),
        (("generate", "clip.mp4", "--promt", "x"), "--prompt"),
        (("generat",), "generat"),
        (("rerun",), "weft rerun --help"),
        (("world", "sample"), "weft world sample --help"),
    ],
)
def test_flags_that_cannot_be_read_are_one_line(
    weft_command: Callable[..., Ran], arguments: tuple[str, ...], told: str
) -> None:
    status, out, err = weft_command(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("weft: ") and told in err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--seed", "-3"), "--seed -3; give a whole number from 0"),
        (("--seed", str(2**63)), "from 0 to 9223372036854775807"),
        (("--lufs", "nan"), "--lufs nan; give a loudness from -70 to 0"),
        (("--lufs", "-inf"), "--lufs -inf"),
        (("--lufs", "5"), "--lufs 5"),
    ],
)
def test_numbers_that_mean_nothing_are_one_line(
    weft_command: Callable[..., Ran], bar_clip: Path, tmp_path: Path, flags: tuple[str, ...], told: str
) -> None:
    status, out, err = weft_command("generate", bar_clip, "-o", tmp_path / "x.wav", *flags)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert told in err and not list(tmp_path.iterdir())


def test_help_and_version_still_end_well(weft_command: Callable[..., Ran]) -> None:
    assert weft_command("--version")[0] == 0
    status, out, _ = weft_command("generate", "--help")
    assert status == 0 and "[CLIP]" in out and "\\" not in out
    status, out, err = weft_command()
    assert status == 2 and "Commands" in out and err == ""


def test_ctrl_c_while_the_commands_are_read_in_is_one_line() -> None:
    code = """
import sys
class Stop:
    def find_spec(self, name, *rest):
        if name == "weft.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
from weft.cli import main
main()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (130, "", 1)
    assert ran.stderr.startswith("weft: stopped")
