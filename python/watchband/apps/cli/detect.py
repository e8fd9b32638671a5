"""``watchband detect``: the main job, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchband.apps.cli.fail_if import NAMES, Condition
from watchband.apps.cli.flags import OUTPUT, Flag, command_line, shared_with

if TYPE_CHECKING:
    from watchband.apps.library.feeds import Feed, Progress
    from watchband.apps.library.options import Options

EXAMPLES = (
    "watchband detect metrics.csv",
    "watchband detect metrics.csv --out report/ --budget 1/day",
    "watchband detect 'hosts/*.parquet' --json --fail-if 'critical > 0'",
    "watchband detect --prometheus http://localhost:9090 --query 'rate(http_requests_total[5m])' --since 14d",
    "watchband detect 's3://my-bucket/metrics/{date}/*.csv.gz?since=30d'",
    "watchband detect 'cloudwatch://eu-west-1/AWS/EC2/CPUUtilization?stat=Average' --since 14d",
    "cat metrics.csv | watchband detect - --detector rolling_zscore:window=60 --cutoff 4",
    "watchband detect latency.csv --exclude 2024-03-01T02:00/2024-03-01T04:00 --timezone Europe/Dublin",
)

Files = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, quoted globs, s3:// addresses, or - for standard input.",
        metavar="FILES",
        show_default=False,
    ),
]
CLOUDWATCH = "cloudwatch://"
Inputs = Annotated[
    list[str],
    typer.Argument(
        help=f"Files, folders, quoted globs, s3:// addresses, - for standard input, or one {CLOUDWATCH} address.",
        metavar="FILES",
        show_default=False,
    ),
]
_PROMETHEUS = "Prometheus instead of files"
PULLED = (
    Flag("prometheus", str | None, None, "Address of a server.", _PROMETHEUS, "URL"),
    Flag("query", list[str], [], "What to ask: [NAME=]EXPR. Repeatable.", _PROMETHEUS, "EXPR"),
    Flag("since", str, "14d", "How much of the past.", _PROMETHEUS, "TIME"),
    Flag("token_file", str | None, None, "File of a bearer token.", _PROMETHEUS, "PATH"),
)


@shared_with(*PULLED)
def detect(
    files: Inputs = [],  # noqa: B006 (typer makes a new one)
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write scores, alerts, plots and report.html there.", rich_help_panel=OUTPUT, metavar="DIR"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=OUTPUT)
    ] = False,
    top: Annotated[
        int, typer.Option("--top", help="Alerts shown, most severe first.", min=0, rich_help_panel=OUTPUT, metavar="N")
    ] = 5,
    fail_if: Annotated[
        str | None,
        typer.Option(
            "--fail-if",
            help=f"Exit with 1 where this holds, over {', '.join(NAMES)}: 'alerts > 0'.",
            rich_help_panel=OUTPUT,
            metavar="CONDITION",
        ),
    ] = None,
    with_imputed: Annotated[
        bool, typer.Option("--with-imputed", help="Also write filled-in points to the scores.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=OUTPUT)
    ] = False,
    options: dict[str, Any] = {},  # noqa: B006 (filled by ``shared``)
    hints: dict[str, Any] = {},  # noqa: B006
    own: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Find anomalies in files of metrics, a Prometheus or CloudWatch and say why."""
    from watchband.apps.cli.progress import progress_bar
    from watchband.apps.library.job import execute
    from watchband.apps.library.options import Options
    from watchband.apps.library.outputs.documents import run_document, to_json
    from watchband.apps.library.outputs.folder import check_target

    condition = Condition(fail_if) if fail_if else None
    chosen = Options(**options)
    chosen.watch()
    if out is not None:
        check_target(out)
    pulled = own["prometheus"] is not None or any(file.startswith(CLOUDWATCH) for file in files)
    with progress_bar(quiet=quiet, counts=pulled) as progress:
        feed = _feed(files, own, chosen, hints, progress)
        found = execute(feed, chosen, out=out, with_imputed=with_imputed, command=command_line())
    if as_json:
        typer.echo(to_json(run_document(found)), nl=False)
    elif not quiet:
        from watchband.apps.cli.terminal import show

        show(found, top)
    if condition and condition.holds(found.outcome.counts()):
        raise typer.Exit(1)


def _feed(
    files: list[str], own: dict[str, Any], chosen: Options, hints: dict[str, Any], progress: Progress | None
) -> Feed:
    """What is read: files, or the past of a server."""
    from watchband.apps.library.feeds import open_files
    from watchband.core.duration import parse_duration
    from watchband.core.errors import ConfigError

    if bool(files) == (own["prometheus"] is not None):
        raise ConfigError(
            "Give FILES, or --prometheus URL with --query EXPR, one of both. See watchband detect --help."
        )
    if any(file.startswith(CLOUDWATCH) for file in files):
        from watchband.apps.library.cloudwatch import open_cloudwatch

        if len(files) > 1:
            raise ConfigError("Give one cloudwatch:// address, and nothing beside it: names in it may have wildcards.")
        return open_cloudwatch(
            files[0], since_ns=parse_duration(own["since"]), period_ns=chosen.interval_ns(), progress=progress
        )
    if files:
        return open_files(files, chosen, hints, progress)
    from watchband.apps.library.pulled import open_prometheus

    return open_prometheus(
        own["prometheus"],
        own["query"],
        since_ns=parse_duration(own["since"]),
        step_ns=chosen.interval_ns(),
        token_file=own["token_file"],
        progress=progress,
    )
