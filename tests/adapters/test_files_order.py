"""Stacked hosts, rows out of order, several files: which value belongs to whom, and the way back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.adapters.conftest import Read, read_paths
from watchband.adapters.sources.files import FileBatch, blocks, open_table
from watchband.adapters.sources.files.hints import BATCH_VALUES_MAX

Reader = Callable[..., Read]
CLOUDWATCH = [
    "CPUUtilization", "MemoryUtilization", "DiskReadBytes_MB", "DiskWriteBytes_MB", "NetworkIn_MB", "NetworkOut_MB",
    "Latency_ms", "DiskQueueLength", "RunningProcesses", "ActiveConnections", "DiskReadOps", "DiskWriteOps",
    "StatusCheckFailed", "EBSBurstBalance_MB", "EBSVolumeReadBytes_MB", "EBSVolumeWriteBytes_MB",
    "EBSVolumeReadOps", "EBSVolumeWriteOps", "EBSVolumeTotalIOs", "EBSConsumedReadOps", "EBSConsumedWriteOps",
    "EBSConsumedIOs", "EBSConsumedReadBytes_MB", "EBSConsumedWriteBytes_MB",
]  # fmt: skip


def cloudwatch(hosts: int = 4, rows: int = 4033) -> str:
    """Hosts stacked without an id: 25 columns, five minutes, 17 February to 3 March 2025."""
    start = np.datetime64("2025-02-17T00:00") + np.arange(rows) * np.timedelta64(5, "m")
    stamps = [f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02}" for t in start.tolist()]
    lines = ["Timestamp," + ",".join(CLOUDWATCH)]
    for host in range(hosts):
        for k, stamp in enumerate(stamps):
            cells = [f"{host * 1000 + c}.{k % 100:02}" for c in range(len(CLOUDWATCH))]
            cells[12] = str(int(k % 200 == 3))
            lines.append(",".join([stamp, *cells]))
    return "\n".join(lines) + "\n"


def test_the_cloudwatch_layout_with_four_stacked_hosts(tmp_path: Path) -> None:
    path = tmp_path / "hosts.csv"
    path.write_text(cloudwatch())
    with open_table(path) as table:
        got_keys = [str(key) for key in table.keys]
        counts = np.zeros(len(got_keys), int)
        for batch in table.batches():
            assert len(batch) <= BATCH_VALUES_MAX
            counts += np.bincount(batch.row, minlength=len(counts))
            host, column = np.divmod(batch.row, 24)
            plain = column != 12
            assert (np.floor(batch.values)[plain] == (host * 1000 + column)[plain]).all()
            assert (batch.source_row // 4033 == host).all()
        profile = table.profile
    assert got_keys == [f'{name}{{part="{part}"}}' for part in "1234" for name in CLOUDWATCH]
    assert (counts == 4033).all()
    assert profile.ordered
    assert profile.rows == 4 * 4033
    assert "time runs backwards 3 times: read as 4 stacked hosts without an id" in "\n".join(profile.notes)
    assert "(M/D/YYYY without zone, read as UTC)" in profile.describe()[0]


def stacked(blocks: list[range], label: str = "") -> str:
    lines = ["timestamp,load" + (",disk" if label else "")]
    for number, block in enumerate(blocks):
        disk = f",{label[number]}" if label else ""
        lines += [f"2025-02-17 {k // 60:02}:{k % 60:02},{number}{disk}" for k in block]
    return "\n".join(lines) + "\n"


def test_hosts_stacked_within_labels(read: Reader) -> None:
    got = read(stacked([range(9), range(9), range(9)], "aab"))
    assert got.keys == ['load{disk="a",part="1"}', 'load{disk="a",part="2"}', 'load{disk="b"}']
    assert [{v for _, v in s} for s in got.series.values()] == [{0.0}, {1.0}, {2.0}]


def test_blocks_of_other_times_are_one_series_in_the_wrong_order(read: Reader) -> None:
    got = read(stacked([range(20, 40), range(20)]))
    assert got.keys == ["load"]
    assert "rows are not in time order; sorted by time in memory" in got.notes
    assert [v for _, v in got.series["load"]] == [1.0] * 20 + [0.0] * 20


def test_a_label_that_explains_the_order_needs_no_parts(read: Reader) -> None:
    got = read(stacked([range(9), range(9)], "ab"))
    assert got.keys == ['load{disk="a"}', 'load{disk="b"}']
    assert got.profile.ordered


def test_sorted_files_keep_the_way_back(read: Reader) -> None:
    minutes = np.random.default_rng(7).permutation(500)
    text = "timestamp,a,b\n" + "".join(f"2025-02-17 {m // 60:02}:{m % 60:02},{m},{-m}\n" for m in minutes)
    got = read(text)
    assert not got.profile.ordered
    times, row, values = got.column("times"), got.column("row"), got.column("values")
    assert (np.diff(times[row == 0]) > 0).all()
    back = np.empty(1000)
    back[got.column("ordinal")] = values
    assert back[0::2].tolist() == minutes.tolist()
    assert back[1::2].tolist() == (-minutes).tolist()
    assert (got.column("source_row")[np.argsort(got.column("ordinal"))] == np.repeat(np.arange(500), 2)).all()


def test_newest_first(read: Reader) -> None:
    got = read("timestamp,load\n" + "".join(f"2025-02-17 00:{m:02},{m}\n" for m in range(59, -1, -1)))
    assert "rows stand newest first; sorted by time in memory" in got.notes
    assert [v for _, v in got.series["load"]] == list(range(60))
    assert got.column("source_row").tolist() == list(range(59, -1, -1))


def test_the_same_time_twice_is_kept(read: Reader) -> None:
    got = read("timestamp,load\n2025-02-17 00:00,1\n2025-02-17 00:00,2\n2025-02-17 00:05,3\n")
    assert [v for _, v in got.series["load"]] == [1.0, 2.0, 3.0]
    assert got.profile.ordered


def test_hosts_side_by_side_without_an_id_are_told(read: Reader) -> None:
    got = read("timestamp,load\n" + "".join(f"2025-02-17 00:{m:02},{h}\n" for m in range(9) for h in range(4)))
    assert "27 rows stand at the same time as the row before" in got.notes


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / f"{path.name}.csv").write_text(text)
    return folder


ROWS = "2025-02-17 00:00,1\n2025-02-17 00:05,2\n"


def test_files_that_give_the_same_key_are_told_apart(tmp_path: Path) -> None:
    folder = files(tmp_path, a="timestamp,load\n" + ROWS, b="timestamp,load\n" + ROWS, c="timestamp,value\n" + ROWS)
    got = read_paths(folder)
    assert got.keys == ['load{file="a"}', 'load{file="b"}', "c"]
    assert got.column("ordinal").tolist() == list(range(6))
    assert got.column("source_row").tolist() == list(range(6))
    assert [batch.row_start for batch in got.batches] == [0, 2, 4]


def test_equal_names_in_other_folders_are_told_apart(tmp_path: Path) -> None:
    folder = files(tmp_path, web__cpu="timestamp,value\n" + ROWS, db__cpu="timestamp,value\n" + ROWS)
    assert read_paths(folder).keys == ['cpu{file="db/cpu"}', 'cpu{file="web/cpu"}']


def test_columns_that_come_to_the_same_name_are_told_apart(read: Reader) -> None:
    got = read("timestamp,load,load\n2025-02-17 00:00,1,2\n")
    assert got.keys == ["load", "load_2"]
    assert "column 3 is a second 'load' and is read as 'load_2'" in got.notes


def test_batches_are_the_same_however_the_text_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hosts.csv"
    path.write_text(cloudwatch(hosts=2, rows=50))
    whole = joined(path)
    for size in (600, 1000, 4096):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        cut = joined(path)
        assert all(np.array_equal(one, two) for one, two in zip(whole, cut, strict=True))


def joined(path: Path) -> list[np.ndarray]:
    with open_table(path) as table:
        batches: list[FileBatch] = list(table.batches())
    for before, after in itertools.pairwise(batches):
        assert after.row_start == before.row_start + len(before)
    return [
        np.concatenate([getattr(b, n) for b in batches]) for n in ("row", "times", "values", "source_row", "ordinal")
    ]
