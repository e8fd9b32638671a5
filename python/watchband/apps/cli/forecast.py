"""``watchband forecast``: what comes next, how sure that is, and when a threshold is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.detect import Files
from watchband.apps.cli.flags import OUTPUT, TIME, Flag, command_line, flagged

EXAMPLES = (
    "watchband forecast metrics.csv --horizon 1d",
    "watchband forecast disk.csv --horizon 7d --above 95 --range 0:100",
    "watchband forecast 'hosts/*.parquet' --series 'cpu{host=\"a\"}' --model ridge,seasonal_naive --out forecast/",
    "watchband forecast latency.csv --horizon 6h --level 0.95 --json",
)
AHEAD = "What is asked"
OWN = (
    Flag("horizon", str, "1d", "How far ahead.", AHEAD, "TIME"),
    Flag("above", list[float], [], "When is this reached from below? Repeatable.", AHEAD, "X"),
    Flag("below", list[float], [], "When is this reached from above? Repeatable.", AHEAD, "X"),
    Flag("level", float, 0.9, "Share of what comes that intervals are to contain.", AHEAD, "SHARE"),
    Flag("model", str, "auto", "A model, or several with commas; auto: the best of all on the past.", AHEAD, "NAME,…"),
    Flag("series", list[str], [], "Only this series, as it is printed. Repeatable.", AHEAD, "NAME"),
    Flag("range", str | None, None, "Lowest and highest value there can be: 0:100 or 0:.", AHEAD, "LOW:HIGH"),
    Flag("season", str | None, None, "Length of the season; a day where there are two, 0 for none.", TIME, "TIME"),
    Flag("resample", str | None, None, "Gather readings in buckets of this width first.", TIME, "TIME"),
    Flag("interval", str | None, None, "Time between readings; needed where rows are only numbered.", TIME, "TIME"),
    Flag("timezone", str, "UTC", "IANA zone of times without one, and of what is printed.", TIME, "ZONE"),
)


@flagged(*OWN, hinted=True)
def forecast(
    files: Files,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Write forecast.csv, forecast_metrics.json, plots and report.html there.",
            rich_help_panel=OUTPUT,
            metavar="DIR",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=OUTPUT)
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="The forecast as CSV on stdout, one row a time.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=OUTPUT)
    ] = False,
    own: dict[str, Any] = {},  # noqa: B006 (filled by ``flagged``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Forecast every series, beside persistence and the season before, with intervals tried on its own past."""
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.forecasting.call import Request, run
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import to_json
    from watchband.apps.library.outputs.folder import check_target

    told = {name: own[name] for name in ("range", "resample", "interval", "timezone")}
    asked: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items() if k not in told}
    options, request = Options(**told), Request(**asked)
    if out is not None:
        check_target(out)
    with progress_bar(quiet=quiet) as reading:
        feed = open_files(files, options, hints, reading)
        found = run(feed, options, request, command=command_line())
    if out is not None:
        found.write(out)
    if as_json:
        typer.echo(to_json(found.document()), nl=False)
    elif as_csv:
        typer.echo(found.csv(), nl=False)
    elif not quiet:
        from watchband.apps.cli.forecast_view import show

        show(found, out)
