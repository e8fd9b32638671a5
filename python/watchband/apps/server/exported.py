"""Single series on ``/metrics``: value, band and score of those the configuration chooses, up to a limit."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from watchband.apps.service.service import Service
from watchband.core.duration import SECOND

STALE_NS = 15 * 60 * SECOND
"""A series that is silent for so long is absent here, as its metric is."""
_COLUMNS = {
    "value": ("y", "The last value."),
    "expected": ("yhat", "What was expected."),
    "lower": ("yhat_lower", "The band's lower edge."),
    "upper": ("yhat_upper", "The band's upper edge."),
    "anomaly_score": ("anomaly_score", "Above 1 is anomalous."),
}


def exported(service: Service) -> Iterator[Metric]:
    """Gauges of the chosen series, and how many there was no room for."""
    settings = service.config.server
    selectors = settings.selectors
    names = ("watch", "series", "metric")
    families = {
        name: GaugeMetricFamily(f"watchband_series_{name}", text, labels=names) for name, (_, text) in _COLUMNS.items()
    }
    alerting = GaugeMetricFamily("watchband_series_alert", "1 while an alert is open.", labels=names)
    open_now = {(a.watch, a.series) for a in service.book.open()}
    now, shown, left_out = service.clock.now(), 0, 0
    for watch in service.config.watches if selectors else ():
        for key, last in service.recent.newest(watch):
            if not any(s.matches(key) for s in selectors) or now - last["time"] > STALE_NS:
                continue
            if shown >= settings.export_max:
                left_out += 1
                continue
            shown += 1
            labels = [watch, str(key), key.metric]
            for name, (column, _) in _COLUMNS.items():
                # NaN is no band or no opinion: absent, not zero.
                if last[column] == last[column]:
                    families[name].add_metric(labels, last[column])
            alerting.add_metric(labels, float((watch, key) in open_now))
    yield from (*families.values(), alerting)
    yield GaugeMetricFamily("watchband_series_left_out", "Chosen series beyond 'export_max'.", value=left_out)
