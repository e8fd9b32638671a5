"""The book of scored points: what was said is read back, within its limits, whatever happens to it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchband.adapters.stores.scored.block import FLOATS, IMPUTED, MISSING, Scored, decode, encode
from watchband.adapters.stores.scored.book import FILE, SMALL_MAX, ScoreBook
from watchband.core.duration import DAY, HOUR
from watchband.core.errors import StateCorruptError
from watchband.core.series import SeriesKey

MINUTE = 60_000_000_000


def keys(n: int) -> list[SeriesKey]:
    return [SeriesKey("cpu", {"host": f"h{k:03d}"}) for k in range(n)]


def said(n: int, series: int, at: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([n, series, at])
    found = {name: rng.normal(size=n * series) for name in ("y", *FLOATS)}
    return found | {"counted_score": found["anomaly_score"]}


def fill(book: ScoreBook, names: list[SeriesKey], first: int, n: int) -> dict[str, np.ndarray]:
    """``n`` minutes of every series, in one batch."""
    columns = said(n, len(names), first)
    row = np.repeat(np.arange(len(names)), n)
    book.add("w", names, row, np.tile((first + np.arange(n)) * MINUTE, len(names)), columns)
    return columns


def test_what_was_said_is_read_back_from_memory_and_from_disk(tmp_path: Path) -> None:
    names = keys(150)
    book = ScoreBook(tmp_path)
    a = fill(book, names, 0, 30)
    book.flush()
    b = fill(book, names, 30, 30)
    for reopened in (False, True):
        if reopened:
            book.close()
            book = ScoreBook(tmp_path)
        found = book.read("w", names[77], 10 * MINUTE, 50 * MINUTE)
        assert found.time.tolist() == [m * MINUTE for m in range(10, 50)]
        for name in ("y", *FLOATS):
            whole = np.r_[a[name].reshape(150, 30)[77], b[name].reshape(150, 30)[77]][10:50]
            exact = whole if name == "y" else whole.astype(np.float32)
            assert getattr(found, name).tolist() == exact.tolist(), name
    assert len(book.read("w", SeriesKey("never"), 0, 10**18)) == len(book.read("other", names[0], 0, 10**18)) == 0
    assert set(book.read_many("w", [*names, SeriesKey("never")], 0, 10**18)) == set(names)


def test_a_fold_that_says_it_again_changes_nothing(tmp_path: Path) -> None:
    names = keys(3)
    book = ScoreBook(tmp_path)
    fill(book, names, 0, 10)
    book.flush()
    before = book.read("w", names[1], 0, 10**18)
    fill(book, names, 0, 10)
    again = book.read("w", names[1], 0, 10**18)
    assert again.time.tolist() == before.time.tolist()
    assert again.anomaly_score.tolist() == pytest.approx(before.anomaly_score.tolist(), rel=1e-6)


def test_series_that_join_later_and_lists_that_change_keep_their_points(tmp_path: Path) -> None:
    names = keys(2)
    book = ScoreBook(tmp_path)
    fill(book, names, 0, 5)
    names.append(SeriesKey("late"))
    fill(book, names, 5, 5)
    fill(book, list(reversed(names)), 10, 5)
    assert [len(book.read("w", k, 0, 10**18)) for k in names] == [15, 15, 10]


def test_flags_tell_missing_from_imputed(tmp_path: Path) -> None:
    book = ScoreBook(tmp_path)
    columns = said(3, 1, 0)
    columns["y"][1] = np.nan
    book.add("w", keys(1), np.zeros(3, int), np.arange(3) * MINUTE, {**columns, "imputed": np.array([0, 0, 1], bool)})
    assert book.read("w", keys(1)[0], 0, 10**18).flags.tolist() == [0, MISSING, IMPUTED]


def test_what_is_written_every_few_minutes_is_put_together(tmp_path: Path) -> None:
    names = keys(70)
    book, whole = ScoreBook(tmp_path), []
    for batch in range(2 * SMALL_MAX + 5):
        whole.append(fill(book, names, 5 * batch, 5)["y"].reshape(70, 5)[69])
        book.flush()
        # The last is said again: what was said last holds, however blocks were put together.
        whole.append(fill(book, names, 5 * batch + 4, 1)["y"].reshape(70, 1)[69])
        whole[-2] = whole[-2][:4]
        book.flush()
    blocks = book._db.execute("SELECT count(*) FROM blocks").fetchone()[0]
    assert blocks <= 2 * (SMALL_MAX + 2)
    found = book.read("w", names[69], 0, 10**18)
    assert found.time.tolist() == [m * MINUTE for m in range(5 * (2 * SMALL_MAX + 5))]
    assert found.y.tolist() == np.concatenate(whole).tolist()


def test_what_is_too_old_or_too_much_goes_oldest_first(tmp_path: Path) -> None:
    names = keys(2)
    book = ScoreBook(tmp_path, keep=DAY)
    for hour in range(0, 72, 6):
        fill(book, names, hour * 60, 360)
        book.flush()
    kept = book.read("w", names[0], 0, 10**18).time
    assert kept[-1] == (72 * 60 - 1) * MINUTE
    assert kept[-1] - DAY - 6 * 3600 * 10**9 <= kept[0]
    small = ScoreBook(tmp_path / "small", bytes_max=400_000)
    for batch in range(40):
        fill(small, keys(70), batch * 20, 20)
        small.flush()
        assert small.file_bytes <= 400_000
    assert small.read("w", keys(70)[69], 0, 10**18).time[-1] == (40 * 20 - 1) * MINUTE


def test_what_is_no_longer_kept_is_there_by_the_hour(tmp_path: Path) -> None:
    names = keys(70)
    book = ScoreBook(tmp_path, keep=DAY)
    whole = {name: [] for name in ("y", "anomaly_score")}
    for part in range(72):
        columns = fill(book, names, part * 60 + 30, 60)
        for name, kept in whole.items():
            kept.append(columns[name].reshape(70, 60)[69])
        # Not at the beginning of an hour: two blocks share one.
        book.flush()
    for reopened in (False, True):
        if reopened:
            book.close()
            book = ScoreBook(tmp_path, keep=DAY)
        points = book.read("w", names[69], 0, 10**18)
        hours = book.hours("w", names[69], 0, 10**18)
        assert (np.diff(hours.time // HOUR) == 1).all(), "an hour twice, or one that is missing"
        assert hours.count.sum() + len(points) == 72 * 60
        assert int(points.time[0]) - int(hours.time[-1]) <= HOUR
        assert hours.count.tolist()[:2] == [30, 60]
        y, score = np.concatenate(whole["y"]), np.concatenate(whole["anomaly_score"])
        second = slice(30, 90)
        assert hours.y_min[1] == y[second].min()
        assert hours.y_max[1] == pytest.approx(y[second].max(), rel=1e-6)
        assert hours.anomaly_score[1] == pytest.approx(score[second].max(), rel=1e-6)
        assert hours.anomalies[1] == (score[second] > 1).sum()
    assert not len(book.hours("w", SeriesKey("never"), 0, 10**18))
    part = book.hours("w", names[69], 2 * HOUR, 4 * HOUR)
    assert set((part.time // HOUR).tolist()) == {2, 3}
    book._db.execute("UPDATE hours SET body = x'00112233'")
    assert not len(book.hours("w", names[69], 0, 10**18))


def test_hours_go_as_well(tmp_path: Path) -> None:
    names = keys(2)
    book = ScoreBook(tmp_path, keep=DAY, keep_hours=3 * DAY)
    for day in range(6):
        fill(book, names, day * 1440, 1440)
        book.flush()
    first = book.hours("w", names[0], 0, 10**18).time[0]
    assert first // HOUR * HOUR == 3 * DAY


def test_a_damaged_file_is_begun_anew_and_a_damaged_block_left_out(tmp_path: Path) -> None:
    names = keys(1)
    book = ScoreBook(tmp_path)
    fill(book, names, 0, 5)
    book.flush()
    fill(book, names, 5, 5)
    book.flush()
    book._db.execute("UPDATE blocks SET body = x'00112233' WHERE rowid = 1")
    assert book.read("w", names[0], 0, 10**18).time.tolist() == [m * MINUTE for m in range(5, 10)]
    book.close()
    for path in tmp_path.glob(f"{FILE}*"):
        path.write_bytes(b"this is no database, " * 500)
    anew = ScoreBook(tmp_path)
    fill(anew, names, 0, 5)
    assert len(anew.read("w", names[0], 0, 10**18)) == 5


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.integers(0, 2**32), st.data())
def test_blocks_are_exact_and_damage_is_refused(counts: list[int], seed: int, data: st.DataObject) -> None:
    n = sum(counts)
    rng = np.random.default_rng(seed)
    points = Scored(
        rng.integers(-(2**62), 2**62, n),
        rng.normal(size=n),
        *(rng.normal(size=n).astype(np.float32).astype(float) for _ in FLOATS),
        rng.integers(0, 16, n).astype(np.uint8),
    )
    block = encode(np.arange(len(counts)), np.array(counts), points)
    series, found, back = decode(block)
    assert (series.tolist(), found.tolist()) == (list(range(len(counts))), counts)
    assert all(getattr(back, f).tolist() == getattr(points, f).tolist() for f in ("time", "y", *FLOATS, "flags"))
    at = data.draw(st.integers(0, len(block) - 1))
    with pytest.raises(StateCorruptError):
        decode(block[:at] + bytes([block[at] ^ 0x55]) + block[at + 1 :])
    with pytest.raises(StateCorruptError):
        decode(block[:at])


def test_a_score_that_is_drawn_takes_no_second_room_and_older_blocks_are_read() -> None:
    n, rng = 2000, np.random.default_rng(3)
    floats = {name: rng.normal(size=n).astype(np.float32).astype(float) for name in FLOATS}
    floats["anomaly_score"][:7] = floats["counted_score"][:7] = np.nan
    time, flags = np.arange(n) * 60, np.zeros(n, np.uint8)
    graded = Scored(time=time, y=np.arange(n) * 1.0, flags=flags, **floats)
    alone = replace(graded, counted_score=graded.anomaly_score)
    one = np.array([0]), np.array([n])
    assert len(encode(*one, alone)) < len(encode(*one, graded)) - 3 * n
    for points in (graded, alone):
        assert decode(encode(*one, points))[2].counted_score.tobytes() == points.counted_score.tobytes()
    # As a release before wrote it: five columns.
    columns = [np.array([0], "<u4"), np.array([n], "<u4"), np.diff(time, prepend=0).astype("<i8"), graded.y]
    columns += [*(getattr(graded, name).astype("<f4") for name in FLOATS[:5]), flags]
    body = struct.pack("<II", 1, n) + zlib.compress(
        b"".join(c.view(np.uint8).reshape(len(c), -1).T.tobytes() for c in columns)
    )
    old = decode(struct.pack("<4sI", b"WBS1", zlib.crc32(body)) + body)[2]
    assert old.counted_score.tobytes() == graded.anomaly_score.tobytes()
    assert old.alert_score.tolist() == graded.alert_score.tolist()
