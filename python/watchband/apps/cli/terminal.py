"""What ``watchband detect`` prints for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watchband.apps.cli.alert_chart import chart_of
from watchband.apps.library.detection import Findings
from watchband.apps.library.options import rule_words
from watchband.core import wording
from watchband.core.alert import Alert, Severity
from watchband.pipeline.explain import emphasised

GLYPH: dict[Severity, str] = {"critical": "◆", "warning": "△", "info": "○"}
STYLE: dict[Severity, str] = {"critical": "bold color(162)", "warning": "bold color(202)", "info": "bold"}
FAULT = "color(202)"
WIDTH_MAX = 110
QUALITY_MAX = 12
"""Series listed in the section on data quality; of more, only those with faults."""

_FAULTS = (
    ("nan", "NaN"),
    ("infinite", "infinite"),
    ("duplicates", "dupli-\ncates"),
    ("out_of_order", "out of\norder"),
    ("late", "late"),
    ("gaps", "gaps"),
    ("counter_resets", "resets"),
)


def show(findings: Findings, top: int, console: Console | None = None) -> None:
    """Print notes, alerts, data quality and the summary.

    Parameters
    ----------
    findings : Findings
        Of a run.
    top : int
        Alerts shown one by one.
    console : Console, optional
        Where to; default is stdout, without any colour where it is not a terminal.
    """
    console = console or Console(highlight=False, soft_wrap=False)
    width = min(console.width, WIDTH_MAX)
    zone = str(findings.settings.get("timezone", "UTC"))
    parts: list[RenderableType] = [_input(findings, zone), Text(), _verdict(findings)]
    views = {str(view.key): view for view in findings.view().series}
    for alert in findings.alerts[:top]:
        parts += [Text(), _head(alert, zone, width), Padding(_sentence(alert), (0, 0, 0, 2))]
        chart = chart_of(alert, views[str(alert.series)], width, zone, colour=console.color_system is not None)
        parts += [Padding(line, (0, 0, 0, 2)) for line in chart]
    if len(findings.alerts) > top:
        parts += [Text(), _more(findings.alerts[top:], len(findings.alerts))]
    parts += [Text(), _quality(findings), Text(), _summary(findings)]
    put(parts, console, width)


def put(parts: Sequence[RenderableType], console: Console, width: int) -> None:
    """Print one below the other."""
    if console.is_terminal:
        console.print(Group(*parts), width=width)
        return
    with console.capture() as captured:
        console.print(Group(*parts), width=width)
    # Blanks at the ends of lines would only swell logs.
    console.file.write("".join(line.rstrip(" ") + "\n" for line in captured.get().splitlines()))


def _input(findings: Findings, zone: str) -> RenderableType:
    outcome = findings.outcome
    line = Text(findings.title, style="bold")
    line.append(f"  {_count(outcome.rows, 'reading')}, {_count(len(outcome.keys), 'series', 'series')}", style="")
    if outcome.start is not None and outcome.end is not None:
        start, end = wording.moment(outcome.start, zone), wording.moment(outcome.end, zone)
        day = start.rpartition(" ")[0] + " "
        line.append(f", {start} to {end.removeprefix(day)} {zone}", style="")
    notes = [
        Padding(Text(note, style=FAULT if note.startswith("left out") else "dim"), (0, 0, 0, 2))
        for note in findings.notes
    ]
    return Group(line, *notes)


def _verdict(findings: Findings) -> Text:
    alerts = findings.alerts
    if not findings.outcome.points:
        return Text("No verdict: none of the points could be judged yet; there is too little history.", style="bold")
    if not alerts:
        beyond = findings.outcome.anomalies
        why = f"no alert opened; {beyond:,} anomalous in passing" if beyond else "every value stayed inside its band"
        return Text.assemble(("○ ", "color(67)"), ("All quiet", "bold"), f": {why}.")
    series = len({str(alert.series) for alert in alerts})
    worst = alerts[0].severity
    where = "" if len(findings.outcome.keys) == 1 else f" in {series} of {len(findings.outcome.keys)} series"
    return Text.assemble(
        (f"{GLYPH[worst]} ", STYLE[worst]), (f"{_count(len(alerts), 'alert')}{where}", "bold"), f", {_mix(alerts)}"
    )


def _mix(alerts: Sequence[Alert]) -> str:
    severities = [alert.severity for alert in alerts]
    names: tuple[Severity, ...] = ("critical", "warning", "info")
    if len(severities) > 1 and len(set(severities)) == 1:
        return f"all {severities[0]}"
    return ", ".join(f"{severities.count(name)} {name}" for name in names if name in severities)


def _head(alert: Alert, zone: str, width: int) -> Table:
    row = Table.grid(expand=True)
    row.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    row.add_column(justify="right", no_wrap=True)
    left = Text.assemble((f"{GLYPH[alert.severity]} {alert.severity}", STYLE[alert.severity]), "  ")
    left.append(str(alert.series), style="bold")
    when = wording.moment(alert.opened, zone)
    row.add_row(left, Text(f"  {when}  {alert.id}", style="dim"))
    return row


def _sentence(alert: Alert) -> Text:
    text = Text()
    for piece, bold in emphasised(alert):
        text.append(piece, style="bold" if bold else "")
    return text


def _more(rest: Sequence[Alert], count: int) -> Text:
    return Text(f"and {_count(len(rest), 'alert')} more ({_mix(rest)}); --top {count} shows all.", style="dim")


def _quality(findings: Findings) -> RenderableType:
    outcome = findings.outcome
    order = sorted(range(len(outcome.keys)), key=lambda i: -_faults(outcome.quality[i]))
    if len(order) > QUALITY_MAX:
        order = [i for i in order if _faults(outcome.quality[i])]
    if not order:
        return Text(f"Data quality: no faults in {_count(len(outcome.keys), 'series', 'series')}.", style="dim")
    shown = sorted(order[:QUALITY_MAX])
    columns = [
        (k, n)
        for k, n in _FAULTS
        if any(outcome.quality[i].get(k) for i in shown) or k in ("nan", "duplicates", "gaps", "out_of_order")
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Data quality", overflow="fold", min_width=12)
    for name in ("rows", *(name for _, name in columns), "range", "every"):
        table.add_column(name, justify="right", no_wrap=True)
    for i in shown:
        quality = outcome.quality[i]
        cells = [Text(f"{quality[k]:,}", style=FAULT if quality[k] else "dim") for k, _ in columns]
        interval = wording.duration(quality["interval_ns"]) if quality["interval_ns"] else "–"
        span = _span(outcome.keys[i].metric, quality["minimum"], quality["maximum"])
        table.add_row(str(outcome.keys[i]), f"{quality['rows']:,}", *cells, span, interval)
    rest, calm = len(order) - len(shown), len(outcome.keys) - len(order)
    more = [f"{rest:,} more with faults"] * bool(rest) + [f"{calm:,} without"] * bool(calm)
    if not more:
        return table
    return Group(table, Text(f"and {', '.join(more)}; --json and summary.json of --out list all.", style="dim"))


def _span(metric: str, low: float, high: float) -> str:
    """The range of a metric, large plain numbers as 38.5k and 245M."""
    (least, most), sign = wording.quantities(metric, [low, high], 3)
    if sign or not np.isfinite(low) or max(abs(low), abs(high)) < 100_000:
        return wording.span(least, most, sign)
    return wording.span(_short(low), _short(high))


def _short(value: float) -> str:
    for size, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return wording.number(value / size) + sign
    return wording.number(value)


def _faults(quality: dict[str, object]) -> int:
    return sum(int(str(quality.get(name, 0))) for name, _ in _FAULTS)


def _summary(findings: Findings) -> RenderableType:
    outcome, settings = findings.outcome, findings.settings
    counted = (_count(outcome.points, "point") + " judged", f"{outcome.anomalies:,} anomalous")
    line = Text(", ".join((*counted, _count(len(outcome.alerts), "alert"))))
    line.append(f" by {settings['detector']}, {rule_words(str(settings['rule']))}.", style="dim")
    if findings.out is None:
        return line
    files = ", ".join(name for name in findings.files if "/" not in name)
    plots = sum("/" in name for name in findings.files)
    extra = f", {_count(plots, 'plot')} in plots/" if plots else ""
    return Group(line, Text(f"Wrote {findings.out}/: {files}{extra}"))


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
