"""Models on ``/metrics``: a few numbers a watch, however many series it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from watchband.apps.service.service import Service
from watchband.apps.service.status import lanes_of
from watchband.apps.service.views.models import drift_counts, kept_of
from watchband.apps.service.views.retraining import word_of
from watchband.detectors.fitted.cache import MODELS

_KEPT = {
    "coverage": ("coverage_ratio", "Share of the last week's points within the nominal band."),
    "nominal": ("coverage_nominal_ratio", "Share that the nominal band is to hold."),
    "anomaly_rate": ("anomaly_ratio", "Share of the last week's points that were anomalous."),
    "promised_rate": ("anomaly_promised_ratio", "Share that the rule allows to be anomalous."),
    "cutoff": ("cutoff", "Geometric mean of the last hour's cut-offs, in the detector's units of score."),
}


def modelled(service: Service) -> Iterator[Metric]:
    """Gauges of every watch."""
    families = {
        key: GaugeMetricFamily(f"watchband_model_{name}", text, labels=("watch",))
        for key, (name, text) in _KEPT.items()
    }
    drifting = GaugeMetricFamily(
        "watchband_model_drifting_series", "Series that a monitor says drift.", labels=("watch", "monitor")
    )
    learning = GaugeMetricFamily(
        "watchband_model_drift_learning_series", "Series whose reference of drift is still learned.", labels=("watch",)
    )
    lanes = lanes_of(service)
    counts = service.look(lambda: {name: drift_counts(lane) for name, lane in lanes.items()})
    for name, lane in lanes.items():
        for key, value in kept_of(service, lane).items():
            # What is not known is absent, not zero.
            if key in families and value is not None:
                families[key].add_metric([name], value)
        found = counts[name]
        if found is None:
            continue
        learning.add_metric([name], found["learning"])
        for monitor, count in found["monitors"].items():
            drifting.add_metric([name, monitor], count)
    yield from (*families.values(), drifting, learning, *shadows_of(service), *fitted())


def fitted() -> Iterator[Metric]:
    """Models of fitted detectors that are at hand in this process, and how often they were made."""
    told = MODELS.told()
    yield GaugeMetricFamily("watchband_fitted_models", "Fitted models at hand.", value=told["models"])
    yield GaugeMetricFamily("watchband_fitted_model_bytes", "Bytes of the fitted models at hand.", value=told["bytes"])
    yield CounterMetricFamily("watchband_fitted_fits", "Models that were fitted.", value=told["fitted"])
    text = "Models that had to go before their time; where this grows, points cost a fit each."
    yield CounterMetricFamily("watchband_fitted_evictions", text, value=told["evicted"])


def shadows_of(service: Service) -> Iterator[Metric]:
    """Models in shadow, what they spare, and what happened to models."""
    roles = GaugeMetricFamily("watchband_model_shadows", "Models in shadow.", labels=("watch", "role"))
    false = GaugeMetricFamily(
        "watchband_model_false_alerts",
        "Alerts in no confirmed incident since it is in shadow.",
        labels=("watch", "side"),
    )
    for name, lane in lanes_of(service).items():
        lineage = lane.state.upstream.lineage
        roles.add_metric([name, "challenger"], lineage.challenger is not None)
        roles.add_metric([name, "former"], lineage.former is not None)
        if (found := service.retraining.judged(name, lane)) is not None:
            false.add_metric([name, "champion"], found.verdict.champion)
            false.add_metric([name, "challenger"], found.verdict.challenger)
    events = CounterMetricFamily("watchband_model_events", "What happened to models.", labels=("watch", "event"))
    happened = Counter((r.event.watch, word_of(r)) for r in service.store.model_events())
    for (watch, event), count in sorted(happened.items()):
        events.add_metric([watch, event], count)
    yield from (roles, false, events)
