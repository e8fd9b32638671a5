"""``watchband restore``: a backup becomes the store."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.progress import progress_bar
from watchband.apps.cli.store_flags import DATA, AsJson, Data, Quiet, amount, many

EXAMPLES = (
    "watchband restore /backups/2026-01-31",
    "watchband restore /backups/2026-01-31 --data /var/lib/watchband --replace",
)


def restore(
    directory: Annotated[Path, typer.Argument(help="What 'watchband backup' made.", metavar="DIR", show_default=False)],
    data: Data = DATA,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set a store that is there aside, as DIR.before-restore.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put a backup where the store is kept. 'watchband serve' must not run on it."""
    from watchband.adapters.stores.sqlite.backup import restore as bring

    occupied = data.exists() and any(data.iterdir())
    with progress_bar(quiet=quiet or as_json) as progress:
        made = bring(directory, data, replace=replace, progress=progress)
    if as_json:
        typer.echo(json.dumps({"directory": str(data), **asdict(made)}))
    elif not quiet:
        aside = f" What was there is in {data}.before-restore." if occupied else ""
        typer.echo(
            f"Restored {data}: {many(made.entries, 'entry', 'entries')}, {many(made.series, 'series', 'series')}, "
            f"{many(made.alerts, 'alert')}; database {amount(made.database)}, archive {many(made.files, 'file')}, "
            f"{many(len(made.models), 'model')}."
            f"{aside}"
        )
