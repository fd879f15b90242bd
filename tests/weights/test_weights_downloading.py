"""Downloads from a server of this test's own: resumed, whole or not at all, refused in one line."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from weft.errors import WeightsError
from weft.weights import published
from weft.weights.downloading import address, download, size_of
from weft.weights.published import Published

DATA = bytes(range(256)) * 20_000  # 5 MB


@dataclass
class Server:
    """Serves `files`; sends at most `most` bytes of an answer, then hangs up."""

    files: dict[str, bytes] = field(default_factory=lambda: {"/net.pth": DATA})
    most: int | None = None
    ranges: bool = True
    tag: str = '"one"'
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    held = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            data = held.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            wanted, first = self.headers.get("Range"), 0
            held.asked.append(f"{self.command} {wanted or ''}".strip())
            same = self.headers.get("If-Range", held.tag) == held.tag
            if wanted and held.ranges and same:
                first = int(wanted.removeprefix("bytes=").rstrip("-"))
                if first >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(data)}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(data) - first))
            self.send_header("ETag", held.tag)
            self.end_headers()
            if body:
                self.wfile.write(data[first:][: held.most])

        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "*")

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is no error here."""

    made = Quiet(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    held.url = f"http://127.0.0.1:{made.server_port}"
    yield held
    made.shutdown()
    made.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "weights"


def given(server: Server, *, md5: str | None = None, file: str = "net.pth") -> Published:
    return Published(file=file, url=f"{server.url}/{file}", licence="MIT", md5=md5)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_is_fetched_whole_and_nothing_else_is_left(server: Server, folder: Path) -> None:
    right = given(server, md5=hashlib.md5(DATA).hexdigest())
    shares: list[float] = []
    path = download(right, progress=lambda stage, done: shares.append(done))
    assert path == folder / "net.pth"
    assert path.read_bytes() == DATA
    assert names(folder) == ["net.pth"]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert size_of(right) == len(DATA)
    download(right)
    assert server.asked.count("GET") == 1, "what is there is not fetched again"


def test_what_was_cut_short_goes_on_where_it_stopped(server: Server, folder: Path) -> None:
    server.most = 3_000_000
    with pytest.raises(WeightsError, match=r"cut short at 3\.0 of 5\.1 MB; run again"):
        download(given(server))
    assert not (folder / "net.pth").exists()
    server.most = None
    assert download(given(server)).read_bytes() == DATA
    assert server.asked[-1] == "GET bytes=3000000-"


@pytest.mark.parametrize("change", ["another file", "no ranges"])
def test_what_cannot_go_on_begins_again(server: Server, folder: Path, change: str) -> None:
    server.most = 1_000_000
    with pytest.raises(WeightsError, match="run again"):
        download(given(server))
    server.most = None
    if change == "another file":
        server.files["/net.pth"], server.tag = DATA[::-1], '"two"'
    server.ranges = change != "no ranges"
    assert download(given(server)).read_bytes() == server.files["/net.pth"]


def test_a_part_that_lacks_nothing_is_taken(server: Server, folder: Path) -> None:
    folder.mkdir()
    (folder / "net.pth.part").write_bytes(DATA)
    right = given(server, md5=hashlib.md5(DATA).hexdigest())
    assert download(right).read_bytes() == DATA
    assert names(folder) == ["net.pth"]


def test_another_sum_is_refused_and_leaves_nothing(server: Server, folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"not the published file \(its MD5 differs\): get net\.pth from"):
        download(given(server, md5="0" * 32))
    assert names(folder) == []


def test_a_file_that_is_there_and_wrong_is_not_replaced(server: Server, folder: Path) -> None:
    folder.mkdir()
    (folder / "net.pth").write_bytes(b"mine")
    with pytest.raises(WeightsError, match="remove it, then download again"):
        download(given(server, md5="0" * 32))
    assert (folder / "net.pth").read_bytes() == b"mine"
    assert server.asked == []


def test_no_server_no_file_and_no_address_are_one_line_that_says_what_to_do(
    server: Server, folder: Path
) -> None:
    page = Published(file="net.pth", url=f"{server.url}/page", licence="MIT")
    closed = Published(file="net.pth", url="http://127.0.0.1:9/net.pth", licence="MIT")
    strange = Published(file="net.pth", url="ftp://example.org/net.pth", licence="MIT")
    for wrong, said in (
        (given(server, file="gone.pth"), "answers 404"),
        (page, "is a page, not a file"),
        (closed, r"no connection to 127\.0\.0\.1:9"),
        (strange, "no address of the web"),
    ):
        with pytest.raises(WeightsError, match=said) as told:
            download(wrong)
        assert "\n" not in str(told.value)
        if wrong is not strange:
            assert str(published.place_of(wrong)) in str(told.value), "where to put it by hand"
    assert size_of(closed) is None and size_of(page) is None


def test_no_room_is_said_before_it_is_written(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(folder.parent)._replace(free=4_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match=r"no room for net\.pth: 5 MB are to come and 4 MB free"):
        download(given(server))


def test_two_downloads_of_one_file_do_not_mix(server: Server, folder: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    folder.mkdir()
    with (folder / "net.pth.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="being written by another download"):
            download(given(server))


@pytest.mark.parametrize(
    ("url", "file", "wanted"),
    [
        ("https://h.org/a/n.pth", "x/n.pth", "https://h.org/a/n.pth"),
        ("https://huggingface.co/o/m", "x/n.bin", "https://huggingface.co/o/m/resolve/main/n.bin"),
        (
            "https://github.com/o/r/releases/tag/v1",
            "n.pt",
            "https://github.com/o/r/releases/download/v1/n.pt",
        ),
        (
            "https://zenodo.org/record/39",
            "N_mAP=0.4.pth",
            "https://zenodo.org/record/39/files/N_mAP%3D0.4.pth?download=1",
        ),
        ("https://h.org/page", "n.pth", None),
    ],
)
def test_pages_tell_where_their_files_lie(url: str, file: str, wanted: str | None) -> None:
    one = Published(file=file, url=url, licence="MIT")
    assert address(one) == wanted
    assert address(one, "http://mirror/w/") == f"http://mirror/w/{file.replace('=', '%3D')}"
