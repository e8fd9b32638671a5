"""What people set up in CloudWatch: alarms, anomaly detectors, mute rules; read only, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.pace import Pace
from watchband.adapters.sources.cloudwatch.client import asked
from watchband.core.clock import Clock
from watchband.core.errors import DataError, PermanentError

PER_SECOND = 3.0
"""DescribeAlarms allows an account nine calls a second, over all who ask."""
ENTRIES_MAX = 10_000


@dataclass
class Inventory:
    """As the API has them.

    Parameters
    ----------
    region : str
        Where they are.
    alarms, composites, detectors, mutes : list of dict
        Metric alarms, composite alarms, anomaly detectors, mute rules.
    missing : dict of str to str
        What could not be read, and why.
    """

    region: str = ""
    alarms: list[dict[str, Any]] = field(default_factory=list)
    composites: list[dict[str, Any]] = field(default_factory=list)
    detectors: list[dict[str, Any]] = field(default_factory=list)
    mutes: list[dict[str, Any]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


class Reader:
    """Reads an account.

    Parameters
    ----------
    access : AwsAccess
        How it is reached.
    clock : Clock
        Who waits.
    """

    def __init__(self, access: AwsAccess, clock: Clock) -> None:
        self._session = AwsSession(access, "'watchband import cloudwatch'")
        self._pace = Pace(clock, PER_SECOND)

    def read(self, prefix: str = "") -> Inventory:
        """Everything; what the credentials may not read is named in ``missing``.

        Parameters
        ----------
        prefix : str
            Only alarms whose names begin so.

        Raises
        ------
        AdapterError
            The alarms could not be read.
        DataError
            There are more than anybody looks through.
        """
        found = Inventory(self._session.region or "")
        given = {"AlarmNamePrefix": prefix} if prefix else {}
        types = ["MetricAlarm", "CompositeAlarm"]
        for page in self._pages("describe_alarms", "MetricAlarms", AlarmTypes=types, MaxRecords=100, **given):
            found.alarms += page["MetricAlarms"]
            found.composites += page.get("CompositeAlarms") or []
        try:
            kinds = ["SINGLE_METRIC", "METRIC_MATH"]
            for page in self._pages("describe_anomaly_detectors", "AnomalyDetectors", AnomalyDetectorTypes=kinds):
                found.detectors += page["AnomalyDetectors"]
        except PermanentError as error:
            found.missing["anomaly detectors"] = str(error)
        try:
            for page in self._pages("list_alarm_mute_rules", "AlarmMuteRuleSummaries", MaxRecords=100):
                for one in page["AlarmMuteRuleSummaries"]:
                    if one.get("Status") != "EXPIRED":
                        found.mutes.append(self._mute(str(one["AlarmMuteRuleArn"]).rpartition(":")[2]))
        except PermanentError as error:
            found.missing["mute rules"] = str(error)
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _mute(self, name: str) -> dict[str, Any]:
        given = {"AlarmMuteRuleName": name}
        return self._pace.call(lambda: asked(self._session.client, "cloudwatch", "get_alarm_mute_rule", "", given))

    def _pages(self, operation: str, holds: str, **given: Any) -> Iterator[dict[str, Any]]:
        token, count = None, 0
        while True:
            page = self._page(operation, holds, {**given, **({"NextToken": token} if token else {})})
            yield page
            count += len(page[holds]) + 1
            token = page.get("NextToken")
            if not token:
                return
            if count > ENTRIES_MAX:
                raise DataError(f"There are more than {ENTRIES_MAX:,} of them. Take a part: --prefix NAME.")

    def _page(self, operation: str, holds: str, given: dict[str, Any]) -> dict[str, Any]:
        return self._pace.call(lambda: asked(self._session.client, "cloudwatch", operation, holds, given))
