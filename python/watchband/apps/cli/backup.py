"""``watchband backup``: a consistent copy of a store, while it is in use."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.progress import progress_bar
from watchband.apps.cli.store_flags import DATA, AsJson, Data, Quiet, amount, many

EXAMPLES = (
    "watchband backup /backups/$(date +%F)",
    "watchband backup /backups/now --data /var/lib/watchband --json",
)


def backup(
    directory: Annotated[Path, typer.Argument(help="Made for this backup.", metavar="DIR", show_default=False)],
    data: Data = DATA,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Copy a store, whole and checked, while 'watchband serve' goes on."""
    from watchband.adapters.stores.sqlite.backup import backup as copy

    with progress_bar(quiet=quiet or as_json) as progress:
        made = copy(data, directory, progress=progress)
    if as_json:
        typer.echo(json.dumps({"directory": str(directory), **asdict(made)}))
    elif not quiet:
        linked = f", {made.linked} of them links" if made.linked else ""
        typer.echo(
            f"Wrote {directory}: {many(made.entries, 'entry', 'entries')}, {many(made.series, 'series', 'series')}, "
            f"{many(made.alerts, 'alert')}; database {amount(made.database)}, archive {many(made.files, 'file')} of "
            f"{amount(made.bytes)}{linked}. Checked."
        )
