"""Other people's weights: found where the user put them, refused with what to do when they are missing or wrong."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from weft.errors import WeightsError
from weft.weights import published
from weft.weights.published import Published


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    return tmp_path


def given(name: str, sha256: str | None = None) -> Published:
    return Published(file=name, url="https://example.org/net", licence="MIT", sha256=sha256)


def test_a_missing_file_says_which_from_where_and_under_which_licence(folder: Path) -> None:
    with pytest.raises(WeightsError) as told:
        published.load(given("net.pth"))
    for part in ("net.pth", str(folder), "https://example.org/net", "MIT", "WEFT_WEIGHTS"):
        assert part in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_was_saved_is_loaded_into_the_network(folder: Path, suffix: str) -> None:
    torch.manual_seed(0)
    there, here = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    state = {k: v.contiguous() for k, v in there.state_dict().items()}
    path = folder / f"net{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    published.fit(here, published.load(given(path.name, digest)), given(path.name))
    assert torch.equal(here.weight, there.weight)
    with torch.device("meta"):
        nowhere = torch.nn.Linear(3, 2)
    published.fit(nowhere, published.load(given(path.name)), given(path.name))
    assert torch.equal(nowhere.bias, there.bias)


def test_another_file_of_the_same_name_is_refused(folder: Path) -> None:
    (folder / "net.pth").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        published.load(given("net.pth", "0" * 64))


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("sha256", "1b465fa6b6bcbc06a3199e3d2d8aec35d37494a712f888b6d5536684dd89d0f0"),
        ("sha256", "1b465fa6"),  # as much of it as the file's name tells
        ("md5", "fad624b28208abf62b4d0db65c04757b"),
        ("git", "05424f2a4c8a54450a2dcca24ca1f089332afa91"),
    ],
)
def test_a_file_is_known_by_the_sum_that_is_published(folder: Path, kind: str, own: str) -> None:
    (folder / "net.pth").write_bytes(b"weights\n")
    known = replace(given("net.pth"), **{kind: own})
    assert published.path_of(known) == folder / "net.pth"
    (folder / "net.pth").write_bytes(b"weight\n")
    with pytest.raises(WeightsError, match="differs"):
        published.path_of(known)


def test_a_damaged_file_is_refused_in_one_line(folder: Path) -> None:
    (folder / "net.pth").write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"cannot be read.*get it again"):
        published.load(given("net.pth"))


def test_a_pickle_that_would_run_code_is_refused(folder: Path) -> None:
    torch.save({"net": torch.nn.Linear(1, 1)}, folder / "net.pth")  # a whole object, not its numbers
    with pytest.raises(WeightsError, match="cannot be read") as told:
        published.load(given("net.pth"))
    assert "\n" not in str(told.value)


def test_numpy_numbers_beside_the_weights_do_no_harm(folder: Path) -> None:
    beside = {"at": np.arange(3), "best": np.float64(0.5), "loss": np.float32(2)}
    torch.save({"model": {"w": torch.ones(2)}, "sampler": beside}, folder / "net.pth")
    held = published.load(given("net.pth"))
    assert torch.equal(published.part(held, "model", given("net.pth"))["w"], torch.ones(2))
    with pytest.raises(WeightsError, match=r"net.pth has no 'state_dict' in it: get the published file"):
        published.part(held, "state_dict", given("net.pth"))


def test_keys_and_shapes_that_do_not_fit_are_listed() -> None:
    net = torch.nn.Linear(3, 2)
    tensors = {"weight": torch.zeros(2, 4), "scale": torch.zeros(1)}
    with pytest.raises(WeightsError, match=r"missing \['bias'\].*unexpected \['scale'\].*shape \['weight'\]"):
        published.fit(net, tensors, given("net.pth"))


def test_a_file_known_by_its_md5_alone_is_checked_by_it(folder: Path) -> None:
    torch.save({"a": torch.ones(2)}, folder / "net.pth")
    digest = hashlib.md5((folder / "net.pth").read_bytes(), usedforsecurity=False).hexdigest()
    right = Published(file="net.pth", url="https://example.org/net", licence="MIT", md5=digest)
    assert torch.equal(published.load(right)["a"], torch.ones(2))
    wrong = Published(file="net.pth", url="https://example.org/net", licence="MIT", md5="0" * 32)
    with pytest.raises(WeightsError, match=r"is not the published file \(its MD5 differs\)"):
        published.load(wrong)
