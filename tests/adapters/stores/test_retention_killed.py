"""A process that is killed at any instant of retention, again and again: nothing is lost, nothing is twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from tests.pipeline.test_retention import ENTRIES, START, Now, everything, filled, hours, run
from watchband.adapters.stores.archive import FOLDER, ParquetArchive
from watchband.adapters.stores.memory import MemoryStore
from watchband.adapters.stores.sqlite.store import SqliteStore
from watchband.core.duration import DAY
from watchband.pipeline.retention import Retention

KILLS = 4


def program(directory: Path) -> str:
    return textwrap.dedent(f"""
        import sys
        sys.path[:0] = {sys.path!r}
        from pathlib import Path
        from tests.pipeline.test_retention import START, Now
        from watchband.adapters.stores import archive
        from watchband.adapters.stores.sqlite.store import SqliteStore
        from watchband.core.duration import DAY
        from watchband.pipeline import retention
        retention.STEP_POINTS, archive.FILES_MIN = 20, 3
        directory = Path({str(directory)!r})
        store = SqliteStore(directory)
        files = archive.ParquetArchive(directory / archive.FOLDER)
        import pyarrow.parquet
        print("begin", flush=True)
        while retention.Retention(store, archive=files, raw=DAY, clock=Now(START + 9 * DAY)).step():
            print("step", flush=True)
        print("end", flush=True)
    """)


def test_a_kill_at_any_instant_loses_and_doubles_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    archive = ParquetArchive(directory / FOLDER)
    store = filled(SqliteStore(directory))
    before = everything(store, archive)
    store.close()
    calm = filled(MemoryStore())
    run(Retention(calm, archive=ParquetArchive(tmp_path / "calm"), raw=DAY, clock=Now(START + 9 * DAY)))
    rng = random.Random(1)
    said = [""]
    killed = 0
    while said[-1] != "end":
        with subprocess.Popen([sys.executable, "-c", program(directory)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            if killed < KILLS:
                for _ in range(rng.randint(1, 4)):
                    process.stdout.readline()
                time.sleep(rng.random() * 0.03)
                process.send_signal(signal.SIGKILL)
            said = process.stdout.read().split() or [""]
            killed += process.wait() == -signal.SIGKILL
        store = SqliteStore(directory)
        assert everything(store, archive) == before, f"after {killed} kills"
        store.close()
    assert killed == KILLS, "it was over before it could be killed often"
    store = SqliteStore(directory)
    assert hours(store) == hours(calm)
    assert list(store.log("s", 0)) == []
    assert store.head("s") == ENTRIES
    on_disk = {p.relative_to(directory / FOLDER).as_posix() for p in (directory / FOLDER).glob("*/*.parquet")}
    assert {f.name for f in store.archived()} <= on_disk
    store.close()
