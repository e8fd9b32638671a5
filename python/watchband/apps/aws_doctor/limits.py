"""What an account allows at most, where it is less than a new installation may need."""

from __future__ import annotations

from watchband.apps.aws_doctor.asking import Asking
from watchband.apps.aws_doctor.finding import ADVICE, OK, UNKNOWN, Report

CONCURRENT_MIN = 20
"""Functions of an installation with several shards; new accounts may begin with 10."""


def look_at_limits(asking: Asking, kinds: frozenset[str], report: Report) -> None:
    """Limits of the account in this region.

    Parameters
    ----------
    asking : Asking
        Who is asked.
    kinds : frozenset of str
        What the configuration uses: ``kinesis``, ``dynamodb``; functions are looked at always.
    report : Report
        Where findings go.
    """
    _functions(asking, report)
    if "kinesis" in kinds:
        _shards(asking, report)
    if "dynamodb" in kinds:
        _tables(asking, report)


def _functions(asking: Asking, report: Report) -> None:
    answer = asking.ask("lambda", "get_account_settings")
    if not answer:
        _unknown("functions at a time", "lambda:GetAccountSettings", answer.says, report)
        return
    limit = answer.get("AccountLimit", {})
    most, free = int(limit.get("ConcurrentExecutions", 0)), int(limit.get("UnreservedConcurrentExecutions", 0))
    if free < CONCURRENT_MIN:
        fix = "Ask for more in Service Quotas: AWS Lambda, concurrent executions."
        report.add(ADVICE, "limits", f"Lambda runs {most} functions at a time, {free} of them free.", fix)
    else:
        report.add(OK, "limits", f"Lambda runs {most:,} functions at a time, {free:,} of them free.")


def _shards(asking: Asking, report: Report) -> None:
    answer = asking.ask("kinesis", "describe_limits")
    if not answer:
        _unknown("shards", "kinesis:DescribeLimits", answer.says, report)
        return
    most, used = int(answer.get("ShardLimit", 0)), int(answer.get("OpenShardCount", 0))
    level = OK if used < most else ADVICE
    report.add(
        level, "limits", f"Kinesis: {used:,} of {most:,} shards are open.", "" if level == OK else "Ask for more."
    )


def _tables(asking: Asking, report: Report) -> None:
    answer = asking.ask("dynamodb", "describe_limits")
    if not answer:
        _unknown("throughput of tables", "dynamodb:DescribeLimits", answer.says, report)
        return
    units = int(answer.get("TableMaxWriteCapacityUnits", 0))
    report.add(OK, "limits", f"DynamoDB: a table may take {units:,} write units a second; one of its partitions 1,000.")


def _unknown(what: str, action: str, says: str, report: Report) -> None:
    report.add(
        UNKNOWN, "limits", f"The limit of {what} is not known ({says[:120]})", f"To have it looked at, allow {action}."
    )
