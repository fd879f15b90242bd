"""A part of a take that is to be made anew: which part of which take, and whether it can be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cues.sheet import CueSheet
from weft.errors import UserError
from weft.media.audio import SOUND_SUFFIXES
from weft.media.mux import VIDEO_SUFFIXES
from weft.systems import sidecar

if TYPE_CHECKING:
    from weft.systems.playing import Playing
    from weft.systems.table import SystemSpec

SHORTEST_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Region:
    """Seconds `start` to `end` of what is performed to (as a cue sheet counts them), of the take in the file `source`,
    or beside it where that is a sidecar. loudness_db: what `--lufs` lifted the take by; None is as its sidecar says."""

    start: float
    end: float
    source: Path | str
    loudness_db: float | None = None

    @property
    def sound(self) -> Path:
        """The file of the take's sound. Raises UserError where there is none."""
        path = Path(self.source)
        if path.suffix.lower() == ".json":
            suffixes = (*SOUND_SUFFIXES, *VIDEO_SUFFIXES)
            found = next((p for s in suffixes if (p := path.with_suffix(s)).is_file()), None)
            if found is None:
                raise UserError(f"no take beside {path}; give the sound or the video itself with --from")
            return found
        if not path.is_file():
            raise UserError(f"no take at {path}; give the file of a take with --from")
        return path

    def made(self) -> tuple[dict[str, Any], CueSheet] | None:
        """What the take's sidecar says, and the sheet it was played from; None where there is no sidecar."""
        path = self.sound.with_suffix(".json")
        try:
            return sidecar.read(path)
        except UserError:
            if Path(self.source) == path:
                raise
            return None  # a file of somebody else's beside a sound of any origin

    def check(self, duration: float) -> None:
        """Raise UserError unless this is a part of `duration` seconds, of a take that holds nothing else."""
        if not (math.isfinite(self.start) and math.isfinite(self.end)) or self.start >= self.end:
            raise UserError(
                f"--region {self.start:g} {self.end:g} is empty or reversed; give its start, then its end"
            )
        if self.start < 0 or self.end > duration + 1e-3:
            raise UserError(
                f"--region {self.start:g} {self.end:g} lies outside the clip; give seconds from 0 to {duration:g}"
            )
        if self.end - self.start < SHORTEST_S:
            raise UserError(
                f"--region {self.start:g} {self.end:g} is too short; give {SHORTEST_S:g} s or more"
            )
        told = self.made()
        if told is not None and told[0].get("original") in ("mix", "duck"):
            raise UserError(
                f"{self.sound} holds the clip's own sound too (--original {told[0]['original']}); give a take without"
            )
        # Takes from before `loudness_db` was kept: how far they were lifted is not told by how loud they are now.
        unsaid = (
            told is not None and told[0].get("lufs") is not None and "loudness_db" not in told[0]["audio"]
        )
        if unsaid and self.loudness_db is None:
            raise UserError(
                f"{self.sound} was made with --lufs by an earlier weft, which did not note how far it was lifted; "
                "weft rerun its sidecar, and give that take"
            )


def refuse_region(spec: SystemSpec, region: Region, duration: float, playing: Playing) -> None:
    """Raise UserError where a system cannot make this part of `duration` seconds anew, or not so."""
    from weft.systems.table import systems_that

    if "region" not in spec.dials:
        able = systems_that(lambda other: "region" in other.dials)
        raise UserError(f"{spec.name} cannot make a part of a take anew; systems that can: {able}")
    if playing.compat:
        raise UserError("--compat plays the whole clip at once, as the reference does; leave --region out")
    if playing.lufs is not None:
        raise UserError(f"--lufs {playing.lufs:g} would change the take around the region; leave it out")
    region.check(duration)


def as_before(
    playing: Playing, cues: CueSheet | str | Path | None
) -> tuple[Playing, CueSheet | str | Path | None]:
    """Where a region of a take is made anew, what is not said is as it was: the system and the cue sheet are those of
    the take's sidecar, where there is one."""
    told = None if playing.region is None else playing.region.made()
    if told is None:
        return playing, cues
    made, sheet = told
    return replace(playing, system=playing.system or made["system"]), sheet if cues is None else cues
