"""Outputs appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from weft.errors import MediaError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def refuse_existing(path: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise MediaError when `path` is a folder, or a file that may not be replaced."""
    target = Path(path)
    if target.is_dir():
        raise MediaError(f"{target} is a folder; give the name of a file to write")
    if target.exists() and not overwrite:
        raise MediaError(f"{target} exists already; choose another name or allow overwriting")


def refuse_unwritable(path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raise MediaError when `path` could not be written now, as `written_aside` would: for work that takes long before
    it has something to write. Leaves nothing behind."""
    target = Path(path)
    refuse_existing(target, overwrite)
    _opened_aside(target).unlink(missing_ok=True)


@contextmanager
def folder_made(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Make `folder`, and those it lies in, where they are missing; an exception, Ctrl-C included, takes them away
    again, unless something was put there.

    Raises MediaError: it is a file, or may not be made.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise MediaError(f"{target} is a file; give a folder")
    missing = [one for one in (target, *target.parents) if not one.exists()]
    try:
        try:
            target.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise MediaError(f"cannot make the folder {target}: a part of that path is a file") from error
        except OSError as error:
            raise write_fault(error, target) from error
        yield
    except BaseException:
        for one in missing:
            with suppress(OSError):
                one.rmdir()
        raise


def write_fault(error: OSError, target: Path) -> MediaError:
    """The one line a person reads when `target` could not be written."""
    if error.errno in _NO_ROOM:
        return MediaError(f"no room left to write {target}; free some space in {target.parent} and try again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MediaError(f"cannot write {target}: the folder {target.parent} is read-only")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        instead = ", it is a file" if target.parent.is_file() else ""
        return MediaError(f"cannot write {target}: the folder {target.parent} does not exist{instead}")
    return MediaError(f"cannot write {target}: {os.strerror(error.errno) if error.errno else error}")


@contextmanager
def written_aside(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; rename it to `path` when the block ends well.

    The temporary name keeps the suffix, so that whatever guesses a format by name guesses right. On any
    exception, Ctrl-C included, the temporary file is removed and the folder is as it was. Without
    `overwrite`, a file that appears at `path` while the block runs is not replaced either.

    Raises MediaError: `path` exists, its folder is missing or read-only, the disk is full.
    """
    target = Path(path)
    refuse_existing(target, overwrite)
    aside = _opened_aside(target)
    try:
        yield aside
        if overwrite:
            aside.replace(target)
        else:
            _rename_to_new(aside, target)
    except OSError as error:
        raise write_fault(error, target) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _opened_aside(target: Path) -> Path:
    """Make the empty file beside `target` that is then written."""
    aside = target.with_name(f".{target.stem[:100]}.{secrets.token_hex(4)}.part{target.suffix}")
    try:
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise write_fault(error, target) from error
    return aside


def _rename_to_new(aside: Path, target: Path) -> None:
    try:
        os.link(aside, target)  # unlike rename, refuses to replace a file that appeared meanwhile
    except OSError:  # one did, or a file system without hard links
        refuse_existing(target, overwrite=False)
        aside.rename(target)
