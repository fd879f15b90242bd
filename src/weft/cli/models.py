"""What `weft models` does: the published files each name needs, where they lie, whether they are right, fetching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weft.cli.console import Console
from weft.cues.words import closest
from weft.errors import UserError
from weft.weights import published
from weft.weights.published import Published


def table() -> dict[str, tuple[Published, ...]]:
    """The files of every system and embedder that runs on files of others."""
    from weft.evaluation.published_files import FILES
    from weft.systems.table import SYSTEMS

    systems = {spec.name: spec.files() for spec in SYSTEMS.values() if spec.files()}
    return systems | {name: files() for name, files in FILES.items()}


def files_of(name: str) -> tuple[Published, ...]:
    """The files of a name. Raises UserError naming the closest known one."""
    known = table()
    if name not in known:
        near = closest(name, known)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(known)}"
        raise UserError(f"no files of others belong to {name!r}; {hint}")
    return known[name]


def list_models(console: Console) -> None:
    rows = []
    for name, files in table().items():
        here = [one for one in files if published.place_of(one).is_file()]
        licences = list(dict.fromkeys(one.licence for one in files))
        rows.append({"name": name, "files": len(files), "here": len(here), "licences": licences})
        console.say(f"{name:<26} {len(here)} of {len(files)} files here  {'; '.join(licences)}")
    console.say(f"in {published.folder()}; weft models path NAME says more")
    console.result({"folder": str(published.folder()), "models": rows})


def tell_places(console: Console, name: str) -> None:
    rows = [_row(one) for one in files_of(name)]
    for row in rows:
        console.say(f"{row['path']}  {'here' if row['here'] else 'missing'}")
        size = f", {row['megabytes']} MB" if row["megabytes"] else ""
        console.say(f"  from {row['url']}  ({row['licence']}{size})")
    console.result({"name": name, "files": rows})


def verify_models(console: Console, name: str | None) -> None:
    if name is not None:
        given = files_of(name)
    else:
        every = {one.file: one for files in table().values() for one in files}
        given = tuple(one for one in every.values() if published.place_of(one).is_file())
    rows: list[dict[str, Any]] = []
    for one in given:
        path = published.place_of(one)
        state = "missing"
        if path.is_file():
            kind = published.differs(one, path)
            known = one.sha256 or one.md5 or one.git
            state = (
                f"another file: its {kind} differs"
                if kind
                else "right"
                if known
                else "here, no sum is published"
            )
        rows.append({**_row(one), "state": state})
        console.say(f"{path}  {state}")
    if not given:
        console.say(f"no published file in {published.folder()}")
    console.result({"files": rows})
    if any(row["state"] == "missing" or row["state"].startswith("another") for row in rows):
        raise SystemExit(1)


def download_model(console: Console, name: str, *, mirror: str | None) -> None:
    from weft.weights.downloading import download, size_of

    given = files_of(name)
    missing = [one for one in given if not published.place_of(one).is_file()]
    for one in missing:
        bytes_ = size_of(one, mirror)
        told = (
            f"{bytes_ / 1e6:.0f} MB" if bytes_ else f"{one.megabytes} MB" if one.megabytes else "size unknown"
        )
        console.say(f"{one.file}: {told}, licence {one.licence}, from {mirror or one.url}")
    made: list[Path] = []
    for one in given:
        with console.progress() as progress:
            made.append(download(one, mirror=mirror, progress=progress))
        console.say(f"{made[-1]}")
    console.result({"name": name, "files": [str(path) for path in made]})


def _row(one: Published) -> dict[str, Any]:
    path = published.place_of(one)
    return {
        "file": one.file,
        "path": str(path),
        "here": path.is_file(),
        "url": one.url,
        "licence": one.licence,
        "megabytes": one.megabytes,
        "sha256": one.sha256,
        "md5": one.md5,
    }
