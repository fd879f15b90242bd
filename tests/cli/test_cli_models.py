"""`weft models`: which files, where they lie, whether they are right, and fetching them."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from weft.cli.models import files_of, table
from weft.evaluation.embedders import EMBEDDERS
from weft.systems.table import SYSTEMS

Ran = tuple[int, str, str]
NAME = "vggish"


@pytest.fixture
def run(
    weft_command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """Run `weft ARGS` in this process with folders of the test's own -> (exit status, stdout, stderr)."""
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    return weft_command


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def test_every_system_and_embedder_of_others_has_its_files() -> None:
    own = {"weft", "log-mel-statistics"}
    systems = {name for name, spec in SYSTEMS.items() if spec.files()}
    assert set(table()) == systems | (set(EMBEDDERS) - own)
    for name, files in table().items():
        assert files, name
        for one in files:
            assert one.file and one.licence and one.url.startswith("https://")


def test_list_and_path_say_what_is_here(run: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mmaudio_small_16k.pth").write_bytes(b"x")
    status, out, _ = run("models", "list")
    assert status == 0
    assert "mmaudio-small-16k          1 of 6 files here  CC-BY-NC 4.0; MIT" in out
    status, out, _ = run("models", "path", "mmaudio-small-16k")
    assert status == 0
    assert f"{tmp_path / 'weights' / 'mmaudio_small_16k.pth'}  here" in out
    assert f"{tmp_path / 'weights' / 'v1-16.pth'}  missing" in out
    assert "(CC-BY-NC 4.0, 629 MB)" in out
    rows = json.loads(run("models", "path", "mmaudio-small-16k", "--json")[1])["files"]
    assert rows[0]["md5"] == "af93cde404179f58e3919ac085b8033b"
    assert json.loads(run("models", "list", "--json")[1])["folder"] == str(tmp_path / "weights")


def test_unknown_names_are_one_line_and_exit_2(run: Callable[..., Ran]) -> None:
    status, out, err = run("models", "path", "mmaudio-small-16")
    assert (status, out) == (2, "") and "did you mean mmaudio-small-16k" in err and err.count("\n") == 1
    assert "weft-mini" in run("models", "download", "weft-mini")[2]


def test_verify_tells_right_from_wrong_and_missing(run: Callable[..., Ran], tmp_path: Path) -> None:
    assert run("models", "verify")[:2] == (0, f"no published file in {tmp_path / 'weights'}\n")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mmaudio_small_16k.pth").write_bytes(b"x")
    status, out, _ = run("models", "verify")
    assert status == 1 and "another file: its MD5 differs" in out and out.count("\n") == 1
    status, out, _ = run("models", "verify", "mmaudio-small-16k")
    assert status == 1 and out.count("missing") == 5


def test_download_says_size_and_licence_first_and_fetches(
    run: Callable[..., Ran], mirror: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = mirror
    for one in files_of(NAME):
        monkeypatch.setitem(vars(one), "sha256", None)
        (folder / one.file).write_bytes(b"x" * 3_000_000)
    status, out, _ = run("models", "download", NAME, "--mirror", url)
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == f"vggish-10086976.pth: 3 MB, licence Apache-2.0, from {url}"
    assert lines[-1] == str(tmp_path / "weights" / "vggish-10086976.pth")
    assert (tmp_path / "weights" / "vggish-10086976.pth").stat().st_size == 3_000_000
    assert json.loads(run("models", "download", NAME, "--json")[1])["files"] == [lines[-1]], (
        "nothing to fetch"
    )


def test_download_of_another_file_and_without_a_server_fail_in_one_line(
    run: Callable[..., Ran], mirror: tuple[str, Path], tmp_path: Path
) -> None:
    url, folder = mirror
    (folder / "mmaudio_small_16k.pth").write_bytes(b"x")
    status, _, err = run("models", "download", "mmaudio-small-16k", "--mirror", url)
    assert status == 2 and "MD5 differs" in err and err.count("\n") == 1
    status, _, err = run("models", "download", "mmaudio-small-16k", "--mirror", "http://127.0.0.1:9")
    assert status == 2 and "no connection to 127.0.0.1:9" in err and "put it at" in err
    assert list((tmp_path / "weights").iterdir()) == [] or not any((tmp_path / "weights").glob("*.pth"))
