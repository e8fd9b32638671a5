"""Flags and words of the commands that look into a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchband.apps.cli.flags import OUTPUT
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.adapters.stores.letters import Letters
    from watchband.adapters.stores.sqlite.store import SqliteStore
    from watchband.apps.config.config import Config as Configuration
    from watchband.core.ports import Store

DATA = Path("watchband-data")
SHARED = ("dynamodb", "postgres")
"""Kinds of stores that are no directory."""
Data = Annotated[
    Path, typer.Option("--data", help="The store's directory, as 'path' of the section 'store'.", metavar="DIR")
]
Config = Annotated[
    Path, typer.Option("--config", help="The configuration: a YAML file or a directory of them.", metavar="CONFIG")
]
OfConfig = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Instead of --data: the store of this configuration, also a PostgreSQL.", metavar="CONFIG"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.", rich_help_panel=OUTPUT)]


def many(count: int, one: str, several: str | None = None) -> str:
    """A count of things in words."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def amount(nbytes: int) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> amount(999), amount(1_250_000)
    ('999 B', '1.2 MB')
    """
    size, units = float(nbytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" else f"{size:.1f} {units[0]}"


@contextmanager
def opened(data: Path, *, write: bool = False) -> Iterator[SqliteStore]:
    """The store of a directory: to look at beside the process that has it, or for this command alone.

    Raises
    ------
    ConfigError
        There is none.
    PermanentError
        A process has it, and it is to be written.
    """
    from watchband.adapters.stores.sqlite.database import FILE
    from watchband.adapters.stores.sqlite.store import SqliteStore

    # What is not there is not made by a command that works on what there is.
    store = SqliteStore(data, readonly=not (write and (data / FILE).exists()))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def store_of(data: Path, config: Path | None, *, write: bool = False) -> Iterator[Store]:
    """The store of a directory, or the one that a configuration names.

    Raises
    ------
    ConfigError
        There is none.
    PermanentError
        A process has it, and it is to be written.
    """
    found = None if config is None else _read(config)
    if found is None or found.store.kind not in SHARED:
        with opened(data if found is None else directory_of(found), write=write) as kept:
            yield kept
        return
    from watchband.core.clock import SystemClock
    from watchband.core.errors import PermanentError

    store = found.store.open(clock=SystemClock())
    try:
        if write and not store.lead():
            raise PermanentError("Another process leads this store: end 'watchband serve' first, and what stands by.")
        yield store
    finally:
        store.close()


def _read(config: Path) -> Configuration:
    from watchband.apps.config.config import read_config

    return read_config(config)


def letters_of(data: Path, config: Path | None) -> Letters:
    """The outbox of a directory, or of the store that a configuration names.

    Raises
    ------
    ConfigError
        There is none, or it is of a kind that has none to look into.
    """
    from watchband.adapters.stores.sqlite.letters import SqliteLetters

    if config is None:
        return SqliteLetters(data)
    found = _read(config)
    if found.store.kind in SHARED:
        letters: Letters = found.store.letters()  # type: ignore[attr-defined]
        return letters
    return SqliteLetters(directory_of(found))


INSTEAD = {
    "postgres": " On PostgreSQL, copy the schema with pg_dump, ask its tables with psql, and to judge the past anew "
    "give the watch another name: it folds the whole log. docs/stores/postgres.md says how."
}
"""What to do where a command does not work on a store of a kind."""


def directory_of(config: Configuration) -> Path:
    """The directory of a configuration's store.

    Raises
    ------
    ConfigError
        It is of a kind without one.
    """
    path = getattr(config.store, "path", None)
    if config.store.kind != "sqlite" or path is None:
        kind = config.store.kind
        raise ConfigError(f"This command works on a store of kind 'sqlite'. Got {kind!r}.{INSTEAD.get(kind, '')}")
    return Path(path)
