"""``watchband check``: whether a configuration can run, and what it would do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchband.core.errors import ConfigError

EXAMPLES = (
    "watchband check",
    "watchband check /etc/watchband --offline",
    "watchband check watchband.yaml --for 5m",
    "watchband check --json | jq '.problems'",
)


def check(
    file: Annotated[Path, typer.Argument(help="A YAML file, or a directory of them.", metavar="CONFIG")] = Path(
        "watchband.yaml"
    ),
    live: Annotated[bool, typer.Option("--live/--offline", help="Ask the sources, or read the file only.")] = True,
    seconds: Annotated[str, typer.Option("--for", help="Read the sources for so long at most.", metavar="TIME")] = "1m",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Whether a configuration can run; then a dry run: nothing is kept, nobody is told.

    Shown are the series of each watch, their memory before it is taken, what would have alerted over the last day.

    Exit codes: 0 it can run; 1 the dry run found problems; 2 the file has mistakes.
    """
    import logging

    from watchband.apps.config.config import ConfigProblems, read_config
    from watchband.apps.config.findings import document
    from watchband.apps.config.trial import dry_run
    from watchband.apps.library.outputs.documents import to_json
    from watchband.core.duration import SECOND, parse_duration

    # What a source reports of itself is shown in its place.
    logging.getLogger("watchband").addHandler(logging.NullHandler())
    limit = parse_duration(seconds) / SECOND
    try:
        config = read_config(file)
    except ConfigProblems as error:
        if not as_json:
            raise
        typer.echo(to_json(_invalid(str(file), error)))
        raise typer.Exit(2) from None
    except ConfigError as error:
        if not as_json:
            raise
        typer.echo(to_json({"path": str(file), "valid": False, "errors": [{"message": str(error)}]}))
        raise typer.Exit(2) from None
    trial = None
    if live and config.sources:
        from watchband.apps.cli.check_view import trial_bar

        with trial_bar(quiet=quiet or as_json) as tell:
            trial = dry_run(config, seconds=limit, tell=tell)
    if as_json:
        typer.echo(to_json(document(config, trial)))
    elif not quiet:
        from watchband.apps.cli.check_view import show_check

        show_check(config, trial)
    problems = list(trial.problems(config)) if trial else []
    if problems or not config.watches or (strict and config.warnings):
        raise typer.Exit(1)


def _invalid(path: str, error: object) -> dict[str, object]:
    problems = getattr(error, "problems", ())
    errors = [
        {"file": p.place.file, "line": p.place.line, "column": p.place.column, "message": p.message} for p in problems
    ]
    return {"path": path, "valid": False, "errors": errors}
