"""The bundled recording is small, names nobody, and plays the same from every position."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from watchband.apps.cli.recording import SECOND, RecordingSource, load_recording


def test_it_holds_what_it_should() -> None:
    recording = load_recording()
    assert recording.values.shape == (1200, 7)
    assert (np.diff(recording.times) == SECOND).all()
    assert [fault.name for fault in recording.faults] == ["cpu_burn", "memory_fill", "disk_writes", "cpu_burn"]
    assert {str(key.entity) for key in recording.keys} == {'{source="recording"}'}


def test_it_is_small() -> None:
    folder = files("watchband.apps.cli")
    assert sum(len((folder / name).read_bytes()) for name in ("recording.csv.gz", "recording_labels.json")) < 300_000


def test_the_faults_show_in_their_metrics() -> None:
    recording = load_recording()
    names = [key.metric for key in recording.keys]
    for fault in recording.faults:
        during = (recording.times >= fault.start) & (recording.times <= fault.end)
        for metric in fault.metrics:
            column = recording.values[:, names.index(metric)]
            assert np.median(column[during]) > 3 * np.median(column[~during])


def test_resume_repeats_and_skips_nothing() -> None:
    source = RecordingSource(load_recording(), points=500)
    batches = list(source.read())
    assert [b.position for b in batches] == ["500", "1000", "1200"]
    for i, batch in enumerate(batches[:-1]):
        rest = list(source.read(batch.position))
        assert [b.position for b in rest] == [b.position for b in batches[i + 1 :]]
        assert rest[0].readings[3].times[0] == batches[i + 1].readings[3].times[0]
    source.close()
