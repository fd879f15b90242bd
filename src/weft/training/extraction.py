"""From a folder of clips and a table of captions to shards of training examples; can be stopped and gone on with.

As MMAudio prepared its data (Cheng et al. 2024 and the published code): films give their first window, sounds up to
five, spread evenly over those that are 0.1 s longer than a window; sound is made as loud as its file's peak allows,
and a file that is silent, too short or unreadable is left out and named.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft.errors import MediaError, UserError
from weft.media.audio import read_audio
from weft.media.source import moving_pictures, open_source, reading
from weft.media.video import Video
from weft.progress import Progress, silent
from weft.training.embedded import Example, claim, write_shard
from weft.training.extractors import Extractor

FAILED = "failed.json"
SPARE_S = 0.1  # that a sound must be longer than its window
SILENT = 1e-6


@dataclass(frozen=True, kw_only=True)
class Captioned:
    """A clip of the table: where it is, what is written of it, and its name in the shards."""

    path: Path
    caption: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """What `embed` did: shards in all, examples written now, and the clips that were left out, by name and why."""

    shards: int
    examples: int
    failed: dict[str, str]


def captioned(folder: Path, table: Path) -> list[Captioned]:
    """The clips of a CSV (or tab-separated .tsv) table with the columns `file` and `caption`, in its order.

    A file without a suffix may have any. Raises UserError: no table or columns, a clip that is not in `folder`, two
    clips of one name, none at all.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t" if table.suffix == ".tsv" else ","))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{table} cannot be read as a table of captions: {error}") from error
    if not rows:
        raise UserError(f"{table} names no clips; give a header `file,caption` and a line a clip")
    for column in ("file", "caption"):
        if rows[0].get(column) is None:
            raise UserError(f"{table} has no column {column!r}, but {', '.join(map(str, rows[0]))}")
    found, clips = _files(folder), []
    for line, row in enumerate(rows, 2):
        path = found.get(row["file"]) or found.get(str(Path(row["file"]).with_suffix("")))
        if path is None:
            raise UserError(f"{table}, line {line}: no {row['file']} in {folder}")
        key = str(path.relative_to(folder)).replace("/", "_").replace(".", "_")
        clips.append(Captioned(path=path, caption=row["caption"] or "", key=key))
    twice = [key for key, count in Counter(c.key for c in clips).items() if count > 1]
    if twice:
        raise UserError(f"{table} names {twice[0]} twice; give each clip one line")
    return clips


def starts(duration: float, seconds: float, most: int) -> list[float]:
    """Where up to `most` windows of a sound begin, spread evenly from its start to its end; none if it is too short."""
    long = seconds + SPARE_S
    count = min(most, int(duration / long))
    if count < 1:
        return []
    step = (duration - long) / (count - 1) if count > 1 else 0.0
    return [k * step for k in range(count)]


def embed(
    clips: list[Captioned],
    by: Extractor,
    out: Path,
    *,
    per_shard: int = 256,
    film_windows: int = 1,
    sound_windows: int = 5,
    share: tuple[int, int] = (0, 1),
    progress: Progress = silent,
) -> Embedding:
    """Write shards of `per_shard` clips each to `out`, leaving out those that are there.

    `share` (k, n): only every n-th shard from number k, for n processes beside each other. Raises UserError: `out` was
    made by other encoders, or numbers out of range.
    """
    k, n = share
    if per_shard < 1 or not 0 <= k < n:
        raise UserError(f"{per_shard} clips a shard, share {k} of {n}: give 1 or more, and 0 to {n - 1}")
    made_of = by.made_of  # once: files of gigabytes may be hashed for it
    claim(out, made_of, by.words(""))
    firsts = range(0, len(clips), per_shard)
    own, written, failed = list(firsts)[k::n], 0, dict[str, str]()
    for done, first in enumerate(own):
        progress("embed", done / len(own))
        path = out / f"clips-{first:08d}.tar"
        if path.exists():
            failed |= _failures(out, path)
            continue
        missed: dict[str, str] = {}
        windows = _Windows(by=by, shapes=made_of["shapes"], films=film_windows, sounds=sound_windows)
        rows = _examples(clips[first : first + per_shard], windows, missed)
        written += write_shard(path, rows)
        (out / f"{path.stem}-{FAILED}").write_text(json.dumps(missed, indent=1) + "\n")
        failed |= missed
    progress("embed", 1.0)
    return Embedding(shards=len(firsts), examples=written, failed=failed)


@dataclass(frozen=True, kw_only=True)
class _Windows:
    """How clips are cut: by which encoders, into tensors of which shapes, how many windows of a film and a sound."""

    by: Extractor
    shapes: dict[str, Any]
    films: int
    sounds: int

    def of(self, clip: Captioned) -> Iterator[Example]:
        """The windows of a clip. Raises MediaError for what cannot be used."""
        by, video = self.by, _film(clip.path)
        wave = read_audio(clip.path, by.rate, channels=by.channels)
        peak = float(np.abs(wave).max()) if wave.size else 0.0
        if peak < SILENT:
            raise MediaError(f"{clip.path} is silent")
        if by.peak is not None:
            wave = wave * np.float32(by.peak / peak)
        length = wave.shape[1] / by.rate
        at = self._starts(length, video)
        if not at:
            raise MediaError(f"{clip.path} has {length:.2f} s of sound; a window is {by.seconds:g} s")
        for number, start in enumerate(at):
            begin = start if video is None else Video.open(clip.path, start).start if start else 0.0
            mean, std = by.sound(_long_enough(torch.from_numpy(wave[:, round(begin * by.rate) :]), by))
            seen, sync = (None, None) if video is None else by.pictures(clip.path, begin)
            for name, value in (("mean", mean), ("clip", seen), ("sync", sync)):
                if value is not None and list(value.shape) != self.shapes[name]:
                    found = f"{name} {list(value.shape)}, not {self.shapes[name]}"
                    raise MediaError(f"{clip.path} at {begin:g} s: {found}")
            yield Example(
                key=f"{clip.key}-{number}",
                mean=mean,
                std=std,
                text=by.words(clip.caption),
                clip=seen,
                sync=sync,
                caption=clip.caption,
                source={"file": clip.path.name, "start": round(begin, 4)},
            )

    def _starts(self, length: float, video: Video | None) -> list[float]:
        if video is None:
            return starts(length, self.by.seconds, self.sounds)
        seen = min(length, video.duration) + 0.02  # a film of 8 s may end with a frame, just before
        if self.films == 1 and seen >= self.by.seconds:
            return [0.0]
        return starts(seen, self.by.seconds, self.films)


def _examples(clips: list[Captioned], windows: _Windows, missed: dict[str, str]) -> Iterator[Example]:
    """Examples of clips that can be used; of the others `missed` says why."""
    for clip in clips:
        try:
            made = list(windows.of(clip))
        except (MediaError, ValueError) as error:
            missed[clip.key] = str(error)
            continue
        yield from made


def _long_enough(wave: torch.Tensor, by: Extractor) -> torch.Tensor:
    """`wave` with silence behind it where the last latent frame reaches past its end."""
    return torch.nn.functional.pad(wave, (0, max(0, by.samples - wave.shape[1])))


def _film(path: Path) -> Video | None:
    """The film, or None for a file that has sound alone. Raises MediaError for a film that cannot be read."""
    with open_source(path) as container, reading(path):
        moving = moving_pictures(container) is not None
    return Video.open(path) if moving else None


def _files(folder: Path) -> dict[str, Path]:
    """Files below `folder` by their relative names, with and without suffix. Raises UserError for no folder."""
    if not folder.is_dir():
        raise UserError(f"no folder of clips at {folder}")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        found[str(name)] = path
        found.setdefault(str(name.with_suffix("")), path)
    return found


def _failures(out: Path, shard: Path) -> dict[str, str]:
    path = out / f"{shard.stem}-{FAILED}"
    return json.loads(path.read_text()) if path.is_file() else {}
