"""``wb.detect``: one answer for files, frames and arrays; rows in the order of the input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import watchband as wb
from watchband.apps.library.rows import COLUMNS
from watchband.core.errors import ConfigError, DataError
from watchband.testing.streams import MINUTE, START, times

QUICK = {"detector": "rolling_zscore:window=20", "cutoff": 6.0}


def spiky(n: int = 400) -> np.ndarray:
    values = 10 + np.random.default_rng(7).normal(0, 1, n)
    values[250:255] += 40
    return np.round(values, 6)


@pytest.fixture
def frame() -> pd.DataFrame:
    index = pd.to_datetime(times(400, MINUTE), utc=True)
    return pd.DataFrame({"timestamp": index, "cpu": spiky(), "load": spiky()[::-1]})


def scores(result: Any) -> dict[str, list[Any]]:
    return result.table.drop_columns(["alert"]).to_pydict()


def test_the_table_has_the_promised_columns(frame: pd.DataFrame) -> None:
    result = wb.detect(frame[["timestamp", "cpu"]], **QUICK)
    assert tuple(result.table.column_names) == COLUMNS
    assert result.table.num_rows == len(frame) == len(result)
    assert result.table["y"].to_pylist() == frame["cpu"].tolist()
    assert result.alerts[0].value > 40
    assert result.alerts[0].id in result.table["alert"].to_pylist()


def test_frames_arrays_and_files_give_the_same_bits(frame: pd.DataFrame, tmp_path: Path) -> None:
    narrow = frame[["timestamp", "cpu"]]
    path = tmp_path / "metrics.csv"
    narrow.to_csv(path, index=False)
    sources = {
        "pandas": narrow,
        "index": narrow.set_index("timestamp"),
        "series": narrow.set_index("timestamp")["cpu"],
        "polars": pl.from_pandas(narrow),
        "arrow": pa.Table.from_pandas(narrow, preserve_index=False),
        "lazy": pl.from_pandas(narrow).lazy(),
        "arrays": (narrow["timestamp"].to_numpy("M8[ns]"), narrow["cpu"].rename("cpu")),
    }
    expected = scores(wb.detect(path, **QUICK))
    for name, source in sources.items():
        assert scores(wb.detect(source, **QUICK)) == expected, name


def test_wide_frames_give_every_value_a_row(frame: pd.DataFrame) -> None:
    result = wb.detect(frame, **QUICK)
    assert result.table["series"].to_pylist()[:4] == ["cpu", "load", "cpu", "load"]
    assert result.table.num_rows == 2 * len(frame)
    alone = wb.detect(frame[["timestamp", "load"]], **QUICK)
    both = result.to_pandas()
    assert both[both.series == "load"]["score"].to_numpy().tobytes() == alone.to_pandas()["score"].to_numpy().tobytes()


def test_conversions(frame: pd.DataFrame) -> None:
    result = wb.detect(frame, **QUICK)
    assert isinstance(result.to_polars(), pl.DataFrame)
    assert result.to_arrow() is result.table
    assert result.to_pandas()["score"].isna().sum() == 40
    assert result.table["score"].null_count == 40
    assert "cpu" in result._repr_html_()
    assert "2 series" in repr(result)


def test_rows_stay_in_input_order_when_times_do_not(frame: pd.DataFrame) -> None:
    shuffled = frame[["timestamp", "cpu"]].sample(frac=1, random_state=3)
    result = wb.detect(shuffled, **QUICK).to_pandas()
    assert result["timestamp"].tolist() == shuffled["timestamp"].tolist()
    assert result["y"].tolist() == shuffled["cpu"].tolist()
    quality = wb.detect(shuffled, **QUICK).quality["cpu"]
    behind = shuffled["timestamp"].cummax() > shuffled["timestamp"]
    assert 0 < quality["out_of_order"] <= int(behind.sum()) + len(frame) // 2
    sorted_scores = wb.detect(frame[["timestamp", "cpu"]], **QUICK).to_pandas()["score"]
    assert np.array_equal(result.sort_values("timestamp")["score"], sorted_scores, equal_nan=True)


def test_a_duplicate_is_scored_as_its_first() -> None:
    moments = np.repeat(times(100, MINUTE), 2)
    values = np.repeat(spiky(100), 2)
    values[1::2] = 1e6
    result = wb.detect((moments, values), **QUICK).to_pandas()
    assert len(result) == 200
    assert result["y"].tolist() == values.tolist()
    assert np.array_equal(result["score"][::2], result["score"][1::2], equal_nan=True)


def test_resampled_rows_carry_their_bucket() -> None:
    moments = START + np.arange(1200) * MINUTE
    result = wb.detect((moments, spiky(1200)), **QUICK, resample="5m", aggregate="max").to_pandas()
    assert len(result) == 1200
    assert (result["timestamp"].astype("int64") == moments).all()
    for at in (0, 100, 239):
        bucket = slice(5 * at, 5 * at + 5)
        assert result["y"][bucket].nunique() == 1
        assert result["y"][5 * at] == spiky(1200)[bucket].max()


def test_imputed_points_only_when_asked_for() -> None:
    keep = np.r_[0:100, 105:200]
    moments, values = times(200, MINUTE)[keep], spiky(200)[keep]
    plain = wb.detect((moments, values), **QUICK, gap="linear").to_pandas()
    assert plain["timestamp"].astype("int64").tolist() == moments.tolist()
    full = wb.detect((moments, values), **QUICK, gap="linear", with_imputed=True).to_pandas()
    assert full["timestamp"].astype("int64").tolist() == times(200, MINUTE).tolist()
    assert full["score"].dropna().tolist()[:80] == plain["score"].dropna().tolist()[:80]


def test_a_missing_value_that_is_filled_stays_one_row() -> None:
    values = spiky(200)
    values[50] = np.nan
    result = wb.detect((times(200, MINUTE), values), **QUICK, gap="linear", with_imputed=True).to_pandas()
    assert result["timestamp"].astype("int64").tolist() == times(200, MINUTE).tolist()
    assert np.isnan(result["y"][50])


def test_counts_are_of_points() -> None:
    moments = START + np.arange(1200) * MINUTE
    counts = wb.detect((moments, spiky(1200)), **QUICK, resample="5m", aggregate="max").outcome.counts()
    assert (counts["rows"], counts["points"], counts["anomalies"]) == (1200, 220, 1)


def test_excluded_spans_are_not_learned() -> None:
    span = (pd.Timestamp("2024-01-01T04:10Z"), pd.Timestamp("2024-01-01T04:15Z"))
    after = wb.detect((times(400, MINUTE), spiky()), **QUICK).to_pandas()
    result = wb.detect((times(400, MINUTE), spiky()), **QUICK, exclude=[span]).to_pandas()
    inside = slice(250, 255)
    assert (result["anomaly_score"][inside] > 1).all()
    assert result["yhat"][256] < 12 < after["yhat"][256]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cutoff": 3, "sigma": 2}, "--cutoff and --sigma exclude each other"),
        ({"width": 3, "budget": "1/day"}, "--budget and --width exclude each other"),
        ({"detector": "rolling"}, "Unknown detector 'rolling'"),
        ({"range": "100:0"}, "is empty"),
        ({"range": "low"}, "is not a range"),
        ({"timezone": "Dublin"}, "ime zone .Dublin."),
        ({"exclude": ["yesterday/today"]}, "is not a time"),
        ({"exclude": ["2024-02-01/2024-01-01"]}, "ends before it begins"),
        ({"gap": "fixed:x"}, "--gap"),
        ({"m_of_n": "5/3"}, "m"),
    ],
)
def test_bad_options_are_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        wb.detect((times(50), spiky(50)), **given)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (pd.Series([1.0, 2.0]), "not by times"),
        (pl.Series([1.0, 2.0]), "no times"),
        (42, "Got int"),
        ((np.arange(3), np.arange(2.0)), "one length"),
        ((np.arange(3.0), np.arange(3.0)), "convert seconds"),
    ],
)
def test_sources_that_cannot_be(source: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        wb.detect(source)


def test_an_empty_frame_says_so() -> None:
    with pytest.raises(DataError, match="no rows"):
        wb.detect(pd.DataFrame({"timestamp": [], "cpu": []}))
