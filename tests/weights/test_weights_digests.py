"""Sums of files: those of hashlib and git, computed once and forgotten when the file changes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from weft.weights import digests


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "net.pth"
    path.write_bytes(b"weights" * 1000)
    _settle(path)
    return path


def _settle(path: Path, back_s: float = 10.0) -> None:
    there = path.stat()
    os.utime(path, (there.st_atime, there.st_mtime - back_s))


def test_sums_are_those_of_hashlib_and_git(file: Path) -> None:
    data = file.read_bytes()
    assert digests.digest(file, "SHA-256") == hashlib.sha256(data).hexdigest()
    assert digests.digest(file, "MD5") == hashlib.md5(data, usedforsecurity=False).hexdigest()
    told = subprocess.run(["git", "hash-object", str(file)], capture_output=True, text=True, check=True)
    assert digests.digest(file, "git blob") == told.stdout.strip()


def test_a_file_is_read_once_for_all_its_sums(file: Path) -> None:
    true = digests.digest(file, "SHA-256")
    held = json.loads(digests.memory().read_text())
    held[str(file)]["MD5"] = "remembered"
    digests.memory().write_text(json.dumps(held))
    assert digests.digest(file, "MD5") == "remembered"
    assert digests.digest(file, "SHA-256") == true


def test_a_file_that_changed_is_read_again(file: Path) -> None:
    before = digests.digest(file, "MD5")
    file.write_bytes(b"WEIGHTS" * 1000)  # as long as before
    _settle(file, 5.0)
    assert digests.digest(file, "MD5") != before


def test_a_file_that_may_still_change_is_not_remembered(file: Path) -> None:
    file.write_bytes(b"fresh")
    digests.digest(file, "MD5")
    assert not digests.memory().exists()


def test_a_damaged_memory_is_no_memory(file: Path) -> None:
    for said in ("", "[]", '{"a": 1}', json.dumps({str(file): 3})):
        digests.memory().parent.mkdir(exist_ok=True)
        digests.memory().write_text(said)
        assert digests.digest(file, "MD5") == hashlib.md5(file.read_bytes()).hexdigest()
    assert list(digests.memory().parent.glob(".*")) == []


def test_files_that_are_gone_are_forgotten(file: Path, tmp_path: Path) -> None:
    digests.digest(file, "MD5")
    other = tmp_path / "other.pth"
    other.write_bytes(b"x")
    _settle(other)
    file.unlink()
    digests.digest(other, "MD5")
    assert list(json.loads(digests.memory().read_text())) == [str(other)]
