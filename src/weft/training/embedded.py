"""Training examples as encoders left them: tar shards that WebDataset can stream and that can be read at random.

An example is two members of a shard, `KEY.safetensors` (its tensors) and `KEY.json` (its words and where it is from). A
folder of shards has one `made_of.json`: what made the tensors, and their shapes. Shards are written whole and renamed,
so work that was stopped goes on with the shards that are missing.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from weft.errors import UserError
from weft.media.atomic import written_aside

MADE_OF = "made_of.json"
NO_WORDS = "no_words.safetensors"
PARTS = ("mean", "std", "clip", "sync", "text")


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """An example. mean, std `[T, C]` of the latent's posterior; text `[Lt, D]`; clip `[Lc, D]` and sync `[Ls, D]`, None
    without pictures; caption: the words; source: the file and second that it begins at."""

    key: str
    mean: Tensor
    std: Tensor
    text: Tensor
    clip: Tensor | None = None
    sync: Tensor | None = None
    caption: str = ""
    source: dict[str, Any] = field(default_factory=dict)


def write_shard(path: Path, examples: Iterable[Example], *, half: bool = True) -> int:
    """Write examples in order, tensors in bfloat16 if `half`; returns how many.

    Raises UserError when a key holds a dot or a slash, or comes twice, or the shard is there already.
    """
    from safetensors.torch import save

    seen = set[str]()
    with written_aside(path) as aside, tarfile.open(aside, "w") as tar:
        for one in examples:
            if one.key in seen or not one.key or set(one.key) & set("./"):
                raise UserError(
                    f"{path.name}: bad or repeated key {one.key!r}; give each example a name without . or /"
                )
            seen.add(one.key)
            tensors = {name: value for name in PARTS if (value := getattr(one, name)) is not None}
            kept = {k: v.to(torch.bfloat16 if half else v.dtype).contiguous() for k, v in tensors.items()}
            note = {"caption": one.caption, "source": one.source, "pictures": one.clip is not None}
            _add(tar, f"{one.key}.json", json.dumps(note).encode())
            _add(tar, f"{one.key}.safetensors", save(kept))
    return len(seen)


def claim(folder: Path, made_of: dict[str, Any], no_words: Tensor) -> None:
    """Say what makes the shards of `folder`, creating it, and keep what the text encoder answers to "" `[Lt, D]`.

    Raises UserError when others were made there otherwise.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MADE_OF).is_file():
        same_makers(read_made_of(folder), made_of, folder)
        return
    with written_aside(folder / NO_WORDS, overwrite=True) as aside:
        aside.write_bytes(save({"text": no_words.contiguous()}))
    with written_aside(folder / MADE_OF) as aside:
        aside.write_text(json.dumps(made_of, indent=1) + "\n")


def read_made_of(folder: Path) -> dict[str, Any]:
    """What made the shards of `folder`. Raises UserError when it does not say."""
    try:
        return json.loads((folder / MADE_OF).read_text())
    except (OSError, ValueError) as error:
        raise UserError(
            f"no readable {MADE_OF} in {folder}: name a folder that recipes/embed_clips.py wrote ({error})"
        ) from error


def same_makers(one: dict[str, Any], other: dict[str, Any], folder: Path) -> None:
    """Raise UserError, naming the first difference, unless two folders were made of the same encoders."""
    for key in sorted(one.keys() | other.keys()):
        if key != "about" and one.get(key) != other.get(key):
            raise UserError(
                f"{folder} was made of {key} {one.get(key)}, not {other.get(key)}: embed into another folder, "
                "or train on folders of one kind"
            )


class Embedded:
    """All examples of some folders, by number. Files are opened once and read at random, by any number of threads."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Raises UserError for a folder without shards, or folders made of different encoders."""
        self.made_of: dict[str, Any] = {}
        self.folders = list(folders)
        self._files: list[int] = []
        self._spans: list[tuple[int, int, int]] = []  # file, offset and length of the tensors
        self._notes: list[tuple[int, int, int]] = []
        for folder in folders:
            made_of = read_made_of(folder)
            if self.made_of:
                same_makers(made_of, self.made_of, folder)
            self.made_of = self.made_of or made_of
            shards = sorted(folder.glob("*.tar"))
            if not shards:
                raise UserError(
                    f"no .tar shards in {folder}: embed clips into it with recipes/embed_clips.py first"
                )
            for shard in shards:
                self._index(shard)

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """The tensors of an example, by name, float32."""
        from safetensors.torch import load

        file, offset, length = self._spans[number]
        return {k: v.float() for k, v in load(os.pread(self._files[file], length, offset)).items()}

    def no_words(self) -> Tensor:
        """What the text encoder answers to "", `[Lt, D]`."""
        from safetensors.torch import load_file

        return load_file(self.folders[0] / NO_WORDS)["text"].float()

    def note(self, number: int) -> dict[str, Any]:
        """What is written of an example: caption, source, whether it has pictures."""
        file, offset, length = self._notes[number]
        return json.loads(os.pread(self._files[file], length, offset))

    def close(self) -> None:
        """Close the files."""
        while self._files:
            os.close(self._files.pop())

    def _index(self, shard: Path) -> None:
        file = len(self._files)
        self._files.append(os.open(shard, os.O_RDONLY))
        with tarfile.open(shard) as tar:
            for member in tar:
                place = (file, member.offset_data, member.size)
                (self._notes if member.name.endswith(".json") else self._spans).append(place)


def statistics(examples: Embedded, most: int) -> tuple[Tensor, Tensor]:
    """Mean and deviation `[C]` of the posterior means, over time and `most` examples spread over all."""
    picks = range(0, len(examples), max(1, len(examples) // most))
    count, total, square = 0, torch.zeros(()), torch.zeros(())
    for number in picks:
        mean = examples[number]["mean"].double()
        count, total, square = count + len(mean), total + mean.sum(0), square + mean.square().sum(0)
    centre = total / count
    return centre.float(), ((square / count - centre.square()) * count / max(1, count - 1)).sqrt().float()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
