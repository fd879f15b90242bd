"""CLIP's tokenizer against the numbers of ImageBind's own, over a small table of merges."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from drawn_weights import golden
from hypothesis import given
from hypothesis import strategies as st

from weft.encoders.byte_pairs import PUBLISHED, BytePairs
from weft.errors import WeightsError

GOLDEN = golden("byte_pairs")
TABLE = BytePairs([tuple(pair.split(" ")) for pair in GOLDEN["merges"]])  # type: ignore[misc]


@pytest.mark.parametrize(("text", "numbers"), [*zip(GOLDEN["texts"], GOLDEN["numbers"], strict=True)])
def test_numbers_are_the_references(text: str, numbers: list[int]) -> None:
    assert TABLE.numbers(text) == numbers


@given(st.text(max_size=200))
def test_every_text_has_a_start_and_an_end_and_77_numbers(text: str) -> None:
    numbers = TABLE.numbers(text)
    assert len(numbers) == 77
    assert numbers[0] == GOLDEN["size"] - 2
    assert max(numbers) == GOLDEN["size"] - 1


def test_a_long_text_keeps_its_end_mark() -> None:
    numbers = TABLE.numbers("wood " * 90, length=10)
    assert numbers == [GOLDEN["size"] - 2, *[525] * 8, GOLDEN["size"] - 1]


def test_the_table_is_the_users_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"no bpe_simple_vocab_16e6\.txt\.gz in .*openai/CLIP.*MIT"):
        BytePairs.load()
    (tmp_path / PUBLISHED.file).write_bytes(gzip.compress(b"another table"))
    with pytest.raises(WeightsError, match="not the published file"):
        BytePairs.load()
