"""Labels: as point windows, and to files and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from watchband.apps.library.labels import read_labels, write_labels
from watchband.core.errors import ConfigError, DataError, UnknownNameError
from watchband.evaluation.labels import Label, labels_of, windows
from watchband.evaluation.metrics.events import count_events

DAY = 1_392_336_000_000_000_000
LABELS = [
    Label('cpu{host="a,b"}', DAY, DAY + 59_000_000_001, "spike", DAY + 60_000_000_000, 4.25),
    Label("cpu", DAY + 7, DAY + 7, "holiday", expect="quiet"),
    Label("", DAY, DAY + 5_000_000_000, "cascade", incident="incident-1", root=True, expect="adapt"),
]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".ndjson", ".parquet"])
@pytest.mark.parametrize("count", [0, 3])
def test_labels_come_back_from_every_format(tmp_path: Path, suffix: str, count: int) -> None:
    path = tmp_path / f"labels{suffix}"
    write_labels(path, LABELS[:count])
    found = read_labels(path)
    assert [str(label) for label in found] == [str(label) for label in LABELS[:count]]


def test_start_and_end_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("start,end\n2014-02-14 00:00:00,2014-02-14T00:05:00+00:00\n")
    assert str(read_labels(path)) == str([Label("", DAY, DAY + 300_000_000_000)])


def test_numbers_are_times_by_their_size_with_or_without_a_fraction(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('[{"start": 1392336000.0, "end": 1392336000000.0}, {"start": 1392336000, "end": 1392336000000}]')
    assert [(a.start, a.end) for a in read_labels(path)] == [(DAY, DAY)] * 2


def test_windows_of_the_numenta_benchmark(tmp_path: Path) -> None:
    path = tmp_path / "combined_windows.json"
    spans = [["2014-02-14 00:00:00.000000", "2014-02-14 00:05:00.000000"]]
    path.write_text(json.dumps({"cloud/cpu_1.csv": spans, "cloud/quiet.csv": []}))
    found = read_labels(path)
    assert [(a.series, a.start, a.end - a.start) for a in found] == [("cloud/cpu_1.csv", DAY, 300_000_000_000)]
    assert labels_of(found, "cpu_1") == labels_of(found, "any", "/data/cloud/cpu_1.csv") == found
    assert labels_of(found, "cpu_1", "/data/other/cpu_1.csv") == labels_of(found, "cpu_11") == []
    path.write_text(json.dumps({"cloud/cpu_1.csv": ["2014-02-14 00:00:00"]}))
    assert [(a.start, a.end) for a in read_labels(path)] == [(DAY, DAY)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "start,stop\n2014-02-14,2014-02-15\n", "label 1 has no end.*start, stop"),
        ("a.csv", "start,end\n2014-02-14,soon\n", "label 1: 'soon' is not a time"),
        ("a.csv", "start,end\n2014-02-15,2014-02-14\n", "label 1.*start <= end"),
        ("a.csv", 'start,end\n"' + "x" * 140_000, "cannot be read as labels: field larger"),
        ("a.json", '[{"start": Infinity, "end": 3}]', "label 1: 'inf' is not a time"),
        ("a.json", '[{"start": 1, "end": 1e30}]', "label 1: 1e\\+30 is beyond"),
        ("a.json", '[{"start": 1, "end": 2, "size": [1]}]', "label 1: float"),
        ("a.json", "[" * 100_000, "cannot be read as labels"),
        ("a.json", '{"a": 3}', "path/file.csv"),
        ("a.json", '{"a": [["2014-02-14"]]}', "a start and an end"),
        ("a.json", "[3]", "is an object"),
        ("a.json", "3", "an array of labels"),
        ("a.jsonl", "{", "cannot be read as labels"),
        ("a.parquet", "PAR?", "cannot be read as labels"),
    ],
)
def test_what_is_no_label_is_told_where(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_labels(path)


def test_what_is_no_label_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ends in one of"):
        read_labels(tmp_path / "labels.txt")
    with pytest.raises(ConfigError, match="ends in one of"):
        write_labels(tmp_path / "labels", [])
    with pytest.raises(ConfigError, match="No such label file"):
        read_labels(tmp_path / "labels.csv")


def test_what_a_label_cannot_be() -> None:
    with pytest.raises(ConfigError, match="start <= end <= settled"):
        Label("cpu", 5, 4)
    with pytest.raises(ConfigError, match=r"starts at 2024-01-10T01:00:00\.000Z, ends at 1970-"):
        Label("cpu", 1_704_848_400_000_000_000, 0)
    with pytest.raises(ConfigError, match="start <= end <= settled"):
        Label("cpu", 5, 6, settled=5)
    with pytest.raises(UnknownNameError, match="Did you mean 'quiet'"):
        Label("cpu", 5, 6, expect="quite")


def test_windows_count_what_must_be_found() -> None:
    times = np.arange(100) * 10
    labels = [
        Label("", 500, 600, settled=650),
        Label("", 95, 101),
        Label("", 201, 209),
        Label("", 700, 800, expect="quiet"),
        Label("", 10_000, 10_001),
    ]
    found = windows(labels, times)
    assert found.tolist() == [[10, 10, 10], [50, 60, 65]]
    assert windows(labels, times, expect=("quiet",)).tolist() == [[70, 80, 80]]
    assert windows([], times).shape == (0, 3)
    counts = count_events(np.array([10, 64, 75]), found, 100)
    assert (counts.found, counts.missed, counts.false) == (1, 1, 1)


def test_labels_without_a_name_are_those_of_the_only_series() -> None:
    assert labels_of(LABELS, "cpu", only=True) == LABELS[1:]
    assert labels_of(LABELS, 'cpu{host="a,b"}') == LABELS[:1]
