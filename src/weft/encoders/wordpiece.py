"""BERT's tokenizer, the part a prompt needs: lower case without accents, split on punctuation, longest pieces first.

Wu et al. 2016 (WordPiece), Devlin et al. 2019 (basic normalisation). Agrees piece for piece with the `tokenizers`
library's BertNormalizer, BertPreTokenizer and WordPiece over the same vocabulary (a test holds it to that).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

UNKNOWN = "[UNK]"
_LONGEST_WORD = 100
_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Text to piece numbers over a fixed vocabulary; pieces that continue a word start with "##"."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self._number = {piece: i for i, piece in enumerate(self.vocabulary)}
        if UNKNOWN not in self._number:
            raise ValueError(f"the vocabulary lacks {UNKNOWN}")
        self.unknown = self._number[UNKNOWN]

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of `text`; a word with no cover by known pieces is one "[UNK]"."""
        return [self.vocabulary[i] for i in self.numbers(text)]

    def numbers(self, text: str) -> list[int]:
        """Return the piece numbers of `text`, [] for an empty text. No special pieces are added."""
        return [number for word in words(text) for number in self._word(word)]

    def _word(self, word: str) -> list[int]:
        unknown = [self.unknown]
        if len(word) > _LONGEST_WORD:
            return unknown
        out: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._number.get(("##" if start else "") + word[start:end])
                if number is not None:
                    out.append(number)
                    start = end
                    break
            else:
                return unknown
        return out


def words(text: str) -> Iterator[str]:
    """Yield the words and punctuation marks of `text`, normalised: lower case, no accents, no control characters."""
    word = ""
    for char in normalise(text):
        if char.isspace() or is_punctuation(char):
            if word:
                yield word
            word = ""
            if not char.isspace():
                yield char
        else:
            word += char
    if word:
        yield word


def normalise(text: str) -> str:
    """Return `text` as BERT cleans it: plain spaces, CJK characters apart, NFD without its marks, lower case."""
    kept: list[str] = []
    for char in text:
        code = ord(char)
        if code in (0, 0xFFFD) or _is_control(char):
            continue
        if char in "\t\n\r" or unicodedata.category(char) == "Zs" or char.isspace():
            kept.append(" ")
        elif any(low <= code <= high for low, high in _CJK):
            kept.append(f" {char} ")
        else:
            kept.append(char)
    plain = (c for c in unicodedata.normalize("NFD", "".join(kept)) if unicodedata.category(c) != "Mn")
    return "".join(plain).lower()


def is_punctuation(char: str) -> bool:
    """Return whether `char` splits words: ASCII symbols count too ("+", "$", "^")."""
    code = ord(char)
    ascii_symbol = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return ascii_symbol or unicodedata.category(char).startswith("P")


def _is_control(char: str) -> bool:
    return char not in "\t\n\r" and unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co")
