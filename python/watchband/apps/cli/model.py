"""``watchband model``: look into a model file, or into the folder of a champion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.store_flags import AsJson

model = typer.Typer(
    name="model",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Trained models: look into them, and check that they are what was trained.",
)
SHOW_EXAMPLES = ("watchband model show model/", "watchband model show model/isolation_forest.wbm --json")
VALUES_SHOWN = 4


@model.callback()
def _root() -> None:
    pass


@model.command("show", epilog=examples(SHOW_EXAMPLES))
def show_model(
    path: Annotated[
        Path, typer.Argument(help="A folder of 'watchband train', or a .wbm file.", metavar="PATH", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a model is, on what it was trained and what it is worth; exit with 1 where a file was changed."""
    if path.is_dir():
        _folder(path, as_json)
    else:
        _file(path, as_json)


def _folder(folder: Path, as_json: bool) -> None:
    from watchband.apps.library.training.card import check_file, read_card
    from watchband.core.errors import WatchbandError

    card = read_card(folder)
    checked: dict[str, str] = {}
    for name in card["files"]:
        try:
            check_file(folder, card, name)
            checked[name] = ""
        except WatchbandError as error:
            checked[name] = "gone" if not (folder / name).exists() else "changed: " + type(error).__name__
    if as_json:
        typer.echo(json.dumps({**card, "changed": [name for name, wrong in checked.items() if wrong]}, indent=2))
    else:
        from watchband.apps.cli.train_view import show_card

        show_card(card, folder, checked)
    if any(checked.values()):
        raise typer.Exit(1)


def _file(path: Path, as_json: bool) -> None:
    from watchband.apps.cli.store_flags import amount
    from watchband.core.artifact import read

    found = read(path)
    arrays: dict[str, Any] = {
        name: {"type": str(array.dtype), "shape": list(array.shape), "bytes": int(array.nbytes)}
        for name, array in found.arrays.items()
    }
    if as_json:
        document = {"kind": found.kind, "checksum": found.checksum, "bytes": found.nbytes}
        typer.echo(json.dumps({**document, "document": dict(found.document), "arrays": arrays}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watchband.apps.cli.terminal import put

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("array", "type", "shape", "size", "begins"):
        table.add_column(name, justify="right" if name == "size" else "left")
    for name, array in found.arrays.items():
        begins = ", ".join(f"{value:.6g}" for value in array.ravel()[:VALUES_SHOWN].tolist())
        shape = " × ".join(map(str, array.shape)) or "one number"
        table.add_row(name, str(array.dtype), shape, amount(array.nbytes), begins)
    console = Console(highlight=False)
    head = Text.assemble((found.kind, "bold"), f"  {amount(found.nbytes)}, checksum {found.checksum}")
    said = [Text(f"{name}: {json.dumps(value)}") for name, value in found.document.items()]
    put([head, *said, Text(), table], console, min(console.width, 110))
