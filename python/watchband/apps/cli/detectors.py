"""``watchband detectors``: what there is to judge with."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from watchband.apps.cli.flags import DEBUG
from watchband.core import params
from watchband.core.detector import Detector
from watchband.pipeline.catalogue import CATALOGUE

EXAMPLES = ("watchband detectors", "watchband detectors rolling_zscore", "watchband detectors --json")


def detectors(
    name: Annotated[
        str | None, typer.Argument(help="Show the parameters of this one.", metavar="NAME", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    debug: Annotated[bool, DEBUG] = False,
) -> None:
    """List the detectors, with maturity, cost and bytes a series."""
    found = [CATALOGUE.get(n) for n in ([name] if name else CATALOGUE.names())]
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json({"detectors": [describe(d) for d in found]}), nl=False)
    elif name:
        _show_one(found[0])
    else:
        _show_all(found)


def describe(detector: type[Detector]) -> dict[str, Any]:
    """A detector as plain data."""
    built = detector()
    return {
        "name": detector.name,
        "summary": _summary(detector),
        "maturity": detector.maturity,
        "state_bytes": built.state_bytes_max,
        "memory_points": built.memory_points,
        "default_rule": getattr(detector, "default_rule", "budget"),
        "cost": detector.cost,
        "parameters": params.schema(detector)["properties"],
    }


def _summary(detector: type[Detector]) -> str:
    return (detector.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").replace("  ", "").replace("``", "")


def _show_all(found: list[type[Detector]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("detector", no_wrap=True, style="bold")
    table.add_column("maturity", no_wrap=True)
    table.add_column("bytes a series", justify="right", no_wrap=True)
    table.add_column("what it does, and what it costs")
    for detector in found:
        cost = f"\n[dim]{detector.cost}[/dim]" if detector.cost else ""
        table.add_row(detector.name, detector.maturity, f"{detector().state_bytes_max:,}", _summary(detector) + cost)
    console = Console(highlight=False)
    console.print(table)
    console.print("\nParameters: watchband detectors NAME. Use: watchband detect FILE --detector NAME:key=value")


def _show_one(detector: type[Detector]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    rule = getattr(detector, "default_rule", "budget")
    facts = f"{detector.maturity}, {detector().state_bytes_max:,} bytes a series, default rule {rule}"
    console.print(Text.assemble((detector.name, "bold"), f"  {facts}"))
    console.print(Text(_summary(detector)))
    if detector.cost:
        console.print(Text(detector.cost, style="dim"))
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("parameter", "default", "must be", "meaning"):
        table.add_column(column, no_wrap=column in ("parameter", "default"))
    defaults = {f.name: f.default for f in dataclasses.fields(detector)}
    for key, declared in params.params_of(detector).items():
        unit = f", {declared.unit}" if declared.unit else ""
        default = str(defaults[key]).lower() if isinstance(defaults[key], bool) else str(defaults[key])
        table.add_row(Text(key, style="bold"), default, Text(f"{declared.constraint}{unit}"), Text(declared.doc))
    console.print(table)
