"""The preview of a budget or policy is what the watch would have done."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from watchband.core.detector import Detector
from watchband.core.duration import DAY, MINUTE, WEEK
from watchband.core.scores import HELD
from watchband.core.series import SeriesKey
from watchband.detectors import Ewma, GapNovelty, SeasonalBand
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.policy import SUPPRESSED, Policy
from watchband.pipeline.preview import Kept, factor, interval_of, openings
from watchband.pipeline.raw import Raw
from watchband.pipeline.results import Results
from watchband.pipeline.rules import Budget
from watchband.pipeline.watch import Watch

N = 4000


def values(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = 10 + np.sin(np.arange(N) / 100) + rng.normal(0, 0.3, N)
    for at in rng.integers(1500, N - 50, 12):
        y[at : at + rng.integers(1, 30)] += rng.choice([-1, 1]) * rng.uniform(1, 6)
    return y


def judged(watch: Watch, seeds: range) -> list[Results]:
    state = watch.start([SeriesKey("x", {"k": str(s)}) for s in seeds])
    times = np.arange(N) * 5 * MINUTE
    whole = watch.step(state, Raw.fleet([(times, values(s)) for s in seeds], rows=list(range(len(seeds)))))
    return [whole.of(k) for k in range(len(seeds))]


def kept(results: Results) -> Kept:
    return Kept(
        results.time,
        results.y,
        results.yhat,
        results.yhat_lower,
        results.yhat_upper,
        results.counted_score,
        (results.flags & HELD) != 0,
        (results.events & int(SUPPRESSED)) != 0,
    )


MIX = Ensemble.of(("band", Ewma(), 0.4), ("novelty", GapNovelty(), 0.6, {"strength": 1.0}))


@pytest.mark.parametrize("detector", [Ewma(), SeasonalBand(), MIX])
@pytest.mark.parametrize("budget", [Budget(1, WEEK), Budget(1, DAY), Budget(6, DAY), Budget(1, 4 * WEEK)])
def test_another_budget_opens_what_the_watch_would_have_opened(detector: Detector, budget: Budget) -> None:
    now = Budget(1, WEEK)
    watch = Watch("w", detector, now)
    seeds = range(4)
    found = openings(
        [kept(r) for r in judged(watch, seeds)], [factor(now, budget, 5 * MINUTE)] * len(seeds), watch.policy
    )
    truth = judged(replace(watch, rule=budget), seeds)
    assert [[o.opened for o in one] for one in found] == [[a.opened for a in r.alerts] for r in truth]
    assert sum(map(len, found)) > 0


@pytest.mark.parametrize("policy", [Policy(consecutive=3), Policy(m_of_n=(3, 5), close_after=4), Policy(cool_down=200)])
def test_another_policy_opens_what_the_watch_would_have_opened(policy: Policy) -> None:
    watch = Watch("w", Ewma(), Budget(2, DAY))
    found = openings([kept(r) for r in judged(watch, range(3))], [1.0] * 3, policy)
    truth = judged(replace(watch, policy=policy), range(3))
    assert [[(o.opened, o.closed) for o in one] for one in found] == [
        [(a.opened, a.closed) for a in r.alerts] for r in truth
    ]


def test_what_a_policy_kept_from_counting_stays_so() -> None:
    watch = Watch("w", Ewma(), Budget(1, DAY), Policy(direction="above"))
    series = [kept(r) for r in judged(watch, range(3))]
    found = openings(series, [factor(Budget(1, DAY), Budget(2, DAY), 5 * MINUTE)] * 3, watch.policy)
    truth = judged(replace(watch, rule=Budget(2, DAY)), range(3))
    assert [[o.opened for o in one] for one in found] == [[a.opened for a in r.alerts] for r in truth]


def test_nothing_gives_nothing() -> None:
    assert openings([], [], Policy()) == []
    assert interval_of(np.zeros(1, np.int64)) == 0
    assert factor(Budget(), Budget(5, DAY), 0) == 1.0
