"""Incidents: what belongs together, whose id stays, what they are called."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.alert import Alert
from watchband.core.series import SeriesKey
from watchband.pipeline.incidents import SLACK, Incident, common_labels, incidents_of
from watchband.testing.contracts.store import an_alert

MINUTE = 60_000_000_000


def alert(name: str, opened: int, closed: int | None, metric: str = "cpu", **labels: str) -> Alert:
    ns = None if closed is None else closed * MINUTE
    return replace(an_alert(), id=name, series=SeriesKey(metric, labels), opened=opened * MINUTE, closed=ns)


def ids(found: list[Incident]) -> list[list[str]]:
    return [[a.id for a in incident.alerts] for incident in found]


def test_alerts_join_where_they_overlap_and_share_a_label() -> None:
    a = alert("a", 0, 30, service="checkout")
    b = alert("b", 35, 60, "latency", service="checkout", zone="x")
    c = alert("c", 36, 60, service="search", zone="x")
    d = alert("d", 36, None, service="identity")
    e = alert("e", 200, None, service="checkout")
    assert ids(incidents_of([e, d, c, b, a])) == [["a", "b", "c"], ["d"], ["e"]]
    assert ids(incidents_of([a, b], slack=MINUTE)) == [["a"], ["b"]]


def test_a_label_of_the_whole_fleet_joins_nothing() -> None:
    fleet = [SeriesKey("cpu", {"env": "prod", "host": str(k)}) for k in range(20)]
    alerts = [alert(str(k), 0, None, env="prod", host=str(k)) for k in range(3)]
    assert ids(incidents_of(alerts, common_labels(fleet))) == [["0"], ["1"], ["2"]]
    assert ids(incidents_of(alerts, common_labels(fleet[:3]))) == [["0", "1", "2"]]


def test_the_oldest_keeps_its_id_when_two_become_one() -> None:
    a, b = alert("a", 0, None, service="x"), alert("b", 5, None, service="y")
    assert [i.id for i in incidents_of([a, b])] == ["a", "b"]
    bridge = alert("c", 9, None, service="y", zone="1")
    other = alert("d", 10, None, service="x", zone="1")
    assert [i.id for i in incidents_of([a, b, bridge, other])] == ["a"]


def test_what_it_says_of_itself() -> None:
    low = replace(alert("a", 0, 30, service="checkout", zone="a"), severity="critical", anomaly_score=9.0)
    high = replace(alert("b", 5, None, "latency", service="checkout", zone="b"), severity="warning", anomaly_score=2.0)
    found = incidents_of([low, high])[0]
    # What has ended no longer says how bad it is.
    assert (found.severity, found.worst.id, found.closed) == ("warning", "b", None)
    assert found.title == "2 series of checkout are outside their bands"
    assert (
        incidents_of([replace(low, direction="below", kind="value")])[0].title == "cpu of checkout, a is below its band"
    )
    silent = replace(alert("s", 0, None, "jobs_running", host="h"), kind="no data", direction="")
    assert incidents_of([silent])[0].title == "jobs_running of h stopped reporting"
    assert incidents_of([low])[0].closed == 30 * MINUTE


LABELS = st.dictionaries(st.sampled_from("pq"), st.sampled_from("12"), max_size=2)
ALERTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30) | st.none(), LABELS), max_size=12)


@given(ALERTS, st.randoms(use_true_random=False))
def test_every_alert_is_in_one_incident_whatever_their_order(
    drawn: list[tuple[int, int | None, dict[str, str]]], order: random.Random
) -> None:
    alerts = [
        alert(f"{k:02d}", opened, None if length is None else opened + length, **labels)
        for k, (opened, length, labels) in enumerate(drawn)
    ]
    found = ids(incidents_of(alerts))
    assert sorted(name for group in found for name in group) == [a.id for a in sorted(alerts, key=lambda a: a.id)]
    order.shuffle(alerts)
    assert ids(incidents_of(alerts)) == found
    assert found == _slow(alerts)


def _slow(alerts: list[Alert]) -> list[list[str]]:
    """Joins every pair that belongs together, one at a time."""

    def together(a: Alert, b: Alert) -> bool:
        first, second = sorted((a, b), key=lambda x: (x.opened, x.id))
        shares = first.series == second.series or set(first.series.labels.items()) & set(second.series.labels.items())
        return bool(shares) and (first.closed is None or first.closed >= second.opened - SLACK)

    groups = [{a.id} for a in alerts]
    for a in alerts:
        for b in alerts:
            if a is not b and together(a, b):
                one, two = (next(g for g in groups if x.id in g) for x in (a, b))
                if one is not two:
                    groups.remove(two)
                    one |= two
    order = {a.id: (a.opened, a.id) for a in alerts}
    return sorted((sorted(g, key=order.__getitem__) for g in groups), key=lambda g: order[g[0]])


def test_an_incident_has_alerts() -> None:
    assert incidents_of([]) == []
    with pytest.raises(IndexError):
        _ = Incident(()).id
