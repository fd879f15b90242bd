"""Turn clips and captions into the shards that `weft train recipes/mmaudio_*.toml` learns from.

    python recipes/embed_clips.py CLIPS CAPTIONS.csv --out SHARDS --encoders mmaudio-16k --device cuda
    python recipes/embed_clips.py CLIPS CAPTIONS.csv --out SHARDS --encoders own

CAPTIONS.csv has a header `file,caption` (a .tsv, the same with tabs). Put films and sounds into folders of their own:
they are told apart as training data. Stopped, it goes on with the shards that are missing; several processes share
the work as --share 0/4, 1/4, ... Clips that cannot be used are named, and the exit status is then 1.

The published encoders are MMAudio's; docs/training.md says which files they need and where.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from weft.errors import WeftError
from weft.training.extraction import captioned, embed
from weft.training.extractors import KINDS, extractor


def share(text: str) -> tuple[int, int]:
    k, _, n = text.partition("/")
    return int(k), int(n)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="folder of clips")
    parser.add_argument("captions", type=Path, help="table of captions")
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--encoders", choices=KINDS, default="own")
    parser.add_argument("--device", default="cpu", help="of the published encoders")
    parser.add_argument("--per-shard", type=int, default=256, help="clips a shard")
    parser.add_argument("--film-windows", type=int, default=1, help="windows of a film at most")
    parser.add_argument("--sound-windows", type=int, default=5, help="windows of a sound at most")
    parser.add_argument("--share", type=share, default=(0, 1), metavar="K/N", help="every N-th shard from K")
    given = parser.parse_args()
    clips = captioned(given.clips, given.captions)
    done = embed(
        clips,
        extractor(given.encoders, given.device),
        given.out,
        per_shard=given.per_shard,
        film_windows=given.film_windows,
        sound_windows=given.sound_windows,
        share=given.share,
        progress=lambda stage, part: print(f"{stage} {100 * part:.0f}%", flush=True),
    )
    print(
        f"{given.out}: {done.shards} shards, {done.examples} examples written now, {len(done.failed)} clips left out"
    )
    for name, why in done.failed.items():
        print(f"left out {name}: {why}", file=sys.stderr)
    if done.failed:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except WeftError as error:
        print(f"weft: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
