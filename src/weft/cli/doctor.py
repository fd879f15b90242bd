"""What this machine has and lacks, one line each."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from typing import Literal

EXTRAS = {
    "world": ("mujoco", "pyroomacoustics", "webdataset"),
    "eval": ("librosa", "mir_eval", "sklearn"),
    "systems": ("diffusers", "transformers"),
}
CORE = ("torch", "numpy", "scipy", "av", "soundfile", "soxr", "pyloudnorm", "safetensors", "typer", "rich")


@dataclass(frozen=True)
class Finding:
    """One line of the examination: `ok` is False for something weft cannot do without."""

    name: str
    ok: bool
    detail: str
    needed: bool = True


def _version(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except ImportError:
        return None
    names = importlib.metadata.packages_distributions().get(module, [module])
    return importlib.metadata.version(names[0])


def _codecs() -> Finding:
    import av

    def lacks(name: str, mode: Literal["r", "w"]) -> bool:
        try:
            av.Codec(name, mode)
        except av.error.FFmpegError:
            return True
        return False

    missing = [name for name in ("h264", "hevc", "vp9") if lacks(name, "r")]
    missing += [name for name in ("aac", "libopus", "flac") if lacks(name, "w")]
    detail = f"missing {', '.join(missing)}" if missing else "h264 hevc vp9 in; aac opus flac out"
    return Finding("codecs", "aac" not in missing, detail)


def _drawing() -> Finding:
    from ctypes.util import find_library

    found = [name for name in ("OSMesa", "EGL") if find_library(name)]
    detail = ", ".join(found) or "none; the world's pictures need libosmesa6 or EGL"
    return Finding("off-screen OpenGL", bool(found), detail, needed=False)


def _cache() -> Finding:
    from weft.errors import UserError
    from weft.media import caching, pruning

    root = caching.folder()
    try:
        limit = pruning.limit_gb()
    except UserError as error:
        return Finding("feature cache", False, str(error))
    found = pruning.held(root)
    return Finding(
        "feature cache",
        True,
        f"{found.size / 1e9:.2f} of at most {limit:g} GB, {found.files} files in {root}",
    )


def examine() -> list[Finding]:
    """Look at Python, the libraries, codecs, weights, processors and disk; never raises for what is missing."""
    from weft import __version__, weights

    found = [Finding("weft", True, __version__)]
    found.append(
        Finding(
            "python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}"
        )
    )
    for module in CORE:
        version = _version(module)
        found.append(Finding(module, version is not None, version or "missing: pip install weft-foley"))
    found.append(_codecs())
    for name in weights.EMBEDDED:
        try:
            size = weights.path_of(name).stat().st_size
            found.append(
                Finding(f"weights {name}", True, f"{size / 1e6:.1f} MB, sha256 {weights.sha256(name)[:12]}")
            )
        except weights.WeightsError as error:
            found.append(Finding(f"weights {name}", False, str(error)))
    for extra, modules in EXTRAS.items():
        lacking = [m for m in modules if _version(m) is None]
        detail = f"lacks {', '.join(lacking)}: pip install 'weft-foley[{extra}]'" if lacking else "installed"
        found.append(Finding(f"extra [{extra}]", not lacking, detail, needed=False))
    found.append(_cache())
    found.append(_drawing())
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none; the processor is used"
    found.append(Finding("GPU", torch.cuda.is_available(), device, needed=False))
    found.append(
        Finding("processors", True, f"{os.cpu_count()} cores, {torch.get_num_threads()} torch threads")
    )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    found.append(
        Finding("temporary space", free > 1e9, f"{free / 1e9:.0f} GB free in {tempfile.gettempdir()}")
    )
    return found
