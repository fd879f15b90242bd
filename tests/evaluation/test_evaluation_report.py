"""The report stands by itself: what it points to exists, names cannot break it, the worst clips come first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from evaluation_toys import RATE, clicks

from weft.errors import MediaError
from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.report import worst_clips, write_report
from weft.evaluation.result import Evaluation

Run = Callable[..., Evaluation]
PLAN = Protocol(
    name="p<b>",
    version=3,
    summary="for & tests",
    window=Window(rate=RATE, channels=1),
    metrics=("onset-f1@50", "envelope-r", "mel", "frechet"),
    headline="mel",
    scatter=("envelope-r", "mel"),
)
VOID = {"meta", "img", "br", "line", "circle", "rect"}


class Checker(HTMLParser):
    """Follows the tags and keeps what they point to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [given["src"]] if given.get("src") else []  # type: ignore[list-item]
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.links += [given["href"]] if given.get("href") else []  # type: ignore[list-item]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def checked(path: Path) -> tuple[str, Checker]:
    page = path.read_text()
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return page, checker


@pytest.fixture
def found(run: Run, tmp_path: Path) -> Evaluation:
    for side in ("true", "made"):
        (tmp_path / side).mkdir()
        for k in range(8):
            wave = clicks(k) if side == "true" else clicks(k) * (1 - k / 10)
            soundfile.write(tmp_path / side / f"c{k}<i>&.wav", wave, RATE)
    (tmp_path / "true" / "alone.wav").write_bytes(b"x")
    (tmp_path / "made" / "c0<i>&.wav").write_bytes(b"broken")
    return run(tmp_path / "true", tmp_path / "made", by=PLAN)


def test_everything_it_points_to_is_there_and_names_are_escaped(found: Evaluation, tmp_path: Path) -> None:
    files = write_report(found, tmp_path / "out.html")
    page, checker = checked(tmp_path / "out.html")
    assert "c0&lt;i&gt;&amp;" in page and "<i>&" not in page and "p&lt;b&gt;" in page
    outside = [s for s in checker.sources if not s.startswith("data:image/png;base64,")]
    assert len(outside) == 12 and all((tmp_path / s).stat().st_size > 500 for s in outside)
    assert {tmp_path / s for s in outside} == set(files[1:])
    assert "http" not in "".join(checker.sources + checker.links)
    assert {link.removeprefix("#") for link in checker.links} == set(checker.ids)
    assert "only in the reference" in page and "1 failed" in page and "for &amp; tests" in page
    assert page.count('<svg class="row"') == len(found.scores)


def test_worst_first_and_sounds_are_those_of_the_clip(found: Evaluation, tmp_path: Path) -> None:
    worst = worst_clips(found)
    values = [c.values["mel"] for c in worst]
    assert values == sorted((c.values["mel"] for c in found.clips if c.values), reverse=True)[:6]
    write_report(found, tmp_path / "out.html")
    page, _ = checked(tmp_path / "out.html")
    first = re.search(r'id="worst-0".*?src="(out_files/reference[^"]+)".*?src="(out_files/pred[^"]+)"', page)
    assert first is not None
    for address, source in zip(
        first.groups(), (worst[0].pair.reference, worst[0].pair.predicted), strict=True
    ):
        heard, rate = soundfile.read(tmp_path / address)
        true = soundfile.read(source.path)[0].mean(1)
        assert rate == RATE and np.abs(heard - true).max() < 1e-3


def test_a_set_without_a_number_still_has_a_report(found: Evaluation, tmp_path: Path) -> None:
    empty = replace(found, scores=(), clips=tuple(replace(c, values={}) for c in found.clips))
    assert write_report(empty, tmp_path / "out.html") == [tmp_path / "out.html"]
    checked(tmp_path / "out.html")


def test_a_sound_that_has_gone_is_named_in_its_place(found: Evaluation, tmp_path: Path) -> None:
    worst_clips(found)[0].pair.predicted.path.unlink()
    write_report(found, tmp_path / "out.html")
    assert "does not exist; check the name" in checked(tmp_path / "out.html")[0]


def test_a_picture_is_played_with_the_predicted_sound(run: Run, bar_clip: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", clicks(1, seconds=2.0), RATE)
    (tmp_path / "t.csv").write_text(f"reference,predicted,video\na.wav,a.wav,{bar_clip}\n")
    write_report(run(tmp_path / "t.csv", by=PLAN), tmp_path / "out.html")
    _, checker = checked(tmp_path / "out.html")
    (film,) = [s for s in checker.sources if s.endswith(".mp4")]
    from weft.media.video import Video

    assert Video.open(tmp_path / film).has_audio


def test_nothing_is_overwritten_unasked(found: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "out_files").mkdir()
    with pytest.raises(MediaError, match="out_files exists already"):
        write_report(found, tmp_path / "out.html")
    write_report(found, tmp_path / "out.html", overwrite=True)
    with pytest.raises(MediaError, match=r"out\.html exists already"):
        write_report(found, tmp_path / "out.html")
