"""Several metrics in one watch of the service: pushed apart, killed in between, asked by the API."""

from __future__ import annotations

import numpy as np
import pytest

from tests.apps.service.test_service import running
from tests.apps.service.worlds import MINUTE, START, KeptStore, config
from watchband.apps.config.watches import WatchSettings
from watchband.apps.service.service import Service
from watchband.core.errors import ConfigError
from watchband.core.ports import Readings
from watchband.core.series import SeriesKey
from watchband.pipeline.replay import check

NAMES = ("cluster_cpu_request_ratio", "cluster_mem_request_ratio", "cluster_pod_ratio")
N = 400


def settings(**given: object) -> WatchSettings:
    kept = {"match": ('{cluster="x"}',), "detector": "seed001", "join": NAMES, "tell_after": 0}
    return WatchSettings(**{**kept, **given})  # type: ignore[arg-type]


def values() -> np.ndarray:
    found = np.array([0.62, 0.65, 0.19]) + np.random.default_rng(2).normal(0, [0.02, 0.03, 0.007], (N, 3))
    found[350] = [0.62, 0.20, 0.19]
    return found


def send(service: Service, start: int, stop: int) -> None:
    """Each metric in a request of its own, the leading one last; another cluster and metric are nobody's."""
    times = START + MINUTE * np.arange(start, stop)
    for k in (2, 1, 0):
        ours = Readings(SeriesKey(NAMES[k], {"cluster": "x"}), times, values()[start:stop, k])
        others = [Readings(SeriesKey(NAMES[k], {"cluster": "y"}), times, values()[start:stop, k])]
        others += [Readings(SeriesKey("disk", {"cluster": "x"}), times, values()[start:stop, k])] if k == 2 else []
        service.offer("push", [ours, *others]).result(30)


def test_pushed_apart_and_killed_in_between() -> None:
    calm, torn = KeptStore(), KeptStore()
    with running(config(store=calm, watches={"ratios": settings()})) as service:
        send(service, 0, N)
        state = service.engine.shard.lanes["ratios"].state  # type: ignore[union-attr]
        assert [str(key) for key in state.keys] == [f'{NAMES[0]}{{cluster="x"}}']
        tally = state.waiting.tally(state.keys[0])
        assert (tally.slots, tally.incomplete, tally.late) == (N, 0, 0)
        found = service.alerts()
        assert any(a.opened <= START + 350 * MINUTE and (a.closed or START * 2) >= START + 350 * MINUTE for a in found)
    for start in range(0, N, 50):
        with running(config(store=torn, watches={"ratios": settings()})) as service:
            send(service, start, start + 50)
    told = [[str(a.to_dict()) for a in one.store.alerts()] for one in (calm, torn)]
    assert told[0] == told[1] != []


def test_the_state_written_is_that_of_the_log() -> None:
    store = KeptStore()
    made = settings()
    with running(config(store=store, watches={"ratios": made})) as service:
        send(service, 0, 30)
        service.offer(
            "push", [Readings(SeriesKey(NAMES[1], {"cluster": "x"}), np.array([START + 40 * MINUTE]), np.ones(1))]
        )
        service.runner.save()
    found = check(made.bound("ratios"), store.store, "main")
    assert found.same, found.says


def test_the_entity_is_chosen_by_any_of_its_metrics() -> None:
    made = settings(match=('cluster_pod_ratio{cluster="x"}',))
    assert made.matches(SeriesKey(NAMES[0], {"cluster": "x"}))
    assert not made.matches(SeriesKey(NAMES[0], {"cluster": "y"}))
    assert not made.matches(SeriesKey("disk", {"cluster": "x"}))


def test_settings_that_do_not_go_together() -> None:
    for wrong in ({"gap": "zero"}, {"detector": "ewma"}, {"join": ("a", "a")}, {"join": ("a",)}, {"counter": True}):
        with pytest.raises(ConfigError):
            settings(**wrong)
    assert settings(resample="5m").watch("x").join.slot_ns == 5 * MINUTE  # type: ignore[union-attr]
