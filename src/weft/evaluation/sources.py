"""Where a clip's bytes lie: a file, or a member of a tar. Known by what it holds, not by what it is called."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from weft.errors import MediaError

SOUND_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff")
FILM_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts")
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Source:
    """`path` is a file; with `member` the `size` bytes from `offset` on in it, one member of a tar."""

    path: Path
    member: str = ""
    offset: int = 0
    size: int | None = None

    @property
    def suffix(self) -> str:
        """The lower-case suffix that says what kind of file it is."""
        return Path(self.member or self.path.name).suffix.lower()

    @property
    def is_film(self) -> bool:
        """Whether it may hold pictures."""
        return self.suffix in FILM_SUFFIXES

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    def read(self) -> bytes:
        """Return the bytes. Raises MediaError: missing, not readable, empty, cut short."""
        return b"".join(self._blocks())

    def sha256(self) -> str:
        """Return the hexadecimal SHA-256 of the bytes. Raises MediaError as `read` does."""
        digest = hashlib.sha256()
        for block in self._blocks():
            digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def as_file(self) -> Iterator[Path]:
        """Give a path under which a decoder finds the bytes: a member of a tar is copied aside."""
        if not self.member:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="weft-eval-") as folder:
            path = Path(folder) / f"member{self.suffix}"
            path.write_bytes(self.read())
            yield path

    def _blocks(self) -> Iterator[bytes]:
        left = self.size
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                given = 0
                while left is None or left > 0:
                    block = file.read(_BLOCK if left is None else min(_BLOCK, left))
                    if not block:
                        break
                    given += len(block)
                    left = None if left is None else left - len(block)
                    yield block
        except FileNotFoundError:
            raise MediaError(f"{self} does not exist; check the name") from None
        except OSError as error:
            raise MediaError(f"{self} cannot be read: {error.strerror or error}") from error
        if given == 0:
            raise MediaError(f"{self} is empty")
        if left:
            raise MediaError(f"{self} is cut short: {left} bytes are missing at its end")


def film_among(*sources: Source) -> Source | None:
    """Return the first source that may hold pictures."""
    return next((s for s in sources if s.is_film), None)
