"""``watchband init``: a first configuration that lives at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.config import write_new
from watchband.core.errors import ConfigError

EXAMPLES = (
    "watchband init && watchband serve",
    "watchband init --prometheus http://localhost:9090",
    "watchband init prod.yaml --prometheus http://prom:9090 --query 'cpu=avg by (job) (rate(cpu[5m]))' --no-host",
)
NAME = "watchband.yaml"
Budget = Annotated[str, typer.Option("--budget", help="Alerts you can take, per series.", metavar="N/PERIOD")]
Listen = Annotated[str, typer.Option("--listen", help="Where the server listens.", metavar="HOST:PORT")]


def init(
    path: Annotated[Path, typer.Argument(help="The file, or a directory for it.", metavar="PATH")] = Path(NAME),
    prometheus: Annotated[
        str, typer.Option("--prometheus", help="Address of a Prometheus or VictoriaMetrics.", metavar="URL")
    ] = "",
    query: Annotated[
        list[str],
        typer.Option("--query", help="What it is asked; else the usual. Repeatable.", metavar="NAME=EXPR"),
    ] = [],  # noqa: B006 (typer's way)
    host: Annotated[bool, typer.Option("--host/--no-host", help="This machine's own metrics.")] = True,
    push: Annotated[bool, typer.Option("--push/--no-push", help="An endpoint that takes points.")] = True,
    slack_file: Annotated[
        str, typer.Option("--slack-file", help="File with the address of a Slack webhook.", metavar="FILE")
    ] = "",
    budget: Annotated[
        str, typer.Option("--budget", help="Alerts you can take, per series.", metavar="N/PERIOD")
    ] = "1/week",
    listen: Annotated[
        str, typer.Option("--listen", help="Where the server listens.", metavar="HOST:PORT")
    ] = "127.0.0.1:8470",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a first watchband.yaml, with a comment on everything; 'watchband serve' runs it as it is.

    It asks nothing. Without flags it watches this machine, takes points by HTTP, and writes alerts to a file.
    """
    from watchband.apps.config.config import ConfigProblems, read_text
    from watchband.apps.config.first import First

    if query and not prometheus:
        raise ConfigError("--query asks a Prometheus. Say which: --prometheus http://localhost:9090.")
    if not (prometheus or host or push):
        raise ConfigError("Nothing would come in: keep --host or --push, or give --prometheus.")
    first = First(
        prometheus=prometheus,
        queries=[_query(text) for text in query],
        host=host,
        push=push,
        budget=budget,
        listen=listen,
        slack_file=slack_file,
    )
    out = path / NAME if path.is_dir() else path
    text = first.text()
    try:
        read_text(text, str(out))
    except ConfigProblems as error:
        # What was given by a flag: the place in a file that is not written helps nobody.
        raise ConfigError(error.problems[0].message) from None
    write_new(out, text, force=force)
    shown = "" if out == Path(NAME) else f" {out}"
    typer.echo(f"{out} is written. Look it through with: watchband check{shown}\nRun it with: watchband serve{shown}")


def _query(text: str) -> tuple[str, str]:
    name, equals, expression = text.partition("=")
    if not equals or not name.strip() or not expression.strip():
        raise ConfigError(f"--query {text!r} cannot be read. Write NAME=EXPRESSION, say cpu='rate(cpu[5m])'.")
    return name.strip(), expression.strip()
