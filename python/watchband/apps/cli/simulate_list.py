"""What ``watchband simulate --list`` prints: kinds of metrics, scenes, faults."""

from __future__ import annotations

from typing import Any

import typer

from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.metric_types import METRICS, constants_of
from watchband.evaluation.simulate.scenes import SCENES


def document() -> dict[str, Any]:
    """Everything that can be simulated, as plain data."""
    return {
        "kinds": [
            {"name": name, "summary": summary(kind), "constants": {k: list(v) for k, v in constants_of(name).items()}}
            for name, kind in METRICS.items()
        ],
        "scenes": [{"name": name, "summary": summary(scene)} for name, scene in SCENES.items()],
        "faults": [
            {"name": name, "summary": fault.summary, "expect": fault.expect, "size": fault.size}
            for name, fault in FAULT_TYPES.items()
        ],
    }


def summary(thing: Any) -> str:
    """First line of what it says about itself."""
    return str(thing.__doc__ or "").strip().split("\n")[0]


def show_all(*, as_json: bool) -> None:
    """Print the lists."""
    found = document()
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json(found), nl=False)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for title, key in (("kind", "kinds"), ("scene", "scenes"), ("fault", "faults")):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column(title, no_wrap=True, style="bold")
        if key == "faults":
            table.add_column("expected", no_wrap=True)
        table.add_column("what it is")
        for row in found[key]:
            table.add_row(row["name"], *([row["expect"]] if key == "faults" else []), row["summary"])
        console.print(table)
        console.print()
    console.print("Constants of a kind are set as in sparse:level=0.3; --list --json names them.")
