"""``watchband risk``: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.apps.test_cli import run
from watchband.apps.library.outputs.folder import check_target
from watchband.evaluation.simulate.scenes.hosts import INCIDENTS, hosts


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulator's four hosts, without the metrics that do not count."""
    path = tmp_path_factory.mktemp("hosts") / "hosts.csv"
    columns = {name: values for name, values in hosts().columns.items() if not name.startswith("EBS")}
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


@pytest.fixture(scope="module")
def made(table: Path) -> Path:
    """The folder of a run."""
    out = table.parent / "out"
    result = run("risk", table, "--out", out, "--save", table.parent / "risk.json", "--sample", "2000", width=110)
    assert result.exit_code == 0, result.stderr
    for words in ("4 entities, 10 metrics", "◆ Critical   6", "kmeans (used)", "no better than the usual share"):
        assert " ".join(words.split()) in " ".join(result.stdout.split())
    return out


def test_the_folder_holds_the_six_incidents(made: Path) -> None:
    names = {path.name for path in made.iterdir()}
    pictures = {"groups.png", "dendrogram.png", "pca.png", "tsne.png", "heatmap.png"}
    assert names == {"model.json", "labels.csv", "summary.json"} | pictures
    rows = list(csv.DictReader((made / "labels.csv").read_text().splitlines()))
    critical = [row for row in rows if row["state"] == "Critical"]
    assert [row["timestamp"][5:16].replace(" ", "T") for row in critical] == list(INCIDENTS)
    assert {row["entity"] for row in critical} == {"3"}
    assert {row["category"] for row in critical} == {"CPU bottleneck"}
    assert all("usual 8" in row["reason"] for row in critical)
    for name in pictures:
        assert (made / name).read_bytes().startswith(b"\x89PNG")


def test_a_folder_of_an_earlier_run_is_replaced(made: Path) -> None:
    check_target(made)
    assert json.loads((made / "summary.json").read_text())["files"][:2] == ["model.json", "labels.csv"]


def test_a_model_labels_other_files_the_same(made: Path, table: Path) -> None:
    result = run("risk", table, "--model", table.parent / "risk.json", "--json")
    assert result.exit_code == 0, result.stderr
    again, first = json.loads(result.stdout), json.loads((made / "summary.json").read_text())
    assert again["counts"] == first["counts"]
    assert again["entities"] == first["entities"]
    assert "evidence" not in again


def test_hosts_that_the_model_has_not_seen_are_told(made: Path, tmp_path: Path, table: Path) -> None:
    lines = table.read_text().splitlines()
    path = tmp_path / "new.csv"
    path.write_text("\n".join([f"host,{lines[0]}", *(f"web-9,{line}" for line in lines[1:600])]))
    result = run("risk", path, "--model", made / "model.json", width=110)
    assert result.exit_code == 0, result.stderr
    assert "1 of 1 entities were not seen when the model was fitted (web-9)" in result.stdout


def test_other_metrics_are_refused_with_what_is_missing(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("timestamp,host,temperature\n" + "".join(f"2024-01-01 00:{m:02},a,{m}\n" for m in range(30)))
    result = run("risk", path, "--model", made / "model.json")
    assert result.exit_code == 2
    assert "have no CPUUtilization" in result.stderr
    assert "They have temperature" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "pod"), "No series has the label pod. Labels of these files: part."),
        (("--feature", "CPUUtilisation"), "Unknown metric 'CPUUtilisation'. Did you mean 'CPUUtilization'?"),
        (("--feature", "CPUUtilization=speed"), "Unknown role of metric 'CPUUtilization' 'speed'"),
        (("--method", "magic"), "The method is one of kmeans"),
    ],
)
def test_what_is_mistyped_is_said(table: Path, words: tuple[str, ...], said: str) -> None:
    result = run("risk", table, *words)
    assert result.exit_code == 2
    assert said in result.stderr
