"""The files of AudioLDM's published repositories, as a user's copies have them: a folder a part, two forms of some.

Weights come as a pickle or as safetensors, whichever a copy has; the tokenizer as its own table or as one file. No sums
are published. All are CC-BY-NC-SA 4.0 (cvssp/audioldm-*).
"""

from __future__ import annotations

from weft.errors import UserError, WeightsError
from weft.weights import published
from weft.weights.published import Published

LICENCE = "CC-BY-NC-SA 4.0"
LONGEST_S = 30.0
"""AudioLDM was trained on 10 s and plays all of a clip at once; attention over it grows with the square of its length,
and what it makes of more than three times what it knows is not worth waiting for."""
WORKING = 1_200_000_000
"""Bytes beside the weights: Python, the libraries, and what layers hand to each other."""
HEARD_BYTES = 4_600_000_000
"""What a guided step keeps of 10 s for its gradient, through autoencoder and vocoder."""

_UNET_MB = {"audioldm-s-full-v2": 740, "audioldm-m-full": 1664, "audioldm-l-full": 2957}
_FORMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "scheduler": (("scheduler_config.json",),),
    "unet": (
        ("config.json", "diffusion_pytorch_model.bin"),
        ("config.json", "diffusion_pytorch_model.safetensors"),
    ),
    "vae": (
        ("config.json", "diffusion_pytorch_model.bin"),
        ("config.json", "diffusion_pytorch_model.safetensors"),
    ),
    "vocoder": (("config.json", "pytorch_model.bin"), ("config.json", "model.safetensors")),
    "text_encoder": (("config.json", "pytorch_model.bin"), ("config.json", "model.safetensors")),
    "tokenizer": (
        ("tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt"),
        ("tokenizer_config.json", "tokenizer.json"),
    ),
}
_MB = {"vae": 222, "vocoder": 221, "text_encoder": 501}
REPOSITORIES = tuple(_UNET_MB)


def files(name: str) -> tuple[Published, ...]:
    """The files of a repository: of a part with two forms the one that is here, the first where neither is. Raises
    UserError for an unknown repository."""
    known(name)
    return tuple(one for part in _FORMS for one in _part(name, part))


def known(name: str) -> None:
    """Raises UserError unless there is such a repository."""
    if name not in REPOSITORIES:
        raise UserError(f"no AudioLDM {name!r}; choose {', '.join(REPOSITORIES)}")


def require_files(name: str) -> None:
    """Raise WeightsError, one line that says how many are missing, from where they come and what to do."""
    given = files(name)
    missing = [one.file for one in given if not published.place_of(one).is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise WeightsError(
            f"{name} lacks {missing[0]}{more} of its {len(given)} files (from https://huggingface.co/cvssp/{name}, "
            f"licence {LICENCE}, {size_mb(name)} MB): put them into {published.folder()}, or run: "
            f"weft models download {name}"
        )


def size_mb(name: str) -> int:
    """Weights on disk, of 1e6 bytes."""
    return _UNET_MB[name] + sum(_MB.values())


def playing_bytes(name: str, *, by_sound: bool) -> int:
    """About how much memory a take needs, or one that is guided by its sound."""
    return size_mb(name) * 1_000_000 + WORKING + (HEARD_BYTES if by_sound else 0)


def sums(name: str) -> dict[str, str]:
    """SHA-256 of every file, by its name."""
    return {one.file: published.sha256(published.path_of(one)) for one in files(name)}


def _part(name: str, part: str) -> tuple[Published, ...]:
    forms = [tuple(_published(name, part, file) for file in form) for form in _FORMS[part]]
    here = (form for form in forms if all(published.place_of(one).is_file() for one in form))
    return next(here, forms[0])


def _published(name: str, part: str, file: str) -> Published:
    heavy = file.endswith((".bin", ".safetensors"))
    megabytes = (_UNET_MB[name] if part == "unet" else _MB.get(part)) if heavy else None
    return Published(
        file=f"{name}/{part}/{file}",
        url=f"https://huggingface.co/cvssp/{name}/resolve/main/{part}/{file}",
        licence=LICENCE,
        megabytes=megabytes,
    )
