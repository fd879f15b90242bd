"""The one table of systems: plain data, and how each is loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from weft.cues.words import closest
from weft.errors import UserError
from weft.systems.performer import Performer
from weft.systems.scene import Blank, Scene, Still
from weft.weights.published import Published


@dataclass(frozen=True, kw_only=True)
class SystemSpec:
    """What a person should know of a system before choosing it."""

    name: str
    summary: str
    licence: str
    rate: int
    channels: int
    weights: tuple[str, ...]
    dials: tuple[str, ...]
    load: Callable[[], Performer]
    size_mb: int
    """Weights on disk, of 1e6 bytes, all files together."""
    memory_gb: float
    """Needed at once, of 1e9 bytes, about."""
    files: Callable[[], tuple[Published, ...]] = tuple
    """The files of others that it runs on, which a user gets."""
    check: Callable[[Scene, Sequence[str]], None] = lambda scene, without: None
    """Raises WeightsError where files are missing for such a scene, so that it is said before the clip is spotted."""
    makeup: bool = True
    """Whether takes are lifted by the desk's one gain (`weft.systems.desk`)."""
    needs_video: bool = True
    """Whether it plays to a video only: not to a still picture, nor to a length alone."""
    compat: bool = False
    """Whether it can do as its published reference does."""
    guide: str | None = None
    """The guidance (`weft.alignment.presets`) that it plays under where none is asked for."""


def _physical() -> Performer:
    from weft.systems.weft_physical import WeftPhysical

    return WeftPhysical()


def _mini() -> Performer:
    from weft.systems.weft_mini import WeftMini

    return WeftMini.load()


@dataclass(frozen=True)
class _MMAudio:
    """How a size of MMAudio is loaded, and its files."""

    variant: str

    def load(self) -> Performer:
        from weft.systems.mmaudio import MMAudio
        from weft.systems.mmaudio_parts import parts

        return MMAudio(parts=parts(self.variant))

    def files(self) -> tuple[Published, ...]:
        from weft.systems.mmaudio_parts import parts

        return parts(self.variant).files

    def check(self, scene: Scene, without: Sequence[str]) -> None:
        from weft.systems.mmaudio_parts import parts

        parts(self.variant).require_files(
            clip="clip" not in without and not isinstance(scene, Blank),
            sync="sync" not in without and not isinstance(scene, Still | Blank),
            text=False,
        )


def _mmaudio(variant: str, size: str, size_mb: int, memory_gb: float) -> SystemSpec:
    sound = "16 kHz mono, resampled" if variant == "small_16k" else "mono"
    return SystemSpec(
        name="mmaudio-" + variant.replace("_", "-"),
        summary=f"MMAudio {size}: looks at the picture itself, hears words; {sound}, placed by the cue sheet",
        licence="CC-BY-NC 4.0",
        rate=44100,
        channels=2,
        weights=(),
        dials=(
            "video",
            "prompt",
            "negative",
            "onsets",
            "envelope",
            "trajectory",
            "region",
            "reference",
            "reference-strength",
            "precision",
            "guide",
        ),
        load=_MMAudio(variant).load,
        size_mb=size_mb,
        memory_gb=memory_gb,
        files=_MMAudio(variant).files,
        check=_MMAudio(variant).check,
        makeup=False,
        needs_video=False,
        compat=True,
    )


@dataclass(frozen=True)
class _AudioLdm:
    """How a repository of AudioLDM is loaded, and its files."""

    repository: str

    def load(self) -> Performer:
        from weft.systems.audio_ldm_takes import AudioLdmTakes

        return AudioLdmTakes(name=self.repository)

    def files(self) -> tuple[Published, ...]:
        from weft.systems.audio_ldm_files import files

        return files(self.repository)

    def check(self, scene: Scene, without: Sequence[str]) -> None:
        from weft.systems.audio_ldm_files import LONGEST_S, require_files

        if scene.duration > LONGEST_S:
            raise UserError(
                f"AudioLDM plays up to {LONGEST_S:g} s at once, not {scene.duration:g}; give --duration"
            )
        require_files(self.repository)


def _audio_ldm(
    name: str, summary: str, size_mb: int, memory_gb: float, repository: str = "", guide: str | None = None
) -> SystemSpec:
    made = _AudioLdm(repository or name)
    return SystemSpec(
        name=name,
        summary=f"{summary}; 16 kHz mono, resampled, placed by the cue sheet; up to 30 s",
        licence="CC-BY-NC-SA 4.0",
        rate=44100,
        channels=2,
        weights=(),
        dials=("prompt", "negative", "onsets", "envelope", "trajectory", "guide"),
        load=made.load,
        size_mb=size_mb,
        memory_gb=memory_gb,
        files=made.files,
        check=made.check,
        makeup=False,
        needs_video=guide is not None,
        guide=guide,
    )


_HELD = "AudioLDM medium held to picture and words at every step by {}, as its paper has it"

SYSTEMS = {
    spec.name: spec
    for spec in (
        SystemSpec(
            name="weft-physical",
            summary="plays the cue sheet on modal, friction and granular synthesis: exact and instant",
            licence="Apache-2.0",
            rate=44100,
            channels=2,
            weights=("weft-text",),
            dials=("onsets", "envelope", "trajectory", "depth", "prompt", "negative", "reference", "region"),
            load=_physical,
            size_mb=6,
            memory_gb=0.7,
        ),
        SystemSpec(
            name="weft-mini",
            summary="the embedded rectified-flow transformer over weft's own codec",
            licence="Apache-2.0",
            rate=44100,
            channels=2,
            weights=("weft-text", "weft-codec", "weft-mini"),
            dials=(
                "onsets",
                "envelope",
                "trajectory",
                "depth",
                "prompt",
                "negative",
                "reference",
                "picture",
                "guide",
                "region",
            ),
            load=_mini,
            size_mb=33,
            memory_gb=0.7,
        ),
        _mmaudio("small_16k", "small, 157 M parameters", 6664, 5.4),
        _mmaudio("small_44k", "small, 157 M parameters", 7240, 5.4),
        _mmaudio("medium_44k", "medium, 622 M parameters", 9097, 5.4),
        _mmaudio("large_44k", "large, 1030 M parameters", 10730, 6.5),
        _mmaudio("large_44k_v2", "large, second version, recommended by its authors", 10732, 6.5),
        _audio_ldm("audioldm-s-full-v2", "AudioLDM small, 185 M parameters: hears words alone", 1684, 2.9),
        _audio_ldm("audioldm-m-full", "AudioLDM medium, 416 M parameters: hears words alone", 2608, 3.8),
        _audio_ldm("audioldm-l-full", "AudioLDM large, 739 M parameters: hears words alone", 3901, 5.1),
        _audio_ldm(
            "seeing-hearing", _HELD.format("two cosines"), 2608, 8.4, "audioldm-m-full", "seeing-hearing"
        ),
        _audio_ldm("mdg", _HELD.format("the volume they span"), 2608, 8.4, "audioldm-m-full", "mdg"),
    )
}

DEFAULT = "weft-physical"


def system(name: str) -> SystemSpec:
    """Return the row called `name`; raises UserError naming the closest known system."""
    if name not in SYSTEMS:
        near = closest(name, SYSTEMS)
        hint = f"did you mean {near}?" if near else "weft systems lists those there are"
        raise UserError(f"unknown system {name!r}; {hint}")
    return SYSTEMS[name]


def systems_that(fit: Callable[[SystemSpec], bool]) -> str:
    """The systems that `fit`, as a refusal names them: two, and how many more there are."""
    able = [spec.name for spec in SYSTEMS.values() if fit(spec)]
    if len(able) <= 2:
        return " or ".join(able)
    return f"{', '.join(able[:2])} or {len(able) - 2} more (weft systems lists them)"
