"""The commands and their flags. Each parses, calls the library and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weft.cli.app_models import models
from weft.cli.app_world import world
from weft.cli.console import Console
from weft.cli.flags import ClipArg, Cues, Duration, Force, Json, Quiet, Seed, Start

app = typer.Typer(
    name="weft",
    help="Put sound to silent video, held by three dials: when, where and what.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(world, name="world")
app.add_typer(models, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        from weft import __version__

        print(f"weft {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def spot(
    clip: ClipArg,
    cues: Cues = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the sheet goes [CLIP.cues.json].")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the onsets as CSV.")] = None,
    timeline: Annotated[bool, typer.Option(help="Also draw the sheet beside it, as PNG.")] = False,
    start: Start = 0.0,
    duration: Duration = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the cue sheet of CLIP: what sounds when and where. Edit it, then generate with --cues."""
    from weft.cli.commands import spot_clip

    spot_clip(
        Console(quiet, json),
        clip,
        cues=cues,
        output=output,
        csv=csv,
        timeline=timeline,
        start=start,
        duration=duration,
        force=force,
    )


@app.command()
def generate(
    clip: Annotated[
        Path | None,
        typer.Argument(
            metavar=r"\[CLIP]",
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


@app.command()
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


@app.command("eval")
def evaluate(
    reference: Annotated[
        Path | None,
        typer.Argument(help="Folder, shard (.tar) or file; or a CSV that names both.", show_default=False),
    ] = None,
    predicted: Annotated[Path | None, typer.Argument(help="The sounds to judge.", show_default=False)] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help=r"plain, greatest-hits, vggsound, av-benchmark, world-hits or world-walks \[plain].",
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="These metrics in place of the protocol's, commas between; see --list.")
    ] = None,
    embedders: Annotated[
        str | None,
        typer.Option(help="These embedders in place of the protocol's, commas between; see --list."),
    ] = None,
    names: Annotated[
        bool,
        typer.Option(
            "--list", help="Print which metrics, embedders and protocols there are; of one --protocol."
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help=r"Processes beside each other \[as many as cores].")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where measured features are kept [~/.cache/weft/features].")
    ] = None,
    cache_limit: Annotated[
        float | None,
        typer.Option(
            metavar="GB",
            help="How much of them stays; what was used longest ago goes first [WEFT_CACHE_LIMIT, or 5].",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write an HTML report, its clips in a folder beside it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the result as JSON.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Score PREDICTED against REFERENCE, clips paired by name. Exit status 1 when some clips failed.

    Whether published systems were trained on these clips: weft leaks REFERENCE."""
    from weft.cli.evaluation import evaluate_clips, list_names
    from weft.errors import UserError

    if names:
        if any(v is not None for v in (reference, predicted, metrics, embedders, report, output)):
            raise UserError("--list scores nothing; leave the sounds and other flags out, --protocol apart")
        list_names(Console(quiet, json), protocol)
        return
    if reference is None:
        raise UserError("nothing to score; give REFERENCE and PREDICTED, or --list for what can be measured")
    evaluate_clips(
        Console(quiet, json),
        reference,
        predicted,
        protocol=protocol,
        metrics=metrics,
        embedders=embedders,
        jobs=jobs,
        cache=cache,
        cache_limit=cache_limit,
        report=report,
        output=output,
        force=force,
    )


@app.command()
def leaks(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="TEST",
            help="The test set: folder, shard (.tar), CSV, or a text file with one name a line.",
            show_default=False,
        ),
    ],
    split: Annotated[
        str | None, typer.Option(help=r"Only these splits, commas between \[all].", show_default=False)
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            help="What counts: recording (itself), take (a piece of the same take too), day (its day too)."
        ),
    ] = "recording",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say which published splits trained on the clips of TEST. Exit status 1 when some did, 2 when no name is known."""
    from weft.cli.leaks import tell_leaks

    tell_leaks(Console(quiet, json), place, split=split, by=by)


@app.command()
def systems(json: Json = False) -> None:
    """List who can perform, with licence, rate, channels and dials."""
    from weft.cli.commands import list_systems

    list_systems(Console(as_json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Say what this machine has and lacks, one line each."""
    from weft.cli.commands import examine_machine

    examine_machine(Console(as_json=json))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    recipe: Annotated[
        Path,
        typer.Argument(
            help="A recipe: recipes/train_codec.py, recipes/mmaudio_small_16k.toml ...", show_default=False
        ),
    ],
) -> None:
    """Run a training recipe; what follows its name are the recipe's own flags (after `--`, --help lists them)."""
    if recipe.suffix == ".toml":
        from weft.cli.training import train_toml

        train_toml(Console(), recipe, context.args)
        return
    from weft.cli.commands import run_recipe

    run_recipe(recipe, context.args)
