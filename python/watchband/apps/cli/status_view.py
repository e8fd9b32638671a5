"""What ``watchband status`` prints for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.terminal import FAULT, WIDTH_MAX, put
from watchband.apps.library.options import rule_words
from watchband.core import wording
from watchband.core.duration import SECOND
from watchband.core.timestamp import parse_rfc3339

GOOD = "color(67)"
LEARNERS_MAX = 5
POINTS_MAX = 10
_ASIDE = {"refused": "refused", "relabelled_away": "dropped", "history": "of the past"}
"""What is told of points beside their number, only where there are any."""
_STATES = {"up": GOOD, "ended": "dim", "starting": "dim", "backfilling": "bold"}


def show_status(found: Mapping[str, Any], url: str, console: Console | None = None) -> None:
    """Print the answer of ``GET /api/v1/status``."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    parts: list[RenderableType] = [_head(found, url), *_config(found["config"])]
    if "sources" in found:
        now = _time(found["now"])
        parts += [Text(), _sources(found["sources"], now)]
        parts += [Text(), _watches(found["watches"])]
        parts += [Padding(line, (0, 0, 0, 2)) for line in _learning(found["watches"], now)]
        if found["sinks"]:
            parts += [Text(), _sinks(found["sinks"], now)]
        parts += [Text(), _rest(found)]
    put(parts, console, width)


def _head(found: Mapping[str, Any], url: str) -> Text:
    ready = found["ready"]
    line = Text.assemble(
        ("○ ready" if ready else "△ not ready", f"bold {GOOD if ready else FAULT}"),
        (f"  {url}  watchband {found['version']}", "dim"),
    )
    for reason in found["reasons"]:
        line.append(f"\n  {reason}", style=FAULT)
    return line


def _config(config: Mapping[str, Any]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if config["last_error"]:
        lines.append(Text(f"  The last reload failed, the configuration before runs on: {config['last_error']}", FAULT))
    if config["restart_needed"]:
        lines.append(Text(f"  Changes of {wording.listed(config['restart_needed'])} wait for a restart.", FAULT))
    return lines


def _sources(sources: Sequence[Mapping[str, Any]], now: int) -> RenderableType:
    table = _table("Sources", "state", "points", "newest", "")
    for source in sources:
        newest = f"{_ago(now, source['newest'])} ago" if source["newest"] else "–"
        said = source["error"] or ""
        if source["next_try"]:
            said += f" (next try in {_ago(_time(source['next_try']), None, now)})"
        dropped = [f"{source[k]:,} {w}" for k, w in _ASIDE.items() if source.get(k)]
        table.add_row(
            Text.assemble(source["name"], (f" {source['kind']}" if source["kind"] != source["name"] else "", "dim")),
            Text(source["state"], style=_STATES.get(source["state"], FAULT)),
            f"{source['points']:,}",
            newest,
            Text("; ".join(filter(None, [said, *dropped])), style=FAULT if said else "dim"),
        )
    return table


def _watches(watches: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _table("Watches", "series", "alarm", "no data", "learning", "points", "in band")
    for watch in watches:
        name = Text.assemble(watch["name"], (f"  {watch['detector']}, {rule_words(watch['rule'])}", "dim"))
        if watch["stopped"]:
            name.append(f"\n  stopped: {watch['stopped']}", style=FAULT)
        coverage = "–" if watch["coverage"] is None else f"{watch['coverage']:.2%}"
        states = watch["states"]
        alarm = Text(f"{states['ALARM']:,}", style=FAULT if states["ALARM"] else "")
        counts = (f"{n:,}" for n in (states["NO_DATA"], states["INSUFFICIENT_DATA"], watch["points"]))
        table.add_row(name, f"{watch['series']:,}", alarm, *counts, coverage)
    return table


def _learning(watches: Sequence[Mapping[str, Any]], now: int) -> list[Text]:
    lines = []
    for watch in watches:
        for one in [s for s in watch["learning_series"] if s][:LEARNERS_MAX]:
            text = f"{one['series']} has its first opinion after {one['points_left']:,} more points"
            if one["ready"]:
                text += f", in about {_ago(_time(one['ready']), None, now)}"
            lines.append(Text(text, style="dim"))
        if watch["learning"] > LEARNERS_MAX:
            lines.append(Text(f"{watch['name']}: {watch['learning']:,} series learn; --json names more", style="dim"))
    return lines


def _sinks(sinks: Sequence[Mapping[str, Any]], now: int) -> RenderableType:
    table = _table("Sinks", "delivered", "tried again", "dead", "")
    for sink in sinks:
        error = sink["error"] or ""
        since = f", failing for {_ago(now, sink['failing_since'])}" if sink["failing_since"] else ""
        name = Text.assemble(sink["name"], (f" {sink['kind']}" if sink["kind"] != sink["name"] else "", "dim"))
        counts = (f"{sink[k]:,}" for k in ("delivered", "postponed", "dead"))
        table.add_row(name, *counts, Text(error + since, style=FAULT))
    return table


def _rest(found: Mapping[str, Any]) -> Text:
    alerts = found["alerts"]
    mix = ", ".join(f"{n:,} {name}" for name, n in alerts["by_severity"].items())
    line = Text(f"{alerts['open']:,} open alert{'' if alerts['open'] == 1 else 's'}", style="bold")
    line.append(f" ({mix})" if mix else "", style="")
    waiting = [
        (found["inbox"]["waiting"], "points wait to be judged"),
        (found["outbox"], "notices wait for delivery"),
        (found["dead_letters"], "dead letters"),
    ]
    for count, what in waiting:
        line.append(f", {count:,} {what}" if count else "", style=FAULT)
    entries = found["entries"]
    return line.append(f"; {entries:,} {'entry' if entries == 1 else 'entries'} in the log", style="dim")


def show_series(found: Mapping[str, Any], asked: str, console: Console | None = None) -> None:
    """Print the answer of ``GET /api/v1/status/series``."""
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    if not found["series"]:
        put([Text(f"No watched series matches {asked}: nothing of it has come, or no watch takes it.")], console, width)
        return
    parts: list[RenderableType] = []
    for one in found["series"]:
        parts += [Text(), *_series(one)] if parts else _series(one)
    if found["total"] > len(found["series"]):
        parts += [Text(), Text(f"and {found['total'] - len(found['series']):,} more", style="dim")]
    put(parts, console, width)


def _series(one: Mapping[str, Any]) -> list[RenderableType]:
    state = str(one["state"] or "not seen").replace("_", " ")
    head = Text.assemble((one["series"], "bold"), (f"  {one['watch']}  ", "dim"))
    head.append(state, style=FAULT if one["state"] in ("ALARM", "NO_DATA") else GOOD)
    reasons = [Padding(Text(reason), (0, 0, 0, 2)) for reason in one["reasons"]]
    if not one["points"]:
        return [head, *reasons, Padding(Text("No point came since the process started.", style="dim"), (0, 0, 0, 2))]
    table = _table("  time", "value", "expected", "score", "")
    for point in one["points"][-POINTS_MAX:]:
        score = point["anomaly_score"]
        low, high = _value(point["lower"]), _value(point["upper"])
        shown = Text("–" if score is None else f"{score:.2f}", style=FAULT if score is not None and score > 1 else "")
        table.add_row(
            "  " + point["time"].replace("T", " ").removesuffix("Z")[:19],
            _value(point["value"]),
            "–" if low == high == "–" else f"{low} … {high}",
            shown,
            Text("; ".join(point["policies"]), style="dim"),
        )
    return [head, *reasons, table]


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, overflow="fold", min_width=14)
    for name in others:
        table.add_column(name, justify="right" if name and name != "state" else "left", overflow="fold")
    return table


def _value(value: float | None) -> str:
    return "–" if value is None else wording.number(value)


def _time(text: str) -> int:
    return parse_rfc3339(text)


def _ago(now: int, text: str | None, start: int | None = None) -> str:
    length = now - (_time(text) if text else start or 0)
    return wording.duration(max(length, 0) // SECOND * SECOND)
