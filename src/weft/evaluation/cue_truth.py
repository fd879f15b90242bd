"""What a clip's cue sheet says is true of it: when it sounds, and where in the picture."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import Clip, CueSheet
from weft.errors import CueError
from weft.evaluation.cache import Cache, key
from weft.evaluation.features import Arrays, Feature
from weft.evaluation.reading import Window
from weft.evaluation.sources import Source

_CUES = Feature(name="cues", of="text", make=dict, identity='{"feature": "cues", "version": 1}')


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
    """Return "cues", onset `times` `[n]`, and "tracks", `t` `[m]` and `x` `[m, 2]`, of a cue sheet or a world label.

    Times are seconds into the window, what lies outside it is left out; `x` are the left and right edges of the first
    track's boxes, as fractions. What the sheet does not say is left out. Raises CueError or MediaError.
    """
    text = source.read().decode("utf-8-sig", "replace")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CueError(f"{source}: not JSON ({error})") from error
    if isinstance(document, dict) and isinstance(document.get("sheet"), dict):
        text = json.dumps(document["sheet"])
    try:
        sheet = CueSheet.from_json(text, clip=Clip(duration=window.duration_s or 3600.0))
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
        at, first = np.unique(at[keep] - window.start_s, return_index=True)
        out["tracks"] = {"t": at, "x": np.asarray(track.box, dtype=np.float64)[keep][first][:, [0, 2]]}
    return out


def _within(times: np.ndarray, window: Window) -> np.ndarray:
    end = np.inf if window.duration_s is None else window.start_s + window.duration_s
    return np.asarray((times >= window.start_s) & (times < end))
