"""Level: true peak, a limiter that leaves alone what is below its ceiling, and loudness, all block by block.

True peak and loudness after ITU-R BS.1770-4 (annexes 2 and 1). Blocks are float `[C, n]`, full scale 1; the
channels of a limiter share one gain, so that nothing moves from side to side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from math import inf, log10
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from weft.media.atomic import write_fault
from weft.media.weighting import KWeighting

CEILING_DB = -1.0
_HALF = 12  # taps each side of an interpolated point; the recommendation's example filter has 6
_PHASES = 4
_MARGIN_DB = 0.1  # taken off only where the limiter acts: the changing gain itself moves peaks a little
_HOP = 32
_LOOK_AHEAD_S, _RELEASE_S = 0.005, 0.08
_SPOOL_BYTES = 64 << 20


def _interpolators() -> np.ndarray:
    """`[3, 2 * _HALF]`: windowed sinc for the points 1/4, 2/4 and 3/4 of the way to the next sample."""
    at = np.arange(-_HALF + 1, _HALF + 1)[None, :] - np.arange(1, _PHASES)[:, None] / _PHASES
    taps = np.sinc(at) * np.i0(6.0 * np.sqrt(np.maximum(0, 1 - (at / _HALF) ** 2))) / np.i0(6.0)
    return taps / taps.sum(axis=1, keepdims=True)


class _Peaks:
    """Magnitudes of a signal and of what lies between its samples, loudest channel, `_HALF` samples late."""

    def __init__(self, channels: int) -> None:
        self.taps = _interpolators()
        self.quiet = 1 / np.abs(self.taps).sum(axis=1).max()
        self.tail = np.zeros((channels, 2 * _HALF - 1))

    def push(self, block: np.ndarray, floor: float = 0.0) -> np.ndarray:
        """`[n]`: value i is the peak in [i, i + 1), `_HALF` samples late; below `floor` it may read too little."""
        joined = np.concatenate([self.tail, block], axis=1)
        self.tail = joined[:, joined.shape[1] - (2 * _HALF - 1) :]
        n = block.shape[1]
        peaks: np.ndarray = np.abs(joined[:, _HALF - 1 : _HALF - 1 + n]).max(axis=0, initial=0.0)
        if np.abs(joined).max(initial=0.0) > floor * self.quiet:
            for channel in joined:
                for taps in self.taps:
                    between = np.convolve(channel, taps[::-1], mode="valid")
                    np.maximum(peaks, np.abs(between), out=peaks)
        return peaks


def true_peak_db(sound: np.ndarray | Iterable[np.ndarray]) -> float:
    """The true peak in dBTP of `[C, N]` or of blocks `[C, n]`, 4 times oversampled; -inf for silence."""
    peaks: _Peaks | None = None
    highest = 0.0
    for block in (sound,) if isinstance(sound, np.ndarray) else sound:
        peaks = peaks or _Peaks(block.shape[0])
        highest = max(highest, float(peaks.push(block, highest).max(initial=0.0)))
    if peaks is not None:
        highest = max(highest, float(peaks.push(np.zeros((peaks.tail.shape[0], _HALF)), highest).max()))
    return 20 * log10(highest) if highest > 0 else -inf


class _Sliding:
    """A function of the last `width` values of a stream that begins with ones."""

    def __init__(self, width: int, over: Callable[..., np.ndarray]) -> None:
        self.width, self.over = width, over
        self.tail = np.ones(width - 1)

    def push(self, values: np.ndarray) -> np.ndarray:
        joined = np.concatenate([self.tail, values])
        self.tail = joined[len(joined) - (self.width - 1) :]
        if not len(values):
            return values
        return self.over(sliding_window_view(joined, self.width), axis=1)


class _Limiter:
    """Gain for hops of `_HOP` samples: down over the look-ahead before a peak, up again exponentially after it.

    Hop j must not be louder than q[j] allows. The least q of its neighbours (the gain is interpolated between
    hops) and of the look-ahead to come is held, released slowly, and averaged over the look-ahead: every
    averaged value has seen the peak, so the average is low enough when the peak arrives.
    """

    def __init__(self, channels: int, rate: int, ceiling_db: float) -> None:
        self.ceiling = 10 ** (ceiling_db / 20)
        self.aim = 10 ** ((ceiling_db - _MARGIN_DB) / 20)
        ahead = max(1, round(_LOOK_AHEAD_S * rate / _HOP))
        self.rise = 1 - np.exp(-_HOP / (_RELEASE_S * rate))
        self.peaks = _Peaks(channels)
        self.near = _Sliding(3, np.min)
        self.coming = _Sliding(ahead + 1, np.min)
        self.smooth = _Sliding(ahead + 1, np.mean)
        self.late = self.delay = ahead + 1  # hops
        self.held = 1.0
        self.unread = -_HALF  # peaks come late: the first belong to before the beginning
        self.measured = np.zeros(0)
        self.gains = np.zeros(0)
        self.waiting = np.zeros((channels, 0), np.float32)

    def push(self, block: np.ndarray) -> np.ndarray:
        self.waiting = np.concatenate([self.waiting, block], axis=1)
        self._measure(block)
        return self._ready()

    def finish(self) -> np.ndarray:
        left = self.waiting.shape[1]
        channels = self.waiting.shape[0]
        rest = np.zeros((channels, _HALF + (self.delay + 3) * _HOP), np.float32)
        return self.push(rest)[:, :left]

    def _measure(self, block: np.ndarray) -> None:
        peaks = self.peaks.push(block, self.ceiling)
        early = min(len(peaks), -self.unread)
        self.unread += early
        peaks = np.concatenate([self.measured, peaks[early:]])
        whole = len(peaks) // _HOP * _HOP
        self.measured = peaks[whole:]
        highest = peaks[:whole].reshape(-1, _HOP).max(axis=1)
        allowed = np.where(highest > self.ceiling, self.aim / np.maximum(highest, self.ceiling), 1.0)
        gains = self.smooth.push(self._released(self.coming.push(self.near.push(allowed))))
        early = min(len(gains), self.late)
        self.late -= early
        self.gains = np.concatenate([self.gains, gains[early:]])

    def _released(self, wanted: np.ndarray) -> np.ndarray:
        if self.held == 1.0 and wanted.min(initial=1.0) == 1.0:
            return wanted
        out = np.empty_like(wanted)
        held, rise = self.held, self.rise
        for i, most in enumerate(wanted.tolist()):
            held += rise * (1.0 - held)
            held = min(most, 1.0 if held > 0.99999 else held)
            out[i] = held
        self.held = held
        return out

    def _ready(self) -> np.ndarray:
        hops = min(max(0, len(self.gains) - 1), self.waiting.shape[1] // _HOP)
        n = hops * _HOP
        out, self.waiting = self.waiting[:, :n], self.waiting[:, n:]
        gains, self.gains = self.gains[: hops + 1], self.gains[hops:]
        if hops and gains.min() < 1.0:
            curve = np.interp(np.arange(n), np.arange(hops + 1) * _HOP, gains)
            out = (out * curve).astype(np.float32)
        return out


def limited(blocks: Iterable[np.ndarray], rate: int, ceiling_db: float = CEILING_DB) -> Iterator[np.ndarray]:
    """Blocks whose true peak is at most `ceiling_db` dBTP; the same number of samples, no delay.

    A look-ahead of 5 ms, a release of 80 ms. Where nothing is above the ceiling, samples pass bit by bit.
    """
    limiter: _Limiter | None = None
    for block in blocks:
        limiter = limiter or _Limiter(block.shape[0], rate, ceiling_db)
        ready = limiter.push(block)
        if ready.shape[1]:
            yield ready
    if limiter is not None:
        yield limiter.finish()


class LoudnessMeter:
    """Integrated loudness of a stream: `add` its blocks, then read `lufs()`. Equal to pyloudnorm on the whole.

    Memory: ten numbers for each second and channel.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.weighting = KWeighting(rate)
        self.energies: list[np.ndarray] = []  # of each tenth of a second, [C]
        self.part = np.zeros(0)
        self.samples = 0

    def add(self, block: np.ndarray) -> None:
        """Append float `[C, n]`."""
        if not self.samples:
            self.part = np.zeros(block.shape[0])
        power = self.weighting.add(block) ** 2
        at = 0
        while at < power.shape[1]:
            edge = int(0.1 * (len(self.energies) + 1) * self.rate) - self.samples
            take = min(edge, power.shape[1] - at)
            self.part = self.part + power[:, at : at + take].sum(axis=1)
            at += take
            self.samples += take
            if take == edge:
                self.energies.append(self.part)
                self.part = np.zeros_like(self.part)

    def lufs(self) -> float:
        """Gated loudness; of less than 0.4 s the plain one; -inf for silence."""
        if self.samples == 0:
            return -inf
        if len(self.energies) < 4:
            total = sum(self.energies, np.zeros_like(self.part)) + self.part
            return _lufs(float(total.sum()) / self.samples)
        tenths = [float(e.sum()) for e in self.energies]
        if (
            self.samples / self.rate * 10 - len(tenths) > 0.5
        ):  # pyloudnorm counts a last block that is almost whole
            tenths.append(float(self.part.sum()))
        blocks = sliding_window_view(np.array(tenths), 4).sum(axis=1) / (0.4 * self.rate)
        loud = blocks[blocks > 10 ** ((-70.0 + 0.691) / 10)]
        if not len(loud):
            return -inf
        return _lufs(float(loud[loud > loud.mean() * 0.1].mean()))


def _lufs(power: float) -> float:
    return -0.691 + 10 * log10(power) if power > 0 else -inf


def finished(
    blocks: Iterable[np.ndarray],
    rate: int,
    *,
    lufs: float | None = None,
    ceiling_db: float = CEILING_DB,
    on_gain: Callable[[float], None] | None = None,
) -> Iterator[np.ndarray]:
    """Blocks ready to be delivered: at `lufs` if given, true peak at most `ceiling_db` dBTP.

    With `lufs` the sound is laid aside (on disk beyond 64 MiB), measured, and played again with one gain;
    peaks that then pass the ceiling are limited, which may leave a very peaky sound a little below the
    target. Silence stays. `on_gain` is told that gain in dB, once it is known.
    """
    if lufs is None:
        yield from limited(blocks, rate, ceiling_db)
        return
    meter = LoudnessMeter(rate)
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        channels = 1
        lengths = []
        for block in blocks:
            channels = block.shape[0]
            meter.add(block)
            lengths.append(block.shape[1])
            try:
                spool.write(np.ascontiguousarray(block, np.float32).tobytes())
            except OSError as error:
                raise write_fault(error, Path(tempfile.gettempdir()) / "the sound laid aside") from error
        spool.seek(0)
        measured = meter.lufs()
        gain = np.float32(10 ** ((lufs - measured) / 20) if measured > -inf else 1.0)
        if on_gain is not None:
            on_gain(20 * log10(float(gain)))
        replayed = (
            np.frombuffer(spool.read(4 * channels * n), np.float32).reshape(channels, n) * gain
            for n in lengths
        )
        yield from limited(replayed, rate, ceiling_db)
