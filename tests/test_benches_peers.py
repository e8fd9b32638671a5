"""The peers of the quality bench: strictly causal, whatever comes later, and awake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benches.quality.peers import PEERS, Peer, candidates, fits, plain, streams
from watchband.evaluation.simulate.world import World

INSTALLED = {name: peer for name, peer in PEERS.items() if peer.installed}
"""With the packages of ``make bench`` that is all of them."""
POINTS, CUT = 760, 700
SLOW = {"Prophet", "rrcf", "streaming LOF", "xStream", "RS-Hash"}
DAY = 288


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHBAND_QUALITY_CACHE", str(tmp_path))


def series(name: str) -> tuple[np.ndarray, np.ndarray]:
    world = World("cpu", "spike", seed=5, points=1500)
    few = 330 if name in SLOW else POINTS
    return world.times[:few], world.values[:few].copy()


@pytest.mark.parametrize("name", INSTALLED)
def test_no_peer_knows_what_comes(name: str) -> None:
    peer = INSTALLED[name]
    times, values = series(name)
    cut = len(values) - (POINTS - CUT) // (2 if name in SLOW else 1)
    whole = peer(times, values)
    assert whole.shape == values.shape
    assert np.isfinite(whole).any()
    assert np.array_equal(whole[:cut], peer(times[:cut], values[:cut]), equal_nan=True)
    other = values.copy()
    other[cut:] = 10 * values.max() + 3
    assert np.array_equal(whole[:cut], peer(times, other)[:cut], equal_nan=True)


@pytest.mark.parametrize("name", sorted(set(INSTALLED) - SLOW))
@pytest.mark.filterwarnings("ignore:Duplicate values")
def test_no_peer_breaks_on_a_constant(name: str) -> None:
    score = INSTALLED[name](np.arange(POINTS) * 300_000_000_000, np.full(POINTS, 7.0))
    assert score.shape == (POINTS,)
    assert not np.isinf(score).any()


def test_two_peers_never_share_their_kept_scores() -> None:
    assert len({peer.label for peer in PEERS.values()}) == len(PEERS)
    assert all(peer.run for peer in PEERS.values())


def test_by_default_every_installed_peer_takes_part() -> None:
    found = candidates()
    assert set(INSTALLED) <= set(found)
    assert "auto" in found
    assert "threshold" not in found
    assert isinstance(candidates(["rolling z"])["rolling z"], Peer)


def test_static_limits_are_those_of_the_first_points() -> None:
    values = np.concatenate([np.tile([1.0, 3.0], plain.FIRST // 2), [2.0, 5.0]])
    score = plain.static_threshold(np.arange(len(values)), values)
    assert np.isnan(score[: plain.FIRST]).all()
    assert score[plain.FIRST :].tolist() == [0, 3]


def test_rolling_z_by_hand() -> None:
    score = plain.rolling_z(np.arange(5), np.array([1.0, 3, 1, 3, 5]), window=4)
    assert np.isnan(score[:4]).all()
    assert score[4] == 3


def test_seasonal_naive_reads_the_same_time_yesterday() -> None:
    times = np.arange(3 * DAY) * 300_000_000_000
    values = 10 * np.sin(2 * np.pi * np.arange(3 * DAY) / DAY) + np.random.default_rng(1).normal(0, 0.1, 3 * DAY)
    values[2 * DAY + 100] = values[2 * DAY + 10]
    assert int(np.nanargmax(plain.seasonal_naive(times, values)[DAY + 60 :])) == DAY + 40


def test_a_curve_is_fitted_to_past_days_and_finds_a_value_of_another_hour() -> None:
    times = np.arange(6 * DAY) * 300_000_000_000
    values = 10 * np.sin(2 * np.pi * np.arange(6 * DAY) / DAY) + np.random.default_rng(1).normal(0, 0.3, 6 * DAY)
    values[5 * DAY + 70] = -10
    score = fits.seasonal_fit(times, values)
    assert np.isnan(score[:DAY]).all()
    assert int(np.nanargmax(score)) == 5 * DAY + 70
    assert float(np.nanmedian(score)) == pytest.approx(0.67, abs=0.1)


def test_shingles_are_standardised_by_what_was_seen() -> None:
    values = np.array([4.0, 4, 6, 6, 10])
    found = dict(streams.standardised(values, shingle=2))
    assert list(found) == [1, 2, 3, 4]
    assert found[2].tolist() == pytest.approx([0, 2**0.5])
    assert found[4][1] == pytest.approx((10 - 6) / np.std(values))
