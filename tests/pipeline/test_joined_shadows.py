"""Watches over several metrics: a challenger in shadow has the bits of a watch of its own."""

from __future__ import annotations

import json

import numpy as np

from tests.pipeline.faulty import PatientClock
from tests.pipeline.test_joined_watch import JOIN, batches, run
from watchband.adapters.stores.memory import MemoryStore
from watchband.core.events import ChallengerStarted
from watchband.core.ports import Batch
from watchband.pipeline.bound import Bound
from watchband.pipeline.lineage import Model
from watchband.pipeline.priming import follow, join, prime
from watchband.pipeline.recompute import recompute
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.runner import Runner
from watchband.pipeline.seed001 import Seed001
from watchband.pipeline.watch import Watch

SETTINGS = json.dumps({"nu": 0.2})


def made(settings: str) -> Watch:
    nu = json.loads(settings)["nu"] if settings else 0.05
    return Watch("ratios", Seed001(columns="cpu memory pods", window=60, refit_every=40, nu=nu), Cutoff(2.0), join=JOIN)


BOUND = Bound(made(""), takes=JOIN.takes, makes=made)


def test_a_challenger_in_shadow_says_what_a_watch_of_its_own_says() -> None:
    shadowed: list[Results] = []
    store = MemoryStore()
    runner = Runner(BOUND, store, [], clock=PatientClock(), snapshot_points=90)
    runner.on_shadows = lambda name, results: shadowed.append(results)
    steps = batches()
    half = len(steps) // 2 + 1  # a column of the slots that wait has come, the others have not
    for batch in steps[:half]:
        runner.step("list", batch)
    lane = prime(BOUND.shadow(Model(1, SETTINGS)), store, "main")
    follow(lane, store, "main")
    join(lane, runner.live().lanes["ratios"].state)
    runner.live().shadows.write(lane)
    runner.step("list", Batch([], "start", (ChallengerStarted("ratios", BOUND.fingerprint, 1, SETTINGS, 1),)))
    for batch in steps[half:]:
        runner.step("list", batch)
    runner.finish()
    alone = run(MemoryStore(), Bound(made(SETTINGS), takes=JOIN.takes))
    found = Results.joined([one for one in shadowed if len(one)])
    first = int(np.searchsorted(alone.time, found.time[0]))
    assert 0 < first < len(alone)
    np.testing.assert_array_equal(found.time, alone.time[first:])
    np.testing.assert_array_equal(found.score, alone.score[first:])
    assert found.beside is not None
    assert alone.beside is not None
    np.testing.assert_array_equal(found.beside.y, alone.beside.y[first:])


def test_nothing_late_is_nothing_to_fold_again() -> None:
    store = MemoryStore()
    run(store, BOUND)
    before = store.alerts()
    told = recompute(BOUND, store, "main", PatientClock())
    assert (told.late, told.added, told.changed, told.withdrawn) == (0, 0, 0, 0)
    assert store.alerts() == before
