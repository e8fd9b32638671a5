"""``watchband explain``: why a point was judged as it was."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watchband.apps.cli.flags import INPUT, OUTPUT, shared

EXAMPLES = (
    "watchband explain metrics.csv --at 2014-02-26T22:05",
    "watchband explain hosts.csv --at '2024-03-01 12:05' --series 'cpu{host=\"web-1\"}' --timezone Europe/Dublin",
)


@shared
def explain(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, quoted globs, or - for standard input.", metavar="FILES", show_default=False
        ),
    ],
    at: Annotated[
        str,
        typer.Option("--at", help="The point at, or last before, this time.", rich_help_panel=INPUT, metavar="TIME"),
    ],
    series: Annotated[
        str | None,
        typer.Option(
            "--series", help="Which series, where there are several.", rich_help_panel=INPUT, metavar="SERIES"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=OUTPUT)
    ] = False,
    options: dict[str, Any] = {},  # noqa: B006 (filled by ``shared``)
    hints: dict[str, Any] = {},  # noqa: B006
) -> None:
    """Say why a point scored as it did, and which policies raised or suppressed it."""
    from watchband.apps.library.explain import explain_moment
    from watchband.apps.library.feeds import open_files
    from watchband.apps.library.moments import parse_moment
    from watchband.apps.library.options import Options

    chosen = Options(**options)
    feed = open_files(files, chosen, hints)
    found = explain_moment(feed, chosen, parse_moment(at, chosen.timezone), series)
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json(found.to_document()), nl=False)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for number, sentence in enumerate(found.sentences(chosen.timezone)):
        console.print(Text(sentence, style="" if number else "bold"))
