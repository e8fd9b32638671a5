"""``watchband state``: what watches have learned, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.store_flags import DATA, AsJson, Config, Data, OfConfig, Quiet, amount, many, store_of
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.core.keeping import FoldState
    from watchband.core.ports import Store

state = typer.Typer(
    name="state",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="What watches have learned: look, carry away and back, go back, check.",
)
LIST_EXAMPLES = ("watchband state list", "watchband state list --data /var/lib/watchband --json")
EXPORT_EXAMPLES = ("watchband state export web web.state", "watchband state export web web.state --sequence 1200")
IMPORT_EXAMPLES = ("watchband state import web.state",)
REVERT_EXAMPLES = ("watchband state revert web", "watchband state revert web --sequence 1200")
CHECK_EXAMPLES = ("watchband state check", "watchband state check web --config /etc/watchband/")
Name = Annotated[str, typer.Argument(help="Name of the watch.", metavar="WATCH", show_default=False)]
Sequence = Annotated[
    int | None,
    typer.Option("--sequence", help="The snapshot behind that entry; 'state list' names them.", metavar="N"),
]
MAGIC = b"WBSTATE1\n"


@state.callback()
def _root() -> None:
    pass


@state.command("list", epilog=examples(LIST_EXAMPLES))
def list_states(data: Data = DATA, config: OfConfig = None, as_json: AsJson = False) -> None:
    """Every watch: its snapshots, how far the log is beyond them, bytes and series."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watchband.apps.cli.terminal import put
    from watchband.core import wording
    from watchband.core.clock import SystemClock

    now = SystemClock().now()
    with store_of(data, config) as store:
        rows = [(found, store.head(found.shard), _series(store, found)) for found in store.states()]
    if as_json:
        typer.echo(json.dumps([_document(*row) for row in rows]))
        return
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("watch")
    for name in ("series", "size", "snapshot\nbehind entry", "entries\nsince", "age"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("older ones\nbehind", justify="right")
    for found, head, series in rows:
        newest = found.snapshots[0] if found.snapshots else None
        table.add_row(
            Text(found.name),
            f"{series:,}" if newest else "–",
            amount(newest.nbytes) if newest else "–",
            f"{newest.sequence:,}" if newest else "none",
            f"{head - found.covered:,}",
            wording.duration(now - newest.written) if newest else "–",
            ", ".join(f"{s.sequence:,}" for s in found.snapshots[1:]) or "–",
        )
    said = (
        "A restart folds the entries since the snapshot." if rows else f"No watch was ever folded in {config or data}."
    )
    put([table, Text(said, style="dim")] if rows else [Text(said)], console, min(console.width, 110))


def _document(found: FoldState, head: int, series: int) -> dict[str, object]:
    return {
        "shard": found.shard,
        "watch": found.name,
        "fingerprint": found.fingerprint,
        "series": series,
        "head": head,
        "decided": found.decided,
        "snapshots": [{"sequence": s.sequence, "written": s.written, "bytes": s.nbytes} for s in found.snapshots],
    }


def _series(store: Store, found: FoldState) -> int:
    from watchband.pipeline.deriving import FOLDS
    from watchband.pipeline.watch_state import keys_of

    # What the expressions remember is no watch's.
    kept = None if found.name in FOLDS else store.restore(found.shard, found.name)
    return len(keys_of(kept[1])) if kept else 0


@state.command("export", epilog=examples(EXPORT_EXAMPLES))
def export_state(
    watch: Name,
    file: Annotated[Path, typer.Argument(help="Written anew.", metavar="FILE", show_default=False)],
    data: Data = DATA,
    config: OfConfig = None,
    sequence: Sequence = None,
    quiet: Quiet = False,
) -> None:
    """Write a snapshot to a file."""
    with store_of(data, config) as store:
        found = _found(store, watch)
        kept = store.restore(found.shard, watch, sequence)
    if kept is None or (sequence is not None and kept[0] != sequence):
        raise ConfigError(f"The watch {watch!r} has no such snapshot. {_snapshots(found)}")
    header = {"shard": found.shard, "watch": watch, "sequence": kept[0], "fingerprint": found.fingerprint}
    with file.open("xb") as target:
        target.write(MAGIC + json.dumps(header).encode() + b"\n" + kept[1])
    if not quiet:
        typer.echo(f"Wrote {file}: {watch} behind entry {kept[0]:,}, {amount(len(kept[1]))}.")


@state.command("import", epilog=examples(IMPORT_EXAMPLES))
def import_state(
    file: Annotated[Path, typer.Argument(help="From 'state export'.", metavar="FILE", show_default=False)],
    data: Data = DATA,
    config: OfConfig = None,
    quiet: Quiet = False,
) -> None:
    """Take a state over as that of its watch, behind the last entry. 'watchband serve' must not run."""
    from watchband.core.errors import StateCorruptError
    from watchband.core.ports import FoldRecord
    from watchband.pipeline.watch_state import keys_of

    content = file.read_bytes()
    if not content.startswith(MAGIC):
        raise StateCorruptError(f"{file} is no state: it was not written by 'watchband state export'.")
    head, _, body = content[len(MAGIC) :].partition(b"\n")
    try:
        header = json.loads(head)
        shard, watch, fingerprint = (str(header[name]) for name in ("shard", "watch", "fingerprint"))
    except (ValueError, KeyError, TypeError) as error:
        raise StateCorruptError(f"{file} is damaged: its header cannot be read ({error}).") from error
    series = len(keys_of(body))
    with store_of(data, config, write=True) as store:
        behind = store.head(shard)
        store.forget(shard, watch)
        store.adopt(shard, watch, FoldRecord(fingerprint, behind))
        store.snapshot(shard, watch, behind, body)
    if not quiet:
        typer.echo(
            f"{watch} has now the state of {file}, {many(series, 'series', 'series')}, behind entry {behind:,}. A "
            "watch with other parameters than it was written for does not take it, and folds the log instead."
        )


@state.command("revert", epilog=examples(REVERT_EXAMPLES))
def revert_state(
    watch: Name,
    data: Data = DATA,
    config: OfConfig = None,
    sequence: Sequence = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Go back to an earlier snapshot; the next start folds the log since. 'watchband serve' must not run."""
    with store_of(data, config, write=True) as store:
        found = _found(store, watch)
        wanted = sequence if sequence is not None else next((s.sequence for s in found.snapshots[1:]), None)
        kept = store.restore(found.shard, watch, wanted) if wanted is not None else None
        if kept is None or kept[0] != wanted:
            raise ConfigError(f"The watch {watch!r} has no such earlier snapshot. {_snapshots(found)}")
        store.snapshot(found.shard, watch, kept[0], kept[1])
        since = store.head(found.shard) - kept[0]
    if as_json:
        typer.echo(json.dumps({"watch": watch, "sequence": kept[0], "entries": since}))
    elif not quiet:
        typer.echo(
            f"{watch} stands behind entry {kept[0]:,} again. The next start folds {many(since, 'entry', 'entries')} "
            "since anew, to the same verdicts; nobody is told again what was told."
        )


@state.command("check", epilog=examples(CHECK_EXAMPLES))
def check_states(
    watch: Annotated[
        str | None, typer.Argument(help="Name of a watch; all of them without.", metavar="[WATCH]", show_default=False)
    ] = None,
    config: Config = Path("watchband.yaml"),
    data: Annotated[
        Path | None, typer.Option("--data", help="Another directory than the configuration's.", metavar="DIR")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fold the log from an older snapshot and compare with the newest, bit for bit; also beside 'watchband serve'."""
    from watchband.apps.cli.progress import count_bar
    from watchband.apps.config.config import read_config
    from watchband.apps.service.service import SHARD
    from watchband.pipeline.replay import check, named

    found = read_config(config)
    bounds = found.bounds() if watch is None else [named(found.bounds(), watch)]
    with (
        store_of(data or DATA, None if data else config) as store,
        count_bar("folding", quiet=quiet or as_json) as progress,
    ):
        said = [check(bound, store, SHARD, progress) for bound in bounds]
    if as_json:
        typer.echo(json.dumps([{n: getattr(one, n) for n in one.__slots__} for one in said]))
    elif not quiet:
        for one in said:
            typer.echo(f"{'✗' if one.same is False else '✓' if one.same else '○'} {one.watch}: {one.says}")
    if any(one.same is False for one in said):
        raise typer.Exit(1)


def _found(store: Store, watch: str) -> FoldState:
    states = store.states()
    for found in states:
        if found.name == watch:
            return found
    raise ConfigError(f"No watch is called {watch!r} here. There are {', '.join(s.name for s in states) or 'none'}.")


def _snapshots(found: FoldState) -> str:
    kept = ", ".join(f"{s.sequence:,}" for s in found.snapshots)
    return f"There are snapshots behind the entries {kept}." if kept else "There is none."
