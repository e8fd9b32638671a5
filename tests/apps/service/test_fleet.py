"""Groups of the fleet strip."""

from __future__ import annotations

from watchband.apps.service.views.fleet import GROUPS_MAX, grouped
from watchband.apps.service.views.series import Row
from watchband.core.series import SeriesKey


def row(metric: str, watch: str = "all", **labels: str) -> Row:
    key = SeriesKey(metric, labels)
    return Row(watch, key, str(key), "OK", {})


def counts(rows: list[Row]) -> dict[str, int]:
    return {name: len(members) for name, members in grouped(rows)}


def test_services_stand_beside_the_roles_of_many_machines() -> None:
    services = [row("latency", service=name) for name in ("cart", "search")]
    machines = [row("cpu", host=f"{role}-{k:02d}", role=role) for role in ("db", "web") for k in range(40)]
    assert counts(services + machines) == {"cart": 1, "db": 40, "search": 1, "web": 40}


def test_too_many_groups_are_the_largest_and_the_rest() -> None:
    rows = [row(f"metric_{k}", host=f"host-{n:02d}") for n in range(60) for k in range(1 + (n < 5))]
    found = counts(rows)
    assert len(found) == GROUPS_MAX
    assert list(found)[-1] == "other"
    assert all(found[f"host-{n:02d}"] == 2 for n in range(5))
    assert sum(found.values()) == len(rows)


def test_without_labels_watches_are_groups() -> None:
    assert counts([row("a", "one"), row("b", "two"), row("c", "two")]) == {"one": 1, "two": 2}
    assert grouped([]) == []
