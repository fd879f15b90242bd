"""`weft generate` and `weft rerun`, and their flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weft.cli.console import Console
from weft.cli.flags import Cues, Duration, Force, Json, Quiet, Seed, Start


def generate(
    clip: Annotated[
        Path | None,
        typer.Argument(
            metavar="CLIP",
            help="The video. Systems that need none also take a still picture, or nothing but --duration.",
            show_default=False,
        ),
    ] = None,
    cues: Cues = None,
    prompt: Annotated[str | None, typer.Option(help="What it should sound like, in words.")] = None,
    negative: Annotated[str | None, typer.Option(help="What should not be heard, in words.")] = None,
    reference: Annotated[Path | None, typer.Option(help="A recording whose timbre is wanted.")] = None,
    reference_strength: Annotated[
        float | None,
        typer.Option(
            help=r"How far from noise (0) to the reference (1) MMAudio begins \[0.4].", show_default=False
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="What MMAudio's networks compute in: fp32 or bf16.")
    ] = "fp32",
    system: Annotated[str | None, typer.Option(help="Who performs (see: weft systems).")] = None,
    seed: Seed = 0,
    takes: Annotated[int, typer.Option(min=1, help="How many takes to make.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, help="Sampler steps of a learned system.")] = None,
    guidance: Annotated[
        float | None, typer.Option(help="Guidance scale of a learned system; 1 is off.")
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(
            help="What of the picture MMAudio does without: clip (what is seen), sync (when), or both, a comma between."
        ),
    ] = None,
    compat: Annotated[
        bool,
        typer.Option("--compat", help="As the system's published reference does it, defects included."),
    ] = False,
    region: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="START END", help="Make only these seconds anew, of the take that --from names."
        ),
    ] = None,
    known: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="The take, or its sidecar, that stays as it is outside --region.",
            show_default=False,
        ),
    ] = None,
    guide: Annotated[
        str | None,
        typer.Option(
            help="Hold the sound to picture and words together: volume, pairwise, mdg or seeing-hearing."
        ),
    ] = None,
    guide_scale: Annotated[
        float | None, typer.Option(help=r"How far a guided step goes \[0.1].", show_default=False)
    ] = None,
    guide_start: Annotated[
        float | None,
        typer.Option(help=r"Share of the steps before the first guided one \[0.2].", show_default=False),
    ] = None,
    guide_stop: Annotated[
        float | None,
        typer.Option(help=r"Share of the steps from which on none is guided \[0.85].", show_default=False),
    ] = None,
    guide_every: Annotated[
        int | None, typer.Option(help=r"Guide every so many steps \[1].", show_default=False)
    ] = None,
    start: Start = 0.0,
    duration: Duration = None,
    original: Annotated[
        str, typer.Option(help="The clip's own sound: replace, keep, mix or duck.")
    ] = "replace",
    lufs: Annotated[
        float | None, typer.Option(help="Integrated loudness wanted, e.g. -23; as performed if not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The result: video, .wav or .flac [CLIP.weft.SUFFIX]."),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option(help=r"Folder for the results \[beside CLIP].")] = None,
    timeline: Annotated[
        bool, typer.Option(help="Also draw picture, cues and sound on one timeline, as PNG.")
    ] = False,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Put sound to CLIP. Beside the result: its cue sheet and a sidecar that `weft rerun` plays again."""
    from weft.cli.generating import asked_guidance, asked_region, generate_takes
    from weft.systems.playing import Playing

    playing = Playing(
        system=system,
        seed=seed,
        steps=steps,
        guidance=guidance,
        guide=asked_guidance(
            guide, system, scale=guide_scale, start=guide_start, stop=guide_stop, every=guide_every
        ),
        lufs=lufs,
        without=tuple(name.strip() for name in (without or "").split(",") if name.strip()),
        compat=compat,
        region=asked_region(region, known),
        reference_strength=reference_strength,
        precision=precision,  # type: ignore[arg-type]
    )
    generate_takes(
        Console(quiet, json),
        clip,
        playing,
        cues=cues,
        prompt=prompt,
        negative=negative,
        reference=reference,
        takes=takes,
        start=start,
        duration=duration,
        original=original,
        output=output,
        out_dir=out_dir,
        timeline=timeline,
        force=force,
    )


def rerun(
    sidecar: Annotated[Path, typer.Argument(help="The .weft.json beside a take.", show_default=False)],
    clip: Annotated[Path | None, typer.Option(help="The clip, if it has moved.")] = None,
    known: Annotated[
        Path | None,
        typer.Option("--from", help="The take of which a region was made anew, if it has moved."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the result goes.")] = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Play a take again from its sidecar and say whether the samples are the same."""
    from weft.cli.generating import rerun_take

    rerun_take(Console(quiet, json), sidecar, clip=clip, known=known, output=output, force=force)
