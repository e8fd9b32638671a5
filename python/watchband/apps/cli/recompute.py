"""``watchband recompute``: what came late takes its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.store_flags import AsJson, Config, Quiet, directory_of, many, opened

EXAMPLES = (
    "watchband recompute --dry-run",
    "watchband recompute web --config /etc/watchband/",
    "watchband recompute --tell",
)


def recompute(
    watch: Annotated[
        str | None, typer.Argument(help="Name of a watch; all of them without.", metavar="[WATCH]", show_default=False)
    ] = None,
    config: Config = Path("watchband.yaml"),
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    tell: Annotated[
        bool, typer.Option("--tell", help="Tell the watch's sinks of alerts that are new or changed.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fold the log again with late readings in their place, and revise the alerts. 'watchband serve' must not run."""
    from watchband.apps.cli.progress import count_bar
    from watchband.apps.config.config import read_config
    from watchband.apps.service.service import SHARD
    from watchband.core.clock import SystemClock
    from watchband.pipeline.recompute import recompute as anew
    from watchband.pipeline.replay import named

    found = read_config(config)
    bounds = found.bounds() if watch is None else [named(found.bounds(), watch)]
    said = []
    with opened(directory_of(found), write=not dry) as store, count_bar("folding", quiet=quiet or as_json) as progress:
        for bound in bounds:
            sinks = (tuple(found.sinks) if bound.sinks is None else tuple(bound.sinks)) if tell else ()
            said.append(anew(bound, store, SHARD, SystemClock(), sinks=sinks, dry=dry, progress=progress))
    if as_json:
        typer.echo(json.dumps([{n: getattr(one, n) for n in one.__slots__} for one in said]))
        return
    for one in said if not quiet else ():
        if not one.late:
            typer.echo(f"{one.watch}: nothing came late.")
            continue
        since = f"the snapshot behind entry {one.after:,}" if one.after else "the beginning of the log"
        typer.echo(
            f"{one.watch}: {many(one.late, 'late reading')} in place, {many(one.entries, 'entry', 'entries')} folded "
            f"again from {since}; {many(one.added, 'alert')} new, {one.changed:,} changed, {one.withdrawn:,} withdrawn"
            f"{' (nothing was changed)' if dry else ''}."
        )
