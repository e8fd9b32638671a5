"""Relabelling as Prometheus users know it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.core.errors import ConfigError
from watchband.core.relabel import ACTIONS, Relabel, relabelled
from watchband.core.series import SeriesKey

KEY = SeriesKey("cpu", {"pod": "api-7d9f-x2k4q", "env": "Prod", "__meta_zone": "a"})
ALL = {"pod": "api-7d9f-x2k4q", "env": "Prod", "__meta_zone": "a"}


def after(key: SeriesKey = KEY, **rule: Any) -> dict[str, str] | None:
    found = Relabel(**rule).apply(key)
    return None if found is None else {"__name__": found.metric, **found.labels}


def cpu(**labels: str) -> dict[str, str]:
    return {"__name__": "cpu", **ALL, **labels}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"action": "lowercase", "source_labels": ("env",), "target_label": "env"}, cpu(env="prod")),
        ({"action": "uppercase", "source_labels": ("env",), "target_label": "loud"}, cpu(loud="PROD")),
        ({"action": "keep", "source_labels": ("env",), "regex": "P.*"}, cpu()),
        ({"action": "keep", "source_labels": ("env",), "regex": "ro"}, None),
        ({"action": "drop", "source_labels": ("env",), "regex": "P.*"}, None),
        ({"action": "drop", "source_labels": ("missing",), "regex": "P.*"}, cpu()),
        ({"action": "keepequal", "source_labels": ("env",), "target_label": "pod"}, None),
        ({"action": "dropequal", "source_labels": ("env",), "target_label": "pod"}, cpu()),
        ({"action": "dropequal", "source_labels": ("missing",), "target_label": "gone"}, None),
        ({"action": "labelmap", "regex": "__meta_(.+)"}, cpu(zone="a")),
        ({"action": "labelmap", "regex": "__meta_(.+)", "replacement": "k8s_${1}_x"}, cpu(k8s_zone_x="a")),
        # The MD5 sum of Prod ends in 5, as md5sum says.
        ({"action": "hashmod", "source_labels": ("env",), "target_label": "shard", "modulus": 8}, cpu(shard="5")),
        ({"source_labels": ("env", "pod"), "target_label": "both"}, cpu(both="Prod;api-7d9f-x2k4q")),
        ({"source_labels": ("env", "pod"), "separator": "/", "target_label": "both"}, cpu(both="Prod/api-7d9f-x2k4q")),
        (
            {"source_labels": ("env",), "regex": "P(.)(.).", "target_label": "x", "replacement": "$2-{$1}"},
            cpu(x="o-{r}"),
        ),
        ({"source_labels": ("env",), "regex": "(P).*", "target_label": "x", "replacement": "$1_total"}, cpu()),
        ({"source_labels": ("env",), "regex": "(P).*", "target_label": "x", "replacement": "$$1 ${1"}, cpu(x="$1 ${1")),
        ({"source_labels": ("env",), "regex": "(?P<a>P).*", "target_label": "x", "replacement": "${a}"}, cpu(x="P")),
        ({"source_labels": ("env",), "target_label": "was_$1"}, cpu(was_Prod="Prod")),
        ({"target_label": "fixed", "replacement": "yes"}, cpu(fixed="yes")),
        ({"target_label": "env", "replacement": ""}, {k: v for k, v in cpu().items() if k != "env"}),
        (
            {"source_labels": ("__name__",), "target_label": "__name__", "replacement": "host_$1"},
            cpu(__name__="host_cpu"),
        ),
        ({"source_labels": ("env",), "regex": "[[:upper:]][[:lower:]]+", "target_label": "x"}, cpu()),
    ],
)
def test_what_a_rule_does(rule: dict[str, Any], expected: dict[str, str] | None) -> None:
    assert after(**rule) == expected


def test_names_of_labels() -> None:
    assert after(action="labeldrop", regex="__meta_.*") == {k: v for k, v in cpu().items() if k != "__meta_zone"}
    assert after(action="labelkeep", regex="env") == {"__name__": "cpu", "env": "Prod"}
    assert after(action="labeldrop", regex=".*") == {"__name__": "cpu"}


def test_a_rule_that_does_not_match_changes_nothing_and_makes_no_new_key() -> None:
    assert Relabel(source_labels=("env",), regex="nothing", target_label="x").apply(KEY) is KEY
    # Made of a value that is no name of a label.
    spaced = SeriesKey("cpu", {"a": "two words"})
    assert Relabel(source_labels=("a",), target_label="$1").apply(spaced) is spaced


def test_rules_in_their_order_until_one_drops() -> None:
    rules = [
        Relabel(source_labels=("pod",), regex="(.*)-[a-z0-9]+-[a-z0-9]{5}", target_label="workload"),
        Relabel(action="keep", source_labels=("workload",), regex="api"),
        Relabel(action="labelkeep", regex="workload"),
    ]
    assert str(relabelled(KEY, rules)) == 'cpu{workload="api"}'
    assert relabelled(SeriesKey("cpu", {"pod": "db-0"}), rules) is None
    assert relabelled(KEY, []) is KEY


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"action": "replace"}, "needs a 'target_label'"),
        ({"action": "keepequal", "source_labels": ("a",)}, "needs a 'target_label'"),
        ({"action": "hashmod", "source_labels": ("a",), "target_label": "x"}, "needs a 'modulus'"),
        ({"target_label": "two words"}, "no name of a label"),
        ({"action": "drop", "regex": "(("}, r"'regex' '\(\(' is no regular expression"),
        ({"action": "drop", "regex": "a{99999999999}"}, "is no regular expression"),
        ({"action": "delete"}, "one of 'replace', 'keep'"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Relabel(**rule)


NAME = st.text("abc$_1{}", max_size=6)
PATTERN = st.text(r"abc.*+()|[]:^\d$1{}?", max_size=10)


@given(
    st.sampled_from(ACTIONS),
    st.tuples(NAME, NAME),
    PATTERN,
    NAME,
    st.text("ab$1{}_²", max_size=8),
    st.dictionaries(st.text("abc_", min_size=1, max_size=3), st.text("ab c1", max_size=6), max_size=4),
)
def test_no_rule_and_no_series_is_too_odd(
    action: str, sources: tuple[str, str], regex: str, target: str, replacement: str, labels: dict[str, str]
) -> None:
    try:
        rule = Relabel(action, sources, ";", regex, target, replacement, 7)
    except ConfigError:
        return
    key = SeriesKey("m", labels)
    found = rule.apply(key)
    assert found is None or (found.metric and SeriesKey.parse(str(found)) == found)
    if found is not None and action in ("keep", "drop", "keepequal", "dropequal"):
        assert found is key
    if action in ("labeldrop", "labelkeep") and found is not None:
        kept = {n for n in key.labels if (re.fullmatch(regex, n) is not None) == (action == "labelkeep")}
        assert set(found.labels) == kept
