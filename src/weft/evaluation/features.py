"""What is read off one sound, picture or text, once: everything that metrics then compare.

A feature is a function from a clip to named arrays. It is kept in the cache under its identity (name and version, or
an embedder's name, SHA-256 and windowing), so raise `version` when a function changes what it returns. Adding one is
one entry here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from weft.evaluation.reading import Sound, Window

Arrays = Mapping[str, NDArray[Any]]
Of = Literal["sound", "picture", "text"]
FLOW_FPS = 25.0
_FLOW_SIZE = (96, 72)
_ONSET_PEAK = 0.5
_LIBROSA_HZ = 22050
LEVELS_HZ = 1000
ENVELOPE_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A film on disk, and the part of it that is measured."""

    path: Path
    window: Window


@dataclass(frozen=True, kw_only=True)
class Feature:
    """`make` turns a `Sound`, `Picture` or str into arrays; `identity` tells its results from all others'."""

    name: str
    of: Of
    make: Callable[[Any], Arrays]
    identity: str


def _feature(name: str, version: int, make: Callable[[Any], Arrays], of: Of = "sound") -> Feature:
    identity = json.dumps({"feature": name, "version": version}, sort_keys=True)
    return Feature(name=name, of=of, make=make, identity=identity)


def facts(sound: Sound) -> Arrays:
    """What the file is: own rate, channels and length, the length measured, its largest sample, and 32 bytes that tell
    its samples from others."""
    return {
        "rate": np.array(sound.native_rate),
        "channels": np.array(sound.native_channels),
        "seconds": np.array(sound.seconds),
        "measured_s": np.array(sound.wave.shape[1] / sound.rate),
        "peak": np.array(np.abs(sound.wave).max()),
        "samples": np.frombuffer(bytes.fromhex(sound.samples), np.uint8),
    }


def onsets(sound: Sound) -> Arrays:
    """Onset times (s) and confidences of the sound brought to a peak of 0.5, so that gain decides nothing."""
    from weft.metrics import onset

    peak = float(np.abs(sound.wave).max())
    times, confidence = onset.detect(sound.wave * (_ONSET_PEAK / max(peak, 1e-4)), sound.rate)
    return {"times": times, "confidence": confidence}


def envelope(sound: Sound) -> Arrays:
    """The RMS envelope of weft.metrics.envelope, and its step in s."""
    from weft.metrics import envelope as measured

    return {
        "rms": measured.rms(sound.wave).astype(np.float32),
        "step": np.array(measured.HOP / sound.rate),
    }


def e_l1_fol_ai(sound: Sound) -> Arrays:
    """The envelope of E-L1's preset "fol-ai"."""
    return _e_l1(sound, "fol-ai")


def e_l1_video_foley(sound: Sound) -> Arrays:
    """The envelope of E-L1's preset "video-foley"."""
    return _e_l1(sound, "video-foley")


def e_l1_t_foley(sound: Sound) -> Arrays:
    """The envelope of E-L1's preset "t-foley"."""
    return _e_l1(sound, "t-foley")


def _e_l1(sound: Sound, preset: str) -> Arrays:
    from weft.metrics import e_l1

    return {"rms": e_l1.envelope(sound.native[None], sound.native_rate, preset).astype(np.float32)}


def mel(sound: Sound) -> Arrays:
    """The log-mel spectrogram `[C, 64, F]` in dB."""
    from weft.metrics import spectrum

    return {"db": spectrum.mel_db(sound.wave, sound.rate).astype(np.float32)}


def pan(sound: Sound) -> Arrays:
    """Per frame of 1024 samples: pan, level difference in dB, and whether it is loud enough to count; needs stereo."""
    from weft.metrics import space

    place, active = space.pan(sound.wave)
    return {
        "pan": place.astype(np.float32),
        "ild": space.ild(sound.wave).astype(np.float32),
        "active": active.astype(np.uint8),
        "step": np.array(space.FRAME / sound.rate),
    }


def places(sound: Sound) -> Arrays:
    """Where each onset heard is, by the 50 ms after it: `pan` by the levels, `delay` (s) of the right channel behind
    the left; onsets under -50 dB full scale are left out. Needs stereo."""
    from weft.metrics import azimuth, space

    times = np.asarray(onsets(sound)["times"], np.float64)
    length = round(space.BLOW_S * sound.rate)
    blows = [sound.wave[:, s : s + length] for s in np.round(times * sound.rate).astype(int)]
    loud = [b.size > 0 and np.square(b).mean() > 10 ** (space.ACTIVE_DB / 10) for b in blows]
    times = times[np.array(loud, bool)]
    delays = [azimuth.delay(b, sound.rate) for b, heard in zip(blows, loud, strict=True) if heard]
    return {
        "times": times,
        "pan": space.blow_pan(sound.wave, times, sound.rate),
        "delay": np.array(delays, np.float64),
    }


def levels(sound: Sound) -> Arrays:
    """What obedience to a cue sheet is read off: the `rms` of the channels together each 10 ms (FoleyGRAM eq. 5), and
    `amplitude` `[C, T]`, the RMS of each channel in every millisecond, the resolution of a sheet's times."""
    from weft.cues.conversions import rms_envelope

    wave, rate = sound.wave, sound.rate
    edges = np.round(np.arange(round(wave.shape[1] / rate * LEVELS_HZ) + 1) / LEVELS_HZ * rate).astype(int)
    total = np.concatenate(
        [np.zeros((len(wave), 1)), np.cumsum(np.square(wave, dtype=np.float64), axis=1)], 1
    )
    edges = np.minimum(edges, wave.shape[1])
    power = (total[:, edges[1:]] - total[:, edges[:-1]]) / np.maximum(np.diff(edges), 1)
    times = np.arange(int(wave.shape[1] / rate / ENVELOPE_S)) * ENVELOPE_S
    return {
        "rms": rms_envelope(wave, rate).at(times).astype(np.float32),
        "amplitude": np.sqrt(np.maximum(power, 0)).astype(np.float32),
    }


def itself(sound: Sound) -> Arrays:
    """The numbers of weft.metrics.sound."""
    from weft.metrics import sound as described

    return {k: np.array(v) for k, v in vars(described.evaluate(sound.wave, sound.rate)).items()}


def condfoley(sound: Sound) -> Arrays:
    """Onsets in samples and the mono wave, at 22.05 kHz: what CondFoleyGen's score looks at."""
    from weft.evaluation.reading import resampled
    from weft.metrics import condfoley as theirs

    wave = resampled(sound.native[None], sound.native_rate, theirs.RATE)[0]
    return {"samples": theirs.onsets(wave), "wave": wave}


def mmaudio_onsets(sound: Sound) -> Arrays:
    """Onsets in samples and the mono wave, at 22.05 kHz, of the first 8 s: what MMAudio's score looks at."""
    from weft.evaluation.reading import resampled
    from weft.metrics import condfoley
    from weft.metrics import mmaudio_onsets as theirs

    wave = resampled(sound.native[None], sound.native_rate, condfoley.RATE)[0]
    wave = wave[: theirs.SECONDS * condfoley.RATE]
    return {"samples": condfoley.onsets(wave), "wave": wave}


def librosa_onsets(sound: Sound) -> Arrays:
    """The onsets (s) of librosa's own detector as it is, of the mono wave at 22.05 kHz: what the published forms of
    AV-Align hear."""
    from weft.evaluation.reading import resampled
    from weft.media.compiled import librosa

    wave = resampled(sound.native[None], sound.native_rate, _LIBROSA_HZ)[0]
    return {"times": librosa().onset.onset_detect(y=wave, sr=_LIBROSA_HZ, units="time")}


def flow_peaks(picture: Picture) -> Arrays:
    """The local maxima (s) of the mean optical flow of a film read at 25 pictures a second (AV-Align)."""
    import torch

    from weft.media.video import Video
    from weft.spotting.flow import lucas_kanade

    film = Video.open(picture.path, picture.window.start_s, picture.window.duration_s)
    frames = film.frames(FLOW_FPS, _FLOW_SIZE)
    grey = torch.from_numpy(frames).float().mean(-1)
    speed = np.zeros(len(grey))
    for first in range(0, len(grey) - 1, 64):
        flow = lucas_kanade(grey[first : first + 65][:-1], grey[first : first + 65][1:])
        speed[first + 1 : first + 1 + len(flow)] = flow.norm(dim=1).mean((1, 2)).numpy()
    peaks = np.flatnonzero((speed[1:-1] > speed[:-2]) & (speed[1:-1] >= speed[2:])) + 1
    return {"times": peaks / FLOW_FPS, "seconds": np.array(film.duration)}


FEATURES = {
    f.name: f
    for f in (
        _feature("facts", 2, facts),
        _feature("onsets", 1, onsets),
        _feature("envelope", 1, envelope),
        _feature("e-l1 fol-ai", 1, e_l1_fol_ai),
        _feature("e-l1 video-foley", 1, e_l1_video_foley),
        _feature("e-l1 t-foley", 1, e_l1_t_foley),
        _feature("mel", 1, mel),
        _feature("pan", 1, pan),
        _feature("places", 1, places),
        _feature("levels", 1, levels),
        _feature("sound", 1, itself),
        _feature("condfoley", 1, condfoley),
        _feature("mmaudio onsets", 1, mmaudio_onsets),
        _feature("librosa onsets", 1, librosa_onsets),
        _feature("flow peaks", 1, flow_peaks, "picture"),
    )
}
