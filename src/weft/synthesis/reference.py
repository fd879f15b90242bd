"""A recording of one struck thing -> a voice that rings and hisses like it.

The clearest blow is cut out; its modes are peaks of a long spectrum whose height falls as a straight line in
dB (decay fit per mode), their gains a least-squares fit to the wave; what is left over gives the body: level
per octave and T60 in bands. After van den Doel, Kry & Pai 2001 (FoleyAutomatic, measured modal models).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import butter, find_peaks, sosfilt

from weft.errors import UserError
from weft.synthesis.materials import Friction
from weft.synthesis.modal import contact_spectrum
from weft.synthesis.voice import Voice

_MODES = 40
_LONGEST_S = 3.0
_CONTACT_S = 0.0003
_ANCHORS_HZ = np.array([80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0, 10240.0, 16000.0])
_PROMINENCE_DB = 14.0
_STEPS = 128


def analyse(wave: np.ndarray, rate: int = 44100, *, name: str = "reference", level_db: float = -9.0) -> Voice:
    """wave [C, N] or [N] of a struck object (one blow or several; the clearest is used) -> Voice.

    level_db: the peak a full blow shall have, dBFS (a recording's own level says nothing).
    Raises UserError when the recording is silent, shorter than 20 ms or holds numbers that are not finite.
    """
    mono = np.atleast_2d(np.asarray(wave, dtype=np.float64))
    if mono.shape[1] < 0.02 * rate:
        raise UserError(f"reference sound of {mono.shape[1] / rate:.3f} s is too short: give 20 ms or more")
    if not np.isfinite(mono).all():
        raise UserError("reference sound holds values that are not finite: export it again")
    # One channel, not the mean: microphones apart would comb each other.
    mono = mono[int(np.argmax((mono**2).sum(axis=1)))]
    if np.abs(mono).max() < 1e-5:
        raise UserError("reference sound is silent: give a recording of one struck object")
    blow = clearest_blow(mono, rate)
    blow = blow / np.abs(blow).max()
    hz, decay = _find_modes(blow, rate)
    hz, decay, gain, ringing = _fit_gains(blow, hz, decay, rate)
    rest = blow - ringing
    body_db, body_t60 = _body(rest, rate)
    tone = float(np.abs(ringing).max())
    noise = float(np.abs(rest[: int(0.1 * rate)]).max())
    centroid = spectral_centroid(blow, rate)
    return Voice(
        name=name,
        mode_hz=hz,
        mode_decay=decay,
        mode_gain=gain / np.maximum(contact_spectrum(hz, _CONTACT_S), 0.1),
        modes_db=20 * np.log10(tone + 1e-9),
        body_hz=_ANCHORS_HZ.copy(),
        body_db=body_db,
        body_t60=body_t60,
        body_total_db=20 * np.log10(noise + 1e-9),
        contact_s=_CONTACT_S,
        level_db=level_db,
        stick_db=-200.0,
        friction=Friction(hz=(0.6 * centroid, 1.6 * centroid), roughness=300),
        position_spread=0.25,
    )


def clearest_blow(mono: np.ndarray, rate: int) -> np.ndarray:
    """From the first sample of the strongest attack to the next attack, or 3 s [n]."""
    hop = max(1, int(0.005 * rate))
    frames = len(mono) // hop
    level = 10 * np.log10((mono[: frames * hop].reshape(frames, hop) ** 2).mean(axis=1) + 1e-12)
    before = np.array([level[max(0, k - 4) : k].max() if k else -120.0 for k in range(frames)])
    rise = level - before
    attack = int(np.argmax(level + 0.5 * np.minimum(rise, 40)))
    window = mono[max(0, (attack - 2) * hop) : (attack + 2) * hop]
    first = max(0, (attack - 2) * hop) + int(np.argmax(np.abs(window) > 0.06 * np.abs(window).max()))
    later = [k for k in range(attack + 6, frames) if rise[k] > 9 and level[k] > level[attack] - 24]
    last = later[0] * hop - hop if later else len(mono)
    return mono[first : min(last, first + int(_LONGEST_S * rate))]


def spectral_centroid(wave: np.ndarray, rate: int) -> float:
    """Power-weighted mean frequency, Hz."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float((power * np.fft.rfftfreq(len(wave), 1 / rate)).sum() / (power.sum() + 1e-20))


def _find_modes(blow: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and decays (1/s) of what rings, strongest first, at most 40."""
    n = len(blow)
    size = 1 << int(np.ceil(np.log2(2 * max(n, rate // 2))))
    # The falling half of a Hann window: the attack is where the modes are.
    fall = np.cos(np.linspace(0, np.pi / 2, min(n, rate))) ** 2
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(blow[: len(fall)] * fall, size)) + 1e-9)
    per_bin = rate / size
    floor = median_filter(spectrum, size=max(3, int(600 / per_bin)) | 1)
    peaks, _ = find_peaks(
        spectrum, prominence=8.0, height=spectrum.max() - 60, distance=max(1, int(12 / per_bin))
    )
    keep = (
        (spectrum[peaks] - floor[peaks] > _PROMINENCE_DB * 0.6)
        & (peaks * per_bin > 40)
        & (peaks * per_bin < 19000)
    )
    peaks = peaks[keep]
    peaks = peaks[np.argsort(-spectrum[peaks])][:_MODES]
    found_hz, found_decay = [], []
    for peak in peaks:
        left, mid, right = spectrum[peak - 1 : peak + 2]
        hz = (peak + 0.5 * (left - right) / (left - 2 * mid + right + 1e-9)) * per_bin
        others = np.abs(peaks - peak)[peaks != peak] * per_bin
        fit = _decay(blow, hz, float(others.min()) if others.size else 1000.0, rate)
        if fit is not None:
            found_hz.append(hz)
            found_decay.append(fit)
    order = np.argsort(found_hz)
    return np.array(found_hz)[order], np.array(found_decay)[order]


def _decay(blow: np.ndarray, hz: float, spacing: float, rate: int) -> float | None:
    """Decay (1/s) of the band around `hz`, or None where its level does not fall along a line."""
    width = int(np.clip(2.5 / max(spacing, 1.0), 0.008, 0.06) * rate)
    width = min(width, len(blow) // 2)
    tone = np.hanning(width) * np.exp(-2j * np.pi * hz * np.arange(width) / rate)
    frames = np.lib.stride_tricks.sliding_window_view(blow, width)
    tail = frames[-max(1, len(frames) // 8) :: max(1, width // 2)]
    floor = 20 * np.log10(np.median(np.abs(tail @ tone)) + 1e-9)
    for hop in (max(1, width // 16), max(1, width // 2), 2 * width):  # finer steps for what dies sooner
        level = 20 * np.log10(np.abs(frames[::hop][:_STEPS] @ tone) + 1e-9)
        top = int(np.argmax(level))
        below = np.flatnonzero(level[top:] < max(level[top] - 35, min(floor + 6, level[top] - 12)))
        stop = top + int(below[0]) if below.size else len(level)
        if below.size or len(level) < _STEPS:
            break
    if stop - top < 5 or top > len(level) // 2:
        return None
    t = np.arange(top, stop) * hop / rate
    slope, start = np.polyfit(t, level[top:stop], 1)
    error = np.std(level[top:stop] - (slope * t + start))
    decay = -slope / 8.686
    fallen = level[top] - level[stop - 1]
    # Rings for some cycles and falls steadily: a mode. A noise band wanders.
    if decay <= 0.3 or decay > 0.12 * hz or error > max(1.2, 0.18 * fallen):
        return None
    return float(decay)


def _fit_gains(
    blow: np.ndarray, hz: np.ndarray, decay: np.ndarray, rate: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares gains of the modes; those of no weight are dropped. Also the ringing itself [n]."""
    empty = np.zeros(0)
    if hz.size == 0:
        return empty, empty, empty, np.zeros_like(blow)
    n = min(len(blow), int(0.4 * rate))
    skip = min(int(0.0003 * rate), n // 8)
    t = np.arange(n) / rate

    def basis(times: np.ndarray) -> np.ndarray:
        waves = np.exp(times[:, None] * (-decay + 2j * np.pi * hz))
        return np.concatenate([waves.real, waves.imag], axis=1)

    matrix = basis(t[skip:])
    gram = matrix.T @ matrix
    gram[np.diag_indices_from(gram)] *= 1 + 1e-4
    weights = np.linalg.solve(gram, matrix.T @ blow[skip:n])
    gain = np.hypot(*weights.reshape(2, -1))
    keep = gain > 0.003 * gain.max()
    weights[np.concatenate([~keep, ~keep])] = 0.0
    ringing = np.concatenate(
        [
            basis(part) @ weights
            for part in np.array_split(np.arange(len(blow)) / rate, max(1, len(blow) // 20000))
        ]
    )
    return hz[keep], decay[keep], gain[keep], ringing


def _body(rest: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Level per octave (dB) at the attack and T60 (s) of the leftover, at the anchors."""
    levels, times = [], []
    for hz in _ANCHORS_HZ:
        low, high = hz / 2**0.5, min(hz * 2**0.5, 0.49 * rate)
        if low >= 0.45 * rate:
            levels.append(-80.0)
            times.append(0.02)
            continue

        band = sosfilt(butter(2, [low, high], "bandpass", fs=rate, output="sos"), rest)
        energy = np.cumsum((band**2)[::-1])[::-1]
        level = 10 * np.log10(energy / (energy[0] + 1e-20) + 1e-12)
        span = np.flatnonzero((level < -0.5) & (level > -12))
        slope = np.polyfit(span / rate, level[span], 1)[0] if len(span) > 20 else -3000.0
        t60 = float(np.clip(-60 / min(slope, -1e-3), 0.008, 3.0))
        # Energy of a decaying noise: power at the start / (2 * 6.91 / T60).
        levels.append(10 * np.log10(energy[0] / rate * 2 * 6.91 / t60 + 1e-12))
        times.append(t60)
    return np.array(levels) - max(levels), np.array(times)
