"""Published weights fetched from where their authors put them: only when asked, resumable, whole or not at all.

A file grows as `NAME.part` beside its place and is renamed once it has its size and its published sum. What was
interrupted goes on where it stopped, if the server still has the same file.
"""

from __future__ import annotations

import http.client
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from weft.errors import WeightsError
from weft.progress import Progress, silent
from weft.weights import published
from weft.weights.published import Published

STAGE = "download"
TIMEOUT_S = 60.0
_BLOCK = 1 << 20
_CUT = (http.client.HTTPException, ConnectionError, TimeoutError)


def address(given: Published, mirror: str | None = None) -> str | None:
    """Return the address of the file itself; None where its page must be visited.

    `mirror` is a folder on a server that holds files under their official names. Pages of Hugging Face, of GitHub's
    releases and of Zenodo's records tell where their files lie.
    """
    if mirror is not None:
        return f"{mirror.rstrip('/')}/{quote(given.file)}"
    name, url = Path(given.file).name, given.url.rstrip("/")
    if Path(urlsplit(url).path).name == name:
        return url
    if re.fullmatch(r"https://huggingface\.co/[^/]+/[^/]+", url):
        return f"{url}/resolve/main/{quote(name)}"
    if "/releases/tag/" in url:
        return f"{url.replace('/releases/tag/', '/releases/download/')}/{quote(name)}"
    if re.fullmatch(r"https://zenodo\.org/records?/\d+", url):
        return f"{url}/files/{quote(name)}?download=1"
    return None


def size_of(given: Published, mirror: str | None = None) -> int | None:
    """Ask the server for the bytes of a file; None when it does not say, or cannot be reached."""
    url = address(given, mirror)
    if url is None:
        return None
    try:
        with urllib.request.urlopen(_request(url, method="HEAD"), timeout=TIMEOUT_S) as answer:
            return _length(answer)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def download(given: Published, *, mirror: str | None = None, progress: Progress = silent) -> Path:
    """Fetch a file to its place and return it; one that is there and right is left as it is.

    Raises WeightsError in one line: another file lies there, no address, no connection, no room, cut short, or its sum
    is not the published one.
    """
    target = published.place_of(given)
    if target.exists():
        if (kind := published.differs(given, target)) is not None:
            raise WeightsError(
                f"{target} is not the published file (its {kind} differs): remove it, then download again"
            )
        return target
    url = address(given, mirror)
    by_hand = f"get {given.file} from {given.url} by hand and put it at {target}"
    if url is None:
        raise WeightsError(f"{given.url} is a page, not a file: {by_hand}")
    if urlsplit(url).scheme not in ("http", "https"):
        raise WeightsError(f"{url} is no address of the web; give one that begins with http:// or https://")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part) as sink:
            _fill(sink, part, url, bool(given.sha256 or given.md5 or given.git), progress)
    except urllib.error.HTTPError as error:
        raise WeightsError(f"{url} answers {error.code} {error.reason}: {by_hand}") from error
    except urllib.error.URLError as error:
        raise WeightsError(f"no connection to {urlsplit(url).netloc} ({error.reason}): {by_hand}") from error
    except _CUT as error:
        raise WeightsError(
            f"the connection broke ({error}); run again: it goes on where it stopped"
        ) from error
    except OSError as error:
        raise WeightsError(f"cannot write {part}: {error.strerror or error}") from error
    if (kind := published.differs(given, part)) is not None:
        _forget(part)
        raise WeightsError(f"what came from {url} is not the published file (its {kind} differs): {by_hand}")
    part.replace(target)
    _forget(part)
    return target


def _fill(sink: IO[bytes], part: Path, url: str, checked: bool, progress: Progress) -> None:
    """Add to the open `part` what it lacks of `url`. Raises WeightsError for no room or an early end, OSError."""
    have, tag = part.stat().st_size, _tag_of(part)
    tagged = tag.read_text() if tag.is_file() else ""
    headers = {}
    if have and (tagged or checked):
        headers["Range"] = f"bytes={have}-"
        if tagged:
            headers["If-Range"] = tagged
    try:
        answer = urllib.request.urlopen(_request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range", "").endswith(f"/{have}"):
            return  # nothing is lacking
        raise
    with answer:
        if answer.status != 206:
            have = 0
            sink.truncate(0)
        tag.write_text(answer.headers.get("ETag", ""))
        length = _length(answer)
        total = None if length is None else have + length
        free = shutil.disk_usage(part.parent).free
        if length is not None and length > free:
            raise WeightsError(
                f"no room for {part.name.removesuffix('.part')}: {length / 1e6:.0f} MB are to come and "
                f"{free / 1e6:.0f} MB free in {part.parent}; free some, or name another folder in WEFT_WEIGHTS"
            )
        while block := answer.read(_BLOCK):
            sink.write(block)
            have += len(block)
            progress(STAGE, have / total if total else 0.0)
    if total is not None and have != total:
        raise WeightsError(
            f"{url} was cut short at {have / 1e6:.1f} of {total / 1e6:.1f} MB; run again: it goes on where it stopped"
        )


@contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """Open `part` to add to it, unless another process does so now."""
    with part.open("ab") as sink:
        try:
            import fcntl

            fcntl.flock(sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows
            pass
        except BlockingIOError:
            raise WeightsError(f"{part} is being written by another download; wait for it") from None
        yield sink


def _request(
    url: str, *, headers: dict[str, str] | None = None, method: str = "GET"
) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"User-Agent": "weft", **(headers or {})}, method=method)


def _length(answer: http.client.HTTPResponse) -> int | None:
    said = answer.headers.get("Content-Length", "")
    return int(said) if said.isdigit() else None


def _tag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_of(part).unlink(missing_ok=True)
