"""What a clip's cue sheet says is true of it, when it sounds and where in the picture, and what it asks of a take."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import Clip, CueSheet
from weft.cues.vocabulary import MATERIALS
from weft.errors import CueError, MediaError
from weft.evaluation.cache import key
from weft.evaluation.features import ENVELOPE_S, Arrays, Feature
from weft.evaluation.reading import Window
from weft.evaluation.sources import Source
from weft.media.caching import Cache

_LONG_S = 3600.0  # of a sheet that does not say how long its clip is
_CUES = Feature(name="cues", of="text", make=dict, identity='{"feature": "cues", "version": 3}')


def kept_truth(source: Source, window: Window, cache: Cache) -> dict[str, Arrays]:
    """Return `truth`, from the cache where these bytes have been read before. Raises as `truth` does."""
    name = key(source.sha256(), _CUES, window)
    known = cache.load(name)
    if known is not None:
        out: dict[str, dict[str, NDArray[Any]]] = {}
        for place, values in known.items():
            kind, _, array = place.partition(".")
            out.setdefault(kind, {})[array] = values
        return dict(out)
    found = truth(source, window)
    cache.save(name, {f"{kind}.{array}": v for kind, arrays in found.items() for array, v in arrays.items()})
    return found


def truth(source: Source, window: Window) -> dict[str, Arrays]:
    """Return what a cue sheet, or the sheet in a world label, says of the window; what it does not say is left out.

    - "cues": onset `times` `[n]`; "tracks": `t` `[m]` and `x` `[m, 2]`, the left and right edges of the first track's
      boxes, as fractions;
    - "asked pan": `times` and `pan` `[n]` of the onsets; "asked depth": their `times`, `strength` and `depth`;
    - "asked envelope": `rms`, one each 10 ms, over what the sheet lasts;
    - "asked material", "asked prompt" and "asked away": the `material` (its place in MATERIALS) that all onsets, the
      prompt or the negative prompt name; "negative": the `words` of the negative prompt, as UTF-8.

    Times are seconds into the window. Raises CueError or MediaError.
    """
    text = source.read().decode("utf-8-sig", "replace")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CueError(f"{source}: not JSON ({error})") from error
    if isinstance(document, dict) and isinstance(document.get("sheet"), dict):
        text = json.dumps(document["sheet"])
    try:
        sheet = CueSheet.from_json(text, clip=Clip(duration=window.duration_s or _LONG_S))
    except CueError as error:
        raise CueError(f"{source}: {error}") from error
    out: dict[str, Arrays] = {}
    if sheet.when.onsets is not None:
        times = np.array([o.t for o in sheet.when.onsets], dtype=np.float64)
        out["cues"] = {"times": np.sort(times[_within(times, window)] - window.start_s)}
    if sheet.where.tracks:
        track = sheet.where.tracks[0]
        at = np.asarray(track.t, dtype=np.float64)
        keep = _within(at, window)
        if keep.any():
            at, first = np.unique(at[keep] - window.start_s, return_index=True)
            out["tracks"] = {"t": at, "x": np.asarray(track.box, dtype=np.float64)[keep][first][:, [0, 2]]}
    return out | _asked(sheet, window)


def read_maps(source: Source) -> NDArray[Any]:
    """Return the saliency maps `[T, H, W]` of a .npy file. Raises MediaError: damaged, another shape."""
    try:
        maps = np.load(io.BytesIO(source.read()), allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise MediaError(f"{source} is no array of numpy ({error}); save it with numpy.save") from error
    if not isinstance(maps, np.ndarray) or maps.ndim != 3 or maps.dtype.kind not in "fiub":
        raise MediaError(f"{source} must hold numbers [T, H, W], not {getattr(maps, 'shape', 'an archive')}")
    return maps


def _asked(sheet: CueSheet, window: Window) -> dict[str, Arrays]:
    """What the dials of a sheet ask for."""
    out: dict[str, Arrays] = {}
    onsets = [o for o in sheet.when.onsets or () if _within(np.array(o.t), window)]
    times = np.array([o.t for o in onsets], dtype=np.float64)
    if onsets and sheet.where.tracks:
        at = times - window.start_s
        out["asked pan"] = {"times": at, "pan": np.asarray(sheet.pan_at(times))}
        if any(t.depth is not None for t in sheet.where.tracks):
            strength = np.array([o.strength for o in onsets], dtype=np.float64)
            out["asked depth"] = {
                "times": at,
                "strength": strength,
                "depth": np.asarray(sheet.depth_at(times)),
            }
    if sheet.when.envelope is not None:
        curve = sheet.when.envelope
        lasts = sheet.clip.duration if sheet.clip.duration < _LONG_S else curve.rms.size * curve.hop
        end = min(lasts - window.start_s, window.duration_s or _LONG_S)
        steps = window.start_s + np.arange(max(int(end / ENVELOPE_S), 1)) * ENVELOPE_S
        out["asked envelope"] = {"rms": curve.at(steps)}
    struck = {o.material for o in onsets}
    prompt, negative = (_materials(words) for words in (sheet.what.prompt, sheet.what.negative))
    for name, said in (("asked material", struck), ("asked prompt", prompt), ("asked away", negative)):
        (only,) = said if len(said) == 1 else (None,)
        if only is not None:
            out[name] = {"material": np.array(MATERIALS.index(only))}
    if (sheet.what.negative or "").strip():
        words = (sheet.what.negative or "").strip().encode()
        out["negative"] = {"words": np.frombuffer(words, np.uint8)}
    return out


def _materials(words: str | None) -> set[str | None]:
    """The materials that words name by their own names."""
    return set(re.findall(r"[a-z]+(?:-[a-z]+)*", (words or "").lower())) & set(MATERIALS)


def _within(times: np.ndarray, window: Window) -> np.ndarray:
    end = np.inf if window.duration_s is None else window.start_s + window.duration_s
    return np.asarray((times >= window.start_s) & (times < end))
