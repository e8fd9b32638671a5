"""What made an alert strange: features of a fitted model, in its reason and as data, however the stream is cut."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.alert import Alert
from watchband.core.series import SeriesKey
from watchband.detectors import ForecastResidual, IsolationForest
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.raw import Raw
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.watch import Watch

MINUTE = 60_000_000_000


def found(watch: Watch, cuts: list[int]) -> list[Alert]:
    at = np.arange(900)
    values = 50 + 10 * np.sin(at / 20) + np.random.default_rng(1).normal(0, 1, 900)
    values[800:803] += 60
    state = watch.start([SeriesKey("cpu")])
    last = {}
    for low, high in zip([0, *cuts], [*cuts, 900], strict=True):
        for alert in watch.step(state, Raw.of(at[low:high] * MINUTE, values[low:high])).alerts:
            last[alert.id] = alert
            state = watch.load(state.to_bytes())
    return list(last.values())


def test_the_features_are_told_and_sent() -> None:
    watch = Watch("cpu", IsolationForest(window=500), Cutoff(0.68))
    for cuts in ([], [801], [800, 801, 802, 803, 804], [850]):
        alerts = [a for a in found(watch, cuts) if a.opened == 800 * MINUTE]
        assert len(alerts) == 1
        names = [name for name, _ in alerts[0].features]
        assert "value" in names
        assert "diff" in names
        assert sum(share for _, share in alerts[0].features) <= 1.001
        assert "What made it strange: " in alerts[0].reason
        assert f"{names[0]} " in alerts[0].reason
        plain = alerts[0].to_dict()
        assert plain == found(watch, [])[-1].to_dict()
        assert plain["features"][0] == {"name": names[0], "share": alerts[0].features[0][1]}
        assert Alert.from_dict(plain).to_dict() == plain


def test_of_an_ensemble_the_member_tells() -> None:
    from watchband.detectors import RollingMedian

    mix = Ensemble.of(("band", RollingMedian(), 0.5), ("forest", IsolationForest(window=500), 0.5))
    alerts = [a for a in found(Watch("cpu", mix), []) if a.opened == 800 * MINUTE]
    assert [bool(a.features) for a in alerts] == [True]


@pytest.mark.parametrize("detector", ["rolling_median", "auto"])
def test_others_say_nothing_of_features(detector: str) -> None:
    from watchband.pipeline.catalogue import CATALOGUE

    alerts = found(Watch("cpu", CATALOGUE.build({"type": detector})), [])
    assert alerts
    assert not any(a.features or "features" in a.to_dict() for a in alerts)


@pytest.mark.parametrize(
    ("forecaster", "season"), [("ridge", 24.0), ("seasonal_naive", 20 * np.pi / 30), ("smoothing", 0.0)]
)
def test_a_forecaster_names_what_its_error_is_made_of(forecaster: str, season: float) -> None:
    watch = Watch("cpu", ForecastResidual(forecaster=forecaster, season=season), Cutoff(9))
    whole = [a.to_dict() for a in found(watch, [])]
    for cuts in ([801], [800, 801, 802, 803, 804], [850]):
        assert [a.to_dict() for a in found(watch, cuts)] == whole
    (alert,) = [a for a in found(watch, []) if a.opened == 800 * MINUTE]
    assert alert.features[0][0] == "value", "it jumped away from everything before"
    assert sum(share for _, share in alert.features) <= 1.001
    assert "What made it strange: value" in alert.reason
