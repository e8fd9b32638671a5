"""Alerts as Alertmanager has them: labels that stay the same while an alert lasts, and what changes as annotations."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from watchband.adapters.sinks.message import message_of
from watchband.core.alert import Alert
from watchband.core.ports import Notice
from watchband.core.timestamp import format_rfc3339

VALUE_MAX = 1000
FIRING_FOR_EVER = "0001-01-01T00:00:00Z"
OWN = ("alertname", "watch", "metric", "severity")
_NAME = re.compile(r"[^A-Za-z0-9_]")


def labels_of(alert: Alert, fixed: Mapping[str, str]) -> dict[str, str]:
    """Labels: the series', ``alertname`` (the watch), ``watch``, ``metric``, ``severity`` and the configured ones.

    Only ``severity`` may change while the alert lasts. A label of the series that has one of these names is called
    ``exported_NAME``, as Prometheus does.

    Examples
    --------
    >>> from watchband.testing.contracts.outbox import an_alert
    >>> labels_of(an_alert(), {"team": "web"})
    {'host': 'a', 'alertname': 'w', 'watch': 'w', 'metric': 'cpu', 'severity': 'info', 'team': 'web'}
    """
    own = {"alertname": alert.watch, "watch": alert.watch, "metric": alert.series.metric, "severity": alert.severity}
    own |= fixed
    found: dict[str, str] = {}
    for name, value in alert.series.labels.items():
        called = label_name(name)
        while called in own or called in found:
            called = f"exported_{called}"
        found[called] = value
    return {name: _value(value) for name, value in (found | own).items() if value}


def label_name(name: str) -> str:
    """A name that every Alertmanager takes: letters, digits and underscores, not beginning with a digit."""
    called = _NAME.sub("_", name)
    return f"_{called}" if called[:1].isdigit() else called


def _value(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    if len(whole) <= VALUE_MAX:
        return whole
    # Cut, and still different from another that begins the same way.
    return f"{whole[:VALUE_MAX]}…{hashlib.blake2b(whole.encode(), digest_size=4).hexdigest()}"


def annotations_of(notice: Notice) -> dict[str, str]:
    """What people read: ``summary``, ``description``, and the numbers one by one."""
    alert, message = notice.alert, message_of(notice)
    facts = {f"watchband_{label_name(name.lower().replace(' ', '_'))}": text for name, text in message.facts}
    named = {"summary": message.title, "description": message.reason, "watchband_id": alert.id, **facts}
    return {name: text for name, text in named.items() if text}


def fingerprint(labels: Mapping[str, str]) -> str:
    """16 hexadecimal digits of some labels."""
    text = "\xff".join(f"{k}\xff{v}" for k, v in sorted(labels.items()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def webhook_body(notice: Notice, receiver: str) -> dict[str, Any]:
    """What Alertmanager's webhook receivers are sent, version 4, with one alert.

    Whoever takes Alertmanager's notifications takes these.
    """
    alert = notice.alert
    labels, annotations = labels_of(alert, {}), annotations_of(notice)
    status = "firing" if alert.closed is None else "resolved"
    group = {name: labels[name] for name in ("alertname",) if name in labels}
    return {
        "version": "4",
        "groupKey": f"watchband/{alert.id}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": notice.link.partition("/alerts/")[0],
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": format_rfc3339(alert.opened),
                "endsAt": FIRING_FOR_EVER if alert.closed is None else format_rfc3339(alert.closed),
                "generatorURL": notice.link,
                "fingerprint": fingerprint(labels),
            }
        ],
    }
