"""What ``watchband train`` prints for people, and the card of a champion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.analysis.tuning.stratified import Leaked
from watchband.apps.cli.store_flags import amount
from watchband.apps.cli.terminal import put
from watchband.apps.library.training.training import Training

WIDTH_MAX = 118
MISTAKES_SHOWN = 5


def show(training: Training, out: Path | None = None, console: Console | None = None) -> None:
    """Print the champion, the table of finalists, what went wrong, and how to use it."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    if isinstance(training.result, Leaked):
        put([Text(training.title, "bold"), *[Text(s) for s in training.sentences]], console, width)
        return
    document = training.document()
    parts: list[RenderableType] = [
        _head(document), Text(), *_sentences(document), Text(), *_evidence(document), Text(), *_mistakes(document),
        Text("Use it:", "bold"),
    ]  # fmt: skip
    if out is None:
        detector = training.trained.champion
        used = f"watchband detect FILES {document['champion']['flags']}"
        told = used if detector.fitted is None else "watchband train … --out DIR keeps its model file"
        parts.append(Padding(Text(told), (0, 0, 0, 2)))
    else:
        parts += [
            Padding(Text(f"watchband score FILES --model {out}"), (0, 0, 0, 2)),
            Padding(Text(f"watchband model show {out}"), (0, 0, 0, 2)),
            Text(f"Wrote {out}/: {', '.join(training.files)}", "dim"),
        ]
    put(parts, console, width)


def show_card(
    card: Mapping[str, Any], folder: Path, checked: Mapping[str, str], console: Console | None = None
) -> None:
    """Print the card of a champion, and whether each file is what was trained.

    Parameters
    ----------
    card : mapping
        Of ``read_card``.
    folder : Path
        Where it is.
    checked : mapping of str to str
        By name of the file what is wrong with it; empty where nothing is.
    """
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = [
        _head(card), Text(), *_sentences(card), Text(), *_evidence(card), Text(), *_mistakes(card), _made(card), Text(),
        Text("Files", "bold"),
    ]  # fmt: skip
    table = _table("", "size", "checksum", "", left=(0, 2, 3))
    for name, said in card["files"].items():
        wrong = checked.get(name, "")
        table.add_row(name, amount(said["bytes"]), said["checksum"][:12], wrong or "as trained")
    parts += [table, Text(f"{folder}: checksum {card['checksum'][:12]}", "dim")]
    put(parts, console, width)


def _head(card: Mapping[str, Any]) -> RenderableType:
    data, chosen = card["data"], card["selection"]
    line = Text(card["title"], "bold")
    line.append(
        f"  {data['readings']:,} readings of {data['series_count']:,} series, {data['from']} to {data['to']}", ""
    )
    kind = "faults put in" if chosen["labels"] != "given" else "labelled events"
    events = chosen["events"]
    told = [f"{kind}: {events['validation']} to choose on, {events['test']} held out"]
    for part in chosen["parts"][:1]:
        told.append(
            f"fitted to {part['train']['to']}, chosen {part['validation']['from']} to {part['validation']['to']}, "
            f"reported {part['test']['from']} to {part['test']['to']}"
        )
    return Group(line, *[Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in [*told, *card["notes"]]])


def _sentences(card: Mapping[str, Any]) -> list[RenderableType]:
    first, *rest = card["sentences"]
    return [Text.assemble(("◆ ", "color(67)"), (first, "bold")), *[Text(s) for s in rest]]


def _table(*columns: str, left: tuple[int, ...] = (0,)) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number in left else "right", no_wrap=True)
    return table


def _evidence(card: Mapping[str, Any]) -> list[RenderableType]:
    table = _table("", "chosen on", "held out", "champion minus this")
    for row in card["rows"]:
        table.add_row(
            Text(
                ("◆ " if row["role"] == "champion" else "") + row["label"], "" if row["role"] == "baseline" else "bold"
            ),
            _figure(row["validation"]["objective"]),
            _figure(row["test"]["objective"]),
            "–" if row["champion_minus_this_on_test"] is None else _figure(row["champion_minus_this_on_test"], True),
        )
    chosen, champion = card["selection"], card["rows"][0]
    counts = champion["test"]["confusion"]
    says = f"{chosen['objective']}, 95 % intervals; {chosen['configurations_tried']} configurations tried."
    alerts = champion["test"]["alerts"]["value"]
    points = (
        f"Points of the held-out part: {counts['tp']:,} of {counts['tp'] + counts['fn']:,} abnormal ones flagged, "
        f"{counts['fp']:,} of {counts['fp'] + counts['tn']:,} normal ones; {_plain(alerts)} "
        "alerts a week and series."
    )
    took = card["latency"]
    speed = f"{took['batch_us_per_sample']:g} µs a sample in a batch"
    if took["alone_us_per_sample"] is not None:
        speed += f", {took['alone_us_per_sample']:g} µs alone"
    return [
        table,
        Text(says, "dim"),
        Text(chosen["rule"], "dim"),
        Text(points),
        Text(f"{speed} ({took['says']}).", "dim"),
    ]


def _mistakes(card: Mapping[str, Any]) -> list[RenderableType]:
    found = card["mistakes"]
    head = Text(
        f"On the held-out part it missed {found['false_negatives']} and raised {found['false_positives']} false alerts"
        + (":" if found["first"] else "."),
        "bold",
    )
    lines: list[RenderableType] = []
    for one in found["first"][:MISTAKES_SHOWN]:
        kind = f"missed {one['fault']}".strip() if one["kind"] == "false_negative" else "false alert"
        score = "no score" if one["anomaly_score"] is None else f"score {one['anomaly_score']:.2f}"
        lines.append(Padding(Text(f"{one['start']}  {kind}, {score}, {one['series']}"), (0, 0, 0, 2)))
    return [head, *lines, Text()]


def _made(card: Mapping[str, Any]) -> RenderableType:
    versions = ", ".join(f"{name} {said}" for name, said in card["versions"].items())
    lines = [f"Trained {card['created']} by {card['command'] or 'a program'}", versions]
    lines.append(f"data {card['data']['fingerprint'][:12]}, metrics {', '.join(card['data']['metrics'][:8])}")
    return Group(*[Text(line, "dim") for line in lines])


def _figure(found: Mapping[str, Any], signed: bool = False) -> str:
    if found["value"] is None:
        return "–"
    sign = "+" if signed else ""
    between = " to " if signed else "–"
    inside = "" if found["low"] is None else f" ({found['low']:{sign}.2f}{between}{found['high']:{sign}.2f})"
    return f"{found['value']:{sign}.2f}{inside}".replace("-", "−")


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
