"""The command line: what it prints, what it refuses, how it exits."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from watchband import __version__
from watchband.apps.cli.main import app
from watchband.testing.streams import MINUTE, times

QUICK = ("--detector", "rolling_zscore:window=20", "--cutoff", "6")
ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "tests" / "golden" / "help"


def run(*words: str | Path, stdin: str | None = None, width: int = 80) -> Result:
    runner = CliRunner(env={"COLUMNS": str(width), "TERMINAL_WIDTH": str(width), "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, [str(w) for w in words], input=stdin, prog_name="watchband")


def table(n: int = 400, spikes: bool = True) -> str:
    values = 10 + np.random.default_rng(7).normal(0, 1, n)
    if spikes:
        values[250:255] += 40
    moments = times(n, MINUTE).view("M8[ns]").astype("M8[s]")
    return "timestamp,cpu\n" + "".join(f"{t}Z,{v:.4f}\n" for t, v in zip(moments, values, strict=True))


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.csv"
    path.write_text(table())
    return path


def test_alerts_are_told_with_their_reason(metrics: Path) -> None:
    result = run("detect", metrics, *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "1 alert" in result.stdout
    assert re.search(r"cpu was 4\d\.\d; expected", result.stdout)
    assert "━" in result.stdout
    assert "Data quality" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(metrics: Path, width: int) -> None:
    long = metrics.with_name("a_rather_long_name_of_a_metric_as_clouds_like_to_have_them_" * 2 + ".csv")
    long.write_text(metrics.read_text().replace("cpu", "value"))
    result = run("detect", metrics, long, *QUICK, width=width)
    assert result.exit_code == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= width


def test_a_quiet_metric_is_called_quiet(tmp_path: Path) -> None:
    path = tmp_path / "calm.csv"
    path.write_text(table(spikes=False))
    assert "All quiet" in run("detect", path, *QUICK).stdout


def test_too_little_history_is_said(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text(table(5, spikes=False))
    assert "No verdict" in run("detect", path, *QUICK).stdout


def test_top_limits_what_is_shown(metrics: Path) -> None:
    said = run("detect", metrics, *QUICK, "--top", "0").stdout
    assert "and 1 alert more" in said
    assert "━" not in said


def test_json_is_one_document_and_nothing_else(metrics: Path) -> None:
    result = run("detect", metrics, *QUICK, "--json")
    document = json.loads(result.stdout)
    assert document["format"] == 1
    assert document["counts"]["alerts"] == 1
    assert document["counts"]["rows"] == 400
    alert = document["alerts"][0]
    assert alert["opened"] == "2024-01-01T04:10:00Z"
    assert alert["metric"] == "cpu"
    assert document["series"][0]["quality"]["rows"] == 400


def test_standard_input(metrics: Path) -> None:
    from_file = json.loads(run("detect", metrics, *QUICK, "--json").stdout)
    from_stdin = json.loads(run("detect", "-", *QUICK, "--json", stdin=metrics.read_text()).stdout)
    assert from_stdin["alerts"] == from_file["alerts"]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("alerts > 0", 1),
        ("alerts >= 2", 0),
        ("critical == 0 and alerts > 5", 0),
        ("critical > 10 or series == 1", 1),
        ("series == 1 and alerts > 5", 0),
        ("series == 1 and alerts == 1", 1),
        ("not (alerts > 0)", 0),
        ("0 < alerts <= 3", 1),
    ],
)
def test_fail_if(metrics: Path, condition: str, code: int) -> None:
    result = run("detect", metrics, *QUICK, "--quiet", "--fail-if", condition)
    assert result.exit_code == code
    assert result.stdout == ""


BAD = [
    (("--fail-if", "alerts"), "compares nothing"),
    (("--fail-if", "errors > 0"), "Unknown name in --fail-if 'errors'"),
    (("--fail-if", "__import__('os') == 1"), "neither a number nor a name"),
    (("--fail-if", "alerts >"), "cannot be read"),
    (("--sigma", "2"), "--cutoff and --sigma exclude each other"),
    (("--width", "2"), "--cutoff and --width exclude each other"),
    (("--exclude", "monday"), "is not a span"),
    (("--timezone", "Mars/Olympus"), "Mars/Olympus"),
    (("--direction", "up"), "'direction'"),
    (("--gap", "guess"), "'gap'"),
    (("--interval", "soon"), "soon"),
    (("--time", "when"), "Unknown column"),
    (("--min-deviation", "-1"), "'min_deviation'"),
    (("--m-of-n", "x"), "M/N"),
    (("--consecutive", "2", "--m-of-n", "2/3"), "exclude each other"),
    (("--aggregate", "sum"), "--resample 5m"),
    (("--min-count", "x"), "'--min-count'"),
    (("--top", "-1"), "'--top'"),
    (("--no-such-flag",), "No such option: --no-such-flag"),
]


@pytest.mark.parametrize(("flags", "said"), BAD, ids=[" ".join(f) for f, _ in BAD])
def test_mistakes_are_one_line_and_exit_2(metrics: Path, flags: tuple[str, ...], said: str) -> None:
    result = run("detect", metrics, *QUICK, *flags)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.startswith("watchband: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [(("detect",), "FILES"), (("detetc", "x.csv"), "Did you mean 'detect'"), (("--such",), "--such")],
)
def test_a_command_that_cannot_be_read_is_one_line_and_exit_2(words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("watchband: ")
    assert said in result.stderr
    assert "--help" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_interruption_exits_with_130(metrics: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("watchband.apps.library.job.execute", interrupted)
    result = run("detect", metrics, *QUICK)
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_a_missing_file(tmp_path: Path) -> None:
    result = run("detect", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "No such file" in result.stderr


def test_unknown_detector_names_the_nearest(metrics: Path) -> None:
    result = run("detect", metrics, "--detector", "rolling_zscor")
    assert result.exit_code == 2
    assert "Did you mean 'rolling_zscore'" in result.stderr


def test_debug_shows_where_an_error_came_from(metrics: Path) -> None:
    for words in (("--debug", "detect", metrics, "--gap", "x"), ("detect", metrics, "--gap", "x", "--debug")):
        result = run(*words)
        assert result.exception is not None
        assert "gap" in str(result.exception)


def test_explain_names_point_band_and_policy(metrics: Path) -> None:
    said = run("explain", metrics, *QUICK, "--at", "2024-01-01T04:10").stdout
    assert "cpu at 1 Jan 2024 04:10 is 4" in said
    assert "An alert opened" in said
    quiet = run("explain", metrics, *QUICK, "--direction", "below", "--at", "2024-01-01T04:10Z").stdout
    assert "Suppressed: on the side that is not watched" in quiet
    document = json.loads(run("explain", metrics, *QUICK, "--at", "2024-01-01T04:10:30Z", "--json").stdout)
    assert document["time"] == "2024-01-01T04:10:00Z"
    assert document["anomaly_score"] > 1


def test_explain_asks_for_the_series_and_the_time(metrics: Path) -> None:
    wide = metrics.with_name("wide.csv")
    wide.write_text("timestamp,cpu,load\n2024-01-01T00:00Z,1,2\n2024-01-01T00:01Z,1,2\n")
    several = run("explain", wide, "--at", "2024-01-01T00:01Z")
    assert several.exit_code == 2
    assert "--series: cpu; load" in several.stderr
    unknown = run("explain", wide, "--at", "2024-01-01T00:01Z", "--series", "disk")
    assert "Unknown series 'disk'" in unknown.stderr
    early = run("explain", wide, "--at", "2023-01-01", "--series", "cpu")
    assert "begins at 2024-01-01T00:00:00Z" in early.stderr


def test_detectors_are_listed(tmp_path: Path) -> None:
    listed = run("detectors", width=120).stdout
    assert "rolling_zscore" in listed
    assert "bytes a series" in listed
    one = run("detectors", "rolling_zscore", width=120).stdout
    assert "window" in one
    document = json.loads(run("detectors", "--json").stdout)
    known = {d["name"]: d for d in document["detectors"]}
    assert known["rolling_zscore"]["state_bytes"] > 0
    assert run("detectors", "nothing").exit_code == 2


def test_version_and_module() -> None:
    assert run("--version").stdout == f"watchband {__version__}\n"
    done = subprocess.run([sys.executable, "-m", "watchband", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"watchband {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom watchband.apps.cli.main import main\nsys.argv = ['watchband', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('pyarrow', 'matplotlib', 'pandas', 'polars', 'narwhals') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def commands() -> list[str]:
    """Every command, and those of the groups; the demo's flags stand on a page of its own."""
    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    found = [""]
    for name in sorted({*root.list_commands(typer.Context(root))} - {"demo"}):
        command = root.get_command(typer.Context(root), name)
        found.append(name)
        if isinstance(command, typer.core.TyperGroup):
            found += [f"{name} {inner}" for inner in command.list_commands(typer.Context(command))]
    return found


def helps() -> dict[str, str]:
    texts = {c.replace(" ", "-") or "watchband": run(*c.split(), "--help").stdout for c in commands()}
    return {name: re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE) for name, text in texts.items()}


def test_help_is_golden() -> None:
    """Rewrite with: python -m tests.apps.test_cli (see the end of this file)."""
    for name, text in helps().items():
        assert text == (HELP / f"{name}.txt").read_text(), f"--help of {name} changed"


def test_every_flag_is_documented_and_none_is_invented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(helps().values())))
    documented = set(re.findall(r"`(--[a-z][a-z-]*)", page))
    assert flags - documented == set()
    assert documented - flags == set()


def test_output_is_plain_without_a_terminal(metrics: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "watchband", "detect", str(metrics), *QUICK],
        capture_output=True, check=True, env={"PATH": "", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""
    assert io.BytesIO(done.stdout).readline().startswith(b"metrics.csv")


if __name__ == "__main__":
    HELP.mkdir(parents=True, exist_ok=True)
    for stem, golden in helps().items():
        (HELP / f"{stem}.txt").write_text(golden)
