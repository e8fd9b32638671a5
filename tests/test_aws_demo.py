"""``make aws-demo``: both stories on real local endpoints, each outcome as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.aws_demo import cold_store, four_hosts
from tools.aws_demo.account import account
from tools.aws_demo.outcome import Outcome, of_the_cold_store, of_the_hosts


@pytest.mark.timeout(600)
def test_everything_comes_as_it_should(tmp_path: Path) -> None:
    said: list[str] = []
    with account() as there:
        day = cold_store.play(there, tmp_path, said.append)
        weeks = four_hosts.play(there, tmp_path, said.append)
    outcomes = [*of_the_cold_store(day), *of_the_hosts(weeks)]
    assert [one for one in outcomes if not one.right] == []
    ends = [minute for minute, text in day.texts if text.startswith("Ended")]
    assert ends == [cold_store.EVENT[1] + 12]
    assert all(len(text) <= 140 for _, text in day.texts)
    assert len([text for text in weeks.texts if text.startswith("Ended")]) == len(weeks.critical)
    assert day.objects > 0
    assert any(line.startswith("s3://cold-store-archive/archive/readings/date=2021-06-10/") for line in said)


def test_what_is_not_as_it_should_be_is_told_apart() -> None:
    assert not Outcome("alerts", "6", "5").right
    assert Outcome("alerts", "6", "6").right
    assert Outcome("only shown", None, "5").right
