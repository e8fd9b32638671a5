"""``watchband features``: rows of features of every series, as a file that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.detect import Files
from watchband.apps.cli.flags import OUTPUT, TIME, Flag, flagged

EXAMPLES = (
    "watchband features cpu.csv --set value4 --out rows.csv",
    "watchband features cluster.csv --set ratios294 --timezone Europe/Dublin --out rows.parquet",
    "watchband features hosts.csv --set cloudwatch10 --by host --complete --out rows.parquet",
    "watchband features new.csv --schema rows.schema.json --out new.parquet",
    "watchband features cpu.csv --set metric --select 20 --labels incidents.csv --out rows.parquet",
    "watchband features new.csv --set metric --selection rows.selection.json --out new.parquet",
    "watchband features cpu.csv --set metric --json",
)
ASKED, CHOSEN = "What is made", "Which features are kept"
OWN = (
    Flag("set", str, "value4", "value4, value4_trailing, lags24, metric, calendar, ratios294, cloudwatch10.", ASKED),
    Flag(
        "column", list[str], [], "Metrics that the set reads, in its order; of a set of one: these only.", ASKED, "NAME"
    ),
    Flag("by", list[str], [], "Labels that name an entity, for sets of several metrics; all if none.", ASKED, "LABEL"),
    Flag("share", float, 0.5, "Share of a window that must be known.", ASKED, "SHARE"),
    Flag("schema", str | None, None, "Exactly the features of this stored schema, or an error.", ASKED, "FILE"),
    Flag("select", int | None, None, "Only so many features, chosen by training rows.", CHOSEN, "N"),
    Flag("train_share", float, 0.7, "Training rows: this first share of the time.", CHOSEN, "SHARE"),
    Flag("labels", Path | None, None, "What chosen features should tell: series,start,end.", CHOSEN, "FILE"),
    Flag("selection", str | None, None, "Exactly the features of this stored selection.", CHOSEN, "FILE"),
    Flag("complete", bool, False, "Leave out rows in which a feature is not known.", ASKED),
    Flag("interval", str | None, None, "Length of a slot of time; learned from the readings if none.", TIME, "TIME"),
    Flag("timezone", str, "UTC", "IANA zone of times without one, and of hours and days.", TIME, "ZONE"),
    Flag("holidays", str | None, None, "Country whose public holidays count as such: IE, US-CA.", TIME, "CODE"),
)


@flagged(*OWN, hinted=True)
def features(
    files: Files,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Write the rows as .csv or .parquet, and their schema beside them.",
            rich_help_panel=OUTPUT,
            metavar="FILE",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout: schema and counts.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=OUTPUT)
    ] = False,
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Turn readings into rows of features: windows, lags, rates, calendar; causal, and of time and not of rows."""
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.matrix.call import Request, run
    from watchband.apps.library.matrix.matrix import check_target
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import to_json

    options = Options(interval=own["interval"], timezone=own["timezone"])
    told = ("interval", "timezone")
    asked: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items() if k not in told}
    if out is not None:
        check_target(out)
    with progress_bar(quiet=quiet) as reading:
        found = run(open_files(files, options, hints, reading), options, Request(**asked))
    beside = None if out is None else found.write(out)
    if as_json:
        typer.echo(to_json(found.document()), nl=False)
    elif not quiet:
        from watchband.apps.cli.features_view import show

        show(found, out, beside)
