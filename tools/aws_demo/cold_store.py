"""The cold store: an instrument is asked every minute, a forest learns a day, a telephone rings at the fifth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.adapters.sources.instruments import Instruments
from tools.aws_demo.account import Account
from watchband.apps.aws_lambda.exporting import export_parts
from watchband.apps.aws_lambda.function import Function
from watchband.apps.aws_lambda.polling import poll_round
from watchband.apps.aws_lambda.surroundings import Surroundings
from watchband.apps.aws_lambda.training import train_part, wanted_of
from watchband.core.duration import DAY, MINUTE
from watchband.core.events import ModelPromoted
from watchband.core.timestamp import format_rfc3339
from watchband.evaluation.simulate.scenes.evaporator import EVENT, MINUTES, START_NS, evaporator
from watchband.testing.clock import VirtualClock

NUMBER = "+4915112345678"
TABLE, BUCKET = "cold-store", "cold-store-archive"
FROM, UNTIL = EVENT[0] - 17, EVENT[1] + 20
"""Minutes that are played one by one; the rest of the day comes by the hour."""
CONFIG = """\
store: {{kind: dynamodb, region: eu-west-1, endpoint_url: {dynamodb}, bucket_endpoint_url: {others}, table: {table}}}
sources:
  cold_store:
    kind: poll
    url: {instruments}/api/v1/instruments/1/values
    params: {{codes: Sensor1, since: "{{since}}"}}
    readings: {{evaporator_temperature: 'results[0].values[*]'}}
    time: date
    labels: {{instrument: "1"}}
watches:
  evaporator:
    {{match: evaporator_temperature, detector: {forest}, sigma: 2.5, consecutive: 5, direction: above, close_level: 1}}
  learning:
    {{match: evaporator_temperature, detector: {forest}, sigma: 2.5, consecutive: 5, direction: above, route: []}}
sinks:
  telephone: {{kind: sns, phone_numbers: ["{number}"], region: eu-west-1, endpoint_url: {others}}}
"""
FOREST = "'random_cut_forest:trees=50,samples=256,shingle=1'"

Say = Callable[[str], None]


@dataclass
class Day:
    """What the day brought.

    Attributes
    ----------
    alerts, learning : list of (int, int)
        Minute in which each alert of the day began, and readings beyond the cut-off in it: by the forest that was
        frozen yesterday, and by one that goes on learning.
    texts : list of (int, str)
        Text messages, each with the minute after which it came.
    cutoffs : list of str
        What was promoted, oldest first.
    archived : dict
        What the function that exports said.
    objects : int
        Of the archive.
    spent : list of float
        Seconds of each call of the function.
    """

    alerts: list[tuple[int, int]] = field(default_factory=list)
    learning: list[tuple[int, int]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    cutoffs: list[str] = field(default_factory=list)
    archived: list[dict[str, Any]] = field(default_factory=list)
    objects: int = 0
    spent: list[float] = field(default_factory=list)


def play(there: Account, folder: Path, say: Say) -> Day:
    """Yesterday is read and learned, today is played."""
    clock = VirtualClock(START_NS - MINUTE)
    usual = np.concatenate([np.asarray(evaporator(seed).series[0].clean_values) for seed in (1, 2)])[: DAY // MINUTE]
    instruments = Instruments(START_NS - DAY, clock)
    try:
        for value in [*usual.tolist(), *np.asarray(evaporator().series[0].values).tolist()]:
            instruments.add(Sensor1=value)
        there.table(TABLE)
        there.bucket(BUCKET)
        names = {"dynamodb": there.dynamodb, "others": there.others, "instruments": instruments.url}
        config = folder / "cold_store.yaml"
        config.write_text(CONFIG.format(**names, table=TABLE, number=NUMBER, forest=FOREST))
        told = Surroundings(config=str(config), bucket=BUCKET)
        return _play(there, lambda: Function(told, clock), clock, say)
    finally:
        instruments.close()


def _play(there: Account, made: Callable[[], Function], clock: VirtualClock, say: Say) -> Day:
    day = Day()
    read = poll_round(made(), _plenty)["readings"]["cold_store"]
    say(f"{format_rfc3339(clock.now())}  yesterday is read: {read} readings")
    for _, part in made().every_part():
        for one in train_part(part, wanted_of({"watch": "evaporator"}), clock.now()):
            say(f"{format_rfc3339(clock.now())}  cut-off {one['rule']} of {one['points']} readings: {one['cutoffs']}")
    minutes = [*range(59, FROM, 60), *range(FROM, UNTIL), *range(UNTIL, MINUTES, 60), MINUTES - 1]
    function = made()
    for minute in minutes:
        clock.sleep((START_NS + minute * MINUTE - clock.now()) / 1e9)
        if minute == EVENT[0] + 2:
            # Lambda starts another process in the middle: what was counted so far is in the table.
            function = made()
        began = time.perf_counter()
        poll_round(function, _plenty)
        day.spent.append(time.perf_counter() - began)
        for _, text in there.texts()[len(day.texts) :]:
            day.texts.append((minute, text))
            say(f"{format_rfc3339(clock.now())}  text to {NUMBER}: {text}")
    for _, part in made().every_part():
        events = (row.event for row in part.store.model_events())
        day.cutoffs += [event.why for event in events if isinstance(event, ModelPromoted)]
        for alert in part.store.alerts():
            found = day.alerts if alert.watch == "evaporator" else day.learning
            found.append(((alert.opened - START_NS) // MINUTE, alert.points))
    day.archived = export_parts(function, _plenty)["parts"]
    pages = there.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    for one in (one for page in pages for one in page.get("Contents", ())):
        day.objects += 1
        say(f"s3://{BUCKET}/{one['Key']}  {one['Size']} bytes")
    return day


def _plenty() -> float:
    return 300.0
