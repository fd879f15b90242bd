"""The clips that a folder or WebDataset shards hold, by name.

In a folder a clip is called by its path without the suffix, and without the `.weft` that `weft generate` adds. Shards
are tars (or a folder of them) whose members share a key up to the first dot.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UserError
from weft.evaluation.sources import FILM_SUFFIXES, SOUND_SUFFIXES, Source, film_among

MEDIA = (*SOUND_SUFFIXES, *FILM_SUFFIXES)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """A clip of one side: its `sound` (a film's own if there is no other), and what else lies beside it."""

    sound: Source
    film: Source | None = None
    text: str | None = None
    cues: Source | None = None
    without: Source | None = None
    like: Source | None = None
    maps: Source | None = None


def gathered(place: Path) -> dict[str, Gathered]:
    """Return every clip of a folder or of shards by its name.

    Raises UserError: no folder and no tar, no sounds in it, two clips of one name, a tar that cannot be read.
    """
    if place.is_file():
        if place.suffix.lower() != ".tar":
            raise UserError(f"{place} is no folder, CSV, shard (.tar) or media file")
        return _of_shards([place])
    files = sorted(p for p in place.rglob("*") if p.is_file() and not _hidden(p.relative_to(place)))
    shards = [p for p in files if p.suffix.lower() == ".tar"]
    found: dict[str, Gathered] = _of_shards(shards)
    for path in files:
        if path.suffix.lower() not in MEDIA:
            continue
        name = path.relative_to(place).with_suffix("").as_posix().removesuffix(".weft")
        if name in found:
            raise UserError(
                f"two files are called {name} in {place}: {found[name].sound.path.name} and {path.name}; "
                "keep one, or use a CSV"
            )
        source = Source(path=path)
        found[name] = Gathered(sound=source, film=film_among(source))
    if not found:
        raise UserError(f"no sounds in {place}; looked for {', '.join(MEDIA)} and .tar")
    return found


def _of_shards(paths: list[Path]) -> dict[str, Gathered]:
    found: dict[str, Gathered] = {}
    for path in paths:
        for name, members in _members(path).items():
            if name in found:
                raise UserError(f"two clips are called {name}: in {found[name].sound.path} and {path}")
            sounds = [m for suffix, m in members.items() if suffix in SOUND_SUFFIXES]
            films = [m for suffix, m in members.items() if suffix in FILM_SUFFIXES]
            if len(sounds) > 1 or (not sounds and len(films) > 1):
                raise UserError(f"{path} holds more than one sound called {name}; keep one")
            if not sounds and not films:
                continue
            written = members.get(".json")
            found[name] = Gathered(
                sound=(sounds or films)[0],
                film=films[0] if films else None,
                text=_words(members.get(".txt"), written),
                cues=written,
                without=_beside(members, "without"),
                like=_beside(members, "like"),
                maps=members.get(".maps.npy"),
            )
    return found


def _members(path: Path) -> dict[str, dict[str, Source]]:
    """The members of a tar by key and suffix; the key is the name up to the first dot, as WebDataset has it."""
    by_key: dict[str, dict[str, Source]] = {}
    try:
        with tarfile.open(path) as tar:
            for info in tar:
                folder, _, file = info.name.rpartition("/")
                stem, dot, suffix = file.partition(".")
                if not info.isfile() or not stem or not dot:
                    continue
                key = f"{folder}/{stem}".strip("./") if folder else stem
                source = Source(path=path, member=info.name, offset=info.offset_data, size=info.size)
                by_key.setdefault(key, {})[f".{suffix.lower()}"] = source
    except (tarfile.TarError, EOFError) as error:
        raise UserError(f"{path} cannot be read as a tar ({error}); build it again") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    return by_key


def _beside(members: dict[str, Source], called: str) -> Source | None:
    """A further sound of a clip: its member .without.wav, .like.flac, ..."""
    return next((members[s] for x in SOUND_SUFFIXES if (s := f".{called}{x}") in members), None)


def _words(text: Source | None, label: Source | None) -> str | None:
    """The clip's words: its .txt, or the first caption of a world label."""
    if text is not None:
        if text.size == 0:
            return None
        return text.read().decode("utf-8", "replace").strip() or None
    if label is None:
        return None
    try:
        said = json.loads(label.read()).get("captions")
    except (ValueError, AttributeError):
        return None
    return str(said[0]) if isinstance(said, list) and said else None


def is_clip(path: Path) -> bool:
    """Whether `path` is a file that may hold sound."""
    return path.is_file() and path.suffix.lower() in MEDIA


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)
