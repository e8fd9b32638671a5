"""``watchband outbox``: notices that are not delivered; try them again, or let them go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.store_flags import DATA, AsJson, Data, OfConfig, letters_of, many
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.adapters.stores.letters import Letter

outbox = typer.Typer(
    name="outbox",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="See what could not be told to whom and why; try it again, or let it go. Works while 'watchband serve' runs.",
)
LIST_EXAMPLES = (
    "watchband outbox list",
    "watchband outbox list --dead --sink chat --json",
    "watchband outbox list --config /etc/watchband/watchband.yaml",
)
RETRY_EXAMPLES = (
    "watchband outbox retry --all",
    "watchband outbox retry --sink chat",
    "watchband outbox retry 8c1f02a94be6d310-2",
)
DROP_EXAMPLES = (
    "watchband outbox drop 8c1f02a94be6d310-2",
    "watchband outbox drop --sink old-chat --all --waiting",
)
Ids = Annotated[
    list[str] | None,
    typer.Argument(help="Notices, or alerts for all notices of them.", metavar="ID…", show_default=False),
]
OfSink = Annotated[str, typer.Option("--sink", help="Only what is for this sink.", metavar="NAME")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@outbox.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


@outbox.command("list", epilog=examples(LIST_EXAMPLES))
def list_(
    data: Data = DATA,
    config: OfConfig = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only what was given up.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what will be tried again.")] = False,
    sink: OfSink = "",
    as_json: AsJson = False,
) -> None:
    """List what is not delivered, oldest first: to whom, since when, how often tried, what it failed by."""
    if dead and waiting:
        raise ConfigError("--dead and --waiting exclude each other. Without either both are listed.")
    found = letters_of(data, config).all(dead=True if dead else False if waiting else None, sink=sink)
    if as_json:
        typer.echo(json.dumps({"notices": list(map(_document, found))}, indent=2))
    else:
        _table(found)


@outbox.command("retry", epilog=examples(RETRY_EXAMPLES))
def retry(
    ids: Ids = None,
    data: Data = DATA,
    config: OfConfig = None,
    sink: OfSink = "",
    all_: All = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters back into the outbox, and try what waits there at once."""
    letters = letters_of(data, config)
    chosen = letters.all(sink=sink, ids=_chosen(ids, sink, all_))
    _known(ids, chosen)
    _say("retried", letters.retry(chosen), chosen, as_json)


@outbox.command("drop", epilog=examples(DROP_EXAMPLES))
def drop(
    ids: Ids = None,
    data: Data = DATA,
    config: OfConfig = None,
    sink: OfSink = "",
    all_: All = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Also what would be tried again; else dead letters only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let dead letters go: nobody will be told. The alerts themselves are kept."""
    letters = letters_of(data, config)
    chosen = letters.all(dead=None if waiting else True, sink=sink, ids=_chosen(ids, sink, all_))
    _known(ids, chosen)
    _say("dropped", letters.drop(chosen), chosen, as_json)


def _chosen(ids: Sequence[str] | None, sink: str, all_: bool) -> Sequence[str]:
    if not ids and not sink and not all_:
        raise ConfigError("Say which: ids of notices or alerts, --sink NAME, or --all.")
    return ids or ()


def _known(ids: Sequence[str] | None, chosen: Sequence[Letter]) -> None:
    there = {letter.notice.id for letter in chosen} | {letter.notice.alert.id for letter in chosen}
    missing = [name for name in ids or () if name not in there]
    if missing:
        raise ConfigError(
            f"No such notice in the outbox: {', '.join(missing)}. Is it delivered? See 'watchband outbox list'."
        )


def _say(done: str, count: int, chosen: Sequence[Letter], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({done: count, "notices": [letter.notice.id for letter in chosen]}))
    else:
        typer.echo(f"{many(count, 'notice')} {done}.")


def _document(letter: Letter) -> dict[str, Any]:
    from watchband.core.timestamp import format_rfc3339

    notice = letter.notice
    return {
        "id": notice.id,
        "sink": notice.sink,
        "state": "dead" if letter.dead else "waiting",
        "made": format_rfc3339(letter.made),
        "tries": notice.tries,
        "due": None if letter.dead or not notice.due else format_rfc3339(notice.due),
        "error": notice.error,
        "alert": notice.alert.to_dict(),
    }


def _table(found: Sequence[Letter]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watchband.apps.cli.terminal import put
    from watchband.core.wording import moment

    if not found:
        typer.echo("Everything is delivered.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("notice", "sink", "state", "since (UTC)", "tries"):
        table.add_column(name, no_wrap=name != "sink", justify="right" if name == "tries" else "left")
    table.add_column("failed by", overflow="fold", ratio=1)
    for letter in found:
        notice = letter.notice
        state = Text("dead", style="red") if letter.dead else Text("waiting")
        since = moment(letter.made, "UTC")
        said = "".join(c if c.isprintable() else " " for c in notice.error)
        cells = Text(notice.id), Text(notice.sink), state, Text(since), Text(str(notice.tries)), Text(said or "–")
        table.add_row(*cells)
    dead = sum(letter.dead for letter in found)
    console = Console(highlight=False)
    words = f"{many(len(found), 'notice')}, {dead} dead. 'watchband outbox retry --all' tries them again."
    put([table, Text(words, style="dim")], console, console.width)
