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
    "watchband backup /backups/now --config /etc/watchband.yaml",
)


def backup(
    directory: Annotated[Path, typer.Argument(help="Made for this backup.", metavar="DIR", show_default=False)],
    data: Data = DATA,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Instead of --data: the store of this configuration; tells which models it names lie outside.",
            metavar="CONFIG",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Copy a store, whole and checked, while 'watchband serve' goes on."""
    from watchband.adapters.stores.sqlite.backup import backup as copy

    data, outside = (data, []) if config is None else _named(config)
    with progress_bar(quiet=quiet or as_json) as progress:
        made = copy(data, directory, progress=progress)
    if as_json:
        typer.echo(json.dumps({"directory": str(directory), **asdict(made), "outside": outside}))
    elif not quiet:
        linked = f", {made.linked} of them links" if made.linked else ""
        typer.echo(
            f"Wrote {directory}: {many(made.entries, 'entry', 'entries')}, {many(made.series, 'series', 'series')}, "
            f"{many(made.alerts, 'alert')}; database {amount(made.database)}, archive {many(made.files, 'file')} of "
            f"{amount(made.bytes)}{linked}, {many(len(made.models), 'model')}. Checked."
        )
        for place in outside:
            typer.echo(f"Not in it: {place}. Keep a copy with your configuration.")


def _named(config: Path) -> tuple[Path, list[str]]:
    """The store's directory, and the models that the configuration names, which lie wherever it says."""
    from watchband.apps.cli.store_flags import directory_of
    from watchband.apps.config.config import read_config

    found = read_config(config)
    outside = []
    for name, one in found.watches.items():
        place = one.model or getattr(one.options.build_detector(), "model", "")
        outside += [f"{place} (model of the watch {name})"] if place else []
    outside += [f"{found.risk.model} (model of the risk)"] if found.risk.model else []
    return directory_of(found), sorted(outside)
