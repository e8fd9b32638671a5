"""``watchband archive``: readings and what was thought of them as Parquet in a bucket or folder, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.flags import OUTPUT
from watchband.apps.cli.moments import moment
from watchband.apps.cli.store_flags import DATA, AsJson, Data, OfConfig, Quiet, amount, directory_of, many, store_of
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.adapters.archive.archive import ObjectArchive
    from watchband.apps.config.config import Config
    from watchband.core.ports import Store

archive = typer.Typer(
    name="archive",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Readings and what was thought of them as Parquet in a bucket or folder; and back.",
)
EXPORT_EXAMPLES = (
    "watchband archive export s3://my-bucket/watchband/",
    "watchband archive export --config watchband.yaml",
    "watchband archive export file:///backup/watchband/ --data /var/lib/watchband --json",
)
COMPACT_EXAMPLES = (
    "watchband archive compact s3://my-bucket/watchband/",
    "watchband archive compact s3://my-bucket/watchband/ --keep 5y",
)
RESTORE_EXAMPLES = (
    "watchband archive restore s3://my-bucket/watchband/ --data /var/lib/watchband",
    "watchband archive restore s3://my-bucket/watchband/ --since 90d",
)
QUERY_EXAMPLES = (
    "watchband archive query s3://my-bucket/watchband/ 'SELECT metric, count(*) FROM points GROUP BY 1' --since 30d",
    "watchband archive query file:///backup/watchband/ 'SELECT * FROM alerts' --archive-only --format csv",
)
TABLES_EXAMPLES = (
    "watchband archive tables s3://my-bucket/watchband/",
    "watchband archive tables s3://my-bucket/watchband/ --engine redshift --name spectrum.watchband",
)
SHOW_EXAMPLES = (
    "watchband archive show s3://my-bucket/watchband/",
    "watchband archive show s3://my-bucket/watchband/ --check",
)
Where = Annotated[
    str | None,
    typer.Argument(
        help="A folder: s3://BUCKET/FOLDER/ or file:///FOLDER/; without it, that of --config.",
        metavar="ADDRESS",
        show_default=False,
    ),
]
There = Annotated[
    str, typer.Argument(help="A folder: s3://BUCKET/FOLDER/ or file:///FOLDER/.", metavar="ADDRESS", show_default=False)
]
Since = Annotated[str | None, typer.Option("--since", help="From then on: 30d ago, or 2026-01-31.", metavar="TIME")]
Until = Annotated[str | None, typer.Option("--until", help="And before then.", metavar="TIME")]


@archive.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


def _read(config: Path | None) -> Config | None:
    from watchband.apps.config.config import read_config

    return None if config is None else read_config(config)


@contextmanager
def _opened(address: str | None, config: Config | None = None) -> Iterator[ObjectArchive]:
    from watchband.adapters.archive.archive import ObjectArchive

    found = address or (config.archive.address if config is not None else None)
    if found is None:
        raise ConfigError("Which archive? Give its ADDRESS, or --config with 'address' in the section 'archive'.")
    there = ObjectArchive(found)
    try:
        yield there
    finally:
        there.close()


def _directory(data: Path, config: Config | None) -> Path | None:
    if config is None:
        return data
    return directory_of(config) if config.store.kind == "sqlite" else None


@archive.command("export", epilog=examples(EXPORT_EXAMPLES))
def export_(
    address: Where = None,
    data: Data = DATA,
    config: OfConfig = None,
    partition: Annotated[
        str | None,
        typer.Option("--partition", help="How a new archive parts readings: date or metric.", metavar="HOW"),
    ] = None,
    results: Annotated[bool, typer.Option("--results/--no-results", help="Scores and bands too.")] = True,
    rejoin: Annotated[
        bool,
        typer.Option("--rejoin", help="The store was restored or is another one: add what the archive does not hold."),
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Bring what a store has acknowledged to an archive, beside the service; the same again changes nothing."""
    from watchband.apps.cli.progress import count_bar
    from watchband.apps.library.archiving.call import export

    found = _read(config)
    with (
        count_bar("archiving", quiet=quiet or as_json) as tell,
        _opened(address, found) as there,
        store_of(data, config) as store,
    ):
        kept = export(
            there,
            store,
            directory=_directory(data, found),
            partition=partition,
            results=results,
            rejoin=rejoin,
            tell=tell,
        )
    done, judged = kept.exported, kept.judged
    if as_json:
        typer.echo(json.dumps({"address": there.name, **kept.document()}))
        return
    for shard, low, high in done.gaps:
        typer.echo(
            f"watchband: entries {low:,} to {high:,} of the log {shard!r} had left the store before they could be "
            "archived; they are missing for good.",
            err=True,
        )
    if not quiet:
        typer.echo(
            f"Wrote {many(done.readings, 'reading')} of {many(done.entries, 'entry', 'entries')} to {there.name}: "
            f"{many(done.parts, 'part')} of {amount(done.nbytes)}; {many(judged.alerts, 'alert')}, "
            f"{many(judged.results, 'scored point')}."
        )


@archive.command("compact", epilog=examples(COMPACT_EXAMPLES))
def compact_(
    address: There,
    keep: Annotated[
        str | None, typer.Option("--keep", help="Let go of days older than this.", metavar="TIME", show_default=False)
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Gather the small parts of days that are over, and remove what counts no more."""
    from watchband.apps.cli.progress import count_bar
    from watchband.apps.library.archiving.call import tidy
    from watchband.core.duration import parse_duration

    age = None if keep is None else parse_duration(keep)
    with count_bar("compacting", quiet=quiet or as_json) as tell, _opened(address) as there:
        kept = tidy(there, keep=age, tell=tell)
    done = kept.compacted
    if as_json:
        typer.echo(json.dumps({"address": there.name, **kept.document()}))
    elif not quiet:
        gone = f" Days let go: {many(kept.expired, 'part')}." if keep is not None else ""
        typer.echo(
            f"Gathered {many(done.gathered, 'part')} of {amount(done.before)} into {done.made:,} of "
            f"{amount(done.after)}.{gone} Removed {many(kept.swept, 'object')} that counted no more."
        )


@archive.command("restore", epilog=examples(RESTORE_EXAMPLES))
def restore_(
    address: There,
    data: Data = DATA,
    config: OfConfig = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fill an empty store from an archive; a service started on it goes on from there."""
    from watchband.adapters.archive.restore import restore
    from watchband.apps.cli.progress import count_bar

    span = (moment(since, -(2**63)), moment(until, 2**63 - 1))
    with (
        count_bar("restoring", quiet=quiet or as_json) as tell,
        _opened(address) as there,
        _filled(data, config) as store,
    ):
        done = restore(there, store, span=span, tell=tell)
    if as_json:
        typer.echo(json.dumps({"entries": done.entries, "readings": done.readings, "there": done.there}))
    elif not quiet:
        before = f"; {many(done.there, 'entry', 'entries')} were there" if done.there else ""
        typer.echo(f"Restored {many(done.readings, 'reading')} of {many(done.entries, 'entry', 'entries')}{before}.")


@contextmanager
def _filled(data: Path, config: Path | None) -> Iterator[Store]:
    """The store that is filled; a directory that is not there is made."""
    from watchband.adapters.stores.sqlite.store import SqliteStore

    found = _read(config)
    if found is not None and found.store.kind != "sqlite":
        with store_of(data, config, write=True) as shared:
            yield shared
        return
    store = SqliteStore(data if found is None else directory_of(found))
    try:
        yield store
    finally:
        store.close()


@archive.command("query", epilog=examples(QUERY_EXAMPLES))
def query_(
    address: There,
    sql: Annotated[str, typer.Argument(help="One SELECT over the views.", metavar="SQL", show_default=False)],
    data: Data = DATA,
    config: OfConfig = None,
    archive_only: Annotated[bool, typer.Option("--archive-only", help="Do not look into a live store.")] = False,
    since: Since = None,
    until: Until = None,
    format: Annotated[  # noqa: A002 (the name of the flag)
        str | None,
        typer.Option("--format", help="table, csv, json or parquet.", metavar="FORMAT", rich_help_panel=OUTPUT),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.", rich_help_panel=OUTPUT)] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write there; the name says which format.", metavar="FILE", rich_help_panel=OUTPUT),
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", help="Rows shown of a table.", min=1, metavar="N", rich_help_panel=OUTPUT)
    ] = 50,
    memory: Annotated[str, typer.Option("--memory", help="What the query may take.", metavar="SIZE")] = "1GB",
    timeout: Annotated[str, typer.Option("--timeout", help="When it is given up.", metavar="TIME")] = "5m",
) -> None:
    """Ask archive and live store together: points, latest, alerts, marks, results; no reading counts twice."""
    import tempfile
    from contextlib import nullcontext

    from watchband.adapters.archive.ask import FarLake
    from watchband.apps.cli.query import form_of, size_of, write
    from watchband.core.duration import parse_duration

    form = form_of(format, as_json, out)
    live = nullcontext(None) if archive_only else store_of(data, config)
    with _opened(address) as there, live as store, tempfile.TemporaryDirectory(prefix="watchband-query-") as spill:
        lake = FarLake(
            there,
            store,
            memory=size_of(memory),
            timeout=parse_duration(timeout) / 1e9,
            span=(moment(since, -(2**63)), moment(until, 2**63 - 1)),
            spill=spill,
        )
        with lake.ask(sql) as reader:
            write(reader, form, out, rows)


@archive.command("tables", epilog=examples(TABLES_EXAMPLES))
def tables_(
    address: There,
    engine: Annotated[
        str, typer.Option("--engine", help="athena, or redshift (Spectrum).", metavar="ENGINE")
    ] = "athena",
    name: Annotated[
        str, typer.Option("--name", help="What names of tables begin with, a schema before it.", metavar="NAME")
    ] = "watchband",
    as_json: AsJson = False,
) -> None:
    """Print the SQL that defines an archive's tables and views for an engine on AWS."""
    from watchband.adapters.archive.tables import definitions

    with _opened(address) as there:
        told = definitions(engine, there, name)
    typer.echo(json.dumps({"engine": engine, "sql": told}) if as_json else told, nl=as_json)


@archive.command("show", epilog=examples(SHOW_EXAMPLES))
def show_(
    address: There,
    check: Annotated[bool, typer.Option("--check", help="Compare every part with its checksum.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What an archive holds, and how far it goes."""
    from watchband.adapters.archive.archive import DATASETS
    from watchband.apps.cli.progress import count_bar
    from watchband.apps.library.archiving.call import standing

    with count_bar("checking", quiet=quiet or as_json) as tell, _opened(address) as there:
        found = dict(standing(there))
        if check:
            parts = [part for name in DATASETS for part in there.parts(name)]
            for number, part in enumerate(parts):
                there.check(part)
                if tell is not None:
                    tell("checking", number, len(parts))
            found["checked"] = len(parts)
    if as_json:
        typer.echo(json.dumps(found))
        return
    if quiet:
        return
    typer.echo(f"{found['address']}  parted by {found['partition']}")
    for name, one in found["datasets"].items():
        typer.echo(
            f"  {name:<9} {many(one['rows'], 'row')} in {many(one['parts'], 'part')} of {amount(one['bytes'])}, "
            f"{one['first']} to {one['last']}"
        )
    for shard, one in found["through"].items():
        typer.echo(f"  up to entry {one['entry']:,} of the log {shard!r}")
    for shard, low, high in found["gaps"]:
        typer.echo(f"  entries {low:,} to {high:,} of the log {shard!r} had left the store before they were archived")
    if check:
        typer.echo(f"  {many(found['checked'], 'part')} checked: each is what the manifest says.")
