"""The four hosts: six incidents are found, the busy host's load is none of them, names mean the same everywhere."""

from __future__ import annotations

import numpy as np

from tests.analysis.risk.conftest import HOSTS
from watchband.analysis.risk.fit import Fitted
from watchband.analysis.risk.naming import Risk
from watchband.analysis.risk.rows import Rows
from watchband.analysis.risk.words import category, kinds_of, reason
from watchband.evaluation.simulate.scenes.hosts import INCIDENT_HOST, INCIDENTS, ROWS


def test_critical_are_the_six_incidents_and_nothing_else(rows: Rows, fitted: Fitted) -> None:
    labels = fitted.labeller.label(rows, fitted.labeller.known(HOSTS))
    critical = np.flatnonzero(labels.state == Risk.CRITICAL)
    assert (rows.entity[critical] == INCIDENT_HOST).all()
    assert [str(t)[5:16] for t in rows.times[critical].view("M8[ns]")] == list(INCIDENTS)
    assert kinds_of(int(labels.anomaly[critical[0]])) == ["latency", "CPU", "density"]
    assert category(fitted.labeller.features[int(labels.leading[critical[0]])]) == "CPU bottleneck"


def test_the_busy_host_is_high_load_and_the_idle_one_idle(rows: Rows, fitted: Fitted) -> None:
    labels = fitted.labeller.label(rows, fitted.labeller.known(HOSTS))
    share = np.stack([np.bincount(labels.state[rows.entity == h], minlength=4) for h in range(4)]) / ROWS
    assert share[3, Risk.IDLE] > 0.99
    assert share[1, Risk.NORMAL] > 0.95
    assert share[2, Risk.HIGH_LOAD] > 0.4
    assert share[[0, 1, 3], Risk.HIGH_LOAD].max() < 0.05
    # The same load has the same name: no row of one name is more loaded than most of the next.
    load = [labels.load[labels.state == risk] for risk in (Risk.IDLE, Risk.NORMAL, Risk.HIGH_LOAD)]
    assert np.quantile(load[0], 0.9) < np.median(load[1]) < np.quantile(load[2], 0.1)


def test_hosts_that_nobody_has_seen_are_judged_by_the_fleet(rows: Rows, fitted: Fitted) -> None:
    labels = fitted.labeller.label(rows, fitted.labeller.known(["new-1", "new-2", "new-3", "new-4"]))
    assert not labels.known.any()
    assert (labels.state == Risk.CRITICAL).sum() == len(INCIDENTS)


def test_an_idle_host_that_works_like_others_is_unusual_and_not_critical(rows: Rows, fitted: Fitted) -> None:
    labeller = fitted.labeller
    at = int(np.flatnonzero(rows.entity == 1)[100])
    moved = Rows(np.array([3], np.int32), rows.times[at : at + 1], rows.values[at : at + 1])
    labels = labeller.label(moved, labeller.known(HOSTS))
    assert labels.state[0] == Risk.NORMAL
    assert "CPU" in kinds_of(int(labels.anomaly[0]))
    usual = labeller.deviations(moved, labeller.known(HOSTS))[0]
    assert labels.leading[0] == int(np.nanargmax(usual))


def test_the_reason_names_both_numbers(rows: Rows, fitted: Fitted) -> None:
    labeller, known = fitted.labeller, fitted.labeller.known(HOSTS)
    at = np.flatnonzero(labeller.label(rows, known).state == Risk.CRITICAL)[:1]
    said = reason(labeller, rows.values[at[0]], labeller.deviations(rows.take(at), known)[0], labeller.usual(2, 3))
    assert said.startswith("CPU ")
    assert "(usual 8" in said
    assert "latency" in said


def test_labels_are_the_same_bits_in_any_cut(rows: Rows, fitted: Fitted) -> None:
    known = fitted.labeller.known(HOSTS)
    some = rows.take(slice(6_000, 7_000))
    whole = fitted.labeller.label(rows, known)
    for size in (1, 7, 1000):
        parts = [fitted.labeller.label(chunk, known) for chunk in some.chunks(size)]
        for name in ("state", "load", "excess", "leading", "anomaly", "probability", "known"):
            mine = np.concatenate([getattr(part, name) for part in parts])
            assert mine.tobytes() == getattr(whole, name)[6_000:7_000].tobytes(), (name, size)


def test_the_groups_are_stable_and_the_evidence_is_there(fitted: Fitted) -> None:
    groups = fitted.groups
    assert groups.stability.mean > 0.8
    assert {one.method for one in groups.compared} == {"kmeans", "ward", "kmedoids", "consensus", "dbscan"}
    assert groups.counted.best == 2  # What the index prefers, and too few for four names.
    assert len(groups.centres) >= 4
    assert groups.density.chosen in groups.density.trials
    assert sum(len(part["parts"]) for part in groups.document()["ward"]["sub_groups"]) >= len(groups.centres)


def test_the_outlook_says_no_more_than_the_data(fitted: Fitted) -> None:
    # The incidents come without warning: better than "as now", which is always wrong after one, and no more.
    assert fitted.skill.brier < fitted.skill.persistence
    assert fitted.skill.brier > 0.95 * fitted.skill.climatology
    assert "no better than the usual share" in fitted.skill.sentence(12)
