"""``watchband inject`` and ``wb.inject``: only what a fault changes is written anew, and labels say what that is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import watchband as wb
from tests.apps.test_simulate import read
from watchband.apps.cli.main import app
from watchband.apps.library.labels import read_labels
from watchband.apps.library.simulation import injection
from watchband.core.errors import ConfigError, DataError
from watchband.evaluation.simulate.fault_types import FAULT_TYPES
from watchband.evaluation.simulate.inject import Given, inject
from watchband.evaluation.simulate.placing import FaultSpec

MINUTE = 60_000_000_000
N = 900
TIMES = 1_704_067_200_000_000_000 + MINUTE * np.arange(N)
VALUES = np.round(50 + 10 * np.sin(np.arange(N) / 60) + np.random.default_rng(1).normal(0, 1, N), 2)
STAMPS = [str(t)[:16].replace("T", " ") for t in TIMES.view("M8[ns]")]


def run(*words: str | Path) -> Result:
    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"})
    return runner.invoke(app, ["inject", *map(str, words)], prog_name="watchband")


def wide() -> str:
    head = "# made by hand\r\ntimestamp,cpu,load,comment\r\n"
    return head + "".join(
        f'{t},"{v}",{v * 2:.1f}%,"a ""{i % 2}"", c"\r\n' for i, (t, v) in enumerate(zip(STAMPS, VALUES, strict=True))
    )


@pytest.mark.parametrize("fault", FAULT_TYPES)
def test_labels_say_exactly_what_changed(fault: str) -> None:
    found = inject(TIMES, VALUES, [FaultSpec(fault)], series="cpu", seed=4)
    (label,) = found.labels
    changed = TIMES[(found.values != VALUES)]
    assert (label.series, label.fault, label.expect) == ("cpu", fault, FAULT_TYPES[fault].expect)
    assert label.start == changed[0]
    assert (changed[-1] == TIMES[-1]) if FAULT_TYPES[fault].stays else (changed[-1] == label.end)
    before = label.start > TIMES
    assert found.values[before].tobytes() == VALUES[before].tobytes()
    if not FAULT_TYPES[fault].stays:
        after = label.end < TIMES
        assert found.values[after].tobytes() == VALUES[after].tobytes()
    kept = found.values[~found.removed]
    assert (np.round(kept, 2) == kept).all()
    assert (kept >= 0).all()
    assert found.removed.any() == (fault == "gap")
    again = inject(TIMES, VALUES, [FaultSpec(fault)], series="cpu", seed=4)
    assert again.values.tobytes() == found.values.tobytes()


def test_sizes_are_in_units_of_the_series_own_noise() -> None:
    assert Given(TIMES, VALUES).noise == pytest.approx(1, rel=0.15)
    found = inject(TIMES, VALUES, [FaultSpec("spike", 0.5, size=8.0, points=1)])
    assert found.values[450] - VALUES[450] == pytest.approx(8, rel=0.15)
    louder = inject(TIMES, 100 * VALUES, [FaultSpec("spike", 0.5, size=8.0, points=1)])
    assert louder.values[450] - 100 * VALUES[450] == pytest.approx(800, rel=0.15)
    # A spike that is there already does not make the noise larger.
    spiked = VALUES.copy()
    spiked[100:105] += 500
    assert Given(TIMES, spiked).noise == pytest.approx(1, rel=0.2)


def test_series_that_stand_still_or_count() -> None:
    whole = np.random.default_rng(0).poisson(3, N).astype(float)
    found = inject(TIMES, whole, [FaultSpec("spike", 0.5, size=-30.0), FaultSpec("level_shift", 0.6)])
    assert (found.values == np.round(found.values)).all()
    assert found.values.min() == 0
    still = inject(TIMES, np.full(N, 7.0), [FaultSpec("spike", 0.5)])
    assert still.labels
    with pytest.raises(ConfigError, match="cannot have a flat_line"):
        inject(TIMES, np.full(N, 7.0), [FaultSpec("flat_line")])


def test_missing_values_stay_missing() -> None:
    holes = VALUES.copy()
    holes[440:460] = np.nan
    found = inject(TIMES, holes, [FaultSpec("level_shift", 0.48, size=5.0, points=60)])
    assert np.isnan(found.values[440:460]).all()
    assert (found.values[[432, 491]] != holes[[432, 491]]).all()
    with pytest.raises(DataError, match="no value at all"):
        inject(TIMES, np.full(N, np.nan), [FaultSpec("spike")])
    with pytest.raises(DataError, match="do not strictly ascend"):
        inject(TIMES[::-1].copy(), VALUES, [FaultSpec("spike")])


def test_uneven_times() -> None:
    times = np.sort(TIMES + np.random.default_rng(3).integers(0, MINUTE // 2, N))
    times[500:] += 3600 * 10**9
    found = inject(
        times,
        VALUES,
        [
            FaultSpec("gap", int(times[300]), lasts=10 * MINUTE),
            FaultSpec("dip", after=int(times[600] - times[0]), points=2),
        ],
    )
    assert np.flatnonzero(found.removed).tolist() == list(
        range(300, int(np.searchsorted(times, times[300] + 10 * MINUTE)))
    )
    assert [int(t) for a in found.labels[1:] for t in (a.start, a.end)] == times[600:602].tolist()
    with pytest.raises(ConfigError, match=r"would begin (before|after) the (first|last) of the 900 points"):
        inject(times, VALUES, [FaultSpec("spike", int(times[-1]) + 1)])
    with pytest.raises(ConfigError, match=r"would begin (before|after) the (first|last) of the 900 points"):
        inject(times, VALUES, [FaultSpec("spike", int(times[0]) - 1)])


def test_csv_keeps_every_other_byte(tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_bytes(wide().encode())
    at = STAMPS[400].replace(" ", "T")
    result = run(
        path,
        "--fault",
        f"spike@{at}:size=9,for=2",
        "--fault",
        "gap@60%:for=3,series=load",
        "--series",
        "cpu",
        "--out",
        out,
    )
    assert result.exit_code == 0, result.stderr
    old, new = (p.read_bytes().split(b"\r\n") for p in (path, out))
    different = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert different == [402, 403, 542, 543, 544]
    assert new[402].startswith(STAMPS[400].encode() + b',"')
    assert new[402].endswith(old[402].partition(b'",')[2])
    assert new[542] == old[542].replace(old[542].split(b",")[2], b"")
    labels = read_labels(tmp_path / "b.csv.labels.csv")
    assert [(a.series, a.fault) for a in labels] == [("cpu", "spike"), ("load", "gap")]
    assert "spike: cpu, 2024-01-01T06:40:00Z to 2024-01-01T06:41:00Z, +9.0 noise" in result.stdout


def formats(tmp_path: Path) -> dict[str, Path]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"timestamp": t, "cpu": v, "inner": {"note": "ä"}} for t, v in zip(STAMPS, VALUES.tolist(), strict=True)]
    seconds = (TIMES // 10**9).tolist()
    pairs = [[t, f"{v}"] for t, v in zip(seconds, VALUES.tolist(), strict=True)]
    series = [{"metric": {"__name__": "cpu", "host": h}, "values": pairs} for h in "ab"]
    texts = {
        "plain.csv": "timestamp;cpu\n"
        + "".join(f"{t};{str(v).replace('.', ',')}\n" for t, v in zip(STAMPS, VALUES, strict=True)),
        "utf16.csv": "",
        "rows.jsonl": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows),
        "rows.json": json.dumps([{"timestamp": t, "cpu": v} for t, v in zip(STAMPS, VALUES.tolist(), strict=True)]),
        "cpu.json": json.dumps(pairs),
        "prom.json": json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}}),
    }
    found = {name: tmp_path / name for name in texts}
    for name, path in found.items():
        path.write_text(texts[name], encoding="utf-8")
    plain = texts["plain.csv"]
    found["utf16.csv"].write_bytes(b"\xff\xfe" + plain.encode("utf-16-le"))
    found["zipped.csv.gz"] = tmp_path / "zipped.csv.gz"
    found["zipped.csv.gz"].write_bytes(gzip.compress(plain.encode()))
    found["long.parquet"] = tmp_path / "long.parquet"
    table = {
        "timestamp": pa.array(TIMES).cast(pa.timestamp("ns")),
        "host": ["a", "b"] * (N // 2),
        "cpu": pa.array(VALUES, pa.float32()),
    }
    pq.write_table(pa.table(table), found["long.parquet"])
    return found


FORMATS = (
    "plain.csv",
    "utf16.csv",
    "rows.jsonl",
    "rows.json",
    "cpu.json",
    "prom.json",
    "zipped.csv.gz",
    "long.parquet",
)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_in_its_own_form(tmp_path: Path, name: str) -> None:
    path = formats(tmp_path)[name]
    result = run(path, "--random", "4", "--seed", "5", "--fault", "spike", "--fault", "gap:for=4", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    out = Path(document["files"][0])
    assert out.name == name.replace(".", ".injected.", 1)
    before, after = read(path), read(out)
    labels = read_labels(document["files"][1])
    assert sorted(a.fault for a in labels) == ["gap", "gap", "spike", "spike"]
    stem, new = path.name.partition(".")[0], out.name.partition(".")[0]
    for key, (times, values) in before.items():
        mine = [a for a in labels if a.series == key]
        inside = np.zeros(len(times), bool)
        gone = np.zeros(len(times), bool)
        for label in mine:
            here = (times >= label.start) & (times <= label.end)
            inside |= here
            gone |= here & (label.fault == "gap")
        new_times, new_values = after[key.replace(stem, f"{stem}.injected", 1) if key.startswith(stem) and new else key]
        assert new_times.tolist() == times[~gone].tolist()
        assert new_values[~inside[~gone]].tobytes() == values[~inside].tobytes()
        assert (new_values[inside[~gone]] > values[inside & ~gone]).all()


def test_a_file_that_stands_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{t},{v}\n" for t, v in zip(STAMPS, VALUES, strict=True)]
    path.write_text("timestamp,cpu\n" + "".join(reversed(rows)))
    found = wb.inject(path, [f"dip@{STAMPS[300].replace(' ', 'T')}:size=-6,for=2"])
    found.write(tmp_path / "b.csv")
    old, new = (p.read_text().splitlines() for p in (path, tmp_path / "b.csv"))
    assert [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b] == [N - 301, N - 300]


def test_readings_that_stand_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{t},{v}\n" * (2 if i % 10 == 0 else 1) for i, (t, v) in enumerate(zip(STAMPS, VALUES, strict=True))]
    path.write_text("timestamp,cpu\n" + "".join(rows))
    gap, spike = (STAMPS[i].replace(" ", "T") for i in (400, 500))
    wb.inject(path, [f"gap@{gap}:for=4", f"spike@{spike}:for=1"]).write(tmp_path / "b.csv")
    old, new = (p.read_text().splitlines() for p in (path, tmp_path / "b.csv"))
    assert len(old) - len(new) == 5
    changed = [line for line in new if line not in old]
    assert len(changed) == 2
    assert len(set(changed)) == 1


def test_what_cannot_be_written_faithfully_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(wide().encode())
    found = wb.inject(path, ["spike@50%:series=cpu"])
    rewrite = injection.rewrite

    def careless(file: Any, changes: Any, target: Path) -> None:
        rewrite(file, changes, target)
        target.write_text(target.read_text().replace(f'"{VALUES[7]}"', '"1.0"', 1))

    monkeypatch.setattr(injection, "rewrite", careless)
    with pytest.raises(DataError, match="other values of cpu would change"):
        found.write(tmp_path / "b.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_lines_with_other_kinds_of_line_ends_in_their_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {"timestamp": t, "cpu": v, "comment": f"a\u2028b{i % 2}"}
        for i, (t, v) in enumerate(zip(STAMPS, VALUES, strict=True))
    ]
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    wb.inject(path, ["gap@50%:for=3"]).write(tmp_path / "b.jsonl")
    old, new = (p.read_text(encoding="utf-8").split("\n") for p in (path, tmp_path / "b.jsonl"))
    assert old[:450] + old[453:] == new


def test_frames_and_arrays_stay_in_memory() -> None:
    found = wb.inject((TIMES, VALUES), ["dip@50%:size=-6,for=2", "gap@70%:for=5"])
    ((times, values),) = found.values.values()
    assert len(times) == N - 5
    assert (values != VALUES[np.isin(TIMES, times)]).sum() == 2
    assert [a.size for a in found.labels][:1] == [-6]
    with pytest.raises(ConfigError, match="from memory"):
        found.write("x.csv")


def test_random_faults_go_to_any_series_and_repeat(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(wide().encode())
    one, two, other = (wb.inject(path, random=5, seed=s).labels for s in (1, 1, 2))
    assert [str(a) for a in one] == [str(a) for a in two]
    assert [str(a) for a in one] != [str(a) for a in other]
    assert len(one) == 5
    assert {a.series for s in range(4) for a in wb.inject(path, random=3, seed=s).labels} == {"cpu", "load"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "No fault is asked for"),
        (("--fault", "spike@50%"), "Say which one the spike is for"),
        (("--fault", "spike@50%", "--series", "cpuu"), "Did you mean 'cpu'"),
        (("--fault", "gap@50%:for=20", "--fault", "spike@51%", "--series", "cpu"), "overlap"),
        (("--fault", "spike@2030-01-01", "--series", "cpu"), "after the last of the 900 points"),
        (("--random", "1", "--out", "a.csv"), "the original stays as it is"),
        (("--random", "1", "--labels", "labels.txt"), "no label file"),
        (("--random", "-1"), "--random"),
        (("--random", "1", "--plot", "a.png", "--theme", "x"), "light or dark"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_bytes(wide().encode())
    result = run("a.csv", *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert Path("a.csv").read_bytes() == wide().encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_what_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Standard input"):
        wb.inject("-", random=1)
    for name in "ab":
        (tmp_path / f"{name}.csv").write_bytes(wide().encode())
    with pytest.raises(ConfigError, match="one file at a time"):
        wb.inject(tmp_path, random=1)


def test_a_picture_of_what_was_changed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(wide().encode())
    result = run(tmp_path / "a.csv", "--random", "2", "--plot", tmp_path / "a.png", "--quiet")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,value\n" + "".join(f"{1_700_000_000 + 60 * i},{i % 7}\n" for i in range(300)))
    found = run(tmp_path / "a.csv", "--fault", "spike@50%", "--out", tmp_path / "no" / "b.csv")
    assert found.exit_code == 2
    assert "there is no folder" in found.stderr
    assert found.stderr.count("\n") == 1


def test_the_picture_shows_the_series_that_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from watchband.apps.library.simulation import picture

    shown: list[str] = []
    monkeypatch.setattr(picture, "draw_picture", lambda panels, *_, **__: shown.extend(name for name, *_ in panels))
    wide = wb.simulate("cpu", series=20, length="1d").write(tmp_path / "a.csv")
    fault = 'spike@50%:series=cpu{series="18"}'
    found = run(wide, "--fault", fault, "--out", tmp_path / "b.csv", "--plot", tmp_path / "b.png")
    assert found.exit_code == 0, found.stderr
    assert shown == ['cpu{series="18"}']
