"""``watchband config``: what can be done with a configuration besides running it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchband.apps.cli.bench import examples
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.apps.config.config import Config

config = typer.Typer(
    name="config",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Compare configurations, take over those of others, and the schema for editors.",
)
DIFF_EXAMPLES = (
    "watchband config diff watchband.yaml new.yaml",
    "git show HEAD:watchband.yaml | watchband config diff - watchband.yaml --json",
    "watchband config diff /etc/watchband new/ --exit-code",
)
IMPORT_EXAMPLES = (
    "watchband config import vmanomaly.yml --out watchband.yaml",
    "watchband config import reader.yml models.yml schedulers.yml",
    "watchband config import vmanomaly.yml --json",
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


@config.command("diff", epilog=examples(DIFF_EXAMPLES))
def diff(
    old: Annotated[str, typer.Argument(help="The configuration that runs: a file, a directory or -.", metavar="OLD")],
    new: Annotated[str, typer.Argument(help="The one that shall run.", metavar="NEW")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 where they differ.")] = False,
) -> None:
    """What a reload would change: which watches keep what they know, which begin anew and why.

    Comments, the order of keys and other ways to write the same are no difference.
    """
    from watchband.apps.config.diff import differences, document

    # The new one is to stand where the old one stands, so paths in both begin there.
    place = Path(new if old == "-" else old)
    base = str(place if place.is_dir() else place.parent)
    before, after = _read(old, base), _read(new, base)
    changes = differences(before, after)
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json(document(before, after)))
    else:
        from watchband.apps.cli.config_view import show_changes

        show_changes(before, after, changes)
    if changes and exit_code:
        raise typer.Exit(1)


@config.command("import", epilog=examples(IMPORT_EXAMPLES))
def import_(
    files: Annotated[list[str], typer.Argument(help="Files of vmanomaly; - for standard input.", metavar="FILE…")],
    out: Annotated[Path | None, typer.Option("--out", help="Write it here, not to stdout.", metavar="FILE")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Make a watchband.yaml of a vmanomaly configuration, with a comment on everything that is not the same.

    Readers become sources, models become watches. No secret is copied. Read the comments, then run watchband check.
    """
    from watchband.apps.config.vmanomaly import import_texts

    found = import_texts((name, _text(name)) for name in files)
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json(found.document()))
        return
    text = found.text([Path(name).name if name != "-" else "standard input" for name in files])
    if out is None:
        typer.echo(text, nl=False)
        return
    write_new(out, text, force=force)
    said = [note.level for notes in found.notes.values() for note in notes]
    typer.echo(
        f"{out}: {_count(len(found.sources), 'source')}, {_count(len(found.watches), 'watch', 'watches')}. "
        f"Approximated: {said.count('approximated')}, left out: {said.count('left_out')}; the comments say what."
    )


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that is not there yet, or may be overwritten.

    Raises
    ------
    ConfigError
        It is there.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already. Choose another name, or overwrite it with --force.") from None


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _text(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is not UTF-8 text.") from None


def _read(name: str, base: str) -> Config:
    from watchband.apps.config.config import read_config, read_text

    return read_text(sys.stdin.read(), "stdin", base=base) if name == "-" else read_config(name, base=base)
