"""The labelled data, read as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watchband.adapters.sources.files import Hints, open_table
from watchband.core.errors import ConfigError

MINUTE = 60_000_000_000


@pytest.mark.data
def test_every_series_of_nab_has_all_its_rows(nab: Path) -> None:
    files = sorted(nab.rglob("*.csv"))
    with open_table(nab) as table:
        rows = np.concatenate([batch.row for batch in table.batches()])
    assert table.problems == []
    assert [key.metric for key in table.keys] == [path.stem for path in files]
    lines = [len(path.read_text().splitlines()) - 1 for path in files]
    assert np.bincount(rows).tolist() == lines


@pytest.mark.data
def test_a_series_of_nab_value_by_value(nab: Path) -> None:
    path = nab / "realAWSCloudwatch" / "ec2_cpu_utilization_53ea38.csv"
    with open_table(path) as table:
        (batch,) = table.batches()
    assert len(batch) == 4032
    assert (np.diff(batch.times) == 5 * MINUTE).all()
    assert batch.times[0] == np.datetime64("2014-02-14T14:30", "ns").astype(int)
    assert batch.values.tolist() == [float(line.split(",")[1]) for line in path.read_text().splitlines()[1:]]


@pytest.mark.data
def test_row_numbers_of_the_services_need_an_interval(data: Path) -> None:
    path = data / "services" / "service0.parquet"
    with pytest.raises(ConfigError, match=r"'timestamp' of .* counts up by one.*--interval 5m"):
        open_table(path)
    with open_table(path, Hints(interval_ns=5 * MINUTE)) as table:
        batches = list(table.batches())
    assert len(table.keys) == 19
    assert sum(map(len, batches)) == 19 * 12_960
    assert batches[0].times[19] - batches[0].times[0] == 5 * MINUTE
    assert set(table.profile.files[0].roles.left_out) == {"label", "split"}
