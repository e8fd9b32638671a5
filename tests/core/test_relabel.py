"""Relabelling and selectors, as Prometheus users know them."""

from __future__ import annotations

import pytest

from watchband.core.errors import ConfigError
from watchband.core.relabel import Relabel, relabelled
from watchband.core.series import SeriesKey

KEY = SeriesKey("cpu", {"pod": "api-7d9f-x2k4q", "env": "Prod"})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            Relabel(action="lowercase", source_labels=("env",), target_label="env"),
            {"pod": "api-7d9f-x2k4q", "env": "prod"},
        ),
        (Relabel(action="labeldrop", regex="pod"), {"env": "Prod"}),
        (Relabel(action="labelkeep", regex="pod"), {"pod": "api-7d9f-x2k4q"}),
        (Relabel(action="keep", source_labels=("env",), regex="P.*"), {"pod": "api-7d9f-x2k4q", "env": "Prod"}),
        (Relabel(action="drop", source_labels=("env",), regex="P.*"), None),
    ],
)
def test_actions(rule: Relabel, expected: dict[str, str] | None) -> None:
    found = relabelled(KEY, [rule])
    assert (None if found is None else dict(found.labels)) == expected


def test_a_rule_without_its_target_is_refused() -> None:
    with pytest.raises(ConfigError, match="target_label"):
        Relabel(action="replace")
