"""Every sink keeps what the contract says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.sinks import aws_rigs, rigs
from watchband.apps.config.kinds import SINKS
from watchband.testing.contracts.sink import CHECKS, Check

RIGS: dict[str, Callable[[Path], Any]] = {
    "webhook": lambda folder: rigs.WebhookRig(),
    "webhook-cloudevents": lambda folder: rigs.CloudEventsRig(),
    "webhook-alertmanager": lambda folder: rigs.AlertmanagerBodyRig(),
    "alertmanager": lambda folder: rigs.AlertmanagerRig(),
    "slack": lambda folder: rigs.SlackRig(),
    "slack-bot": lambda folder: rigs.SlackBotRig(),
    "email": rigs.EmailRig,
    "jsonl": rigs.JsonlRig,
    "sns": lambda folder: aws_rigs.SnsRig(),
    "sns-alarm": lambda folder: aws_rigs.SnsAlarmRig(),
    "sns-fifo": lambda folder: aws_rigs.SnsFifoRig(),
    "sns-text": lambda folder: aws_rigs.SnsTextRig(),
    "sqs": lambda folder: aws_rigs.SqsRig(),
    "sqs-fifo": lambda folder: aws_rigs.SqsFifoRig(),
    "eventbridge": lambda folder: aws_rigs.EventBridgeRig(),
    "stdout": lambda folder: rigs.StdoutRig(),
    "stdout-json": lambda folder: rigs.StdoutJsonRig(),
}


@contextmanager
def opened(make: Callable[[Path], Any], folder: Path) -> Iterator[Any]:
    rig = make(folder)
    try:
        yield rig
    finally:
        rig.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", RIGS)
def test_a_sink_keeps_it(name: str, check: Check, tmp_path: Path) -> None:
    with opened(RIGS[name], tmp_path) as rig:
        check(rig)


def test_every_kind_of_sink_is_held_to_it() -> None:
    """The dead man's switch and CloudWatch's bands say nothing of alerts: their tests are their own."""
    assert {name.partition("-")[0] for name in RIGS} | {"deadman", "cloudwatch"} == set(SINKS.table)
