"""A vmanomaly configuration as watches: what is mapped, what comes near, what is left out; and no file is too odd."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from watchband.apps.config.config import read_text
from watchband.apps.config.vmanomaly import Imported, import_texts
from watchband.core.errors import ConfigError

WINDOW, MEDIAN = "rolling_zscore:window=10000", "rolling_median:window=10000"
READER = {
    "class": "vm",
    "datasource_url": "http://vm:8428/",
    "sampling_period": "1m",
    "queries": {"cpu": "rate(cpu[5m])", "mem-use": {"expr": "mem", "data_range": [0, "inf"], "tz": "Europe/Rome"}},
}
SCHEDULERS = {"s": {"class": "periodic", "infer_every": "1m", "fit_every": "1h", "fit_window": "14d"}}


def made(model: dict[str, Any] | None = None, **more: Any) -> Imported:
    models = {} if model is None else {"models": {"m": model}}
    return import_texts([("a.yml", yaml.safe_dump({"reader": READER, "schedulers": SCHEDULERS, **models, **more}))])


def said(found: Imported) -> str:
    return " ".join(note.sentence for notes in found.notes.values() for note in notes)


@pytest.mark.parametrize(
    ("model", "keys", "note"),
    [
        ({"class": "zscore", "z_threshold": 3.5}, {"detector": WINDOW, "cutoff": 3.5}, "Mapped: z"),
        ({"class": "model.zscore.ZscoreModel"}, {"detector": WINDOW, "cutoff": 2.5}, "Mapped: z"),
        ({"class": "mad_online", "threshold": 4}, {"detector": MEDIAN, "cutoff": 4}, "1.4826"),
        ({"class": "prophet", "args": {"country_holidays": "US"}}, {"detector": "auto", "holidays": "US"}, "Prophet"),
        ({"class": "prophet", "args": {"interval_width": 0.98}}, {"detector": "auto"}, "2 % of the points"),
        ({"class": "holtwinters", "z_threshold": 3}, {"detector": "seasonal_band", "cutoff": 3}, "hours and days"),
        ({"class": "std"}, {"detector": "seasonal_band", "cutoff": 2.5}, "hours and days"),
        (
            {"class": "rolling_quantile", "quantile": 0.95, "window_steps": 96},
            {"detector": "rolling_median:window=96", "contamination": 0.1},
            "10 % strangest",
        ),
        (
            {"class": "quantile_online", "quantiles": [0.01, 0.5, 0.99]},
            {"detector": "seasonal_band", "contamination": 0.02},
            "2 % of the points",
        ),
        (
            {"class": "isolation_forest", "contamination": 0.01, "args": {"n_estimators": 100}},
            {"detector": "random_cut_forest:trees=100", "contamination": 0.01},
            "random cuts",
        ),
        ({"class": "isolation_forest_multivariate", "groupby": ["a"]}, {"detector": "random_cut_forest"}, "'groupby'"),
        ({"class": "auto", "tuned_class_name": "zscore"}, {"detector": "auto"}, "watchband tune"),
        ({"class": "my.Own", "wobble": 5}, {"detector": "auto"}, "'my.Own' is not known"),
        (
            {"class": "zscore", "detection_direction": "above_expected", "min_dev_from_expected": [0.5, 2]},
            {"detector": WINDOW, "cutoff": 2.5, "direction": "above", "min_deviation": 0.5},
            "differs above and below",
        ),
        (
            {"class": "zscore", "min_rel_dev_from_expected": 20},
            {"detector": WINDOW, "cutoff": 2.5, "min_deviation_relative": 0.2},
            "taken for percent",
        ),
    ],
)  # fmt: skip
def test_models(model: dict[str, Any], keys: dict[str, Any], note: str) -> None:
    found = made({**model, "queries": ["cpu"]})
    assert found.watches == {"m": {"match": "cpu", **keys}}
    assert note in said(found)


def test_queries_that_differ_in_what_is_their_own_are_watches_of_their_own() -> None:
    found = made({"class": "prophet"})
    assert found.watches["m_mem_use"] == {
        "match": "mem_use",
        "detector": "auto",
        "range": "0:",
        "timezone": "Europe/Rome",
    }
    assert found.watches["m_cpu"] == {"match": "cpu", "detector": "auto"}
    assert "'mem-use' is called 'mem_use'" in said(found)


def test_the_reader_is_a_source() -> None:
    found = made({"class": "prophet"}, settings={"n_workers": 4})
    assert found.sources == {
        "metrics": {
            "kind": "prometheus",
            "url": "http://vm:8428",
            "queries": {"cpu": "rate(cpu[5m])", "mem_use": "mem"},
            "every": "1m",
            "backfill": "2w",
        }
    }
    assert "nothing is fitted every 1h" in said(found)
    assert "Left out: 'settings'" in said(found)


def test_other_steps_are_other_sources_and_old_files_are_read_too() -> None:
    queries = {"a": {"expr": "x", "step": "30s"}, "b": {"expr": "y", "step": "5m"}}
    found = import_texts(
        [
            ("r.yml", yaml.safe_dump({"reader": {**READER, "queries": queries, "tenant_id": "0:0", "offset": "10s"}})),
            ("m.yml", "model: {class: zscore}\nscheduler: {infer_every: 1m, fit_window: 1d}\n"),
        ]
    )
    assert {name: (s["every"], s.get("step")) for name, s in found.sources.items()} == {
        "metrics_30s": ("1m", "30s"),
        "metrics_5m": ("5m", None),
    }
    assert found.sources["metrics_5m"]["url"] == "http://vm:8428/select/0:0/prometheus"
    assert found.sources["metrics_5m"]["lateness"] == "10s"
    assert {w["detector"] for w in found.watches.values()} == {
        "rolling_zscore:window=2880",
        "rolling_zscore:window=288",
    }


def test_no_secret_is_copied() -> None:
    secret = {**READER, "user": "me", "password": "hunter2", "datasource_url": "http://u:hunter2@vm:8428"}
    found = import_texts([("a.yml", yaml.safe_dump({"reader": secret, "models": {"m": {"class": "zscore"}}}))])
    text = found.text(["a.yml"])
    assert "hunter2" not in text
    assert found.sources["metrics"]["password"] == "${PROMETHEUS_PASSWORD}"
    placed = {**READER, "bearer_token": "%{VM_TOKEN}"}
    found = import_texts([("a.yml", yaml.safe_dump({"reader": placed}))])
    assert found.sources["metrics"]["bearer_token"] == "${VM_TOKEN}"


def test_the_text_is_a_configuration_and_says_the_same() -> None:
    reader = {**READER, "queries": {"a": 'x{m=~"a$$|${b}"} # %', "b": {"expr": "y\n  / z"}}, "user": "u"}
    text = yaml.safe_dump({"reader": reader, "schedulers": SCHEDULERS, "models": {"m 1!": {"class": "prophet"}}})
    found = import_texts([("a.yml", text)])
    config = read_text(found.text(["a.yml"]), "out.yaml", {"PROMETHEUS_PASSWORD": "p"})
    settings_: Any = config.sources["metrics"].settings
    assert dict(settings_.queries) == {"a": 'x{m=~"a$$|${b}"} # %', "b": "y / z"}
    assert list(config.watches) == list(found.watches) == ["m_1_"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("[", "not YAML"), ("5", "expected a mapping"), ("watches: {}", "neither a 'reader' nor any 'models'")],
)
def test_what_is_none_of_it_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        import_texts([("a.yml", text)])


ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("1m")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["class", "queries", "expr", "step", "data_range", "tz", "datasource_url", "sampling_period", "args",
                 "z_threshold", "quantile", "quantiles", "contamination", "window_steps", "detection_direction",
                 "min_dev_from_expected", "scale", "user", "verify_tls", "extra_filters", "infer_every", "a b", "ü"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)  # fmt: skip
CLASS = st.sampled_from(["zscore", "mad", "prophet", "holtwinters", "rolling_quantile", "quantile_online", "auto",
                         "isolation_forest", "std", "x", 5])  # fmt: skip


@settings(max_examples=150)
@given(ODD, ODD, ODD, CLASS)
def test_no_file_is_too_odd(reader: Any, model: Any, scheduler: Any, kind: Any) -> None:
    document = {
        "reader": {**READER, **reader} if isinstance(reader, dict) else reader,
        "models": {"m": {**model, "class": kind}} if isinstance(model, dict) else model,
        "schedulers": {"s": scheduler},
    }
    try:
        found = import_texts([("a.yml", yaml.safe_dump(document, allow_unicode=True))])
    except ConfigError:
        return
    assert isinstance(yaml.safe_load(found.text(["a.yml"])), dict)
