"""``watchband bench scenes``: play the scenes and print which promises were held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.flags import DEBUG
from watchband.core.errors import ConfigError
from watchband.evaluation.scenarios.catalogue import SCENES
from watchband.evaluation.scenarios.scene import Scene, Verdict, named

EXAMPLES = (
    "watchband bench scenes",
    "watchband bench scenes outage-hours level-shift --seeds 5 --detector auto",
    "watchband bench scenes outage-long --detector light --plot outage.png",
    "watchband bench scenes --json",
)


def scenes(
    names: Annotated[
        list[str] | None, typer.Argument(help="Scenes to play; all where none is named.", metavar="SCENE")
    ] = None,
    detector: Annotated[
        list[str] | None,
        typer.Option("--detector", help="Against this one; repeatable. Default: those that promise the scene."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Play each with so many seeds.", min=1, metavar="N")] = 4,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the one scene named into this PNG file.", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    debug: Annotated[bool, DEBUG] = False,
) -> None:
    """Play scenes through the whole pipeline: what happens, what is promised, and whether it was held.

    Ends with exit code 1 where a promise was not.
    """
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library import scenes as library

    chosen = [named(SCENES, name) for name in names or SCENES]
    if plot and len(chosen) != 1:
        raise ConfigError(f"--plot draws one scene. Got {len(chosen)}: name the one to draw.")
    with progress_bar(quiet=as_json, counts=True) as tell:
        found = list(library.verdicts(chosen, detector or (), range(seeds), tell))
    if plot:
        library.write_picture(chosen[0], library.cast(chosen[0], detector or ())[0], 0, plot)
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json(library.to_document(chosen, found)), nl=False)
    else:
        show(chosen, found)
        if plot:
            typer.echo(f"\nDrawn: {plot}")
    if not all(verdict.held for verdict in found):
        raise typer.Exit(1)


def show(chosen: Sequence[Scene], found: Sequence[Verdict]) -> None:
    """Print a table of the scenes, then what was not held."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("scene", style="bold", no_wrap=True)
    table.add_column("promise")
    detectors = list(dict.fromkeys(verdict.detector for verdict in found))
    for name in detectors:
        table.add_column(name, no_wrap=True)
    for scene in chosen:
        by = {verdict.detector: verdict for verdict in found if verdict.scene == scene.name}
        cells = [_cell(scene, by.get(name)) for name in detectors]
        table.add_row(scene.name, scene.promise, *cells)
    console = Console(highlight=False)
    console.print(table)
    broken = [verdict for verdict in found if not verdict.held]
    for verdict in broken:
        console.print(Text.assemble("\n", (verdict.scene, "bold"), f", {verdict.detector}"))
        for finding in verdict.findings:
            if not finding.held:
                console.print(Text(f"  ✗ {finding.promise}: {finding.measured}", style="color(202)"))
    plays = sum(len(verdict.seeds) for verdict in found)
    console.print(f"\n{len(found) - len(broken)} of {len(found)} verdicts: every promise held, in {plays} plays.")


def _cell(scene: Scene, verdict: Verdict | None) -> str:
    if verdict is None:
        return "[dim]–[/dim]"
    note = "" if verdict.detector in scene.detectors else "[dim], not promised[/dim]"
    return f"{'✓ held' if verdict.held else '✗ not held'}{note}"
