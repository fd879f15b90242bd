"""Which predicted sound belongs to which reference: folders, a table, or WebDataset shards.

Folders pair by name: the path within the folder without its suffix, and without the `.weft` that `weft generate` adds.
A table is a CSV (`pair_tables.py`). Shards are tars (or a folder of them) whose members share a key up to the first
dot. What finds no partner is listed, never dropped.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UserError
from weft.evaluation.pair_tables import COLUMNS, of_table
from weft.evaluation.pairs import Pair, Pairing
from weft.evaluation.sources import FILM_SUFFIXES, SOUND_SUFFIXES, Source, film

MEDIA = (*SOUND_SUFFIXES, *FILM_SUFFIXES)


def pair(reference: Path, predicted: Path | None) -> Pairing:
    """Pair what `reference` and `predicted` name: two folders, two tars (or folders of them), two files, or one CSV.

    Raises UserError: nothing there, nothing pairs, two files of one name, a table that cannot be read.
    """
    if reference.suffix.lower() == ".csv":
        if predicted is not None:
            raise UserError(f"{reference} is a table and names both sides; leave {predicted} out")
        return of_table(reference)
    if predicted is None:
        raise UserError(f"give the predicted sounds too, or a CSV with the columns {', '.join(COLUMNS[:2])}")
    for path in (reference, predicted):
        if not path.exists():
            raise UserError(f"{path} does not exist; give a folder, a CSV, a shard (.tar) or a file")
    if _is_clip(reference) and _is_clip(predicted):
        one = Pair(
            name=reference.stem,
            reference=Source(path=reference),
            predicted=Source(path=predicted),
            video=film(Source(path=reference), Source(path=predicted)),
        )
        return Pairing(pairs=(one,))
    if _is_clip(reference) != _is_clip(predicted):
        raise UserError(f"{reference} and {predicted} are not of one kind: give two folders, tars or files")
    return _joined(_clips(reference), _clips(predicted), reference, predicted)


@dataclass(frozen=True, kw_only=True)
class _Clip:
    sound: Source
    film: Source | None = None
    text: str | None = None
    cues: Source | None = None
    maps: Source | None = None


def _joined(true: dict[str, _Clip], made: dict[str, _Clip], reference: Path, predicted: Path) -> Pairing:
    both = sorted(true.keys() & made.keys())
    if not both:
        raise UserError(
            f"nothing pairs: {len(true)} clips in {reference} ({_few(true)}), {len(made)} in {predicted} "
            f"({_few(made)}); name them alike, or use a CSV"
        )
    pairs = tuple(
        Pair(
            name=name,
            reference=true[name].sound,
            predicted=made[name].sound,
            video=true[name].film or made[name].film,
            text=true[name].text,
            cues=true[name].cues,
            maps=true[name].maps,
            predicted_maps=made[name].maps,
        )
        for name in both
    )
    return Pairing(
        pairs=pairs,
        only_reference=tuple(sorted(true.keys() - made.keys())),
        only_predicted=tuple(sorted(made.keys() - true.keys())),
    )


def _few(names: Iterable[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:3]) + (", ..." if len(some) > 3 else "") if some else "none"


def _clips(place: Path) -> dict[str, _Clip]:
    """Every clip of a folder or of shards by its name."""
    if place.is_file():
        if place.suffix.lower() != ".tar":
            raise UserError(f"{place} is no folder, CSV, shard (.tar) or media file")
        return _of_shards([place])
    files = sorted(p for p in place.rglob("*") if p.is_file() and not _hidden(p.relative_to(place)))
    shards = [p for p in files if p.suffix.lower() == ".tar"]
    found: dict[str, _Clip] = _of_shards(shards)
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
        found[name] = _Clip(sound=source, film=film(source))
    if not found:
        raise UserError(f"no sounds in {place}; looked for {', '.join(MEDIA)} and .tar")
    return found


def _of_shards(paths: list[Path]) -> dict[str, _Clip]:
    found: dict[str, _Clip] = {}
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
            found[name] = _Clip(
                sound=(sounds or films)[0],
                film=films[0] if films else None,
                text=_words(members.get(".txt"), written),
                cues=written,
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


def _words(text: Source | None, label: Source | None) -> str | None:
    """The clip's words: its .txt, or the first caption of a world label."""
    if text is not None:
        return text.read().decode("utf-8", "replace").strip() or None
    if label is None:
        return None
    try:
        said = json.loads(label.read()).get("captions")
    except (ValueError, AttributeError):
        return None
    return str(said[0]) if isinstance(said, list) and said else None


def _is_clip(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in MEDIA


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)
