"""The rows of the timeline that show sound: envelope, waveform and spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weft.cues.conversions import rms_envelope
from weft.cues.sheet import Envelope
from weft.cues.timeline_rows import DEEP, KEY, PANEL, SEA_PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOWEST_HZ, HIGHEST_HZ, RANGE_DB = 50.0, 20000.0, 72.0

Floats = NDArray[np.float64]


def envelope(
    axes: Axes,
    given: Envelope | None,
    sound: NDArray[np.floating] | None,
    rate: int,
    width: int,
    *,
    shape: bool = False,
) -> None:
    """The cue's envelope as an area, the take's own as a line over it; RMS, full scale. With `shape`, the cue says when
    and how much more than elsewhere, not how loud in all: it is drawn to the take's height."""
    cue = None if given is None else _thinned(given.times, given.rms, width)
    take = None
    if sound is not None:
        hop = max(1, round(0.0029 * rate), sound.shape[1] // 2**20)
        own = rms_envelope(sound, rate, max(1, round(0.0116 * rate)), hop)
        take = _thinned(own.times, own.rms, width)
    if shape and cue is not None and take is not None:
        cue = cue[0], cue[1] * (take[1].max() / max(float(cue[1].max()), 1e-9))
    drawn: list[Any] = []
    if cue is not None:
        label = "cue, its shape" if shape else "cue"
        drawn.append(axes.fill_between(*cue, color=SEA_PALE, linewidth=0, label=label, zorder=2))
    if take is not None:
        drawn += axes.plot(*take, color=DEEP, linewidth=1.0, label="take", zorder=3)
    top = max([1e-3, *(float(level.max()) for _, level in filter(None, (cue, take)))])
    axes.set_ylim(0, top * (1.4 if len(drawn) > 1 else 1.12))  # the key stands above what is drawn
    axes.set_yticks([top], [f"{20 * np.log10(top):.0f} dB"])
    if len(drawn) > 1:
        axes.legend(loc="upper right", ncols=2, **KEY)


def waveform(axes: Axes, sound: NDArray[np.floating], rate: int, width: int) -> None:
    """The highest sample under each pixel: left channel upwards, right channel downwards."""
    columns = int(np.clip(round(sound.shape[1] / rate / axes.get_xlim()[1] * width), 1, width))
    up, down = _peaks(sound[0], columns), _peaks(sound[-1], columns)
    edges = np.linspace(0, sound.shape[1] / rate, up.size + 1)
    top = max(1e-4, up.max(), down.max())
    axes.stairs(up, edges, baseline=-down, fill=True, color=DEEP, linewidth=0)
    axes.axhline(0, color="white", linewidth=0.8)
    axes.set_ylim(-1.08 * top, 1.08 * top)
    axes.set_yticks([top / 2, -top / 2], ["L", "R"] if len(sound) > 1 else ["", ""])


def spectrum(axes: Axes, sound: NDArray[np.floating], rate: int, size: tuple[int, int]) -> None:
    """Power by log frequency (dB, 72 below the loudest), both channels together."""
    from matplotlib.colors import LinearSegmentedColormap

    width, height = size
    highest = min(HIGHEST_HZ, rate / 2)
    edges = np.geomspace(LOWEST_HZ, highest, height + 1)
    level = 10 * np.log10(np.maximum(log_spectrogram(sound, rate, edges, width), 1e-20))
    loudest = max(float(level.max()), -80.0)
    ink = LinearSegmentedColormap.from_list(
        "ink", [PANEL, "#dbe9ea", "#9fcac8", "#4d9a98", "#1f5f73", "#1b3350", "#101a2c"]
    )
    end = sound.shape[1] / rate
    axes.imshow(level, extent=(0, end, 0, height), origin="lower", aspect="auto", cmap=ink, vmin=loudest - RANGE_DB,
                vmax=loudest, interpolation="bilinear")  # fmt: skip
    marks = [(hz, name) for hz, name in ((100, "100 Hz"), (1000, "1 kHz"), (10000, "10 kHz")) if hz < highest]
    places = [height * np.log(hz / LOWEST_HZ) / np.log(highest / LOWEST_HZ) for hz, _ in marks]
    axes.set_yticks(places, [name for _, name in marks])
    axes.set_ylim(0, height)


def log_spectrogram(sound: NDArray[np.floating], rate: int, edges: Floats, columns: int) -> Floats:
    """Mean power between neighbouring `edges` (Hz), [bands, columns]: Hann windows of about 46 ms, spread evenly
    over the sound; where they cannot cover it all, four to a column, the loudest kept."""
    window = 1 << int(np.ceil(np.log2(0.04 * rate)))
    n = sound.shape[1]
    per_column = 4 if n > columns * window else 1
    starts = ((np.arange(columns * per_column) + 0.5) * n / (columns * per_column)).astype(int) - window // 2
    hann = np.hanning(window + 2)[1:-1].astype(np.float32)
    power = np.zeros((starts.size, window // 2 + 1))
    for channel in sound:
        for at in range(0, starts.size, 512):
            block = starts[at : at + 512, None] + np.arange(window)
            inside = (block >= 0) & (block < n)
            pieces = np.where(inside, channel[np.clip(block, 0, n - 1)], np.float32(0)) * hann
            power[at : at + 512] += np.square(np.abs(np.fft.rfft(pieces, axis=1))) / (hann.sum() / 2) ** 2
    power = power.reshape(columns, per_column, -1).max(axis=1) / len(sound)
    # Integrate over frequency once, then read each band as a difference: narrow low bands share a bin smoothly.
    total = np.concatenate([np.zeros((columns, 1)), np.cumsum(power, axis=1)], axis=1)
    place = np.clip(edges / rate * window + 0.5, 0, power.shape[1])
    low = np.minimum(place.astype(int), power.shape[1] - 1)
    at_edge = total[:, low] + power[:, low] * (place - low)
    return (np.diff(at_edge, axis=1) / np.maximum(np.diff(place), 1e-9)).T


def _thinned(times: Floats, values: Floats, columns: int) -> tuple[Floats, Floats]:
    """At most two points a pixel, the highest of each stretch kept."""
    if values.size <= 2 * columns:
        return times, values
    starts = np.linspace(0, values.size, 2 * columns, endpoint=False).astype(int)
    return times[starts], np.maximum.reduceat(values, starts)


def _peaks(samples: NDArray[np.floating], columns: int) -> Floats:
    columns = min(columns, samples.size)
    starts = np.linspace(0, samples.size, columns, endpoint=False).astype(int)
    return np.maximum(np.maximum.reduceat(samples, starts), -np.minimum.reduceat(samples, starts)).astype(
        np.float64
    )
