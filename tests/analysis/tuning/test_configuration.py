"""A configuration is the same as flags, as a document and as a watch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.space import Space
from watchband.apps.library.options import Options
from watchband.core.errors import ConfigError
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.policy import Policy
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch


class Middle:
    """Stands for a trial: the middle of every span, the last of several."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return (low * high) ** 0.5 if log else (low + high) / 2

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return (low + high) // 2

    def suggest_categorical(self, name: str, choices: object) -> object:
        return list(choices)[-1]  # type: ignore[call-overload]


@pytest.mark.parametrize("name", CATALOGUE.names())
def test_every_detector_and_preset_can_be_searched_and_written_as_flags(name: str) -> None:
    found = Space((name,)).suggest(Middle())
    assert found.parameters
    assert found.policy == {"min_deviation_relative": 0.2, "consecutive": 5}
    fitted = found.fitted(np.arange(1000.0))
    words = fitted.flags.split()
    flags = {w[2:].replace("-", "_"): v for w, v in zip(words[::2], words[1::2], strict=True)}
    options = Options(
        detector=flags.pop("detector"),
        consecutive=int(flags.pop("consecutive")),
        min_deviation_relative=float(flags.pop("min_deviation_relative")),
        **{k: v if k == "budget" else float(v) for k, v in flags.items()},  # type: ignore[arg-type]
    )
    watch = fitted.watch(Watch("detect", CATALOGUE.build({"type": "ewma"})))
    assert options.watch() == watch


def test_a_document_comes_back_and_a_foreign_one_is_refused() -> None:
    made = Configuration("ewma", {"half_life": 12.5, "clip": None}, "cutoff:4", {"consecutive": 3})
    assert Configuration.of(json.loads(json.dumps(made.document()))) == made
    assert set(made.document()) == {"watchband_configuration", "detector", "parameters", "rule", "policy"}
    with pytest.raises(ConfigError, match="no configuration of Watchband"):
        Configuration.of({"detector": "ewma"})
    with pytest.raises(ConfigError, match="format 99"):
        Configuration.of({**made.document(), "watchband_configuration": 99})
    with pytest.raises(ConfigError, match="half_lif"):
        Configuration.of({**made.document(), "parameters": {"half_lif": 3}})


def test_yaml_is_what_a_reader_of_yaml_reads() -> None:
    import yaml

    made = Configuration("seasonal_band", {"adapt": "hold", "hold": 12.0, "holidays": None}, "budget:2/1d", {})
    assert yaml.safe_load(made.yaml()) == made.document()


def test_what_the_user_stated_of_the_metric_and_of_alerts_stays() -> None:
    base = Watch("cpu", CATALOGUE.build({"type": "ewma"}), policy=Policy(direction="above", close_after=5))
    watch = Configuration("seasonal_band", {}, "budget:1/1w", {"consecutive": 2}).watch(
        base, {"timezone": "Europe/Dublin", "holidays": None, "range_low": 0.0, "range_high": None}
    )
    assert watch.policy == Policy(direction="above", close_after=5, consecutive=2)
    assert (watch.detector.timezone, watch.detector.range_low) == ("Europe/Dublin", 0.0)  # type: ignore[attr-defined]
    assert watch.name == "cpu"


def test_a_rule_in_units_of_a_score_reads_the_band_of_an_ensemble() -> None:
    watch = Configuration("auto", {}, "cutoff:4").watch(Watch("cpu", CATALOGUE.build({"type": "ewma"})))
    assert watch.detector.name == "seasonal_band"
    assert watch.rule == Cutoff(4.0)


def test_limits_come_from_past_values_with_some_room() -> None:
    found = Configuration("threshold", {"low": {"past": 0.0}, "high": {"past": 0.99}}, "cutoff:1")
    assert found.fits
    made = found.fitted(np.r_[np.arange(101.0), np.nan])
    assert made.parameters["low"] < 0
    assert 99 < made.parameters["high"] < 102
    assert not made.fits


@pytest.mark.parametrize("past", [[], [np.nan], [5.0], [0.0] * 50, [1e9, 1e9 + 1, 1e9 + 2], [1e-9, 2e-9], [-7.0, -7.0]])
def test_limits_of_any_past_leave_something_between(past: list[float]) -> None:
    found = Configuration("threshold", {"low": {"past": 0.0}, "high": {"past": 1.0}}, "cutoff:1").fitted(np.array(past))
    assert all(found.parameters["low"] < x < found.parameters["high"] for x in past if np.isfinite(x))
    found.build()
