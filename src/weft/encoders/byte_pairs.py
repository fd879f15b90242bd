"""CLIP's tokenizer: lower-case text to numbers, by merging pairs of bytes in the order of a published table.

Radford et al. 2021; Sennrich et al. 2016. ImageBind reads its prompts with it. The table is the user's own copy of
OpenAI's file. The reference runs ftfy over a text first; here only its two everyday repairs are made (straight quotes,
composed accents), so a text of broken encoding gives other numbers.
"""

from __future__ import annotations

import gzip
import html
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from weft.errors import WeightsError
from weft.weights import published
from weft.weights.published import Published

PUBLISHED = Published(
    file="bpe_simple_vocab_16e6.txt.gz",
    url="https://github.com/openai/CLIP/raw/main/clip/bpe_simple_vocab_16e6.txt.gz",
    licence="MIT",
    sha256="924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
)
START, END = "<|startoftext|>", "<|endoftext|>"
_MERGES = 49152 - 256 - 2
_WHOLE = (START, END, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_STRAIGHT = {
    **dict.fromkeys((0x2BC, *range(0x2018, 0x201C)), "'"),
    **dict.fromkeys(range(0x201C, 0x2020), '"'),
}


class BytePairs:
    """Text to numbers over a table of merges; the two marks have the highest numbers."""

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        self._letter = _letters()
        letters = list(self._letter.values())
        names = [*letters, *(x + "</w>" for x in letters), *("".join(pair) for pair in merges), START, END]
        self._number = {name: i for i, name in enumerate(names)}
        self._rank = {pair: i for i, pair in enumerate(merges)}

    @classmethod
    def load(cls) -> BytePairs:
        """Return the user's copy of CLIP's table. Raises WeightsError when it is missing, another or damaged."""
        path = published.path_of(PUBLISHED)
        try:
            lines = gzip.decompress(path.read_bytes()).decode().split("\n")[1 : _MERGES + 1]
        except (OSError, EOFError, ValueError) as error:
            raise WeightsError(
                f"{path} cannot be read ({error}): get it again from {PUBLISHED.url}"
            ) from error
        return cls([(a, b) for a, _, b in (line.partition(" ") for line in lines if line)])

    def numbers(self, text: str, length: int = 77) -> list[int]:
        """Return `length` numbers: the start, the pieces, the end, then zeros; a long text loses its tail."""
        found = [self._number[START]]
        for word in _words(_clean(text)):
            if len(found) >= length:
                break
            pieces = [word] if word in (START, END) else self._merged([*self._spelt(word)])
            found += [self._number[piece] for piece in pieces]
        found = [*found[: length - 1], self._number[END]]
        return found + [0] * (length - len(found))

    def _spelt(self, word: str) -> Iterator[str]:
        letters = [self._letter[byte] for byte in word.encode()]
        yield from letters[:-1]
        yield letters[-1] + "</w>"

    def _merged(self, pieces: list[str]) -> list[str]:
        while len(pieces) > 1:
            pairs = list(pairwise(pieces))
            best = min(pairs, key=lambda pair: self._rank.get(pair, len(self._rank)))
            if best not in self._rank:
                break
            merged: list[str] = []
            for piece in pieces:
                # A piece that was just joined is never the first half of the same pair again.
                if merged and (merged[-1], piece) == best:
                    merged[-1] += piece
                else:
                    merged.append(piece)
            pieces = merged
        return pieces


def _letters() -> dict[int, str]:
    """Return a letter that can be printed for every byte, in the table's order: Latin-1's printable ones first."""
    own = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in own]
    return {byte: chr(byte) for byte in own} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _clean(text: str) -> str:
    """Return `text` in lower case with straight quotes, composed accents, HTML's names resolved and single spaces."""
    plain = unicodedata.normalize("NFC", text.translate(_STRAIGHT))
    return " ".join(html.unescape(html.unescape(plain)).split()).lower()


def _words(text: str) -> Iterator[str]:
    """Yield the marks, clitics, runs of letters, single digits and runs of anything else but spaces in `text`."""
    at = 0
    while at < len(text):
        end = at + max((len(whole) for whole in _WHOLE if text.startswith(whole, at)), default=0)
        if end == at:
            kind = _kind(text[at])
            end = at + 1
            while kind not in "N " and end < len(text) and _kind(text[end]) == kind:
                end += 1
        if not text[at].isspace():
            yield text[at:end]
        at = end


def _kind(char: str) -> str:
    """L a letter, N a digit, a space, or S anything else."""
    if char.isspace():
        return " "
    category = unicodedata.category(char)[0]
    return category if category in "LN" else "S"
