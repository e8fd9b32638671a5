"""The dry run: series, memory and alerts of the past, from sources that answer, fail, hang or have nothing."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from watchband.apps.cli.main import app
from watchband.apps.config.config import Config, read_text
from watchband.apps.config.findings import Trial, document
from watchband.apps.config.kinds import SOURCES
from watchband.apps.config.trial import dry_run
from watchband.core.clock import Clock
from watchband.core.errors import PermanentError
from watchband.core.kinds import ListOf
from watchband.core.params import Choice, Integer, Text, param
from watchband.core.ports import Batch, Readings
from watchband.core.series import SeriesKey

MINUTE = 60_000_000_000
END = 1_790_000_000_000_000_000 // MINUTE * MINUTE


@dataclass(frozen=True, kw_only=True)
class PastSettings:
    """A source for these tests: three days of the past, an outlier in the last one."""

    kind: ClassVar[str] = "past"

    names: tuple[str, ...] = param(("cpu",), ListOf(Text()), "Metrics.")
    hosts: int = param(2, Integer(0), "Series of each.")
    how: str = param("answers", Choice(("answers", "fails", "hangs", "breaks")), "What it does.")

    def metrics(self) -> tuple[str, ...]:
        return self.names

    def open(self, name: str, *, clock: Clock) -> Past:
        return Past(name, self)


class Past:
    """Gives the past in batches of an hour, then waits for ever."""

    def __init__(self, name: str, settings: PastSettings) -> None:
        self.name, self.settings, self.closed = name, settings, threading.Event()

    def read(self, position: str | None = None) -> Iterator[Batch]:
        if self.settings.how == "fails":
            raise PermanentError("it does not answer")
        if self.settings.how == "breaks":
            raise ZeroDivisionError("oh")
        if self.settings.how == "hangs":
            self.closed.wait(30)
            return
        rng = np.random.default_rng(1)
        for hour in range(72):
            times = END - (72 - hour) * 60 * MINUTE + np.arange(60) * MINUTE
            readings = []
            for metric in self.settings.names[:1]:
                for host in range(self.settings.hosts):
                    values = 10 + rng.normal(0, 1, 60)
                    if hour == 60 and not host:
                        values[30:35] += 50
                    readings.append(Readings(SeriesKey(metric, {"host": f"h{host}"}), times, values))
            yield Batch(readings, str(hour), history=True)
        # A source without a past of its own says nothing of where its present begins.

    def close(self) -> None:
        self.closed.set()


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES.table, "past", f"{__name__}:PastSettings")


WATCHES = "watches: {w: {match: cpu, detector: 'rolling_zscore:window=60', cutoff: 8}}\n"


def config(text: str) -> Config:
    return read_text(text, "w.yaml", {})


def tried(text: str, seconds: float = 30.0) -> tuple[Config, Trial]:
    found = config(text)
    return found, dry_run(found, seconds=seconds)


def test_series_memory_and_what_would_have_alerted() -> None:
    found, trial = tried("sources: {past: {}}\n" + WATCHES)
    (source,), (watch,) = trial.sources, trial.watches
    assert (source.state, source.series, source.points) == ("read", 2, 2 * 72 * 60)
    assert (watch.series, watch.bytes, watch.alerts) == (2, 2 * watch.each, 1)
    assert watch.each > 1000
    assert [str(alert.series) for alert in trial.alerts] == ['cpu{host="h0"}']
    assert list(trial.problems(found)) == []


def test_an_alert_of_an_earlier_day_is_none_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.apps.config.trial.LAST", 5 * 60 * MINUTE)
    assert tried("sources: {past: {}}\n" + WATCHES)[1].alerts == ()


def test_what_matches_nothing_and_what_nothing_takes() -> None:
    text = "sources: {past: {names: [cpu, mem]}}\nrelabel: [{action: labeldrop, regex: host}]\n"
    found, trial = tried(text + "watches: {w: {match: mem}, v: {match: 'cpu{host=\"h0\"}'}}")
    assert trial.series == 1
    assert (trial.alone, [str(key) for key in trial.lone]) == (1, ["cpu"])
    assert list(trial.problems(found)) == [
        "Watch 'w' matches none of the 1 series.",
        "Watch 'v' matches none of the 1 series.",
    ]
    found, trial = tried("sources: {past: {names: [cpu, mem]}}\n" + WATCHES)
    assert list(trial.problems(found)) == ["Source 'past' gave no series of mem."]


@pytest.mark.parametrize(
    ("how", "said"), [("fails", "failed: it does not answer"), ("breaks", "failed: ZeroDivisionError: oh")]
)
def test_a_source_that_fails(how: str, said: str) -> None:
    found, trial = tried(f"sources: {{past: {{how: {how}}}, other: {{kind: past}}}}\n" + WATCHES)
    (problem,) = trial.problems(found)
    assert problem.endswith(said)
    assert trial.watches[0].series == 2


def test_a_source_that_hangs_is_left_when_time_is_up() -> None:
    found, trial = tried("sources: {past: {how: hangs}, push: {}}\n" + WATCHES, seconds=0.3)
    assert [source.state for source in trial.sources] == ["cut", "pushed"]
    assert list(trial.problems(found)) == []


def test_no_state_is_made_that_does_not_fit() -> None:
    limits = "engine: {max_series: 50, max_memory: 50MB}\n"
    found, trial = tried("sources: {past: {hosts: 60}}\nwatches: {w: {match: '*'}}\n" + limits)
    assert not trial.judged
    assert trial.watches[0].bytes > 50_000_000
    assert [p.split(" ", 2)[1] for p in trial.problems(found)] == ["series", "states"]


def run(*words: object, width: int = 80) -> Result:
    runner = CliRunner(env={"COLUMNS": str(width), "TERMINAL_WIDTH": str(width), "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, [str(word) for word in words], prog_name="watchband")


@pytest.mark.parametrize("width", [60, 100])
def test_what_check_prints(tmp_path: Path, width: int) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("sources: {past: {}, push: {}}\nsinks: {out: {kind: stdout}}\n" + WATCHES)
    result = run("check", path, width=width)
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert "can be run: 2 sources, 1 watch, 1 sink" in said
    assert "past past 2 8,640" in said
    assert "push push is pushed to" in said
    assert re.search(r"w rolling_zscore 2 [\d.]+ KiB 1", said)
    assert "Over the last day 1 alert would have opened" in said
    assert 'cpu{host="h0"}' in said
    assert max(map(len, result.stdout.splitlines())) <= max(width, len(str(path)) + 40)


def test_check_offline_asks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("sources: {past: {how: fails}}\n" + WATCHES)
    assert run("check", path, "--quiet").exit_code == 1
    result = run("check", path, "--offline")
    assert result.exit_code == 0
    assert "a series takes up to" in result.stdout
    assert "warning" in result.stdout
    assert run("check", path, "--offline", "--strict").exit_code == 1


def test_check_for_machines(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("sources: {past: {}}\n" + WATCHES)
    found: dict[str, Any] = json.loads(run("check", path, "--json").stdout)
    assert found["valid"] is True
    assert (found["series"], found["watches"][0]["alerts_last_day"]) == (2, 1)
    assert found["sources"][0]["state"] == "read"
    assert found["alerts_last_day"][0]["series"] == 'cpu{host="h0"}'
    path.write_text("watches: {w: {matc: cpu, budget: never}}")
    result = run("check", path, "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["valid"] is False
    assert [(e["line"], e["column"]) for e in found["errors"]] == [(1, 15)]
    assert "Did you mean 'match'" in found["errors"][0]["message"]
    assert json.loads(run("check", tmp_path / "none.yaml", "--json").stdout)["valid"] is False


def test_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("watches:\n  a: {matc: cpu}\n  b: {budget: never}\n")
    result = run("check", path)
    assert result.exit_code == 2
    first, *lines = result.stderr.splitlines()
    assert first.endswith("has 2 mistakes:")
    assert [line.split(": ")[0].rpartition("/")[2] for line in lines] == ["w.yaml:2:7", "w.yaml:3:15"]


INITS = (
    [],
    ["--prometheus", "http://localhost:9090"],
    ["--prometheus", "http://vm:8428", "--query", 'cpu=rate(cpu{a=~"x$"}[5m])', "--no-host", "--no-push"],
    ["--slack-file", "/run/secrets/slack", "--budget", "2/day", "--listen", "0.0.0.0:9000"],
)


@pytest.mark.parametrize("flags", INITS)
def test_a_first_file_is_accepted_without_a_doubt(tmp_path: Path, flags: list[str]) -> None:
    from watchband.apps.config.schema import document as schema

    result = run("init", tmp_path, *flags)
    assert result.exit_code == 0, result.output
    path = tmp_path / "watchband.yaml"
    found = json.loads(run("check", path, "--offline", "--json").stdout)
    assert found["valid"]
    assert [w["message"] for w in found["warnings"] if "may push points" not in w["message"]] == []
    import yaml

    jsonschema.validate(yaml.safe_load(path.read_text()), schema())
    assert max(map(len, path.read_text().splitlines())) <= 110


def test_a_first_file_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("watches: {}")
    result = run("init", path)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert path.read_text() == "watches: {}"
    assert run("init", path, "--force").exit_code == 0
    assert "everything:" in path.read_text()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--query", "a=b"], "--prometheus http://localhost:9090"),
        (["--no-host", "--no-push"], "Nothing would come in"),
        (["--prometheus", "localhost:9090"], "'url' of source 'prom' must be an address"),
        (["--prometheus", "http://a", "--query", "x"], "NAME=EXPRESSION"),
        (["--budget", "lots"], "budget"),
    ],
)
def test_a_first_file_of_flags_that_make_no_sense_is_not_written(tmp_path: Path, flags: list[str], said: str) -> None:
    result = run("init", tmp_path, *flags)
    assert result.exit_code == 2
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_document_of_a_config_alone() -> None:
    found = document(config(WATCHES), None)
    assert found["watches"][0]["bytes_per_series"] > 1000
    assert "series" not in found


def test_a_first_file_is_alive_at_once(tmp_path: Path) -> None:
    """The file as it is written, but for how often the machine is asked: readings are judged and kept."""
    from watchband.apps.config.first import First
    from watchband.apps.service.service import Service

    text = First(listen="127.0.0.1:0").text().replace("host: {}", "host: {every: 1s}")
    found = read_text(text, str(tmp_path / "watchband.yaml"), {})
    service = Service(found)
    service.start()
    try:
        taken = service.inflow.pushed["push"]
        for _ in range(100):
            if service.store.head("main"):
                break
            threading.Event().wait(0.1)
        assert service.store.head("main") > 0
        assert taken.health.kind == "push"
    finally:
        assert service.stop(20)
    assert (tmp_path / "watchband-data").is_dir()


def test_where_time_was_up_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day is missing at the end of what could be read: nothing is said of it."""
    gives = Past.read

    def slow(self: Past, position: str | None = None) -> Iterator[Batch]:
        for number, batch in enumerate(gives(self, position)):
            if number == 40:
                self.closed.wait(30)
                return
            yield batch

    monkeypatch.setattr(Past, "read", slow)
    path = tmp_path / "w.yaml"
    path.write_text("sources: {past: {}}\n" + WATCHES)
    said = " ".join(run("check", path, "--for", "2s").stdout.split())
    assert "Time was up with the readings of" in said
    assert "Nothing would have alerted in the day before" in said
    assert json.loads(run("check", path, "--for", "2s", "--json").stdout)["read_to_the_present"] is False


def test_a_secret_that_cannot_be_read_here_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("https://hooks.slack.com/x")
    text = "sources: {past: {}}\nsinks: {chat: {kind: slack, webhook_url_file: %s}}\n" + WATCHES
    for name, code in (("there", 0), ("none", 1)):
        path = tmp_path / "w.yaml"
        path.write_text(text % name)
        result = run("check", path, width=200)
        assert result.exit_code == code, result.output
        assert ("sinks.chat: The secret in" in result.stdout) == bool(code)
        assert "hooks.slack.com" not in result.stdout
        assert run("check", path, "--offline").exit_code == 0


def test_without_a_watch_nothing_can_run(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("sources: {past: {}}\n")
    result = run("check", path, width=200)
    assert result.exit_code == 1
    assert "cannot be run, for there are no watches" in " ".join(result.stdout.split())
    assert "would have alerted" not in result.stdout
    assert json.loads(run("check", path, "--offline", "--json").stdout)["problems"] == ["There are no watches."]
