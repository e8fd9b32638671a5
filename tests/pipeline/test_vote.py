"""Votes: the weighted majority decides, alerts name who voted, weights come from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import watchband as wb
from watchband.core.errors import InvalidParameterError, StateCorruptError
from watchband.core.points import Points
from watchband.core.series import SeriesKey
from watchband.pipeline.explain import explain_point
from watchband.pipeline.raw import Raw
from watchband.pipeline.rules import Cutoff
from watchband.pipeline.vote import Vote, reached, weights_by_f1
from watchband.pipeline.watch import Watch
from watchband.testing import streams

QUICK = "ewma rolling_median gap_novelty"


def limit_of(past: np.ndarray, score: float, share: float) -> float:
    """A member's standing by its definition."""
    ordered = np.sort(past)
    middle = ordered[(len(past) - 1) // 2]
    limit = ordered[len(past) - 1 - int(share * len(past))]
    away = max(score - middle, 0.0)
    return min(away / (limit - middle), 1e9) if limit > middle else (1e9 if away > 0 else 0.0)


def test_standings_and_votes_are_those_of_the_definition() -> None:
    times, values = streams.awkward(700, 1)
    points = Points.of(times, values)
    vote = Vote(members=QUICK, weights="0.5 0.2 0.3", memory=150, share=0.02, threshold=0.6)
    found = vote.step(vote.start(), points)
    wanted = []
    for member in vote._mix.members:
        own = member.detector.step(member.detector.start(), points).score
        standing, past = np.full(len(own), np.nan), []
        for i in np.flatnonzero(~np.isnan(own)).tolist():
            if len(past) >= 64:
                standing[i] = limit_of(np.array(past[-150:]), own[i], 0.02)
            past.append(own[i])
        wanted.append(standing)
    np.testing.assert_allclose(np.array(found.members), wanted, rtol=1e-12)
    votes = np.array(wanted) > 1
    won = np.array([0.5, 0.2, 0.3]) @ votes >= 0.6 - 1e-9
    known = ~np.isnan(found.score)
    assert known.sum() > 400
    assert ((found.score > 1) == won)[known].all()
    assert won[known].any()


def test_a_score_is_the_largest_that_enough_weight_reaches() -> None:
    rng = np.random.default_rng(2)
    standings, weights = rng.exponential(size=(300, 4)), np.array([0.4, 0.3, 0.2, 0.1])
    standings[rng.random((300, 4)) < 0.2] = np.nan
    for threshold in (0.1, 0.5, 0.75, 1.0):
        found = reached(standings, weights, threshold)
        for row, score in zip(standings, found.tolist(), strict=True):
            tried = [t for t in row[~np.isnan(row)].tolist() if weights[row >= t].sum() >= threshold - 1e-9]
            assert score == max(tried, default=score) if tried else np.isnan(score)


def watched(vote: Vote) -> Any:
    values = streams.daily(1500, 3, noise=0.5)
    values[1400] += 60
    watch = Watch("w", vote, Cutoff(1.0))
    return watch.step(watch.start([SeriesKey("cpu")]), Raw.of(streams.times(1500), values))


def test_an_alert_names_who_voted() -> None:
    # One point is dampened by the blocks of the fourth.
    results = watched(Vote(members=f"{QUICK} shape_novelty", weights="1 1 1 0.5"))
    alert = next(a for a in results.alerts if a.peak_time == int(streams.times(1500)[1400]))
    told = explain_point(results, alert.opened)
    assert [m["name"] for m in told.members] == ["ewma", "rolling median", "gap novelty", "shape novelty"]
    voted = [m["name"] for m in told.members if m["anomaly_score"] is not None and m["anomaly_score"] > 1]
    assert alert.members == tuple(voted)
    assert voted[:3] == ["ewma", "rolling median", "gap novelty"]
    assert "seen by vote: ewma, rolling median" in alert.reason
    assert any("Member gap novelty" in text and "p-value" not in text for text in told.sentences())


def test_a_lone_voice_is_not_told() -> None:
    """Of the same votes, one member is enough where the threshold is its weight."""
    many = watched(Vote(members=QUICK, weights="1 1 1", threshold=0.3))
    few = watched(Vote(members=QUICK, weights="1 1 1", threshold=1.0))
    assert 0 < int((few.anomaly_score > 1).sum()) < int((many.anomaly_score > 1).sum())


def test_weights_by_f1() -> None:
    rng = np.random.default_rng(4)
    odd = rng.random(400) < 0.2
    votes = np.stack([odd, odd & (rng.random(400) < 0.5), rng.random(400) < 0.2], axis=1)
    weights = weights_by_f1(votes, odd)
    assert weights[0] > weights[1] > weights[2] > 0
    assert sum(weights) == pytest.approx(1.0)
    assert weights_by_f1(votes & False, odd) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_weights_come_from_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "vote.wbm")
    plain = Vote(members=QUICK)
    plain.save(path, (3.0, 1.0, 0.0), threshold=0.7)
    told = Vote(members=QUICK, model=path)
    assert told.weights_of_members == (0.75, 0.25, 0.0)
    assert told.fingerprint == plain.fingerprint, "weights may change on a running state"
    times, values = streams.awkward(400, 5)
    same = Vote(members=QUICK, weights="3 1 0", threshold=0.7)
    points = Points.of(times, values)
    assert told.step(told.start(), points).same_bits(same.step(same.start(), points))
    with pytest.raises(StateCorruptError, match="no weights of the members"):
        Vote(members="ewma rolling_median", model=path)


@pytest.mark.parametrize("values", [{"members": "ewma"}, {"members": QUICK, "weights": "1 2"}, {"weights": "0 0 0"}])
def test_what_makes_no_vote_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match="parameter of Vote must"):
        Vote(**values)


def test_detect_takes_it_by_name() -> None:
    values = streams.daily(1200, 6)
    values[1100] += 70
    frame = pd.DataFrame({"time": pd.to_datetime(streams.times(1200)), "cpu": values})
    found = wb.detect(frame, detector=f"vote:members={QUICK}", cutoff=1.0)
    assert any(alert.members for alert in found.alerts)
