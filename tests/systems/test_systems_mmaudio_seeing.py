"""What is seen is seen once: the cache of encodings, and what makes it look again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaudio_tiny import TINY_16K, TINY_44K, request, write_clip, write_files

from weft.cues.sheet import Clip, CueSheet, What
from weft.errors import UserError, WeightsError
from weft.media import Video
from weft.systems import memory
from weft.systems.mmaudio import MMAudio
from weft.systems.scene import Blank

Make = Callable[..., MMAudio]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "c.mp4", 1.2)


def encoded(performer: MMAudio, *requests: object) -> list[bool]:
    """Whether each performance had to encode anything."""
    found = []
    for one in requests:
        stages: list[str] = []
        told = replace(one, progress=lambda stage, done, s=stages: s.append(stage))  # type: ignore[type-var]
        list(performer.perform(told))
        found.append("encode" in stages)
    return found


def test_the_second_take_sees_nothing_anew_whatever_else_changes(performer: Make, clip: Path) -> None:
    one = request(Video.open(clip))
    moved = Path(shutil.copy(clip, clip.with_name("moved.mp4")))
    again = [replace(one, take=1), replace(one, seed=5, steps=3, guidance=2.0), request(Video.open(moved))]
    assert encoded(performer(), one, *again) == [True, False, False, False]
    assert encoded(performer(), one) == [False], "another process finds it too"
    assert encoded(performer(TINY_44K), one) == [False], "all sizes share the encoders"


def test_another_stretch_other_words_another_reading_and_other_bytes_are_seen_anew(
    performer: Make, clip: Path
) -> None:
    one = request(Video.open(clip))
    told = replace(one, sheet=CueSheet(clip=Clip(duration=1.2), what=What(prompt="rain")))
    other = clip.with_name("other.mp4")
    write_clip(other, 1.2, 24)
    cut = request(Video.open(clip, duration=1.0))
    later = request(Video.open(clip, start=0.2, duration=1.0))
    compat = replace(one, compat=True)
    cases = [one, cut, later, told, compat, request(Video.open(other))]
    assert encoded(performer(), *cases) == [True] * 6
    assert encoded(performer(), *cases) == [False] * 6


def test_other_weights_of_an_encoder_are_seen_with_anew(
    performer: Make, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setenv("WEFT_WEIGHTS", str(folder))
    write_files(folder, TINY_16K)
    one = request(Video.open(clip))
    assert encoded(performer(), one, one) == [True, False]
    held = torch.load(folder / TINY_16K.sync_file.file)
    held["vfeat_extractor.norm.bias"] += 1
    (folder / TINY_16K.sync_file.file).unlink()  # a new file: the old one is still mapped
    torch.save(held, folder / TINY_16K.sync_file.file)
    assert encoded(performer(), one, one) == [True, False]


def test_a_second_take_runs_without_loading_an_encoder(
    performer: Make, clip: Path, own_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files may even have become unreadable, as long as they are the same files."""
    folder = tmp_path / "mine"
    shutil.copytree(own_weights, folder)
    monkeypatch.setenv("WEFT_WEIGHTS", str(folder))
    one = request(Video.open(clip))
    first = np.concatenate(list(performer().perform(one)), axis=1)
    parts = replace(TINY_16K, clip=replace(TINY_16K.clip, vocabulary=7))  # sizes that the file does not fit
    with pytest.raises(WeightsError, match="does not fit"):
        list(performer(parts).perform(one))
    second = np.concatenate(list(performer().perform(one)), axis=1)
    assert np.array_equal(first, second), "what is kept is what was seen, bit for bit"


def test_a_cache_that_cannot_be_written_costs_only_time(performer: Make, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache" / "features").write_text("no folder")
    assert encoded(performer(), request(Video.open(clip)), request(Video.open(clip))) == [True, True]


def test_the_cache_is_held_to_its_size(
    performer: Make, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_CACHE_LIMIT", "0")
    assert encoded(performer(), request(Video.open(clip))) == [True]
    assert list((tmp_path / "cache" / "features").rglob("*.safetensors")) == []
    monkeypatch.setenv("WEFT_CACHE_LIMIT", "much")
    with pytest.raises(UserError, match="WEFT_CACHE_LIMIT is 'much'"):
        performer().perform(request(Video.open(clip)))


def test_long_clips_are_seen_in_stretches_of_eight_seconds(performer: Make, tmp_path: Path) -> None:
    video = Video.open(write_clip(tmp_path / "long.mp4", 13.0, 10))
    asked = request(video, steps=1)
    assert encoded(performer(), asked, asked) == [True, False]
    assert len(list((tmp_path / "cache" / "features").rglob("*.safetensors"))) == 2 * 2


def test_files_that_are_not_here_are_named_all_at_once(
    performer: Make, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(WeightsError) as told:
        performer().perform(request(Video.open(clip)))
    said = str(told.value)
    for part in (
        "mmaudio_small_16k.pth",
        "v1-16.pth",
        "best_netG.pt",
        "DFN5B",
        "synchformer",
        "CC-BY-NC 4.0",
    ):
        assert part in said
    assert "weft models download mmaudio-small-16k" in said and str(tmp_path / "none") in said
    assert "bpe" not in said and "\n" not in said
    with pytest.raises(WeightsError) as told:
        performer().perform(request(Blank(duration=1.0)))
    assert "DFN5B" not in str(told.value), "a length alone needs no eyes"


def test_too_little_memory_is_said_before_anything_is_loaded(
    performer: Make, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable: 700000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", meminfo)
    with pytest.raises(
        UserError, match=r"mmaudio-small-16k needs about 1\.0 GB of memory and 0\.7 GB are free"
    ):
        list(performer().perform(request(Video.open(clip))))
    meminfo.write_text("MemAvailable: 1070000 kB\n")  # enough to encode, not to play
    with pytest.raises(UserError, match=r"needs about 1\.2 GB"):
        list(performer().perform(request(Video.open(clip))))
    meminfo.write_text("MemAvailable: 4000000 kB\n")
    assert memory.free_bytes() <= 4_096_000_000
