"""SQL over what is kept: every view, nothing else, within limits, while another process writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tests.pipeline.test_retention import ENTRIES, KEYS, START, Now, filled, run
from watchband.adapters.stores.archive import FOLDER, ParquetArchive
from watchband.adapters.stores.sqlite.query import Lake
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.adapters.stores.sqlite.views import COLUMNS, VIEWS
from watchband.apps.cli.main import app
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import ConfigError, PermanentError
from watchband.core.events import SeriesExpired, WatermarkMoved
from watchband.core.ports import Commit, Readings
from watchband.pipeline.retention import Retention
from watchband.testing.contracts.store import an_alert


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days in the log, two in the archive."""
    directory = tmp_path_factory.mktemp("data")
    clock = Now(START + 4 * DAY)
    store = filled(SqliteStore(directory, clock=clock))
    store.commit(
        Commit(
            "s",
            ENTRIES + 1,
            events=(WatermarkMoved(5), SeriesExpired(str(KEYS[1]), START)),
            alerts=[an_alert(START), an_alert(START + 1, closed=START + HOUR, severity="critical")],
            routes={"w": ["x"]},
            marks={("cutoff", "w"): [Readings(KEYS[0], np.array([START]), np.array([3.5]))]},
        )
    )
    run(Retention(store, archive=ParquetArchive(directory / FOLDER), raw=2 * DAY, clock=clock))
    return directory


def ask(data: Path, question: str, **limits: Any) -> list[tuple[Any, ...]]:
    with Lake(data, **limits).ask(question) as reader:
        return [tuple(row.values()) for row in reader.read_all().to_pylist()]


def test_every_view_has_the_columns_that_are_documented(data: Path) -> None:
    assert list(COLUMNS) == list(VIEWS)
    for view in VIEWS:
        with Lake(data).ask(f"SELECT * FROM {view}") as reader:
            assert reader.schema.names == list(COLUMNS[view]), view
            assert reader.read_all().num_rows > 0, view


def test_every_view_of_an_empty_store_is_empty(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    for view in VIEWS:
        assert ask(tmp_path, f"SELECT count(*) FROM {view}") == [(0,)], view


def test_readings_of_log_and_archive_are_there_once(data: Path) -> None:
    found = ask(data, "SELECT tier, count(*), count(value), sum(value) FROM points GROUP BY tier ORDER BY tier")
    assert [row[:3] for row in found] == [("archive", 308, 298), ("log", 308, 298)]
    expected = sum(float(np.sum(np.arange(6.0) + hour)) for hour in range(ENTRIES)) + 7.0 * 20
    assert sum(row[3] for row in found) == expected
    assert ask(data, "SELECT count(*) FROM points a JOIN points b USING (series, time_ns)") == [(616,)]
    assert ask(data, "SELECT count(*) FROM points WHERE late AND source = 'pull' AND labels['host'] = 'a'") == [(40,)]


def test_roll_ups_are_the_archive_by_hours(data: Path) -> None:
    question = """
        SELECT count(*) FROM rollups r FULL JOIN (
          SELECT series, date_trunc('hour', time) AS hour, count(value) AS n, min(value) AS l, max(value) AS h,
                 avg(value) AS m FROM points WHERE tier = 'archive' GROUP BY ALL
        ) p USING (series, hour)
        WHERE (count, low, high, mean) IS DISTINCT FROM (n, l, h, m)"""
    assert ask(data, question) == [(0,)]
    assert ask(data, "SELECT sum(anomalies) FROM rollups") == [(7,)]


def test_alerts_events_and_what_waits(data: Path) -> None:
    assert ask(data, "SELECT severity, closed IS NULL FROM alerts ORDER BY severity") == [
        ("critical", False),
        ("info", True),
    ]
    assert ask(data, "SELECT sink, tries, dead FROM deliveries") == [("x", 0, False)] * 2
    assert ask(data, "SELECT watch, cutoff FROM cutoffs") == [("w", 3.5)]
    kinds = "SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind"
    assert ask(data, kinds) == [("SeriesExpired", 1), ("anomaly", 14), ("config", 1)]
    assert ask(data, "SELECT open_alerts, points FROM series ORDER BY series") == [(1, 40), (0, 576)]


def test_a_range_is_exact(data: Path) -> None:
    span = (START + 47 * HOUR + 1, START + 49 * HOUR)
    assert ask(data, "SELECT min(time_ns), max(time_ns), count(*) FROM points WHERE source = 'push'", span=span) == [
        (START + 47 * HOUR + HOUR // 6, START + 49 * HOUR - HOUR // 6, 11)
    ]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "reads the views of the store and nothing else"),
        ("SELECT * FROM read_parquet('https://example.com/x.parquet')", "reads the views|not understood"),
        ("SELECT * FROM glob('/etc/*')", "reads the views"),
        ("COPY (SELECT 1) TO '/tmp/x.csv'", "one SELECT; the store is only read. Got COPY"),
        ("DROP VIEW points", "Got DROP"),
        ("SELECT 1; SELECT 2", "Got SELECT, SELECT"),
        ("", "Got nothing"),
        ("SELEC", "not understood"),
        ("SELECT nope FROM points", "not understood.*nope"),
        ("SELECT * FROM serie", "serie does not exist! The views are points, .*series"),
    ],
)
def test_nothing_else_can_be_asked(data: Path, question: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){says}"):
        ask(data, question)


def test_time_and_memory_are_limited(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"longer than 0\.3 s"):
        ask(data, "SELECT count(*) FROM range(1000000000) a, range(1000000000) b", timeout=0.3)
    with pytest.raises(ConfigError, match="more memory"):
        ask(data, "SELECT a, random() AS r FROM range(20000000) t(a) ORDER BY r", memory=30_000_000)


def test_it_works_while_another_writes(tmp_path: Path) -> None:
    store = filled(SqliteStore(tmp_path))
    assert ask(tmp_path, "SELECT count(*) FROM points") == [(616,)]
    store.commit(Commit("s", ENTRIES + 1, [Readings(KEYS[0], np.array([START]), np.ones(1))]))
    assert ask(tmp_path, "SELECT count(*) FROM points") == [(617,)]
    store.close()


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    clock = Now(START + 9 * DAY)
    store = filled(SqliteStore(tmp_path, clock=clock))
    run(Retention(store, archive=ParquetArchive(tmp_path / FOLDER), raw=2 * DAY, clock=clock))
    gone = tmp_path / FOLDER / store.archived()[0].name
    store.close()
    gone.unlink()
    with pytest.raises(PermanentError, match=gone.name):
        ask(tmp_path, "SELECT * FROM points")
    assert ask(tmp_path, "SELECT count(*) > 0 FROM points", span=(START + 2 * DAY, START + 9 * DAY)) == [(True,)]


def test_the_command_writes_every_format(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*args: str) -> str:
        found = CliRunner().invoke(app, ["query", "--data", str(data), *args])
        assert found.exit_code == 0, found.output
        return found.stdout

    question = "SELECT series, labels, time, value FROM points ORDER BY time, series LIMIT 3"
    assert said(question, "--rows", "2").splitlines() == [
        "series         labels  time                 value",
        'cpu{host="a"}  host=a  2024-10-04 00:00:00      –',
        'cpu{host="b"}  host=b  2024-10-04 00:00:00      0',
        "3 rows, 2 shown; --rows shows more.",
    ]
    assert json.loads(said(question, "--json"))[0] == {
        "series": 'cpu{host="a"}',
        "labels": {"host": "a"},
        "time": "2024-10-04T00:00:00Z",
        "value": None,
    }
    assert said(question, "--format", "csv").splitlines()[:2] == [
        "series,labels,time,value",
        '"cpu{host=""a""}","{""host"": ""a""}",2024-10-04T00:00:00Z,',
    ]
    said(question, "--out", str(tmp_path / "x.parquet"))
    assert pq.read_table(tmp_path / "x.parquet")["value"].to_pylist() == [None, 0.0, 7.0]
    assert said("SELECT count(*) AS n FROM points", "--since", "2024-10-05", "--until", "2024-10-06", "--json") == (
        '[\n{"n": 154}\n]\n'
    )
    assert "labels['host']" in said("--views")
    monkeypatch.setattr("watchband.apps.cli.query.WIDE", 40)
    assert said(question, "--rows", "1").splitlines()[:3] == ["row 1", 'series  cpu{host="a"}', "labels  host=a"]
    wrong = CliRunner().invoke(app, ["query", "--data", str(tmp_path / "none"), "SELECT 1"])
    assert (wrong.exit_code, "holds no data of Watchband" in wrong.stderr) == (2, True)


PAGE = (Path(__file__).parents[3] / "docs" / "query.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_of_the_page_run(data: Path, number: int) -> None:
    assert ask(data, EXAMPLES[number]) or "silent" in PAGE.split(EXAMPLES[number])[0][-200:]


def test_the_page_has_every_view() -> None:
    assert re.findall(r"^\| `(\w+)` \| an? ", PAGE.split("## Examples")[0], re.MULTILINE) == list(VIEWS)
    assert len(EXAMPLES) == 8
