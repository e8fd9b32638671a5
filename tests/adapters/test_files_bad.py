"""What is wrong with a file is said: what, where, got, expected, do."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.adapters.conftest import Read, read_paths
from watchband.core.errors import ConfigError, DataError

Reader = Callable[..., Read]
GOOD = "timestamp,value\n2025-02-17 00:00,1\n2025-02-17 00:05,2\n"
BAD = {
    "empty": ("", r"cpu.csv is empty. Expected a table with a time column and a value column"),
    "blank": ("\n\n  \n", r"cpu.csv is empty"),
    "header only": ("timestamp,value\n", r"has only a header \('timestamp', 'value'\). Expected rows below it"),
    "comments only": ("# nothing\n# here\n", r"holds only comments"),
    "no time": ("a,b\n0.5,2\n0.7,1\n", r"has no time column. Got a \('0.5'\), b \('2'\)"),
    "no number": ("timestamp,host\n2025-02-17,web\n", r"has no numeric column. Got timestamp .*, host \('web'\)"),
    "times alone": ("2025-02-17\n2025-02-18\n", r"has no numeric column"),
    "no row with a time": ("timestamp,value\n,1\n,2\n", r"has no time column|no row with a time"),
    "binary": (bytes(range(256)) * 40, r"cpu.csv is not text: byte 0x00 at position 0"),
    "prose": ("Dear all,\nplease find attached\nthe metrics\n", r"has no readable row \(line 2: 1 cells, not 2"),
    "huge line": ("timestamp,value\n2025-02-17,1\n" + "x" * 4_000_000, r"a line is longer than 1,048,576 bytes, start"),
    "huge first line": ("x" * 3_000_000, r"a line is longer than 1,048,576 bytes"),
    "too many columns": (",".join(f"c{k}" for k in range(10_001)) + "\n", r"has 10,001 columns; at most 10,000"),
    "broken JSON": ('{"data": {"result": [{"metric": {}, "values": [[1', r"is not valid JSON"),
    "other JSON": ('{\n"a": 1\n}', r"got '{\"a\": 1}'. Expected a Prometheus range query"),
    "JSON numbers": ("[1, 2, 3]", r"got a list of '1'. Expected a Prometheus range query"),
    "empty JSON list": ("[]", r"holds no series: its list is empty"),
    "JSON without rows": ('{"a"\n', r"is not valid JSON|no JSON object"),
    "an error of Prometheus": (
        '{"status":"error","errorType":"bad_data","error":"parse error"}',
        r"is an error answer of Prometheus: bad_data: parse error. Query again",
    ),
    "deep JSON": ("[" * 100_000, r"nested too deeply|not valid JSON"),
    "damaged Parquet": (b"PAR1" + b"\x07" * 500, r"is a damaged Parquet file: "),
    "damaged gzip": (gzip.compress(GOOD.encode() * 5000)[:-400], r"is a damaged gzip file"),
    "zip archive": (b"PK\x03\x04" + bytes(20), r"is not text"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_what_is_wrong(read: Reader, name: str) -> None:
    content, message = BAD[name]
    with pytest.raises(DataError, match=message):
        read(content)


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_never_stops_the_others(tmp_path: Path, name: str) -> None:
    content, _ = BAD[name]
    (tmp_path / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "b.csv").write_text(GOOD)
    got = read_paths(tmp_path)
    assert got.keys == ["b"]
    (problem,) = got.problems
    assert "a.csv" in problem
    assert any(line.startswith("left out: ") for line in got.profile.describe())


def test_when_no_file_can_be_read(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.csv").write_text("")
    with pytest.raises(DataError, match=r"None of the 4 files can be read. .*a.csv is empty.*b.csv is empty"):
        read_paths(tmp_path)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file or directory: '.*gone\.csv'"):
        read_paths(tmp_path / "gone.csv")
    with pytest.raises(ConfigError, match=r"No file matches '.*\*\.csv' in "):
        read_paths(tmp_path / "*.csv")
    with pytest.raises(ConfigError, match="holds no file with a known suffix"):
        read_paths(tmp_path)
    with pytest.raises(ConfigError, match="No file to read"):
        read_paths([])


def test_a_cell_that_is_no_number_is_missing_and_counted(read: Reader) -> None:
    lines = ["1", "oops", "", "NaN", "n/a", "4%", " 5 ", "1e3", "inf", "0x10", "--"]
    got = read("timestamp,value\n" + "".join(f"2025-02-17 00:{k:02},{v}\n" for k, v in enumerate(lines)))
    values = got.column("values")
    nan = np.nan
    assert np.array_equal(values, [1, nan, nan, nan, nan, 4, 5, 1000, np.inf, nan, nan], equal_nan=True)
    assert "2 cells of column 'value' are no number and missing (line 3: 'oops'; line 11: '0x10')" in got.notes


def test_ragged_rows_are_set_aside_and_named(read: Reader) -> None:
    got = read("timestamp,value\n2025-02-17 00:00,1\n2025-02-17 00:01\n\n2025-02-17 00:02,3,9\n2025-02-17 00:03,4\n")
    assert got.column("values").tolist() == [1, 4]
    assert got.column("source_row").tolist() == [0, 3]
    assert got.column("ordinal").tolist() == [0, 1]
    assert "2 rows set aside: wrong number of cells (line 3: 1 cells, not 2; line 5: 3 cells, not 2)" in got.notes


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.rstrip().encode(),
        GOOD.replace("\n", "\n\n").encode(),
        GOOD.encode("utf-16"),
        b"\xfe\xff" + GOOD.encode("utf-16-be"),
        b"# exported today\n# by hand\n" + GOOD.encode(),
        b"sep=,\n" + GOOD.encode(),
        b"#" + GOOD.encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace(",", "|").encode(),
        GOOD.replace(",", " , ").encode(),
        GOOD.replace("2025-02-17 00:05", '"2025-02-17 00:05"').replace(",2", ',"2"').encode(),
        GOOD.replace(",1", ";1,0").replace(",2", ";2,0").replace(",value", ";value").encode(),
        gzip.compress(GOOD.encode(), mtime=0),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_ways_to_write_the_same_table(read: Reader, text: bytes) -> None:
    assert read(text).series == {"cpu": [("2025-02-17T00:00", 1.0), ("2025-02-17T00:05", 2.0)]}


def test_latin_letters(read: Reader) -> None:
    assert read("timestamp,Temperatur °C\n2025-02-17,1\n".encode("latin-1")).keys == ["Temperatur °C"]
    late = GOOD.encode() + b"2025-02-17 00:05,2\n" * 20_000 + "2025-02-17 00:05,2°\n".encode("latin-1")
    assert "line 20004: '2\N{REPLACEMENT CHARACTER}'" in read(late).notes


def test_mixed_types_in_a_column(read: Reader) -> None:
    got = read('{"t": "2025-02-17 00:00", "v": 1}\n{"t": "2025-02-17 00:01", "v": "2"}\n'
               '{"t": "2025-02-17 00:02", "v": true}\n{"t": "2025-02-17 00:03", "v": [3]}\n')  # fmt: skip
    assert got.column("values")[:3].tolist() == [1, 2, 1]
    assert "1 cell of column 'v' is no number and missing (line 4: '[3]')" in got.notes


def test_a_bomb_is_refused(read: Reader) -> None:
    line = b"2025-02-17 00:00,1\n"
    with pytest.raises(DataError, match="grows more than 200-fold when unpacked"):
        read(gzip.compress(b"timestamp,value\n" + line * 2_000_000), "cpu.csv.gz")


def test_a_file_of_random_bytes_never_crashes(read: Reader) -> None:
    dice = random.Random(5)
    marks = [b"", b"[", b"{", b"PAR1", b"\x1f\x8b", b"timestamp,value\n", b'{"data":{"result":[', b"\xff\xfe"]
    texts = b'0123456789,;"\n\t{}[]:-.eE\r \xc3\x00'
    refused = 0
    for k in range(80):
        noise = bytes(dice.choices(texts if k % 2 else range(256), k=300))
        try:
            read(marks[k % len(marks)] + noise)
        except (DataError, ConfigError) as error:
            refused += "cpu.csv" in str(error)
    assert refused > 60
