"""Scenes have the shapes they are to reproduce, and labels that are exact."""

from __future__ import annotations

import numpy as np
import pytest

from watchband.core.errors import ConfigError, UnknownNameError
from watchband.evaluation.labels import windows
from watchband.evaluation.simulate.scenes import SCENES, scene
from watchband.evaluation.simulate.scenes.hosts import CORE
from watchband.evaluation.simulate.scenes.mesh import Mesh
from watchband.evaluation.simulate.scenes.track import Track


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("seed", [0, 5])
def test_labels_are_exact_and_seeds_repeat(name: str, seed: int) -> None:
    one, two = scene(name, seed), scene(name, seed)
    assert one.labels
    assert [str(a) for a in one.labels] == [str(a) for a in two.labels]
    for a, b in zip(one.series, two.series, strict=True):
        values = a.grid(0, a.points).values
        assert values.tobytes() == b.grid(0, b.points).values.tobytes()
        times = a.grid(0, a.points).times
        assert (np.diff(times) > 0).all()
        clean = a.clean_values if isinstance(a, Track) else a.clean_reported(0, a.points)  # type: ignore[attr-defined]
        changed = values != clean
        found = windows(a.labels, times)
        assert len(found) == len(a.labels)
        for first, last, _ in found.tolist():
            assert changed[first]
            assert changed[last]
            changed[first : last + 1] = False
        assert not changed.any()


def test_cluster_ratios() -> None:
    cpu, memory, pods = scene("cluster").series
    shapes = {
        cpu: (0.6173, 0.0223, 0.529, 0.837, 5),
        memory: (0.6461, 0.0348, 0.334, 0.908, 59),
        pods: (0.1928, 0.0068, 0.180, 0.254, 7),
    }
    flagged = np.zeros(230, bool)
    for track, (mean, deviation, low, high, outliers) in shapes.items():
        assert isinstance(track, Track)
        values = track.values
        assert values.mean() == pytest.approx(mean, abs=0.002)
        assert values.std(ddof=1) == pytest.approx(deviation, abs=0.003)
        assert (values.min(), values.max()) == (low, high)
        quarter, three = np.quantile(values, [0.25, 0.75])
        out = (values < quarter - 1.5 * (three - quarter)) | (values > three + 1.5 * (three - quarter))
        assert out.sum() == pytest.approx(outliers, abs=2)
        flagged |= out
        if track is not pods:
            assert quarter == three
    assert flagged.sum() == pytest.approx(60, abs=3)
    slots = np.diff(cpu.grid(0, 230).times) // 300_000_000_000
    assert slots.min() == 1
    assert slots.sum() == 1785


def test_evaporator() -> None:
    evaporator = scene("evaporator").series[0]
    times, values = evaporator.grid(0, evaporator.points)
    assert dict(zip(*np.unique(values, return_counts=True), strict=True)) == {
        27.0: 166, 27.1: 416, 27.2: 422, 27.3: 147, 29.0: 3, 29.1: 6,
    }  # fmt: skip
    warm = times[values > 28].view("M8[ns]")
    assert (len(times), str(warm[0])[:16], str(warm[-1])[:16]) == (1160, "2021-06-10T12:02", "2021-06-10T12:10")
    assert len(warm) == 9
    assert np.flatnonzero(values > values.mean() + 2.5 * values.std()).tolist() == list(range(722, 731))
    (label,) = evaporator.labels
    assert (label.start, label.end) == (times[722], times[730])
    room, point = (track.grid(0, 1160).values for track in scene("evaporator").series[1:])
    assert 24.8 <= room.min() < room.max() <= 27.0
    assert set(point) == {27.3, 28.4, 29.4}


def test_hosts() -> None:
    found = scene("hosts")
    columns = found.columns
    assert (len(columns), len(columns["Timestamp"])) == (25, 4 * 4033)
    assert columns["Timestamp"][[0, 4032, 4033]].tolist() == ["2/17/2025 0:00", "3/3/2025 0:00", "2/17/2025 0:00"]
    cpu = columns["CPUUtilization"].reshape(4, 4033)
    assert cpu.mean(axis=1).tolist() == pytest.approx([24.98, 47.5, 80.17, 7.59], abs=0.8)
    deviation = np.abs(cpu - np.median(cpu, axis=1)[:, None])
    robust = deviation / (1.4826 * np.median(deviation, axis=1))[:, None]
    struck = np.argwhere(robust > 8)
    assert struck[:, 0].tolist() == [2] * 6
    assert sorted({a.start for a in found.labels}) == (1_739_750_400 * 10**9 + struck[:, 1] * 300 * 10**9).tolist()
    assert cpu[2, struck[:, 1]].min() >= 192
    assert cpu.max() <= 288
    assert (columns["MemoryUtilization"].reshape(4, 4033)[2, struck[:, 1]] == 100).all()
    latency = columns["Latency_ms"]
    assert 500 < (latency < 0).sum() < 3000
    for other, least in (("MemoryUtilization", 0.9), ("RunningProcesses", 0.9)):
        assert np.corrcoef(columns["CPUUtilization"], columns[other])[0, 1] > least
    assert set(CORE) < set(columns)


def test_an_incident_goes_through_the_services_that_call_its_root() -> None:
    mesh = Mesh(services=10, incidents=3, seed=2)
    labels = [label for series in mesh.series for label in series.labels]
    assert {a.incident for a in labels} == {"incident-1", "incident-2", "incident-3"}
    for number in (1, 2, 3):
        here = [a for a in labels if a.incident == f"incident-{number}"]
        roots = {a.series.partition('service="')[2].rstrip('"}') for a in here if a.root}
        (root,) = roots
        felt = {a.series.partition('service="')[2].rstrip('"}') for a in here}
        assert felt <= {root} | mesh.callers(root)
        assert set(mesh.distances(root)) == {root} | mesh.callers(root)
        direct = {name for name in mesh.names if root in mesh.calls[name]}
        assert direct <= felt
        assert min(a.start for a in here if a.root) <= min(a.start for a in here if not a.root)
        largest = max(here, key=lambda a: a.size)
        assert largest.root
    sizes = {a.series: abs(a.size) for a in labels}
    assert min(sizes.values()) >= 1.5


def test_a_mesh_has_room_for_its_incidents() -> None:
    with pytest.raises(ConfigError, match="at least two"):
        Mesh(services=1)
    with pytest.raises(ConfigError, match="too few"):
        Mesh(incidents=50)
    assert len(Mesh(services=20, incidents=0).series) == 80
    with pytest.raises(UnknownNameError, match="Did you mean 'hosts'"):
        scene("host")
