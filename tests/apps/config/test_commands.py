"""``watchband config``: its words, its documents, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from watchband.apps.cli.main import app
from watchband.apps.config.config import read_config

OLD = """\
sources: {push: {}}
watches:
  web: {match: cpu, detector: ewma}
  db: {match: mem, detector: ewma, budget: 1/week}
  gone: {match: disk, detector: ewma}
sinks: {out: {kind: stdout}}
"""
NEW = OLD.replace("cpu, detector: ewma", "cpu, detector: light").replace("1/week", "1/day").replace("gone", "come")
VM = """\
reader: {class: vm, datasource_url: 'http://vm:8428', sampling_period: 1m, queries: {cpu: up}, user: u,
  password: hunter2}
schedulers: {s: {infer_every: 1m, fit_window: 7d, fit_every: 1h}}
models: {m: {class: zscore, z_threshold: 3.5}}
"""


def run(*words: object, width: int = 80, stdin: str | None = None) -> Result:
    runner = CliRunner(env={"COLUMNS": str(width), "TERMINAL_WIDTH": str(width), "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, [str(word) for word in words], input=stdin, prog_name="watchband")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(OLD)
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text(NEW)
    return path


@pytest.mark.parametrize("width", [50, 110])
def test_diff_says_what_goes_on_and_what_begins_anew(old: Path, new: Path, width: int) -> None:
    result = run("config", "diff", old, new, width=width)
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert "1 watch goes on with all it knows, 2 watches begin anew, 1 watch is dropped." in said
    assert "~ web It begins anew" in said
    assert "detector ewma → light (why it begins anew)" in said
    assert "~ db It goes on with all it knows. budget 1/week → 1/day" in said
    assert "+ come" in said
    assert "- gone" in said
    assert max(map(len, result.stdout.splitlines())) <= width


def test_diff_of_nothing_and_its_exit_codes(old: Path, new: Path) -> None:
    same = run("config", "diff", "-", old, "--exit-code", stdin="# a comment\n" + OLD)
    assert (same.exit_code, same.stdout) == (0, "No difference: a reload changes nothing.\n")
    assert run("config", "diff", old, new, "--exit-code").exit_code == 1
    elsewhere = old.parent / "new" / "new.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(OLD)
    assert run("config", "diff", old, elsewhere, "--exit-code").exit_code == 0
    bad = run("config", "diff", "-", old, stdin="watchs: {}")
    assert bad.exit_code == 2
    assert "stdin:1:1: Unknown section 'watchs'" in bad.stderr


def test_diff_for_machines(old: Path, new: Path) -> None:
    found = json.loads(run("config", "diff", old, new, "--json").stdout)
    assert found["old"]["hash"] == read_config(old).hash
    assert {c["name"]: (c["what"], c["state"], c["because"]) for c in found["changes"]} == {
        "web": ("changed", "anew", ["detector"]),
        "db": ("changed", "kept", []),
        "come": ("new", "anew", []),
        "gone": ("gone", "dropped", []),
    }
    assert found["changes"][0]["keys"] == {"detector": {"old": "ewma", "new": "light"}}
    assert found["restart_needed"] == []


def test_import_writes_what_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vm, out = tmp_path / "vm.yml", tmp_path / "watchband.yaml"
    vm.write_text(VM)
    shown = run("config", "import", vm)
    assert shown.stdout.startswith("# Imported from vm.yml")
    assert "hunter2" not in shown.stdout
    result = run("config", "import", vm, "--out", out)
    assert result.exit_code == 0
    assert "1 source, 1 watch. Approximated: 2, left out: 1" in " ".join(result.stdout.split())
    monkeypatch.setenv("PROMETHEUS_PASSWORD", "p")
    assert run("check", out, "--offline").exit_code == 0
    again = run("config", "import", vm, "--out", out)
    assert again.exit_code == 2
    assert "is there already" in again.stderr
    assert run("config", "import", vm, "--out", out, "--force").exit_code == 0
    assert yaml.safe_load(shown.stdout) == yaml.safe_load(out.read_text())


def test_import_for_machines_and_of_nothing(tmp_path: Path) -> None:
    found = json.loads(run("config", "import", "-", "--json", stdin=VM).stdout)
    assert found["watches"] == {"m": {"match": "cpu", "detector": "rolling_zscore:window=10000", "cutoff": 3.5}}
    assert {note["level"] for note in found["notes"]} == {"mapped", "approximated", "left_out"}
    assert {note["about"] for note in found["notes"]} == {None, "sources.metrics", "watches.m"}
    assert run("config", "import", tmp_path / "none.yml").exit_code == 2
    assert "no vmanomaly configuration" in run("config", "import", "-", stdin="watches: {}").stderr
    (tmp_path / "bad.yml").write_bytes(b"\xff")
    assert "is not UTF-8" in run("config", "import", tmp_path / "bad.yml").stderr


def test_schema_is_that_of_the_docs(tmp_path: Path) -> None:
    out = tmp_path / "schema.json"
    assert run("config", "schema", "--out", out).exit_code == 0
    shown = run("config", "schema").stdout
    assert out.read_text() == shown
    assert shown == (Path(__file__).resolve().parents[3] / "docs" / "watchband.schema.json").read_text()
