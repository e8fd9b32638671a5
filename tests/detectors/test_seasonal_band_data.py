"""Seasonal band on labelled real metrics: labelled windows stand out, the rest stays in the band."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from watchband.core.points import Points
from watchband.core.scores import ADOPTED, HELD, Scores
from watchband.detectors import SeasonalBand

pytestmark = pytest.mark.data


def series(nab: Path, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, values, and which points lie in a labelled window."""
    rows = (nab / f"{name}.csv").read_text().split()[1:]
    # "2014-02-14 14:30:00,0.132" has been split at its blank.
    times = np.array([f"{a}T{b.split(',')[0]}" for a, b in zip(rows[::2], rows[1::2], strict=True)], "M8[ns]")
    values = np.array([float(b.split(",")[1]) for b in rows[1::2]])
    first = np.unique(times, return_index=True)[1]
    windows = json.loads((nab.parent / "labels" / "combined_windows.json").read_text())[f"{name}.csv"]
    inside = np.zeros(len(times), bool)
    for start, end in windows:
        inside |= (times >= np.datetime64(start)) & (times <= np.datetime64(end))
    return times[first].view(np.int64), values[first], inside[first]


def run(times: np.ndarray, values: np.ndarray) -> Scores:
    detector = SeasonalBand()
    return detector.step(detector.start(), Points.of(times, values))


@pytest.mark.parametrize(
    "name",
    [
        "realAWSCloudwatch/ec2_cpu_utilization_825cc2",
        "realAWSCloudwatch/ec2_cpu_utilization_5f5533",
        "realAWSCloudwatch/elb_request_count_8c0756",
        "realAWSCloudwatch/ec2_network_in_257a54",
        "realKnownCause/nyc_taxi",
        "realKnownCause/machine_temperature_system_failure",
        "realKnownCause/ec2_request_latency_system_failure",
        "realTraffic/occupancy_t4013",
        "realTweets/Twitter_volume_AMZN",
    ],
)
def test_labelled_windows_stand_out(nab: Path, name: str) -> None:
    times, values, labelled = series(nab, name)
    scores = run(times, values)
    usual = scores.score[~labelled & np.isfinite(scores.score)]
    assert np.nanmax(scores.score[labelled]) > 2 * np.quantile(usual, 0.99)
    quarter = len(values) // 4
    inside = ((values >= scores.lower) & (values <= scores.upper))[quarter:]
    assert inside[~labelled[quarter:]].mean() > 0.965


def test_a_cpu_with_daily_spikes_is_not_held(nab: Path) -> None:
    times, values, labelled = series(nab, "realAWSCloudwatch/ec2_cpu_utilization_53ea38")
    scores = run(times, values)
    assert np.nanmax(scores.score[labelled]) > 8
    assert (scores.score > 5).mean() < 0.006
    assert (scores.flags.astype(int) & (HELD | ADOPTED)).sum() == 0


def test_a_database_that_moves_twice_is_adopted_twice(nab: Path) -> None:
    times, values, _ = series(nab, "realAWSCloudwatch/rds_cpu_utilization_e47b3b")
    scores = run(times, values)
    flags = scores.flags.astype(int)
    adopted = np.flatnonzero(flags & ADOPTED)
    assert 2 <= len(adopted) <= 3
    for at in adopted:
        assert (scores.score[at + 1 : at + 100] < 5).all(), "right at once"
        assert times[at] - times[at - 280] >= 23 * 3_600_000_000_000


def test_services_keep_to_their_band(data: Path) -> None:
    """Six metrics of three services: labelled points are outside many times as often as the others."""
    from pyarrow import parquet

    for service in ("service0", "service10", "service15"):
        table = parquet.read_table(data / "services" / f"{service}.parquet", columns=["m06", "m12", "label"])
        labelled = table["label"].to_numpy().astype(bool)
        times = 1_577_836_800_000_000_000 + 300_000_000_000 * np.arange(len(labelled), dtype=np.int64)
        for metric in ("m06", "m12"):
            scores = run(times, table[metric].to_numpy().astype(float))
            high = scores.score > 5
            assert high[labelled].mean() > 8 * high[~labelled].mean()
            assert high[~labelled].mean() < 0.02
