"""``watchband config``: what can be done with a configuration besides running it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.bench import examples

config = typer.Typer(
    name="config",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Compare configurations, take over those of others, and the schema for editors.",
)
SCHEMA_EXAMPLES = (
    "watchband config schema > watchband.schema.json",
    "watchband config schema --out /etc/watchband/schema.json",
)


@config.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


@config.command("schema", epilog=examples(SCHEMA_EXAMPLES))
def schema(
    out: Annotated[Path | None, typer.Option("--out", help="Write it here.", metavar="FILE")] = None,
) -> None:
    """The JSON Schema of watchband.yaml, with the kinds that are installed here: editors complete and check by it.

    For the YAML extension of an editor, write as the first line of the file:
    # yaml-language-server: $schema=watchband.schema.json
    """
    from watchband.apps.config.schema import text

    if out is None:
        typer.echo(text(), nl=False)
    else:
        out.write_text(text())
