"""Write the Grafana dashboards of ``deploy/grafana``: one of Watchband itself, one of the user's own series.

``python -m tools.dashboards`` writes them anew. They are made here so that panels have one form and a test can hold
every metric they name against what ``/metrics`` has.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "grafana"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
HERE = 'instance=~"$instance"'
SERIES = f'{HERE},watch=~"$watch",series=~"$series"'
WIDTH = 24


def target(expr: str, legend: str, ref: str = "A") -> dict[str, Any]:
    """One query."""
    return {
        "datasource": SOURCE,
        "expr": expr,
        "legendFormat": legend,
        "refId": ref,
        "editorMode": "code",
        "range": True,
    }


def panel(title: str, *queries: tuple[str, str], kind: str = "timeseries", unit: str = "short", **more: Any) -> Any:
    """A panel of several queries (expression, legend); ``about`` says what to look for, ``wide`` of 24 columns."""
    return {
        "type": kind,
        "title": title,
        "description": more.pop("about", ""),
        "datasource": SOURCE,
        "gridPos": {"h": more.pop("tall", 8), "w": more.pop("wide", 8), "x": 0, "y": 0},
        "targets": [target(expr, legend, chr(65 + n)) for n, (expr, legend) in enumerate(queries)],
        "fieldConfig": {
            "defaults": {"unit": unit, "custom": more.pop("custom", {}), **more.pop("defaults", {})},
            "overrides": more.pop("overrides", []),
        },
        "options": more.pop("options", {"legend": {"displayMode": "list", "placement": "bottom"}}),
        **more,
    }


def row(title: str) -> dict[str, Any]:
    """A heading."""
    return {
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": 0},
        "panels": [],
    }


def laid_out(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Panels from left to right, line by line."""
    x = y = tall = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, tall = 0, y + tall, 0
        place["x"], place["y"], one["id"] = x, y, number
        x, tall = x + place["w"], max(tall, place["h"])
    return panels


def variable(name: str, query: str, *, several: bool = True) -> dict[str, Any]:
    """A choice above the panels."""
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "includeAll": several,
        "multi": several,
        "sort": 1,
        **({"current": {"text": "All", "value": "$__all"}, "allValue": ".*"} if several else {}),
    }


def dashboard(uid: str, title: str, about: str, variables: list[Any], panels: list[Any], marks: list[Any]) -> Any:
    """The whole document."""
    choice = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["watchband"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "templating": {"list": [choice, *variables]},
        "annotations": {"list": marks},
        "panels": laid_out(panels),
    }


def mark(name: str, expr: str, text: str, colour: str) -> dict[str, Any]:
    """Moments that are marked in every panel."""
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "expr": expr,
        "iconColor": colour,
        "step": "60s",
        "titleFormat": text,
        "textFormat": "",
        "tagKeys": "",
    }


def stat(title: str, expr: str, unit: str = "short", bad: float | None = None, **more: Any) -> Any:
    """One number; red from ``bad`` on (below it, if ``low`` is good)."""
    steps = [{"color": "green", "value": None}] + ([{"color": "red", "value": bad}] if bad is not None else [])
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    defaults = {"thresholds": {"mode": "absolute", "steps": steps}, **more.pop("defaults", {})}
    return panel(title, (expr, ""), kind="stat", unit=unit, wide=4, tall=4, options=options, defaults=defaults, **more)


def glance() -> list[Any]:
    """The numbers at the top."""
    ready = {"mappings": [{"type": "value", "options": {"0": {"text": "no", "color": "red"}, "1": {"text": "yes"}}}]}
    return [
        stat("Ready", f"min(watchband_ready{{{HERE}}})", defaults=ready),
        stat("Open alerts", f"sum(watchband_alerts_open{{{HERE}}})"),
        stat("Sources that fail", f"count(watchband_source_up{{{HERE}}} == 0) or vector(0)", bad=1),
        stat("Watches that stand still", f"sum(watchband_watch_stopped{{{HERE}}})", bad=1),
        stat("Notices that wait", f"sum(watchband_outbox_notices{{{HERE}}})", bad=100),
        stat("Dead letters", f"sum(watchband_dead_letters{{{HERE}}})", bad=1),
    ]


def taken() -> list[Any]:
    """What comes in, and what is made of it."""
    return [
        row("What comes in"),
        panel("Points a second", (f"rate(watchband_source_points_received_total{{{HERE}}}[5m])", "{{source}}")),
        panel(
            "Behind",
            (f"watchband_source_lag_seconds{{{HERE}}}", "{{source}}"),
            unit="s",
            about="Age of the newest point.",
        ),
        panel(
            "Not taken, late, repeated",
            (f"rate(watchband_source_points_refused_total{{{HERE}}}[5m])", "refused {{source}}"),
            (f"rate(watchband_source_points_dropped_total{{{HERE}}}[5m])", "dropped {{source}}"),
            (f"rate(watchband_watch_readings_late_total{{{HERE}}}[5m])", "late {{watch}}"),
            (f"rate(watchband_watch_readings_duplicates_total{{{HERE}}}[5m])", "repeated {{watch}}"),
        ),
        row("What is judged"),
        panel("Series", (f"watchband_watch_series{{{HERE}}}", "{{watch}}")),
        panel("Series by state", (f"sum by (state) (watchband_series{{{HERE}}})", "{{state}}")),
        panel(
            "Inside the band",
            (
                f"increase(watchband_watch_points_inside_total{{{HERE}}}[1d])"
                f" / increase(watchband_watch_points_banded_total{{{HERE}}}[1d])",
                "{{watch}}",
            ),
            (f"watchband_watch_band_nominal_ratio{{{HERE}}}", "meant for {{watch}}"),
            unit="percentunit",
            about="Share of points inside their band over a day, and what the budget means to leave there.",
        ),
        panel("Anomalous points", (f"rate(watchband_watch_points_anomalous_total{{{HERE}}}[15m])", "{{watch}}")),
        panel(
            "Time a watch takes",
            (f"rate(watchband_watch_detector_seconds_total{{{HERE}}}[5m])", "{{watch}}"),
            unit="percentunit",
        ),
        panel("Memory of states", (f"watchband_watch_state_bytes{{{HERE}}}", "{{watch}}"), unit="bytes"),
    ]


def told() -> list[Any]:
    """What people are told, and what the process takes."""
    latency = (
        f"histogram_quantile({{}}, sum by (le) (rate(watchband_delivery_latency_seconds_bucket{{{{{HERE}}}}}[1h])))"
    )
    return [
        row("Alerts and their delivery"),
        panel("Open alerts", (f"sum by (severity) (watchband_alerts_open{{{HERE}}})", "{{severity}}")),
        panel(
            "Deliveries",
            (f"sum by (sink, outcome) (rate(watchband_deliveries_total{{{HERE}}}[15m]))", "{{sink}} {{outcome}}"),
        ),
        panel(
            "From a point to its delivery",
            (latency.format("0.5"), "half"),
            (latency.format("0.95"), "95 %"),
            unit="s",
        ),
        row("The process"),
        panel(
            "Busy",
            (f"rate(watchband_engine_busy_seconds_total{{{HERE}}}[5m])", "engine"),
            (f'rate(process_cpu_seconds_total{{{HERE},job="watchband"}}[5m])', "processor"),
            unit="percentunit",
        ),
        panel("Memory", (f'process_resident_memory_bytes{{{HERE},job="watchband"}}', "resident"), unit="bytes"),
        panel(
            "Points that wait",
            (f"watchband_inbox_points{{{HERE}}}", "waiting"),
            (f"watchband_inbox_points_limit{{{HERE}}}", "limit"),
        ),
    ]


def itself() -> Any:
    """Watchband itself."""
    return dashboard(
        "watchband-itself",
        "Watchband",
        "How Watchband does: what comes in, what is judged, who is told.",
        [variable("instance", "label_values(watchband_ready, instance)")],
        [*glance(), *taken(), *told()],
        [
            mark(
                "Reloads",
                f"changes(watchband_config_last_reload_success_timestamp_seconds{{{HERE}}}[1m]) > 0",
                "reload",
                "blue",
            )
        ],
    )


def own() -> Any:
    """The user's own series with their bands."""
    band = [
        _style("lower", **{"custom.lineWidth": 0, "custom.hideFrom": {"legend": True, "tooltip": False, "viz": False}}),
        _style("upper", **{"custom.lineWidth": 0, "custom.fillBelowTo": "lower", "custom.fillOpacity": 18}),
        _style("expected", **{"custom.lineStyle": {"fill": "dash", "dash": [4, 4]}, "custom.lineWidth": 1}),
        _style("value", **{"custom.lineWidth": 2}),
    ]
    panels = [
        panel(
            "$series",
            (f"watchband_series_lower{{{SERIES}}}", "lower"),
            (f"watchband_series_upper{{{SERIES}}}", "upper"),
            (f"watchband_series_expected{{{SERIES}}}", "expected"),
            (f"watchband_series_value{{{SERIES}}}", "value"),
            wide=24,
            tall=12,
            overrides=band,
            about="The value, what was expected, and the band. Alerts are marked.",
        ),
        panel(
            "Anomaly score",
            (f"watchband_series_anomaly_score{{{SERIES}}}", "{{watch}}"),
            wide=24,
            tall=6,
            about="Above 1 is anomalous.",
            custom={"thresholdsStyle": {"mode": "line"}},
            defaults={
                "thresholds": {
                    "mode": "absolute",
                    "steps": [{"color": "green", "value": None}, {"color": "red", "value": 1}],
                }
            },
        ),
    ]
    return dashboard(
        "watchband-series",
        "Watchband: series",
        "Series that 'export' of the section 'server' chooses, with bands, scores and alerts.",
        [
            variable("instance", "label_values(watchband_series_value, instance)"),
            variable("watch", 'label_values(watchband_series_value{instance=~"$instance"}, watch)'),
            variable(
                "series",
                'label_values(watchband_series_value{instance=~"$instance",watch=~"$watch"}, series)',
                several=False,
            ),
        ],
        panels,
        [mark("Alerts", f"watchband_series_alert{{{SERIES}}} == 1", "alert of {{watch}}", "red")],
    )


def _style(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


DASHBOARDS = {"watchband.json": itself, "series.json": own}


def text(name: str) -> str:
    """A dashboard as it stands in its file."""
    return json.dumps(DASHBOARDS[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file in DASHBOARDS:
        (FOLDER / file).write_text(text(file))
