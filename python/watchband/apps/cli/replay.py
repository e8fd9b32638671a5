"""``watchband replay``: files as a stream of records."""

from __future__ import annotations

from typing import Any

import typer

from watchband.apps.cli.flags import OUTPUT, Flag, flagged

WHERE = "Stream"
EXAMPLES = (
    "watchband replay hosts.csv --to kinesis://cloudwatch-metrics-stream",
    "watchband replay hosts.csv --to 'kinesis://metrics?region=eu-west-1' --speed 1h --as csv",
)
FLAGS = (
    Flag("to", str | None, None, "Where to: kinesis://STREAM?region=REGION.", WHERE, "ADDRESS"),
    Flag("speed", str, "max", "As quickly as it takes them, 60x, or 1h (an hour a second).", WHERE, "SPEED"),
    Flag("form", str, "points", "What a record is: points (JSON) or csv (a raw row).", WHERE, "NAME", "--as"),
    Flag("ordered", bool, False, "No key twice in one call: its order is kept whatever fails.", WHERE),
    Flag("as_json", bool, False, "One JSON document on stdout: what was sent.", OUTPUT, spelled="--json"),
    Flag("quiet", bool, False, "Print nothing but errors.", OUTPUT, spelled="--quiet -q"),
)


@flagged(*FLAGS, hinted=True)
def replay(
    files: list[str] = typer.Argument(  # noqa: B008
        ..., help="Files, folders, quoted globs, or - for standard input.", metavar="FILES"
    ),
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Send the rows of files to a stream, in order of time: a record for each entity and time.

    The entity (the labels of a series) is the partition key, so the points of a host stay in order on one shard.
    """
    import json
    import sys
    from contextlib import closing

    from watchband.adapters.sources.files.table import open_table
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.feeds import hints_of
    from watchband.apps.library.options import Options
    from watchband.apps.library.replaying.call import FORM, open_target
    from watchband.apps.library.replaying.call import replay as send
    from watchband.apps.library.replaying.records import columns_of, entries_of, readings_of
    from watchband.apps.library.simulation.playing import parse_speed
    from watchband.core.errors import ConfigError

    if own["to"] is None:
        raise ConfigError(f"Say where to: --to {FORM}.")
    speed = parse_speed(own["speed"])
    quiet = own["quiet"] or own["as_json"]
    target = open_target(own["to"], ordered=own["ordered"])
    with closing(target), open_table(files, hints_of(Options(), hints), stdin=sys.stdin.buffer) as table:
        readings = readings_of(table)
        if not len(readings):
            raise ConfigError("There is no value in these files. Nothing was sent.")
        with progress_bar(quiet=quiet, counts=True) as progress:
            told = (lambda done, total: progress("sending", done, total)) if progress else None
            found = send(entries_of(readings, own["form"]), target, len(readings), speed=speed, progress=told)
        columns = columns_of(readings.keys)
    if own["as_json"]:
        typer.echo(
            json.dumps(
                {
                    "records": found.records,
                    "points": found.points,
                    "calls": target.calls,
                    "sent_again": target.again,
                    "seconds": round(found.seconds, 3),
                    **({"columns": columns} if own["form"] == "csv" else {}),
                }
            )
        )
    elif not quiet:
        again = f", {target.again:,} of them again" if target.again else ""
        typer.echo(f"{found.records:,} records with {found.points:,} points in {target.calls:,} calls{again}")
