"""What MMAudio's encoders say of pictures and words: computed once, kept by content, and the encoders let go of.

CLIP and Synchformer are most of the work of a take (nine tenths of it for the small network on a CPU), and they do not
depend on seed, steps or guidance. What they say is kept in the cache under the SHA-256 of the clip's bytes, the stretch
that was looked at, and the encoder with the SHA-256 of its weights; words under themselves. So the next take of a clip
loads neither encoder, and a changed byte or other weights find nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from weft.encoders.dfn_clip import DfnClip
from weft.encoders.mmaudio_pictures import MMAudioPictures, read_pictures
from weft.errors import UserError
from weft.media.caching import Cache, CacheError
from weft.media.video import Video
from weft.progress import Progress, silent
from weft.systems.memory import require
from weft.systems.mmaudio_parts import Parts
from weft.systems.playing import Precision
from weft.systems.scene import Still
from weft.weights import published
from weft.weights.digests import digest

FORMAT = 1
STAGE = "encode"
Eye = Literal["clip", "sync"]
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class View:
    """A stretch of a clip: `duration` seconds from `start` seconds after its own beginning. `compat`: seen as the
    reference's reader sees it."""

    scene: Video | Still
    start: float = 0.0
    duration: float
    compat: bool = False

    def video(self) -> Video:
        """The stretch as a clip of its own; pictures keep their exact times."""
        assert isinstance(self.scene, Video)
        begin = self.scene.begin + Fraction(self.start)
        return replace(self.scene, start=self.scene.start + self.start, begin=begin, duration=self.duration)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen in a view: CLIP's vectors `[1, Lc, D]` and Synchformer's `[1, Ls, D]`, None where not asked for,
    and the seconds that they stand for."""

    duration: float
    clip: Tensor | None = None
    sync: Tensor | None = None


@dataclass(kw_only=True)
class Seeing:
    """Encodings of views and words, from the cache or made now; what the cache will not take is held here."""

    parts: Parts
    cache: Cache
    precision: Precision = "fp32"
    at_hand: dict[str, Arrays] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file that an encoding of this performance comes from."""

    def encode(
        self,
        views: Sequence[View],
        eyes: Iterable[Eye],
        texts: Iterable[str],
        progress: Progress = silent,
    ) -> None:
        """Make sure that all is encoded. Encoders are loaded only for what is in no cache, and let go of at the end.

        Raises MediaError, WeightsError, MissingExtra; UserError where the memory would not hold the encoders.
        """
        wanted = [
            (view, eye)
            for view in views
            for eye in eyes_of(view, eyes)
            if not self._has(self._name(view, eye))
        ]
        words = [text for text in dict.fromkeys(texts) if not self._has(self._word(text))]
        if not wanted and not words:
            return
        kinds = {eye for _, eye in wanted}
        require(
            self.parts.name,
            self.parts.encoding_bytes(clip="clip" in kinds, sync="sync" in kinds, text=bool(words)),
        )
        clip = self.parts.load_clip(self.precision) if "clip" in kinds or words else None
        sync = self.parts.load_sync(self.precision) if "sync" in kinds else None
        if clip is not None and words:
            for text, tokens in zip(words, clip.encode_text(words), strict=True):
                self._keep(self._word(text), {"tokens": tokens.numpy()})
        for k, view in enumerate(views):
            progress(STAGE, k / len(views))
            missing = [eye for eye in eyes_of(view, eyes) if not self._has(self._name(view, eye))]
            if not missing:
                continue
            if isinstance(view.scene, Still):
                still = view.scene.picture()[None]
                pictures = MMAudioPictures(clip=still, sync=still, duration=view.duration)
            else:
                pictures = read_pictures(view.video(), compat=view.compat)
            if "clip" in missing and clip is not None:
                found = clip.embed_video(pictures.clip)
                self._keep(self._name(view, "clip"), _found(found, pictures.duration))
            if "sync" in missing and sync is not None:
                found = _sync(sync, pictures.sync, view)
                self._keep(self._name(view, "sync"), _found(found, pictures.duration))
        progress(STAGE, 1.0)

    def seen(self, view: View, eyes: Iterable[Eye]) -> Seen:
        """What was encoded of a view. Raises UserError when another process has emptied the cache meanwhile."""
        found = {eye: self._arrays(self._name(view, eye)) for eye in eyes_of(view, eyes)}
        durations = [float(arrays["duration"]) for arrays in found.values()]
        tokens = {eye: torch.from_numpy(arrays["tokens"])[None] for eye, arrays in found.items()}
        return Seen(
            duration=min(durations, default=view.duration), clip=tokens.get("clip"), sync=tokens.get("sync")
        )

    def words(self, text: str) -> Tensor:
        """The tokens `[1, 77, D]` that were encoded of a text. Raises UserError as `seen`."""
        return torch.from_numpy(self._arrays(self._word(text))["tokens"])[None]

    def _has(self, name: str) -> bool:
        return name in self.at_hand or self.cache.load(name) is not None

    def _arrays(self, name: str) -> Arrays:
        found = self.at_hand.get(name) or self.cache.load(name)
        if found is None:
            raise UserError(f"what was seen of the clip has gone from {self.cache.root}: run again")
        return found

    def _keep(self, name: str, arrays: dict[str, NDArray[Any]]) -> None:
        try:
            self.cache.save(name, arrays)
        except CacheError:  # a full or read-only disk: then it is made again next time
            self.at_hand[name] = arrays

    def _name(self, view: View, eye: Eye) -> str:
        video = isinstance(view.scene, Video)
        told = {
            "content": self._content(view),
            "from": str(view.scene.begin + Fraction(view.start)) if isinstance(view.scene, Video) else "",
            "duration": view.duration if video else 0,
            "compat": view.compat,
        }
        if self.precision != "fp32":
            told["precision"] = self.precision
        return self._key(eye, told, self._clip_sha if eye == "clip" else self._sync_sha)

    def _word(self, text: str) -> str:
        return self._key("text", {"text": text, "tokens": self._tokens_sha}, self._clip_sha)

    def _key(self, of: str, told: Mapping[str, object], sha256: str) -> str:
        encoder = {"mmaudio": FORMAT, "of": of, "encoder": str(self._sizes(of)), "sha256": sha256}
        return hashlib.sha256(json.dumps({**encoder, **told}, sort_keys=True).encode()).hexdigest()

    def _sizes(self, of: str) -> object:
        return self.parts.sync if of == "sync" else (DfnClip.name, self.parts.clip)

    def _content(self, view: View) -> str:
        return digest(view.scene.path, "SHA-256")

    @cached_property
    def _clip_sha(self) -> str:
        return self._sha(self.parts.clip_file)

    @cached_property
    def _sync_sha(self) -> str:
        return self._sha(self.parts.sync_file)

    @cached_property
    def _tokens_sha(self) -> str:
        return self._sha(self.parts.tokens_file)

    def _sha(self, given: published.Published) -> str:
        self.used[given.file] = published.sha256(published.path_of(given))
        return self.used[given.file]


def eyes_of(view: View, eyes: Iterable[Eye]) -> list[Eye]:
    """A still picture does not move: Synchformer has nothing to say of it."""
    return [eye for eye in eyes if eye == "clip" or isinstance(view.scene, Video)]


def _found(tokens: Tensor, duration: float) -> dict[str, NDArray[Any]]:
    return {"tokens": np.ascontiguousarray(tokens.numpy(), np.float32), "duration": np.array(duration)}


def _sync(net: Any, frames: np.ndarray, view: View) -> Tensor:
    try:
        found: Tensor = net.encode(frames).flatten(0, 1)
    except ValueError as error:
        raise UserError(
            f"{view.scene.path} is too short for --compat: the reference needs 0.64 s of picture; leave it out"
        ) from error
    return found
