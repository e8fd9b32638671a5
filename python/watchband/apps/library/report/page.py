"""The words of the report as HTML: verdict, alerts, one card a series, how it was made. The script adds charts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from watchband.apps.library.report import words
from watchband.apps.library.report.markup import Markup, el, join, use
from watchband.apps.library.report.picture import picture
from watchband.apps.library.view import DetectionView, SeriesView
from watchband.core import wording
from watchband.core.alert import Alert
from watchband.core.series import SeriesKey

ALERT_ROWS_MAX = 100
ALERT_ROWS_FIRST = 5
SPARK = (224, 44)
MINI = (84, 28)
FILTER_FROM = 7


def verdict(view: DetectionView) -> tuple[str, str]:
    """The sentence that answers whether anything is wrong, and its glyph.

    Examples
    --------
    >>> verdict(DetectionView([], []))
    ('No verdict yet', 'info')
    """
    if not view.alerts:
        judged = any(bool(np.isfinite(s.anomaly_score).any()) for s in view.series)
        return (words.CALM, "calm") if judged else (words.LEARNING, "info")
    worst = view.ranked[0].severity
    severe = sum(a.severity == worst for a in view.alerts)
    text = words.count(severe, f"{words.SEVERITY[worst]} alert")
    if severe < len(view.alerts):
        text += f", {len(view.alerts):,} in all"
    touched = len({str(a.series) for a in view.alerts})
    if len(view.series) > 1:
        text += f", in {touched:,} of {len(view.series):,} series"
    return text, worst


def span(view: DetectionView) -> str:
    """First to last time of all points, with the length."""
    ends = [(int(s.times[0]), int(s.times[-1])) for s in view.series if len(s)]
    if not ends:
        return ""
    first, last = min(a for a, _ in ends), max(b for _, b in ends)
    return words.stretch(first, last, view.timezone)


def head(view: DetectionView) -> Markup:
    """Verdict, second sentence, three figures."""
    text, glyph = verdict(view)
    second: list[object] = [span(view) + ". " if view.series else ""]
    if view.alerts:
        worst = view.ranked[0]
        second += [words.WORST, el("b", _name(worst.series)), _labels(worst.series), " ", _reason(worst)]
    elif glyph == "info":
        second.append(words.LEARNING_WHY)
    else:
        second.append(words.NO_ALERTS)
    points = sum(s.points for s in view.series)
    outside = sum(int(s.anomalous.sum()) for s in view.series)
    return el(
        "section",
        use(glyph, 44),
        el("div", el("h1", text), el("p", *second)),
        el(
            "dl",
            _figure("series", f"{len(view.series):,}"),
            _figure("points", f"{points:,}"),
            _figure("anomalous", f"{outside:,}", wording.number(100 * outside / points) + " %" if points else ""),
            cls="figures",
        ),
        cls="verdict",
        aria_label="Verdict",
    )


def _figure(name: str, value: str, small: str = "") -> Markup:
    return el("div", el("dt", name), el("dd", value, el("small", " ", small) if small else None))


def _name(key: SeriesKey) -> Markup:
    """The metric, which may be broken over lines where a word ends."""
    return Markup(re.sub(r"([_./:-])(?=\w)", r"\1<wbr>", join(key.metric)))


def _labels(key: SeriesKey) -> Markup:
    if not key.labels:
        return Markup("")
    return el("span", " ", ", ".join(f"{k}={v}" for k, v in key.labels.items()), cls="labels")


def _reason(alert: Alert, *, alone: bool = False) -> Markup:
    parts = words.reason(alert)
    if alone:
        parts = [(parts[0][0][:1].upper() + parts[0][0][1:], parts[0][1]), *parts[1:]]
    return join(*[el("b", text) if bold else text for text, bold in parts])


def alerts_card(view: DetectionView, drawn: Sequence[SeriesView]) -> Markup | None:
    """Alerts, most severe first, each with sentence, time, duration and sparkline."""
    if not view.alerts:
        return None
    place = {str(s.key): i for i, s in enumerate(drawn)}
    last = max((int(s.times[-1]) for s in view.series if len(s)), default=None)
    rows = [_alert_row(a, place.get(str(a.series)), drawn, view.timezone, last) for a in view.ranked[:ALERT_ROWS_MAX]]
    rest = len(view.alerts) - len(rows)
    first, more = rows[:ALERT_ROWS_FIRST], rows[ALERT_ROWS_FIRST:]
    return el(
        "section",
        el(
            "div",
            el("h2", "Alerts", id="alerts"),
            el("span", "most severe first", cls="muted"),
            el("span", view.timezone, cls="aside"),
            cls="card-head",
        ),
        el("ol", *first, cls="alerts"),
        el("details", el("summary", words.SHOW_ALERTS.format(n=len(more))), el("ol", *more, cls="alerts"), cls="more")
        if more
        else None,
        el("p", words.MORE_ALERTS.format(n=f"{rest:,}"), cls="card-foot") if rest else None,
        cls="card alerts-card",
        aria_labelledby="alerts",
    )


def _alert_row(alert: Alert, at: int | None, drawn: Sequence[SeriesView], zone: str, last: int | None) -> Markup:
    end, alone = alert.closed if alert.closed is not None else alert.peak_time, len(drawn) == 1
    spark: Markup | None = None
    name: object = join(_name(alert.series), _labels(alert.series))
    if alone:
        name = _reason(alert, alone=True)
    if at is not None:
        view = drawn[at]
        end = alert.closed if alert.closed is not None else max(end, int(view.times[-1]))
        whole = int(view.times[-1]) - int(view.times[0])
        air = max(2 * (end - alert.opened), 40 * view.interval_ns, whole // 60)
        near = (view.times >= alert.opened - air) & (view.times <= end + air // 3)
        spark = None if alone else picture(view.take(np.flatnonzero(near)).thin(160), *SPARK)
        name = el("a", name, href=f"#s{at}/{(alert.opened - air) // 10**6}/{(end + air) // 10**6}")
    lasted = wording.duration(end - alert.opened) if end > alert.opened else words.count(alert.points, "point")
    meta = [alert.kind, f"score {words.bounded(alert.anomaly_score)}"]
    if alert.confidence < 0.995:
        meta.append(f"confidence {wording.number(100 * alert.confidence, 2)} %")
    return el(
        "li",
        el("div", use(alert.severity, 18), el("span", words.SEVERITY[alert.severity], cls="sr"), cls="glyph"),
        el("h3", name),
        None if alone else el("p", _reason(alert), cls="why"),
        el("p", *[el("span", k) for k in meta], cls="meta"),
        el("div", spark, cls="spark") if spark else None,
        el(
            "div",
            el("b", "open" if alert.closed is None else lasted),
            el("span", words.moment(alert.opened, zone, last)),
            cls="when",
        ),
        cls=f"alert is-{alert.severity}",
    )


def series_list(drawn: Sequence[SeriesView]) -> Markup | None:
    """The list beside the charts, with a field to find a series; None for a single one."""
    if len(drawn) < 2:
        return None
    items = []
    for i, view in enumerate(drawn):
        top = float(np.nanmax(view.anomaly_score)) if np.isfinite(view.anomaly_score).any() else float("nan")
        name = el("span", el("b", view.key.metric), el("small", _label_text(view)) if view.key.labels else None)
        score = el("span", words.bounded(top), cls="sc is-out" if view.alerts else "sc")
        link = el("a", name, picture(view.thin(70), *MINI), score, href=f"#s{i}", title=str(view.key))
        items.append(el("li", link, data_name=str(view.key).lower()))
    split = sum(bool(v.alerts) for v in drawn)
    groups = [
        join(
            el("p", title, el("span", len(part)), cls="group-label"),
            el("ul", *part, cls="series-list"),
        )
        for title, part in (("With alerts", items[:split]), ("Without alerts", items[split:]))
        if part
    ]
    find = el(
        "label",
        el("span", "Find a series", cls="sr"),
        el("input", type="search", id="find", placeholder="Find a series", autocomplete="off", spellcheck="false"),
        cls="find",
    )
    return el(
        "nav",
        el("div", el("h2", f"{len(drawn):,} series"), el("span", "highest score", cls="aside"), cls="card-head"),
        find if len(drawn) >= FILTER_FROM else None,
        el("p", id="found", cls="sr", role="status"),
        *groups,
        cls="card side",
        aria_label="Series",
    )


def _label_text(view: SeriesView) -> str:
    return ", ".join(f"{k}={v}" for k, v in view.key.labels.items())


def sentence(view: SeriesView, zone: str) -> str:
    """What a chart shows, for those who hear it."""
    valued = np.flatnonzero(np.isfinite(view.y))
    if not len(valued):
        return f"{view.key}: no values."
    at = int(valued[-1])
    text = f"{view.key}: {words.quantity(view, float(view.y[at]))} at {words.moment(int(view.times[at]), zone)}"
    if np.isfinite(view.yhat[at]):
        low, high = (words.quantity(view, float(edge[at])) for edge in (view.yhat_lower, view.yhat_upper))
        text += f", expected {low} to {high}"
    if not view.alerts:
        return text + "; no alert."
    worst = max(view.alerts, key=lambda a: a.anomaly_score)
    since = words.moment(worst.opened, zone)
    return f"{text}; {words.count(len(view.alerts), 'alert')}, the worst since {since}: {worst.reason}"


def series_card(view: SeriesView, at: int, zone: str) -> Markup:
    """The frame of one chart, which the script fills, its table and its data quality."""
    every = f" every {wording.duration(view.interval_ns)}" if view.interval_ns else ", irregular"
    drawn = f", drawn from {len(view):,}" if len(view) < view.points else ""
    buttons = [
        el("button", text, type="button", data_act=act, aria_label=label, title=label)
        for act, text, label in (("out", "−", "Zoom out"), ("in", "+", "Zoom in"), ("all", "all", "Show all"))
    ]
    rows = words.quality_rows(view)
    faults = [f"{text} {name}" for name, text, fault in rows if fault]
    return el(
        "section",
        el(
            "div",
            el("h2", _name(view.key), _labels(view.key), id=f"h{at}"),
            el("span", words.count(view.points, "point"), every, drawn, cls="aside"),
            el("div", *buttons, cls="seg", role="group", aria_label="Zoom"),
            cls="card-head",
        ),
        el("p", cls="readout", aria_live="off"),
        el(
            "div",
            el("div", cls="plot"),
            el("div", cls="overview"),
            cls="chart",
            tabindex="0",
            role="group",
            aria_roledescription="chart",
            aria_label=f"Chart of {view.key}",
            aria_describedby="chart-hint",
            data_label=sentence(view, zone),
        ),
        el("details", el("summary", "Points as a table ", el("kbd", "t")), el("div", cls="scroll"), cls="points"),
        el(
            "details",
            el("summary", words.QUALITY, el("span", ", ".join(faults) or "nothing to remark", cls="muted")),
            el("dl", *[_fact(n, t, fault) for n, t, fault in rows], cls="facts"),
            *[el("p", note, cls="note") for note in view.notes],
            cls="quality",
        ),
        cls="card series",
        id=f"s{at}",
        aria_labelledby=f"h{at}",
        data_i=at,
    )


def _fact(name: str, text: str, fault: bool) -> Markup:
    return el("div", el("dt", name), el("dd", text, cls="is-fault" if fault else None))


def settings_card(view: DetectionView) -> Markup:
    """Detector, rule, policy, version and the command that makes the same again."""
    stated = {
        "detector": view.detector,
        "rule": view.rule,
        **view.settings,
        "timezone": view.timezone,
        "version": view.version,
    }
    facts = [
        _fact(words.SETTINGS_ROWS.get(k, k.replace("_", " ")), v, False)
        for k, v in stated.items()
        if v not in ("", "[]", "()")
    ]
    return el(
        "section",
        el("div", el("h2", words.SETTINGS, id="made"), cls="card-head"),
        el("dl", *facts, cls="facts"),
        *[el("p", note, cls="note") for note in view.notes],
        el("pre", el("code", view.command), tabindex="0", aria_label="Command") if view.command else None,
        cls="card",
        aria_labelledby="made",
    )


def body(view: DetectionView, drawn: Sequence[SeriesView]) -> Markup:
    """Verdict, alerts, charts and settings: one series beside its alerts, several beside their list."""
    left_out = len(view.series) - len(drawn)
    alerts, beside = alerts_card(view, drawn), series_list(drawn)
    stack = el(
        "div",
        *[series_card(s, i, view.timezone) for i, s in enumerate(drawn)],
        el("p", words.MORE_SERIES.format(n=f"{left_out:,}"), cls="muted") if left_out else None,
        settings_card(view),
        cls="stack",
    )
    if beside:
        return join(head(view), alerts, el("div", beside, stack, cls="with-side"))
    return join(head(view), el("div", alerts, stack, cls="with-alerts") if alerts else stack)


def keys_dialog(keys: Sequence[tuple[str, str]] = words.KEYS, mouse: str = words.MOUSE) -> Markup:
    """All keys, behind ``?``."""
    rows = [el("div", el("dt", *[el("kbd", k) for k in pressed.split()]), el("dd", text)) for pressed, text in keys]
    return el(
        "dialog",
        el("h2", words.KEYS_TITLE),
        el("dl", *rows),
        el("p", mouse, cls="muted") if mouse else None,
        el("form", el("button", "Close", cls="btn"), method="dialog"),
        id="keys",
        aria_label=words.KEYS_TITLE,
    )
