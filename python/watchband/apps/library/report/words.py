"""Every text of the report in one place.

What the page's script says is here too (``SCRIPT``); it is embedded with the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from watchband.apps.library.view import SeriesView
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.pipeline.explain import emphasised

NBSP = wording.NO_BREAK

SEVERITY = {"critical": "critical", "warning": "warning", "info": "minor"}
CALM = "All quiet"
LEARNING = "No verdict yet"
LEARNING_WHY = "None of the points has been judged: there is too little history for this detector."
NO_ALERTS = "No alert opened. Every chart below shows the band it stayed in."
MORE_ALERTS = "{n} more, less severe, are in alerts.json."
SHOW_ALERTS = "Show {n} more"
MORE_SERIES = "{n} more series without alerts are not drawn; scores.parquet has their points."
NO_SCRIPT = "The charts are drawn by this page’s own script, which is switched off here."
WORST = "Worst: "
SKIP = "Skip to content"
THEME = "Light, dark or as the system"
KEYS_TITLE = "Keys"
KEYS = (
    ("← →", "step one point, Shift: ten"),
    ("+ − 0", "zoom in, out, all"),
    ("[ ]", "previous, next anomaly"),
    ("t", "chart as a table"),
    ("Esc", "back one zoom"),
    ("j k", "next, previous chart"),
    ("/", "find a series"),
    ("d", "light, dark, system"),
    ("?", "these keys"),
)
MOUSE = "Drag in a chart to zoom, double click to go back one step; Ctrl or ⌘ with the wheel zooms too."
CHART_HINT = "Arrow keys step through the points, plus and minus zoom, 0 shows all, t opens the table."
QUALITY = "Data quality"
SETTINGS = "How this was made"
SETTINGS_ROWS = {
    "detector": "detector",
    "rule": "decision rule",
    "timezone": "times shown in",
    "version": "Watchband",
}
QUALITY_ROWS: Mapping[str, tuple[str, str]] = {
    "rows": ("rows read", "count"),
    "interval_ns": ("usual interval", "span"),
    "on_interval": ("steps on that interval", "share"),
    "minimum": ("lowest", "value"),
    "maximum": ("highest", "value"),
    "nan": ("not a number", "fault"),
    "duplicates": ("duplicates", "fault"),
    "out_of_order": ("out of order", "fault"),
    "gaps": ("gaps", "fault"),
    "missing_slots": ("missing points", "rare"),
    "longest_gap_ns": ("longest gap", "span"),
    "gaps_unfilled": ("gaps not filled", "rare"),
    "imputed": ("points filled in", "rare"),
    "infinite": ("infinite", "rare"),
    "late": ("later than allowed", "rare"),
    "counter_resets": ("counter resets", "rare"),
}
"""What is known of the data, in the order of the page: a count, a fault also shown when none, or a rare one."""
SCRIPT = {
    "expected": "expected",
    "noBand": "no band yet",
    "inside": "inside its band",
    "above": "widths above",
    "below": "widths below",
    "score": "score",
    "missing": "no value",
    "noData": "no data",
    "kinds": {"value": "value", "pattern": "pattern", "imputed": "filled in", "alone": "alone, no alert"},
    "kind": "kind:",
    "scoreLane": "anomaly score",
    "columns": ["Time", "y", "yhat", "yhat_lower – yhat_upper", "Band widths off", "Score", "Kind"],
    "tableMore": "The first {n} of {m} points; zoom in for the rest.",
    "found": "{n} of {m} series",
    "themes": {"": "as the system", "light": "light", "dark": "dark"},
    "showing": "Showing",
}


def quantity(view: SeriesView, value: float) -> str:
    """A value of a series with its unit: the stated one, else the one that its name tells."""
    if view.unit:
        return wording.with_unit(wording.number(value), view.unit)
    return wording.quantity(view.key.metric, value)


def bounded(value: float) -> str:
    """A score or a number of band widths: beyond 999 the figure says nothing more."""
    return "–" if value != value else "> 999" if value > 999 else wording.number(value)


def count(n: int, one: str, many: str = "") -> str:
    """A whole number and its noun: ``1 alert``, ``4,032 points``."""
    return f"{n:,}{NBSP}{one if n == 1 else many or one + 's'}"


def stretch(first: int, last: int, zone: str) -> str:
    """From one time to another, with the length."""
    return f"{moment(first, zone)} to {moment(last, zone)} ({wording.duration(last - first)})"


def moment(time: int, zone: str, now: int | None = None) -> str:
    """A day and time, not broken over lines; as short as ``now`` allows."""
    return wording.moment(time, zone, now).replace(" ", NBSP)


def reason(alert: Alert) -> list[tuple[str, bool]]:
    """The sentence of an alert without the name it begins with, in pieces; bold ones are marked."""
    parts = emphasised(alert)
    for name in (str(alert.series), alert.series.metric):
        if parts[0][0].startswith(name + " "):
            return [(parts[0][0].removeprefix(name + " "), parts[0][1]), *parts[1:]]
    return parts


def quality_rows(view: SeriesView) -> list[tuple[str, str, bool]]:
    """Name, text and whether it is a fault, of everything known about the data of a series."""
    known = {"rows": view.points, **view.quality}
    rows = []
    for key in [*QUALITY_ROWS, *(k for k in known if k not in QUALITY_ROWS)]:
        value = known.get(key)
        name, form = QUALITY_ROWS.get(key, (key.replace("_", " "), ""))
        if not isinstance(value, (int, float, str)) or (isinstance(value, float) and not isfinite(value)):
            continue
        if not value and form in ("span", "rare"):
            continue
        if form == "span":
            text = wording.duration(int(value))
        elif form == "share":
            text = wording.with_unit(wording.number(100 * float(value)), "%")
        elif form == "value":
            text = quantity(view, float(value))
        elif form in ("count", "fault", "rare"):
            text = f"{int(value):,}" if value else "none"
        else:
            text = wording.number(value) if isinstance(value, float) else str(value)
        rows.append((name, text, form in ("fault", "rare") and bool(value)))
    return rows
