"""Champions with a fitted model: what they are fitted on, and that files, service and store give the same."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import watchband as wb
from tests.apps.service.worlds import HandClock, config
from tests.apps.test_cli import run
from tests.champions import POINTS, readings, write
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.analysis.tuning.material import Series
from watchband.apps.config.watches import WatchSettings
from watchband.apps.library.training.card import CARD, file_entry, sealed
from watchband.apps.library.training.forecaster import forecast
from watchband.apps.service.service import Service
from watchband.core import artifact
from watchband.core.errors import ConfigError, StateCorruptError
from watchband.core.ports import Commit, Readings
from watchband.core.series import SeriesKey
from watchband.testing.streams import MINUTE


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same with a champion that has a fitted model."""
    place = tmp_path_factory.mktemp("forest")
    times, values, events = readings()
    found = wb.train(
        (times, values), events, candidates="isolation_forest", features="value4", trials=2, budget="4/day",
        metric="cpu", out=place / "model",
    )  # fmt: skip
    assert found.champion.detector == "isolation_forest"
    return write(place / "metrics.csv"), place / "model"


def test_a_model_file_scores_alike_everywhere(forest: tuple[Path, Path], tmp_path: Path) -> None:
    file, folder = forest
    model = wb.load_model(folder)
    assert model.card["champion"]["model"] == "isolation_forest.wbm"
    names = json.loads((folder / "feature_names.json").read_text())
    assert names["features"] == "value4"
    assert names["names"] == list(model.detector.names)  # type: ignore[attr-defined]
    assert names["schema"]["schema_version"] >= 1
    scaler = artifact.read(folder / "scaler.wbm", "scaler")
    assert (
        scaler.arrays["centre"].tobytes() == artifact.read(folder / "isolation_forest.wbm").arrays["centre"].tobytes()
    )
    assert run("score", file, "--model", folder, "--out", tmp_path / "a", "-q").exit_code == 0
    assert run("detect", file, *model.flags.split(), "--out", tmp_path / "b", "-q").exit_code == 0
    assert (tmp_path / "a" / "scores.csv").read_bytes() == (tmp_path / "b" / "scores.csv").read_bytes()
    assert str(folder / "isolation_forest.wbm") in model.flags


def test_a_service_runs_the_champion(forest: tuple[Path, Path]) -> None:
    file, folder = forest
    settings = WatchSettings(match=("cpu",), model=str(folder), drift=False, no_data=False, stuck=False)
    times, values, _ = readings()
    clock = HandClock(int(times[-1].astype(np.int64)) + MINUTE)
    service = Service(config(watches={"cpu": settings}), clock=clock)
    service.start()
    try:
        for begin in range(0, POINTS, 331):
            here = slice(begin, begin + 331)
            found = [Readings(SeriesKey("cpu"), times.view(np.int64)[here], values[here])]
            service.offer("push", found).result(60)
        tail = service.recent.tail("cpu", SeriesKey("cpu"))
    finally:
        service.stop(10)
    assert tail is not None
    table = wb.load_model(folder).score(str(file)).table
    said = dict(
        zip(table["timestamp"].to_numpy().view(np.int64).tolist(), table["anomaly_score"].to_numpy(), strict=True)
    )
    known = np.isfinite(tail.anomaly_score)
    expected = np.array([said[time] for time in tail.time[known].tolist()], np.float32)
    assert known.sum() > 100
    assert np.array_equal(tail.anomaly_score[known], expected)


def test_a_model_is_fitted_on_the_first_part_alone(tmp_path: Path) -> None:
    times, values, events = readings()
    whole = {"candidates": "isolation_forest", "features": "value4", "trials": 1, "budget": "4/day"}

    def checksum(values: np.ndarray) -> str:
        fitted = wb.train((times, values), events, **whole).trained.champion.fitted  # type: ignore[arg-type]
        assert fitted is not None
        return fitted.checksum

    later = values.copy()
    later[POINTS // 2 :] = later[POINTS // 2 :][::-1] * 3
    other = values.copy()
    other[10] += 0.5
    inside = values.copy()
    inside[np.flatnonzero(times == events[0][0])[0]] += 100
    first = checksum(values)
    assert checksum(later) == first
    assert checksum(other) != first
    assert checksum(inside) == first, "readings within labels are left out"


def test_a_changed_model_file_is_refused(forest: tuple[Path, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(forest[1], tmp_path / "model"))
    path = folder / "isolation_forest.wbm"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(StateCorruptError, match=r"isolation_forest\.wbm is not the file that was trained"):
        wb.load_model(folder)
    # With a card that vouches for it the file's own checksum still does not.
    card = json.loads((folder / CARD).read_text())
    card["files"][path.name] = file_entry(path)
    body = {k: v for k, v in card.items() if k not in ("format", "schema_version", "checksum")}
    (folder / CARD).write_text(json.dumps(sealed(body)))
    with pytest.raises(StateCorruptError, match="The checksum of"):
        wb.load_model(folder)


def test_the_readings_that_a_service_keeps(tmp_path: Path) -> None:
    times, values, _ = readings()
    store = SqliteStore(tmp_path / "data")
    for number, begin in enumerate(range(0, POINTS, 600), 1):
        here = slice(begin, begin + 600)
        found = [
            Readings(SeriesKey(n, {"host": "a"}), times.view(np.int64)[here], values[here]) for n in ("cpu", "mem")
        ]
        store.commit(Commit("main", number, found))
    labels = tmp_path / "labels.csv"
    labels.write_text("start,end\n" + "".join(f"{a}Z,{b}Z\n" for a, b in readings()[2]))
    try:
        said = run(
            "train", "--data", tmp_path / "data", "--series", 'cpu{host="a"}', "--labels", labels, "--candidates",
            "ewma", "--trials", "1", "--json",
        )  # fmt: skip
        none = run("train", "--data", tmp_path / "data", "--series", "disk")
    finally:
        store.close()
    assert said.exit_code == 0, said.stderr
    document = json.loads(said.stdout)
    assert document["data"]["series"] == ['cpu{host="a"}']
    assert document["data"]["readings"] == POINTS
    assert none.exit_code == 2
    assert "No series of" in none.stderr
    assert 'mem{host="a"}' in none.stderr
    both = run("train", "x.csv", "--data", tmp_path / "data")
    assert "one of them" in both.stderr


def test_copies_with_other_faults_where_there_are_few() -> None:
    times, values, _ = readings()
    found = wb.train((times, values), candidates="ewma", trials=1)
    names = found.trained.series
    assert 2 <= len(names) <= 8
    assert len(set(names)) == len(names)
    kinds = {label.fault for one in found.series for label in one.labels}
    assert len(kinds) > 2
    for one in found.series:
        cut = found.trained.cuts[0].train.stop
        assert np.array_equal(one.values[one.times < cut], values[one.times < cut]), "what is fitted on is as it came"


def test_every_finalist_keeps_its_model(tmp_path: Path) -> None:
    times, values, events = readings()
    found = wb.train(
        (times, values), events, candidates="one_class_svm,isolation_forest", trials=2, budget="4/day", rows=400
    )
    files = found.write(tmp_path / "model")
    assert {"isolation_forest.wbm", "one_class_svm_final.wbm"} <= set(files)
    for row in found.trained.rows[:2]:
        assert row.fitted is not None
        assert row.fitted.rows <= 400
    model = wb.load_model(tmp_path / "model")
    assert (
        model.card["champion"]["model"]
        == {
            "isolation_forest": "isolation_forest.wbm",
            "one_class_svm": "one_class_svm_final.wbm",
        }[found.champion.detector]
    )


def test_another_champion_is_another_watch(forest: tuple[Path, Path], tmp_path: Path) -> None:
    times, values, events = readings(seed=1)
    wb.train(
        (times, values), events, candidates="isolation_forest", features="value4", trials=1, budget="4/day",
        metric="cpu", out=tmp_path / "model",
    )  # fmt: skip
    first, second = (WatchSettings(match=("cpu",), model=str(f)) for f in (forest[1], tmp_path / "model"))
    assert first.bound("cpu").fingerprint != second.bound("cpu").fingerprint
    again = dataclasses.replace(first, priority=7)
    assert again.bound("cpu").fingerprint == first.bound("cpu").fingerprint


def test_the_path_of_a_watchs_model_has_no_comma(forest: tuple[Path, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(forest[1], tmp_path / "a,b"))
    assert len(wb.load_model(folder).score(str(forest[0]))) == POINTS
    with pytest.raises(ConfigError, match="has a comma in its path"):
        WatchSettings(match=("cpu",), model=str(folder))


@pytest.mark.data
def test_the_forecaster_of_a_known_series(nab: Path) -> None:
    path = nab / "realAWSCloudwatch" / "ec2_cpu_utilization_53ea38.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    times = np.array([row[0] for row in rows], "M8[ns]").astype(np.int64)
    found = forecast(Series(SeriesKey("cpu"), times, np.array([float(row[1]) for row in rows]))).metrics
    assert (found["fitted_steps"], found["tested_steps"]) == (3206, 802)
    assert found["mae"] == pytest.approx(0.0449051630, abs=1e-9)
    assert found["rmse"] == pytest.approx(0.0676286410, abs=1e-9)
    assert found["baselines"]["persistence"]["mae"] == pytest.approx(0.1150, abs=5e-5)
    assert found["baselines"]["seasonal_naive"]["mae"] == pytest.approx(0.0573, abs=5e-5)
