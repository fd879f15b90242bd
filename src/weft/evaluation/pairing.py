"""Which predicted sound belongs to which reference: folders, a table, or WebDataset shards.

Folders and shards pair by the names that `gathering.py` gives their clips. A table is a CSV (`pair_tables.py`). What
finds no partner is listed, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from weft.errors import UserError
from weft.evaluation.gathering import Gathered, gathered, is_clip
from weft.evaluation.pair_tables import COLUMNS, of_table
from weft.evaluation.pairs import Pair, Pairing
from weft.evaluation.sources import Source, film_among


def pair(reference: Path, predicted: Path | None) -> Pairing:
    """Pair what `reference` and `predicted` name: two folders, two tars (or folders of them), two files, or one CSV.

    Raises UserError: nothing there, nothing pairs, two files of one name, a table that cannot be read.
    """
    if reference.suffix.lower() == ".csv":
        if predicted is not None:
            raise UserError(f"{reference} is a table and names both sides; leave {predicted} out")
        return of_table(reference)
    if predicted is None:
        raise UserError(f"give the predicted sounds too, or a CSV with the columns {', '.join(COLUMNS[:2])}")
    for path in (reference, predicted):
        if not path.exists():
            raise UserError(f"{path} does not exist; give a folder, a CSV, a shard (.tar) or a file")
    if is_clip(reference) and is_clip(predicted):
        one = Pair(
            name=reference.stem,
            reference=Source(path=reference),
            predicted=Source(path=predicted),
            video=film_among(Source(path=reference), Source(path=predicted)),
        )
        return Pairing(pairs=(one,))
    if is_clip(reference) != is_clip(predicted):
        raise UserError(f"{reference} and {predicted} are not of one kind: give two folders, tars or files")
    return _joined(gathered(reference), gathered(predicted), reference, predicted)


def _joined(
    true: dict[str, Gathered], made: dict[str, Gathered], reference: Path, predicted: Path
) -> Pairing:
    both = sorted(true.keys() & made.keys())
    if not both:
        raise UserError(
            f"nothing pairs: {len(true)} clips in {reference} ({_few(true)}), {len(made)} in {predicted} "
            f"({_few(made)}); name them alike, or use a CSV"
        )
    pairs = tuple(
        Pair(
            name=name,
            reference=true[name].sound,
            predicted=made[name].sound,
            video=true[name].film or made[name].film,
            text=true[name].text,
            cues=true[name].cues,
            without=made[name].without,
            like=true[name].like or made[name].like,
            maps=true[name].maps,
            predicted_maps=made[name].maps,
        )
        for name in both
    )
    return Pairing(
        pairs=pairs,
        only_reference=tuple(sorted(true.keys() - made.keys())),
        only_predicted=tuple(sorted(made.keys() - true.keys())),
    )


def _few(names: Iterable[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:3]) + (", ..." if len(some) > 3 else "") if some else "none"
