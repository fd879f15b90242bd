"""Latents of any length in windows that the network was trained for, and their sound without seams.

Trained on 8 s, the network is good to about 10: a clip up to that is one window. A longer one is played in windows of
8 s. Each sees the end of the one before as known latents and gives up its own last moments to the next, which knows
more of what follows; noise belongs to the absolute frame. Their mel spectrograms are blended where the latents are the
same, and the vocoder runs over the joined spectrogram. Memory does not grow with length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from weft.codecs.mel_codec import BLOCK, MelCodec
from weft.diffusion.guidance import ClassifierFree
from weft.generators.conditions import Conditions
from weft.generators.mmdit import MMDiT
from weft.generators.sampling import latents

if TYPE_CHECKING:
    from weft.systems.mmaudio_guided import Held

BEHIND_S = 1.5
"""Seconds at a window's start that the window before has decided."""
AHEAD_S = 0.5
"""Seconds at a window's end that the next one decides."""
BLEND = 16
"""Latent frames over which one window's mel spectrogram passes into the next one's."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Latent frames `start` to `end`; `fresh` is the first undecided one, `keep` the first left to the next window."""

    start: int
    fresh: int
    end: int
    keep: int


def windows(frames: int, size: int, rate: float) -> list[Window]:
    """The windows of `size` latent frames that decide each of `frames` once; the last one ends with them.

    rate: latent frames a second.
    """
    behind, ahead = round(BEHIND_S * rate), round(AHEAD_S * rate)
    found: list[Window] = []
    fresh = 0
    while fresh < frames:
        start = max(0, min(fresh - behind, frames - size))
        end = min(frames, start + size)
        keep = end if end == frames else end - ahead
        found.append(Window(start=start, fresh=fresh, end=end, keep=keep))
        fresh = keep
    return found


def around(plan: list[Window], first: int, last: int, step: int = 1) -> list[Window]:
    """Those windows of a plan that decide any of frames `first` to `last`, each whole: none comes before or after them.

    Their sound begins with a frame that is a multiple of `step`.
    """
    chosen = [window for window in plan if window.fresh < last and window.keep > first]
    chosen[0] = replace(chosen[0], fresh=-(-chosen[0].start // step) * step)
    return [*chosen[:-1], replace(chosen[-1], keep=chosen[-1].end)]


def played(
    net: MMDiT,
    plan: Iterable[Window],
    told: Callable[[Window], dict[str, Conditions]],
    noise: Callable[[Window], Tensor],
    *,
    steps: int,
    term: ClassifierFree,
    on_step: Callable[[Window, int], None],
    held: Callable[[Window], tuple[Tensor, Tensor]] | None = None,
    origin: Callable[[Window], Tensor] | None = None,
    first: int = 0,
    guided: Held | None = None,
) -> Iterator[tuple[Window, Tensor]]:
    """Yield each window with its latents `[N, end - start, C]` in the codec's units, those of earlier windows included.

    `told` gives what the network is told in a window, `noise` its noise `[N, end - start, C]`.
    `held`: what is known of a window from elsewhere, latents `[1, end - start, C]` as the network sees them, and where
    it is known, 1, or not, 0: `[1, end - start, 1]`. `origin`: what step `first` of a window begins from, as `held`.
    `guided`: the guide that pushes a window between steps.
    """
    before: tuple[Window, Tensor] | None = None
    for window in plan:
        eps = noise(window)
        known, mask = torch.zeros_like(eps), torch.zeros(1, eps.shape[1], 1)
        if held is not None:
            elsewhere, mask = held(window)
            known, mask = elsewhere.expand_as(eps).clone(), mask.clone()
        behind = window.fresh - window.start
        if before is not None and behind:
            last, decided = before
            known[:, :behind] = decided[:, window.start - last.start : window.fresh - last.start]
            mask[:, :behind] = 1
        found = latents(
            net,
            eps,
            told(window),
            term,
            steps,
            known=known if bool(mask.any()) else None,
            mask=mask if bool(mask.any()) else None,
            origin=None if origin is None else origin(window).expand_as(eps),
            first=first,
            steer=None if guided is None else guided.steer(window),
            on_step=lambda i, w=window: on_step(w, i),  # type: ignore[misc]
        )
        if guided is not None:
            guided.finish(window, found)
        before = window, found
        yield window, net.unnormalised(found)


def sounded(codec: MelCodec, pieces: Iterable[tuple[Window, Tensor]]) -> Iterator[Tensor]:
    """Turn windows with latents `[1, T, C]` into mono sound, in blocks `[1, 1, n]`, `frames * hop` samples in all."""
    mels = _joined((w, codec.vae.decode(z.transpose(1, 2))) for w, z in pieces)
    yield from _vocoded(codec, mels)


def _joined(windows_of_mel: Iterator[tuple[Window, Tensor]]) -> Iterator[tuple[Tensor, bool]]:
    """Mel spectrograms of what each window decides, one after the other, and whether it is the last."""
    tail: Tensor | None = None
    for (window, mel), final in _told_last(windows_of_mel):
        fresh, keep = (2 * (at - window.start) for at in (window.fresh, window.keep))
        piece = mel[..., fresh:keep]
        if tail is not None:
            width = tail.shape[-1]
            share = torch.linspace(0, 1, width + 2)[1:-1]
            piece = torch.cat([torch.lerp(tail, mel[..., fresh - width : fresh], share), piece], -1)
        if not final:
            piece, tail = piece[..., : -2 * BLEND], piece[..., -2 * BLEND :]
        yield piece, final


def _vocoded(codec: MelCodec, mels: Iterator[tuple[Tensor, bool]]) -> Iterator[Tensor]:
    """The vocoder over a spectrogram that comes piece by piece: a sample waits until all it depends on is there."""
    vocoder = codec.vocoder
    context, hop = vocoder.context, vocoder.hop
    held: Tensor | None = None
    first = done = 0
    for piece, final in mels:
        held = piece if held is None else torch.cat([held, piece], -1)
        ready = first + held.shape[-1] - (0 if final else context)
        for start in range(done, ready, BLOCK):
            end = min(start + BLOCK, ready)
            before = min(start - first, context)
            wave = vocoder(held[..., start - first - before : end - first + context])
            yield wave[..., before * hop : (before + end - start) * hop]
        done = max(done, ready)
        drop = max(0, done - context - first)
        held, first = held[..., drop:], first + drop


def _told_last(items: Iterator[tuple[Window, Tensor]]) -> Iterator[tuple[tuple[Window, Tensor], bool]]:
    """Each item, and whether it is the last: windows end where the sound ends."""
    held = next(items, None)
    if held is None:
        return
    for item in chain(items, (None,)):
        yield held, item is None
        if item is not None:
            held = item
