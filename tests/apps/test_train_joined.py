"""``watchband train --join``: several metrics of an entity, learned, scored and watched together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import watchband as wb
from tests.apps.service.worlds import HandClock, config
from tests.apps.test_cli import run
from watchband.analysis.training.cut import cuts_in_time
from watchband.analysis.tuning.injection import with_faults
from watchband.analysis.tuning.material import Series, fingerprint_bytes
from watchband.apps.config.watches import WatchSettings
from watchband.apps.library.training.call import train
from watchband.apps.service.service import Service
from watchband.core.errors import ConfigError, DataError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE, START

NAMES = ("cluster_cpu_request_ratio", "cluster_mem_request_ratio", "cluster_pod_ratio")
N, STEP = 2400, 5 * MINUTE
TIMES = START + STEP * np.arange(N)
JOIN = ",".join(NAMES)


def values() -> np.ndarray:
    """Three ratios; in every hundred points the memory falls for three, and nothing else does."""
    found = np.array([0.62, 0.65, 0.19]) + np.random.default_rng(2).normal(0, [0.02, 0.03, 0.007], (N, 3))
    for begin in range(150, N - 60, 100):
        found[begin : begin + 3, 1] -= 0.35
    return np.round(found, 5)


def events(name: str = "") -> list[tuple[str, np.datetime64, np.datetime64]]:
    times = TIMES.view("M8[ns]")
    return [(name, times[a], times[a + 2]) for a in range(150, N - 60, 100)]


def frame(names: tuple[str, ...] = NAMES) -> pd.DataFrame:
    made = pd.DataFrame(values(), columns=list(NAMES))[[n for n in names if n in NAMES]]
    made.insert(0, "time", pd.to_datetime(TIMES, utc=True))
    for other in names:
        if other not in NAMES:
            made[other] = 1.0 + np.arange(N) % 7
    return made


@pytest.fixture(scope="module", params=["seed001:none", "one_class_svm:ratios294"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A wide file, and the folder of a champion of its three columns."""
    place = tmp_path_factory.mktemp("joined")
    name, features = request.param.split(":")
    frame().to_csv(place / "ratios.csv", index=False)
    found = wb.train(
        str(place / "ratios.csv"), events(), candidates=name, features=features, trials=1, budget="4/day", join=NAMES,
        out=place / "model",
    )  # fmt: skip
    assert found.champion.detector == name
    return place / "ratios.csv", place / "model"


def test_score_is_detect_and_the_watch_to_the_last_bit(trained: tuple[Path, Path], tmp_path: Path) -> None:
    file, folder = trained
    model = wb.load_model(folder)
    assert model.card["data"]["metrics"] == sorted(NAMES)
    assert model.card["options"]["join"] == list(NAMES)
    assert run("score", file, "--model", folder, "--out", tmp_path / "a", "-q").exit_code == 0
    words = [*model.flags.split(), "--join", JOIN]
    assert run("detect", file, *words, "--out", tmp_path / "b", "-q").exit_code == 0
    assert (tmp_path / "a" / "scores.csv").read_bytes() == (tmp_path / "b" / "scores.csv").read_bytes()
    table = model.score(str(file)).table
    settings = WatchSettings(model=str(folder), drift=False, no_data=False, stuck=False)
    assert settings.columns == NAMES
    service = Service(config(watches={"ratios": settings}), clock=HandClock(int(TIMES[-1]) + MINUTE))
    service.start()
    try:
        for begin in range(0, N, 331):
            here = slice(begin, begin + 331)
            for k in (2, 1, 0):
                readings = [Readings(SeriesKey(NAMES[k]), TIMES[here], values()[here, k])]
                service.offer("push", readings).result(60)
        tail = service.recent.tail("ratios", SeriesKey(NAMES[0]))
    finally:
        service.stop(10)
    assert tail is not None
    times = table["timestamp"].to_numpy().view(np.int64).tolist()
    said = dict(zip(times, table["anomaly_score"].to_numpy(), strict=True))
    known = np.isfinite(tail.anomaly_score)
    expected = np.array([said[time] for time in tail.time[known].tolist()], np.float32)
    assert known.sum() > 100
    assert np.array_equal(tail.anomaly_score[known], expected)


def test_what_is_missing_is_refused_and_others_are_passed_by(trained: tuple[Path, Path]) -> None:
    file, folder = trained
    model = wb.load_model(folder)
    with pytest.raises(DataError, match="frame lacks cluster_pod_ratio, which the model was trained on"):
        model.score(frame(NAMES[:2]))
    plain = model.score(str(file)).table["anomaly_score"].to_numpy()
    beside = model.score(frame((*NAMES, "disk"))).table["anomaly_score"].to_numpy()
    assert np.array_equal(plain, beside, equal_nan=True)


def test_labels_may_name_any_of_the_metrics() -> None:
    shared = {"candidates": "pca_reconstruction", "trials": 1, "budget": "4/day", "join": JOIN}
    found = [train(frame(), events(name), **shared) for name in ("", NAMES[2])]  # type: ignore[arg-type]
    counts = [one.trained.events for one in found]
    assert len(set(counts)) == 1
    assert min(counts[0]) >= 5


def test_candidates_of_one_value_are_left_out_and_baselines_judge_the_leading_metric() -> None:
    found = train(frame(), events(), candidates="ewma,pca_reconstruction", trials=1, budget="4/day", join=JOIN)
    assert [row["label"] for row in found.rows][:2] == ["pca_reconstruction", "static threshold"]
    assert any("one value is read a point: ewma" in note for note in found.notes)
    with pytest.raises(ConfigError, match="Name candidates that read several"):
        train(frame(), events(), candidates="ewma", join=JOIN)
    with pytest.raises(ConfigError, match="--features value4 cannot be made of 3 metrics"):
        train(frame(), events(), candidates="isolation_forest", features="value4", join=JOIN)
    with pytest.raises(ConfigError, match="divides rows of one metric"):
        train(frame(), events(), split="stratified", join=JOIN)


def test_metrics_that_are_never_there_together() -> None:
    long = pd.concat(
        [
            pd.DataFrame({"time": pd.to_datetime(TIMES + k * MINUTE, utc=True), "name": NAMES[k], "value": column})
            for k, column in enumerate(values().T)
        ]
    )
    shared = {"candidates": "pca_reconstruction", "trials": 1, "budget": "4/day", "join": JOIN}
    with pytest.raises(DataError, match="all its metrics at one moment; --resample gathers them"):
        train(long, events(), **shared)  # type: ignore[arg-type]
    found = train(long, events(), resample="5m", **shared)  # type: ignore[arg-type]
    assert found.trained.events[1] >= 5


def test_metrics_that_do_not_move() -> None:
    shared = {"candidates": "pca_reconstruction", "trials": 1, "budget": "4/day", "join": JOIN}
    still = frame().assign(**{NAMES[2]: 0.19})
    found = train(still, events(), **shared)  # type: ignore[arg-type]
    assert [note for note in found.notes if "any change of it is new" in note] == [
        f"constant in the part that is fitted on, so any change of it is new: metric 3 of {NAMES[0]}"
    ]
    with pytest.raises(DataError, match=r"constant \(1, 1, 1\)"):
        train(still.assign(**dict.fromkeys(NAMES, 1.0)), events(), **shared)  # type: ignore[arg-type]


def joined() -> Series:
    wide = values()
    return Series(SeriesKey(NAMES[0]), TIMES, wide[:, 0], (), wide[:, 1:])


def test_faults_are_put_into_the_metrics_in_turn() -> None:
    one = joined()
    parts = [cut.parts for cut in cuts_in_time([one])]
    (made,) = with_faults([one], parts)
    assert made.labels
    changed = [np.flatnonzero(made.wide[:, k] != one.wide[:, k]) for k in range(3)]
    assert sum(len(c) > 0 for c in changed) >= 2
    inside = [any(a.start <= t <= a.last for a in made.labels) for c in changed for t in one.times[c].tolist()]
    assert np.mean(inside) > 0.9
    assert max(int(a.last) for a in made.labels) < parts[0].test.stop
    (again,) = with_faults([one], parts)
    assert fingerprint_bytes([again]) == fingerprint_bytes([made]) != fingerprint_bytes([one])


def test_tune_takes_a_join_too() -> None:
    words = {"trials": 2, "budget": "4/day", "join": JOIN}
    found = wb.tune(frame(), events(), detector="pca_reconstruction", among="half_space_trees,ewma", **words)
    assert found.result.rows[0].configuration.detector == "pca_reconstruction"
    named = "pca_reconstruction:columns=" + " ".join(NAMES)
    assert wb.tune(frame(), detector=named, budget="4/day").chosen.detector == "pca_reconstruction"
    with pytest.raises(ConfigError, match="reads one value a point"):
        wb.tune(frame(), events(), detector="ewma", join=JOIN)
