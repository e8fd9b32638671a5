"""``watchband simulate`` and ``wb.simulate``: files, pictures, live."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import watchband as wb
from tests.adapters.test_points_api import Service, running
from watchband.adapters.sinks.points_api import PointsApi
from watchband.adapters.sources.files import open_table
from watchband.apps.cli.main import app
from watchband.apps.library.labels import read_labels
from watchband.apps.library.simulation.playing import LinesTarget, Readings, ServiceTarget, merged, parse_speed, play
from watchband.apps.library.simulation.tables import write
from watchband.core.duration import MINUTE, SECOND
from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.simulate.clock import START_NS
from watchband.evaluation.simulate.metric_types import METRICS
from watchband.evaluation.simulate.scenes import SCENES

SHORT = ("--length", "2d", "--seed", "3")


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    good, bad = tmp_path / "x.csv", tmp_path / "no" / "x.csv"
    pictured = ("--plot", bad.with_suffix(".png"))
    for words in (("--out", bad), ("--speed", "max", "--to", bad), pictured, ("--out", good, "--labels", bad)):
        found = run("cpu", *SHORT, *words)
        assert found.exit_code == 2, words
        assert found.stderr.count("\n") == 1
        assert "No such file or directory" in found.stderr or "there is no folder" in found.stderr


def test_what_is_interrupted_leaves_no_half_file(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    found = wb.simulate("cpu", series=3, length="1d")
    path = tmp_path / "x.csv"
    path.write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        write(found, path, progress=stop)
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]
    assert path.read_text() == "earlier"
    write(found, path)
    assert path.read_text().startswith("series,timestamp,value")


def test_an_unknown_zone_does_not_list_them_all(tmp_path: Path) -> None:
    found = run("cpu", *SHORT, "--timezone", "Europe/Dubln", "--out", tmp_path / "x.csv")
    assert "Did you mean 'Europe/Dublin'?" in found.stderr
    assert len(found.stderr) < 1500


@pytest.fixture
def service() -> Iterator[Service]:
    yield from running()


def run(*words: str | Path) -> Result:
    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, ["simulate", *map(str, words)], prog_name="watchband")


def read(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Times and values of every series of a file, as ``detect`` would read them."""
    with open_table([path]) as table:
        batches = list(table.batches())
        row, times, values = (np.concatenate([getattr(b, n) for b in batches]) for n in ("row", "times", "values"))
        return {str(key): (times[row == n], values[row == n]) for n, key in enumerate(table.keys)}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "json"])
def test_every_format_is_read_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"fleet.{suffix}"
    result = run("cpu", "sparse", "--series", "3", *SHORT, "--fault", "spike", "--fault", "gap", "--out", path)
    assert result.exit_code == 0, result.stderr
    found, expected = read(path), wb.simulate(["cpu", "sparse"], series=3, length="2d", seed=3, faults=["spike", "gap"])
    assert (
        list(found) == [s.name for s in expected.series] == ['cpu{series="0"}', 'sparse{series="1"}', 'cpu{series="2"}']
    )
    for series in expected.series:
        times, values = found[series.name]
        assert times.tobytes() == series.times.tobytes()  # type: ignore[attr-defined]
        assert values.tobytes() == series.values.tobytes()  # type: ignore[attr-defined]
    labels = read_labels(tmp_path / f"fleet.{suffix}.labels.csv")
    assert [str(a) for a in labels] == [str(a) for a in expected.labels]
    assert len(labels) == 6
    assert "3 series, 6 labels" in result.stdout


def test_a_single_series_is_a_column_of_its_name(tmp_path: Path) -> None:
    run("latency", *SHORT, "--out", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().startswith("timestamp,latency\n2024-01-01T00:00:00Z,")
    assert list(read(tmp_path / "a.csv")) == ["latency"]


def test_equal_seeds_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(
            "counter",
            *SHORT,
            "--fault",
            "any",
            "--late",
            "0.1",
            "--duplicates",
            "0.05",
            "--out",
            tmp_path / f"{name}.csv",
        )
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    run("counter", "--length", "2d", "--seed", "4", "--out", tmp_path / "c.csv")
    assert (tmp_path / "a.csv").read_bytes() != (tmp_path / "c.csv").read_bytes()


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_written_and_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "scene.csv"
    assert run(name, "--out", path).exit_code == 0
    found, labels = read(path), read_labels(tmp_path / "scene.csv.labels.csv")
    assert {a.series for a in labels} <= set(found)
    assert labels
    for label in labels:
        times, _ = found[label.series]
        assert label.start in times


def test_hosts_are_the_table_they_are_found_in(tmp_path: Path) -> None:
    run("hosts", "--out", tmp_path / "hosts.csv")
    lines = (tmp_path / "hosts.csv").read_text().splitlines()
    assert (len(lines), lines[0].count(",")) == (4 * 4033 + 1, 24)
    assert lines[1].startswith("2/17/2025 0:00,")
    run("hosts", "--layout", "long", "--out", tmp_path / "long.csv")
    assert read(tmp_path / "long.csv").keys() == read(tmp_path / "hosts.csv").keys()


def test_scenes_take_what_they_can() -> None:
    found = wb.simulate("mesh", length="20d", interval="10m", seed=4, missing=0.1)
    assert {s.points for s in found.series} == {20 * 144}
    assert 0.89 < sum(len(a.times) for _, a in found.readings()) / (32 * 20 * 144) < 0.91


def test_a_simulation_in_memory() -> None:
    found = wb.simulate("cpu", faults=["spike@2024-01-02T12:00:size=9,for=2"], length="3d", missing=0.1, seed=1)
    (label,) = found.labels
    assert (label.start, label.end) == (START_NS + 36 * 3600 * SECOND, START_NS + (36 * 3600 + 300) * SECOND)
    table = found.table()
    assert table.column_names == ["series", "timestamp", "value"]
    assert 0.85 < table.num_rows / 864 < 0.95
    assert wb.simulate("cpu", to="2024-01-02", interval="1h").table().num_rows == 24
    assert wb.simulate("evaporator").scene is not None
    assert wb.simulate("cpu", holidays="IE", timezone="Europe/Dublin", length="1d").quiet_labels[0].fault == "holiday"


def test_anything_that_can_be_judged_can_be_put_in() -> None:
    found = wb.simulate(["cpu", "requests"], series=4, faults=["spike:size=12"], seed=2)

    def oracle(times: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.where(values > np.quantile(values, 0.9995), 1e6, 0.0) + np.random.default_rng(0).random(len(values))

    for candidate in ("ewma", oracle):
        counts = found.judge(candidate, one_in=1440)
        assert counts.found + counts.missed == 4
        assert counts.found >= 2
    assert found.judge(lambda t, v: np.zeros(len(v))).found == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture(tmp_path: Path, theme: str) -> None:
    path = tmp_path / "a.png"
    result = run("cpu", "sparse", "--series", "2", *SHORT, "--fault", "spike", "--plot", path, "--theme", theme)
    assert result.exit_code == 0, result.stderr
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="1 to 16 series"):
        wb.simulate("cpu", series=0).plot(path)
    with pytest.raises(UnknownNameError, match="series"):
        wb.simulate("cpu").plot(path, only="mem")


def test_lists() -> None:
    said = run("--list")
    assert said.exit_code == 0
    for name in ("error_ratio", "evaporator", "concept_drift", "no_data"):
        assert name in said.stdout
    document = json.loads(run("--list", "--json").stdout)
    assert {k["name"] for k in document["kinds"]} == set(METRICS)
    assert all(k["summary"] and k["constants"] for k in document["kinds"])
    assert all(f["summary"] for f in document["faults"] + document["scenes"])


def test_one_document_for_machines(tmp_path: Path) -> None:
    document = json.loads(run("cpu", *SHORT, "--fault", "dip", "--out", tmp_path / "a.csv", "--json").stdout)
    assert document["series"] == 1
    assert document["labels"][0]["fault"] == "dip"
    assert len(document["files"]) == 2
    assert run("cpu", *SHORT, "--out", tmp_path / "a.csv", "--quiet").stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cpuu",), "Did you mean 'cpu'"),
        (("cpu",), "Nothing is asked for"),
        (("cpu", "--out", "a.txt"), "no known suffix"),
        (("cpu", "--out", "a.csv", "--layout", "wide"), "one of auto, long, table"),
        (("cpu", "--out", "a.csv", "--layout", "table"), "Only the scene 'hosts'"),
        (("hosts", "cpu", "--out", "a.csv"), "stands alone"),
        (("hosts", "--fault", "spike", "--out", "a.csv"), "stands alone"),
        (("hosts", "--length", "30d", "--out", "a.csv"), "has its own times"),
        (("hosts", "--layout", "table", "--missing", "0.1", "--out", "a.csv"), "only where every point arrives"),
        (("cpu", "--missing", "1", "--out", "a.csv"), "share of missing"),
        (("cpu", "--to", "2023-01-01", "--out", "a.csv"), "Expected 1 to"),
        (("cpu", "--calendar", "moon", "--out", "a.csv"), "A calendar is made of"),
        (("queue", "--fault", "dip", "--out", "a.csv"), "None of the kinds queue can have a dip"),
        (("cpu", "--speed", "fast"), "60x"),
        (("cpu", "--to", "http://example.org"), "--allow-host"),
        (("cpu", "--to", "-", "--speed", "0x"), "60x"),
        (("cpu", "--to", "http://localhost", "--token-file", "none"), "token file"),
        (("cpu", "--plot", "a.png", "--theme", "pink"), "light or dark"),
        (("cpu", "--out", "a.csv", "--labels", "labels.txt"), "no label file"),
        (("cpu", "--series", "0", "--out", "a.csv"), "--series"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


# -- live --------------------------------------------------------------------------------------------------------------


class Machine:
    """A clock that goes on by sleeping only."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Kept:
    """Keeps what came when."""

    def __init__(self, machine: Machine, takes: float = 0.0) -> None:
        self.machine, self.takes = machine, takes
        self.came: list[tuple[float, Readings]] = []

    def put(self, names: list[str], readings: Readings) -> None:
        self.came.append((self.machine.now, readings))
        self.machine.now += self.takes


def test_readings_of_all_series_come_in_the_order_of_their_arrival() -> None:
    found = wb.simulate(["cpu", "sparse"], series=5, length="9d", late=0.2, duplicates=0.1, faults=["gap"], seed=1)
    parts = list(merged(found))
    arrivals = np.concatenate([p.arrivals for p in parts])
    assert (np.diff(arrivals) >= 0).all()
    each = found.table().num_rows
    assert len(arrivals) == each
    assert max(len(p.arrivals) for p in parts) < 5 * 1024 * 1.5


@pytest.mark.parametrize("speed", [60.0, 3600.0])
def test_at_any_speed_a_reading_comes_when_it_is_due(speed: float) -> None:
    machine = Machine()
    target = Kept(machine)
    found = wb.simulate("cpu", series=2, length="1d", late=0.1)
    sent = play(found, target, speed, clock=machine.clock, sleep=machine.sleep)
    assert sent == 2 * 288
    for when, readings in target.came:
        due = 100 + (readings.arrivals - START_NS) / SECOND / speed
        assert (due <= when + 0.06).all()
        assert (due >= when - 1e-6).all()


def test_a_slow_target_is_waited_for_and_caught_up_with() -> None:
    machine = Machine()
    target = Kept(machine, takes=10.0)
    play(wb.simulate("cpu", length="1d"), target, 3600, clock=machine.clock, sleep=machine.sleep)
    assert sum(len(r.times) for _, r in target.came) == 288
    assert len(target.came) < 10


def test_as_quick_as_can_be() -> None:
    machine = Machine()
    target = Kept(machine)
    play(wb.simulate("cpu", length="9d"), target, math.inf, clock=machine.clock, sleep=machine.sleep)
    assert machine.now == 100
    assert max(len(r.times) for _, r in target.came) == 1000


def test_live_into_a_running_service(service: Service) -> None:
    service.answers = [(429, {"Retry-After": "0"}, b"")]
    result = run("cpu", "--series", "3", "--length", "1d", "--fault", "gap", "--speed", "max", "--to", service.url)
    assert result.exit_code == 0, result.stderr
    bodies = [body for _, _, body in service.asked]
    assert bodies[0] == bodies[1]
    rows = [json.loads(line) for line in b"".join(bodies[1:]).splitlines()]
    expected = wb.simulate("cpu", series=3, length="1d", faults=["gap"])
    for number, series in enumerate(expected.series):
        mine = [row["value"] for row in rows if row["series"]["series"] == str(number)]
        assert mine == series.values.tolist()  # type: ignore[attr-defined]
    assert f"{len(rows):,} readings sent" in result.stdout
    service.answers = [(400, {}, b"no room")]
    refused = run("cpu", "--length", "1h", "--speed", "max", "--to", service.url)
    assert refused.exit_code == 2
    assert "no room" in refused.stderr


def test_speeds() -> None:
    assert [parse_speed(t) for t in ("1x", "0.5x", "max", "5m")] == [1, 0.5, math.inf, 300]
    for wrong in ("", "x", "0x", "-3x", "often"):
        with pytest.raises(ConfigError, match="60x"):
            parse_speed(wrong)


def test_live_to_standard_output_and_to_a_growing_file(tmp_path: Path) -> None:
    result = run("cpu", "sparse", "--series", "2", "--length", "1h", "--speed", "max")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 24
    assert rows[0]["series"] == 'cpu{series="0"}'
    assert rows[1] == {"series": 'sparse{series="1"}', "timestamp": "2024-01-01T00:00:00Z", "value": rows[1]["value"]}
    assert "24 readings sent" in result.stderr
    path = tmp_path / "live.csv"
    for start in ("2024-01-01", "2024-01-02"):
        words = ("cpu", "sparse", "--series", "2", "--length", "1h", "--speed", "max", "--from", start, "--to", path)
        assert run(*words).exit_code == 0
    assert path.read_text().count("timestamp") == 1
    assert [len(times) for times, _ in read(path).values()] == [24, 24]


def test_live_from_now() -> None:
    rows = run("cpu", "--length", "5m", "--interval", "1s", "--speed", "max", "--from", "now").stdout.splitlines()
    assert len(rows) == 300
    assert json.loads(rows[0])["timestamp"] > "2024"


def test_lines_are_jsonl_or_csv() -> None:
    with pytest.raises(ConfigError, match="jsonl or csv"):
        LinesTarget(io.StringIO(), "xml")


def test_a_service_gets_labels_times_and_values() -> None:
    class Recorder(PointsApi):
        def __init__(self) -> None:
            super().__init__("http://localhost")
            self.bodies: list[bytes] = []

        def send(self, lines: bytes, count: int) -> None:
            self.bodies.append(lines)
            assert lines.count(b"\n") == count

    api = Recorder()
    found = wb.simulate("cpu", series=2, length="1h", interval="1m", seed=1)
    assert play(found, ServiceTarget(api)) == 120
    rows = [json.loads(line) for line in b"".join(api.bodies).splitlines()]
    assert rows[1]["series"] == {"__name__": "cpu", "series": "1"}
    assert rows[2]["time"] == "2024-01-01T00:01:00Z"
    values = [row["value"] for row in rows if row["series"]["series"] == "0"]
    assert values == found.series[0].grid(0, 60).values.tolist()
    assert found.series[0].clock.interval == MINUTE  # type: ignore[attr-defined]
