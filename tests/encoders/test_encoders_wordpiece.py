"""Our tokenizer against the `tokenizers` library, piece for piece."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.encoders.wordpiece import UNKNOWN, WordPiece

VOCABULARY = [
    UNKNOWN,
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("##" + c for c in "abcdefghijklmnopqrstuvwxyz0123456789"),
    *"-.,!?'\"()/+$^~…—中",
    "glass",
    "wood",
    "##en",
    "##s",
    "table",
    "cafe",
    "strasse",
    "ß",
]
SENTENCES = (
    "",
    "   \t\n ",
    "A spoon taps a wine glass",
    "wooden tables, glass!",
    "Café CAFÉ cafe\u0301 naïve",
    "don't stop-me/now (please)",
    "GROẞE Straße",
    "木の机を叩く",
    "hit中glass",
    "🥁 drum 👩‍👩‍👧",
    "zero\u200bwidth\u00adsoft\ufeffmark nul\x00l \ufffd",
    "no\u00a0break\u3000space\u2028line",
    "… — “quoted” $5 +3 ^ ~",
    "x" * 100 + " " + "x" * 101,
    "İstanbul ıIiİ ΑΣ ΣΑΣ",
    "e\u0301\u0327 ﬁsh ①",
)


def reference():  # type: ignore[no-untyped-def]
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordPiece(
        {p: i for i, p in enumerate(VOCABULARY)}, unk_token=UNKNOWN, max_input_chars_per_word=100
    )
    theirs = tokenizers.Tokenizer(model)
    theirs.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return theirs


@pytest.mark.parametrize("text", SENTENCES)
def test_agrees_on_awkward_sentences(text: str) -> None:
    assert WordPiece(VOCABULARY).pieces(text) == reference().encode(text).tokens


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(max_codepoint=0x2FF), max_size=60))
def test_agrees_on_any_latin_text(text: str) -> None:
    assert WordPiece(VOCABULARY).pieces(text) == reference().encode(text).tokens


def test_longest_piece_first() -> None:
    assert WordPiece(VOCABULARY).pieces("woodens") == ["wood", "##en", "##s"]
    assert WordPiece(VOCABULARY).pieces("wood中🥁") == ["wood", "中", UNKNOWN]


def test_a_vocabulary_needs_the_unknown_piece() -> None:
    with pytest.raises(ValueError, match="lacks"):
        WordPiece(["a"])
