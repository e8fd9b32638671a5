"""``watchband train`` and ``score``: the folder of a champion, what is refused, and that a service says the same."""

from __future__ import annotations

import contextlib
import csv
import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import watchband as wb
from tests.apps.test_cli import run
from tests.champions import POINTS, STEP, readings, write
from watchband.apps.config.config import read_config
from watchband.apps.library.training.card import CARD, sealed
from watchband.apps.library.training.forecaster import forecast, load_forecaster
from watchband.apps.library.training.training import Training
from watchband.core import artifact
from watchband.core.errors import (
    ConfigError,
    DataError,
    NotThereError,
    StateCorruptError,
    StateVersionError,
    WatchbandError,
)
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey

CANDIDATES = "rolling_zscore,ewma"
SEEDS = {
    "top_50_anomalies.csv", "forecast_metrics.json", "anomaly_plot.png", "forecast_plot.png", "model_results.csv",
    "final_model_selection.csv", "feature_names.json", "scaler.wbm", "final_model_config.json", "ridge_forecaster.wbm",
}  # fmt: skip


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file of readings and the folder of the champion that was trained on it."""
    place = tmp_path_factory.mktemp("train")
    file, labels = write(place / "metrics.csv"), place / "incidents.csv"
    labels.write_text("start,end\n" + "".join(f"{a}Z,{b}Z\n" for a, b in readings()[2]))
    words = ("--labels", labels, "--candidates", CANDIDATES, "--trials", "6", "--budget", "4/day")
    found = run("train", file, *words, "--out", place / "model", width=118)
    assert found.exit_code == 0, found.stderr
    assert "◆ Champion: " in found.stdout
    assert "watchband score FILES --model" in found.stdout.replace("\n", " ")
    return file, place / "model"


@pytest.fixture
def copy(trained: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained[1], tmp_path / "model"))


def test_the_files_of_the_seeds(trained: tuple[Path, Path]) -> None:
    folder = trained[1]
    assert {p.name for p in folder.iterdir()} >= {*SEEDS, CARD, "summary.json", "mistakes.csv"}
    card = json.loads((folder / CARD).read_text())
    assert set(card["files"]) == {p.name for p in folder.iterdir()} - {CARD, "summary.json"}
    rows = table(folder / "final_model_selection.csv")
    assert [row["selected"] for row in rows] == ["1", "0", "0", "0", "0"]
    trials = table(folder / "model_results.csv")
    assert len(trials) == 6
    assert float(rows[0]["validation_objective"]) == max(float(t["validation"]) for t in trials if t["validation"])
    top = table(folder / "top_50_anomalies.csv")
    assert len(top) == 50
    assert float(top[0]["anomaly_score"]) >= float(top[-1]["anomaly_score"])
    metrics = json.loads((folder / "forecast_metrics.json").read_text())
    assert metrics["lags"] == 24
    assert metrics["mae"] < metrics["baselines"]["persistence"]["mae"]
    assert artifact.read(folder / "scaler.wbm", "scaler").arrays["centre"].shape == (1,)
    for name in ("anomaly_plot.png", "forecast_plot.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_the_card_says_what_it_rests_on(trained: tuple[Path, Path]) -> None:
    model = wb.load_model(trained[1])
    card = model.card
    assert card["data"]["metrics"] == ["cpu"]
    assert card["data"]["interval_ns"] == STEP
    assert len(card["data"]["fingerprint"]) == 32
    assert card["versions"]["watchband"] == wb.__version__
    assert card["selection"]["labels"] == "given"
    (part,) = card["selection"]["parts"]
    assert part["train"]["to"] < part["validation"]["from"] < part["validation"]["to"] < part["test"]["from"]
    first = card["rows"][0]
    assert first["role"] == "champion"
    counts = first["test"]["confusion"]
    assert sum(counts.values()) > 500
    assert card["latency"]["batch_us_per_sample"] > 0
    assert (
        first["test"]["objective"]["low"] <= first["test"]["objective"]["value"] <= first["test"]["objective"]["high"]
    )
    said = run("model", "show", trained[1]).stdout
    assert "as trained" in said
    assert "◆ Champion: " in said


def test_scores_are_those_of_detect(trained: tuple[Path, Path], tmp_path: Path) -> None:
    file, folder = trained
    model = wb.load_model(folder)
    assert run("score", file, "--model", folder, "--out", tmp_path / "a", "-q").exit_code == 0
    words = model.flags.split()
    assert run("detect", file, *words, "--out", tmp_path / "b", "-q").exit_code == 0
    assert (tmp_path / "a" / "scores.csv").read_bytes() == (tmp_path / "b" / "scores.csv").read_bytes()
    said = json.loads(run("score", "--file", file, "--model", folder, "--json").stdout)
    assert said["model"]["checksum"] == model.card["checksum"]
    assert said["counts"]["alerts"] == len(model.score(str(file)).alerts) > 5


def test_a_watch_of_the_service_says_the_same(trained: tuple[Path, Path], tmp_path: Path) -> None:
    file, folder = trained
    (tmp_path / "watchband.yaml").write_text(
        f"sources:\n  in:\n    kind: push\nwatches:\n  cpu:\n    match: cpu\n    model: {folder}\n    drift: false\n"
    )
    bound = read_config(tmp_path / "watchband.yaml").watches["cpu"].bound("cpu")
    watch, (times, values, _) = bound.watch, readings()
    state = watch.start([SeriesKey("cpu")])
    scores = []
    for begin in range(0, POINTS, 77):
        here = slice(begin, begin + 77)
        found = watch.fold(state, [Readings(SeriesKey("cpu"), times.view(np.int64)[here], values[here])])
        scores.append(found.anomaly_score)
    table = wb.load_model(folder).score(str(file)).table
    mine = np.concatenate(scores)
    assert np.array_equal(mine, np.array(table["anomaly_score"].to_numpy())[: len(mine)], equal_nan=True)
    assert len(mine) > POINTS - 5


def test_a_watch_with_a_model_takes_no_detector(trained: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "watchband.yaml"
    base = f"sources:\n  in:\n    kind: push\nwatches:\n  cpu:\n    match: cpu\n    model: {trained[1]}\n"
    path.write_text(base + "    detector: ewma\n")
    with pytest.raises(ConfigError, match="'detector' and 'model' exclude each other"):
        read_config(path)
    path.write_text(base + "    budget: 3/day\n    timezone: Europe/Dublin\n")
    found = read_config(path).watches["cpu"]
    assert found.budget == "3/day"
    assert found.detector.partition(":")[0] in CANDIDATES.split(",")
    path.write_text(base.replace(str(trained[1]), str(tmp_path)))
    with pytest.raises(ConfigError, match=r"holds no trained model: there is no champion\.json"):
        read_config(path)


def test_a_changed_file_is_refused(copy: Path, trained: tuple[Path, Path]) -> None:
    config = copy / "final_model_config.json"
    config.write_text(config.read_text().replace("4/1d", "9/1d"))
    with pytest.raises(StateCorruptError, match=r"final_model_config\.json is not the file that was trained"):
        wb.load_model(copy)
    found = run("model", "show", copy)
    assert found.exit_code == 1
    assert "changed" in found.stdout
    found = run("score", trained[0], "--model", copy)
    assert found.exit_code == 2
    assert "is not the file that was trained" in found.stderr
    config.unlink()
    with pytest.raises(NotThereError, match="is gone"):
        wb.load_model(copy)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda card: card["options"].update(timezone="Asia/Tokyo"), StateCorruptError, "checksum"),
        (lambda card: card.update(schema_version=99), StateVersionError, "Upgrade"),
        (lambda card: card.update(format="other"), StateCorruptError, "is not the card"),
    ],
)
def test_a_changed_card_is_refused(copy: Path, change: Any, error: type[Exception], said: str) -> None:
    card = json.loads((copy / CARD).read_text())
    change(card)
    (copy / CARD).write_text(json.dumps(card))
    with pytest.raises(error, match=said):
        wb.load_model(copy)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda card: card["champion"].pop("configuration"), StateCorruptError, "makes no sense"),
        (lambda card: card["champion"].update(needs=["../x"]), StateCorruptError, "does not vouch for"),
        (lambda card: card["champion"].update(needs=7), StateCorruptError, "makes no sense"),
        (lambda card: card["champion"].update(model="../x.wbm"), StateCorruptError, "makes no sense"),
        (lambda card: card["options"].update(nonsense=1), StateCorruptError, "makes no sense"),
        (lambda card: card["champion"]["detector"].update(state_version=99), StateVersionError, "Train it anew"),
        (lambda card: card["champion"]["detector"].update(names=["other"]), StateVersionError, "Train it anew"),
        (lambda card: card.pop("data"), StateCorruptError, "makes no sense"),
        (lambda card: card.update(champion=[]), StateCorruptError, "makes no sense"),
    ],
)
def test_a_forged_card_is_an_error_of_ours(copy: Path, change: Any, error: type[Exception], said: str) -> None:
    card = json.loads((copy / CARD).read_text())
    change(card)
    body = {k: v for k, v in card.items() if k not in ("format", "schema_version", "checksum")}
    (copy / CARD).write_text(json.dumps(sealed(body)))
    with pytest.raises(error, match=said):
        wb.load_model(copy)


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="holds no trained model"):
        wb.load_model(tmp_path)
    (tmp_path / CARD).write_bytes(b"\xff\xfe")
    with pytest.raises(StateCorruptError, match="cannot be read"):
        wb.load_model(tmp_path)


def test_data_of_another_kind(trained: tuple[Path, Path], tmp_path: Path) -> None:
    model = wb.load_model(trained[1])
    other = write(tmp_path / "other.csv", ("mem",))
    with pytest.raises(DataError, match=r"has mem, which the model never saw; it was trained on cpu.*--accept-drift"):
        model.score(str(other))
    both = write(tmp_path / "both.csv", ("cpu", "mem"))
    with pytest.raises(DataError, match="has mem, which the model never saw"):
        model.score(str(both))
    assert len(model.score(str(both), value="cpu")) == POINTS
    sparse = write(tmp_path / "sparse.csv", step=4)
    with pytest.raises(DataError, match="a reading every 20m, and the model was trained on one every 5m"):
        model.score(str(sparse))
    found = model.score(str(sparse), accept_drift=True)
    assert any("every 20m" in note for note in found.notes)
    missing = run("score", other, "--model", trained[1], "--accept-drift", "--json")
    assert any("lacks cpu" in note for note in json.loads(missing.stdout)["notes"])


def test_metrics_that_are_missing(tmp_path: Path) -> None:
    both = write(tmp_path / "both.csv", ("cpu", "mem"))
    found = wb.train(str(both), candidates="ewma", trials=1)
    found.write(tmp_path / "model")
    with pytest.raises(DataError, match="lacks mem, which the model was trained on"):
        wb.load_model(tmp_path / "model").score(str(write(tmp_path / "one.csv")))


def test_faults_are_put_in_where_there_are_no_labels() -> None:
    times, values, _ = readings()
    found = wb.train((times, values), candidates="ewma", trials=2)
    assert found.document()["selection"]["labels"] == "faults that were put in"
    assert any("faults that were put in" in note for note in found.notes)
    assert repr(found).startswith("Training(ewma")


def test_forty_trials(tmp_path: Path) -> None:
    times, values, events = readings()
    told: list[tuple[str, int, int]] = []
    from watchband.apps.library.feeds import open_source
    from watchband.apps.library.options import Options
    from watchband.apps.library.training.call import Request
    from watchband.apps.library.training.call import run as train

    feed = open_source((times, values), Options(), {})
    request = Request(labels=events, candidates="rolling_zscore,ewma,residual")
    found = train(feed, Options(budget="4/day"), request, tell=lambda *step: told.append(step))
    assert len(found.trained.attempts) == 40
    assert told[-1] == ("training", 40, 40)
    assert {a.configuration.detector for a in found.trained.attempts} == {"rolling_zscore", "ewma", "residual"}


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"detector": "ewma"}, ConfigError, "'candidates', and no 'detector'"),
        ({"candidates": ""}, ConfigError, "names none"),
        ({"candidates": "nonsense"}, ConfigError, "Unknown detector 'nonsense'"),
        ({"trials": 0}, ConfigError, "trials"),
        ({"rows": 3}, ConfigError, "100 or more"),
        ({"split": "random"}, ConfigError, "time, stratified"),
        ({"test_share": 0.9}, ConfigError, "leave less than"),
        ({"labels": []}, ConfigError, "No labelled event"),
    ],
)
def test_what_cannot_be_asked(given: dict[str, Any], error: type[Exception], said: str) -> None:
    times, values, _ = readings()
    with pytest.raises(error, match=said):
        wb.train((times, values), **{"candidates": "ewma", "trials": 2, **given})


def test_one_class_and_constant_and_short() -> None:
    times, values, _ = readings()
    everything = [(times[0], times[-1])]
    with pytest.raises(ConfigError, match="No labelled event lies wholly within"):
        wb.train((times, values), everything, candidates="ewma", trials=1)
    first = [(times[0], times[POINTS // 2]), *readings()[2][12:]]
    with pytest.raises(ConfigError, match="lie within labels: there is one class only, and nothing usual to learn"):
        wb.train((times, values), first, candidates="pca_reconstruction", trials=1, budget="4/day")
    with pytest.raises(DataError, match=r"constant \(3\)"):
        wb.train((times, np.full(POINTS, 3.0)), candidates="ewma", trials=1)
    with pytest.raises(DataError, match="readings before the first gap"):
        wb.train((times[:200], values[:200]), candidates="ewma", trials=1)


def test_rows_at_random_train_nothing(tmp_path: Path) -> None:
    times, values, events = readings()
    found = wb.train((times, values), events, candidates="ewma", trials=2, split="stratified")
    assert isinstance(found, Training)
    assert "These figures leak" in found.sentences[0]
    assert found.document()["kind"] == "leak"
    with pytest.raises(ConfigError, match="Train with --split time"):
        found.write(tmp_path / "model")


def test_the_forecaster_and_back(trained: tuple[Path, Path], tmp_path: Path) -> None:
    from watchband.analysis.forecast.grid import grid_of
    from watchband.analysis.tuning.material import Series

    times, values, _ = readings()
    made = forecast(Series(SeriesKey("cpu"), times.view(np.int64), values))
    read = load_forecaster(trained[1] / "ridge_forecaster.wbm")
    assert read.linear.weights.tobytes() == made.forecaster.linear.weights.tobytes()
    grid = grid_of(times.view(np.int64), values)
    assert np.isfinite(read.ahead(grid, np.array([500]), 3)).all()
    with pytest.raises(DataError, match="fitted on steps of 5m"):
        read.ahead(grid_of(times.view(np.int64)[::2], values[::2]), np.array([100]), 1)
    artifact.write(tmp_path / "x.wbm", "ridge_forecaster", {"lags": 2}, {"weights": np.zeros(2)})
    with pytest.raises(StateCorruptError, match="no forecaster"):
        load_forecaster(tmp_path / "x.wbm")


def test_a_model_file_is_shown(trained: tuple[Path, Path]) -> None:
    path = trained[1] / "ridge_forecaster.wbm"
    said = run("model", "show", path).stdout
    assert "weights" in said
    assert "24" in said
    assert json.loads(run("model", "show", path, "--json").stdout)["kind"] == "ridge_forecaster"
    assert run("model", "show", trained[0]).exit_code == 2


JSON = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.just([]) | st.just({}) | st.just([1, {}])
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**9), JSON)
def test_whatever_a_card_says_ends_in_an_error_of_ours(copy: Path, seed: int, value: Any) -> None:
    rng = random.Random(seed)
    kept = (copy / CARD).read_text()
    card = json.loads(kept)
    at: Any = {k: card[k] for k in ("champion", "options", "data", "input", "files")}
    body = {k: v for k, v in card.items() if k not in ("format", "schema_version", "checksum")} | at
    at = body if rng.random() < 0.1 else at
    while True:
        key = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
        if not isinstance(at[key], dict | list) or not at[key] or rng.random() < 0.3:
            break
        at = at[key]
    at[key] = value
    try:
        (copy / CARD).write_text(json.dumps(sealed(body)))
        with contextlib.suppress(WatchbandError):
            model = wb.load_model(copy)
            model.options.watch()
            _ = model.flags, model.identity, model.text
    finally:
        (copy / CARD).write_text(kept)
