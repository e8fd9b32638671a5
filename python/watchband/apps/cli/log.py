"""``watchband log``: what was acknowledged, as files."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.moments import moment
from watchband.apps.cli.store_flags import DATA, AsJson, Data, Quiet, many, opened

log = typer.Typer(
    name="log",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="The log: what was acknowledged, in its order.",
)
EXPORT_EXAMPLES = (
    "watchband log export day.parquet --since 2026-01-31 --until 2026-02-01",
    "watchband log export all.csv --data /var/lib/watchband",
)


@log.callback()
def _root() -> None:
    pass


@log.command("export", epilog=examples(EXPORT_EXAMPLES))
def export_log(
    file: Annotated[Path, typer.Argument(help="FILE.parquet or FILE.csv.", metavar="FILE", show_default=False)],
    data: Data = DATA,
    since: Annotated[str | None, typer.Option("--since", help="Readings from then on.", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option("--until", help="And before then.", metavar="TIME")] = None,
    late: Annotated[bool, typer.Option("--late", help="Also what came too late to be judged.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write readings in the order in which they were judged: 'watchband detect' of it gives the same verdicts."""
    from watchband.adapters.stores.sqlite.export import export
    from watchband.apps.service.service import SHARD

    span = (moment(since, -(2**63)), moment(until, 2**63 - 1))
    with opened(data) as store:
        rows, columns = export(store, SHARD, file, span, late=late)
    labels = [part for column in columns for part in ("--label", column)]
    command = shlex.join(["watchband", "detect", str(file), "--time", "time", "--value", "value", *labels])
    if as_json:
        typer.echo(json.dumps({"file": str(file), "rows": rows, "labels": dict(columns), "detect": command}))
    elif not quiet:
        typer.echo(f"Wrote {file}: {many(rows, 'reading')}. To judge them again:\n  {command}")
