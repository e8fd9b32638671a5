"""What a configuration names: whether it is there, and as it has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from watchband.adapters.stores.dynamodb.table import table_shape
from watchband.apps.aws_doctor.asking import ABSENT, DENIED, Answer, Asking
from watchband.apps.aws_doctor.finding import ADVICE, MISSING, OK, UNKNOWN, Report
from watchband.apps.aws_doctor.needs import User, bucket_of
from watchband.core.duration import SECOND

_LEASE_KEYS = [{"AttributeName": "lease", "KeyType": "HASH"}]


def look(user: User, asking: Asking, objects: Asking, report: Report) -> None:
    """Look at what a part of the configuration names.

    Parameters
    ----------
    user : User
        The part.
    asking, objects : Asking
        Who is asked; for the bucket of a store, which may have another address.
    report : Report
        Where findings go.
    """
    looks = _LOOKS.get((user.about.split(" ")[0], str(getattr(user.settings, "kind", ""))))
    if looks is not None:
        looks(user.settings, user.about, asking, objects, report)


def _gone(answer: Answer, about: str, what: str, fix: str, report: Report) -> None:
    """Say why something was not seen."""
    if answer.why == ABSENT:
        report.add(MISSING, about, f"There is no {what}.", fix)
    elif answer.why == DENIED:
        # Describing is not what a run needs: its own actions are looked at apart.
        report.add(UNKNOWN, about, f"The {what} cannot be looked at: {answer.says[:160]}", "Nothing, if it is there.")
    else:
        report.add(MISSING, about, f"The {what} did not answer: {answer.says[:200]}", "Is the region right? Try again.")


def _table(name: str, keys: Any, makes: bool, about: str, asking: Asking, report: Report) -> bool:
    answer = asking.ask("dynamodb", "describe_table", TableName=name)
    what = f"table {name!r} in {asking.region}"
    if not answer:
        if answer.why == ABSENT and makes:
            report.add(OK, about, f"There is no {what} yet; it is made at the first start.")
        else:
            _gone(answer, about, what, "Make it: docs/stores/dynamodb.md, or deploy/aws/template.yaml.", report)
        return False
    table = answer.get("Table", {})
    found = sorted((key["AttributeName"], key["KeyType"]) for key in table.get("KeySchema", []))
    if found != sorted((key["AttributeName"], key["KeyType"]) for key in keys):
        said = ", ".join(f"{key} ({kind})" for key, kind in found)
        report.add(MISSING, about, f"The {what} has other keys: {said}.", "Name another table.")
        return False
    status = str(table.get("TableStatus", ""))
    if status not in ("ACTIVE", "UPDATING"):
        report.add(MISSING, about, f"The {what} is {status.lower()}.", "Wait, and ask again.")
        return False
    mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    report.add(OK, about, f"The {what} is there, with {table.get('ItemCount', 0):,} items, {mode.lower()}.")
    if mode != "PAY_PER_REQUEST":
        report.add(ADVICE, about, "The table has a fixed throughput.", "Pay by request, or watch its throttles.")
    return True


def _store(settings: Any, about: str, asking: Asking, objects: Asking, report: Report) -> None:
    keys = table_shape(settings.table)["KeySchema"]
    if _table(settings.table, keys, settings.create, about, asking, report):
        backups = asking.ask("dynamodb", "describe_continuous_backups", TableName=settings.table)
        points = backups.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
        if backups and points.get("PointInTimeRecoveryStatus") != "ENABLED":
            fix = f"aws dynamodb update-continuous-backups --table-name {settings.table}"
            fix += " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            report.add(ADVICE, about, "The table cannot be restored to a point in time.", fix)
    if settings.bucket:
        _bucket(settings.bucket, settings.prefix, about, objects, report)


def _bucket(name: str, prefix: str, about: str, asking: Asking, report: Report) -> None:
    answer = asking.ask("s3", "head_bucket", Bucket=name)
    if not answer:
        if "301" in answer.says or "400" in answer.says:
            report.add(
                MISSING, about, f"The bucket {name!r} is in another region than {asking.region}.", "Write its 'region'."
            )
        else:
            _gone(answer, about, f"bucket {name!r}", "Make it, or mend its name.", report)
        return
    report.add(OK, about, f"The bucket {name!r} is there; keys begin with {prefix!r}.")
    public = asking.ask("s3", "get_public_access_block", Bucket=name)
    closed = public.get("PublicAccessBlockConfiguration", {})
    if public.why == ABSENT or (public and not all(closed.values())):
        fix = f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration "
        fix += "BlockPublicAcls=true,BlockPublicPolicy=true,IgnorePublicAcls=true,RestrictPublicBuckets=true"
        report.add(ADVICE, about, f"The bucket {name!r} may be opened to everybody.", fix)


def _kinesis(settings: Any, about: str, asking: Asking, _: Asking, report: Report) -> None:
    given = settings.stream
    named = {"StreamARN": given} if given.startswith("arn:") else {"StreamName": given}
    answer = asking.ask("kinesis", "describe_stream_summary", **named)
    what = f"stream {given!r} in {asking.region}"
    if not answer:
        _gone(answer, about, what, "Make it: `aws kinesis create-stream`, or deploy/aws/template.yaml.", report)
    else:
        stream = answer.get("StreamDescriptionSummary", {})
        hours, shards = stream.get("RetentionPeriodHours", 0), stream.get("OpenShardCount", 0)
        if stream.get("StreamStatus") not in ("ACTIVE", "UPDATING"):
            report.add(MISSING, about, f"The {what} is {stream.get('StreamStatus')}.", "Wait, and ask again.")
        else:
            report.add(OK, about, f"The {what} has {shards} shards and keeps records {hours} h.")
        if stream.get("EncryptionType", "NONE") == "NONE":
            fix = "aws kinesis start-stream-encryption --encryption-type KMS --key-id alias/aws/kinesis"
            fix += f" --stream-name {given}"
            report.add(ADVICE, about, "The stream is not encrypted where it is kept.", fix)
    if settings.leases:
        _table(settings.leases, _LEASE_KEYS, settings.create_leases, about, asking, report)


def _s3(settings: Any, about: str, asking: Asking, _: Asking, report: Report) -> None:
    at = bucket_of(settings.objects)
    if at:
        _bucket(at[0], at[1], about, asking, report)
    if settings.queue_url:
        found = _queue(settings.queue_url, about, asking, report)
        if (
            found is not None
            and "s3.amazonaws.com" not in found.get("Policy", "")
            and "sns" not in found.get("Policy", "")
        ):
            report.add(
                ADVICE, about, "The queue's policy names neither S3 nor SNS.", "docs/aws.md says how S3 is let in."
            )
        if found is not None and int(found.get("VisibilityTimeout", 0)) * SECOND > settings.visibility:
            report.add(OK, about, "The queue hides messages for longer than 'visibility'; the latter counts.")


def _queue(url: str, about: str, asking: Asking, report: Report) -> dict[str, str] | None:
    answer = asking.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    what = f"queue {url.rsplit('/', 1)[-1]!r}"
    if not answer:
        _gone(answer, about, what, "Make it, or mend its address.", report)
        return None
    found: dict[str, str] = answer.get("Attributes", {})
    waits, hours = found.get("ApproximateNumberOfMessages", "0"), int(found.get("MessageRetentionPeriod", 0)) // 3600
    report.add(OK, about, f"The {what} is there, {waits} messages wait, kept {hours} h.")
    if "RedrivePolicy" not in found and "dead" not in url:
        report.add(ADVICE, about, f"The {what} has no dead letters behind it.", "Give it a redrive policy.")
    return found


def _sqs(settings: Any, about: str, asking: Asking, _: Asking, report: Report) -> None:
    _queue(settings.queue_url, about, asking, report)


def _sns(settings: Any, about: str, asking: Asking, _: Asking, report: Report) -> None:
    if settings.topic_arn:
        answer = asking.ask("sns", "get_topic_attributes", TopicArn=settings.topic_arn)
        if not answer:
            _gone(answer, about, f"topic {settings.topic_arn}", "Make it, or mend its ARN.", report)
            return
        found = answer.get("Attributes", {})
        confirmed, waits = int(found.get("SubscriptionsConfirmed", 0)), int(found.get("SubscriptionsPending", 0))
        report.add(OK, about, f"The topic is there with {confirmed} subscriptions.")
        if waits:
            report.add(ADVICE, about, f"{waits} subscriptions are not confirmed.", "Confirm them by the message sent.")
        if not confirmed and not waits:
            report.add(ADVICE, about, "Nobody has subscribed to the topic.", "aws sns subscribe --topic-arn …")
        return
    _texts(settings, about, asking, report)


def _texts(settings: Any, about: str, asking: Asking, report: Report) -> None:
    sandbox = asking.ask("sns", "get_sms_sandbox_account_status")
    if sandbox and sandbox.get("IsInSandbox"):
        verified = asking.ask("sns", "list_sms_sandbox_phone_numbers")
        known = {one["PhoneNumber"] for one in verified.get("PhoneNumbers", []) if one.get("Status") == "Verified"}
        # Numbers are whose they are: how many, not which.
        left = sum(number not in known for number in settings.phone_numbers or ())
        says = f"The account is in the sandbox for text messages; {left} of the telephones are not verified there."
        fix = "Verify them in the console of SNS, or ask AWS to move the account out of the sandbox."
        report.add(MISSING if left else ADVICE, about, says, fix)
    elif sandbox:
        report.add(OK, about, "Text messages may go to any telephone.")
    limit = asking.ask("sns", "get_sms_attributes", attributes=["MonthlySpendLimit"])
    spend = limit.get("attributes", {}).get("MonthlySpendLimit")
    if spend is not None and float(spend) <= 1:
        fix = "Ask AWS for more, and set MonthlySpendLimit: what is above it is not sent, without an error."
        report.add(ADVICE, about, f"Text messages stop at ${spend} a month.", fix)


def _eventbridge(settings: Any, about: str, asking: Asking, _: Asking, report: Report) -> None:
    answer = asking.ask("events", "describe_event_bus", Name=settings.event_bus)
    if answer:
        report.add(OK, about, f"The bus {settings.event_bus!r} is there.")
    else:
        _gone(answer, about, f"bus {settings.event_bus!r}", "Make it, or mend its name.", report)


def _cloudwatch(settings: Any, about: str, asking: Asking, _: Asking, report: Report) -> None:
    # One call of ListMetrics: $0.01 are 1,000 of them.
    namespaces = sorted({one.namespace for one in (settings.metrics or {}).values() if getattr(one, "namespace", "")})
    for namespace in namespaces[:5]:
        answer = asking.ask("cloudwatch", "list_metrics", Namespace=namespace)
        if not answer:
            _gone(answer, about, f"namespace {namespace!r}", "Is the region right?", report)
        elif answer.get("Metrics"):
            report.add(OK, about, f"The namespace {namespace!r} has metrics.")
        else:
            says = f"The namespace {namespace!r} has no metric of the last two weeks in {asking.region}."
            report.add(ADVICE, about, says, "Is the namespace right, and the region?")


_LOOKS: Mapping[tuple[str, str], Callable[[Any, str, Asking, Asking, Report], None]] = {
    ("store", "dynamodb"): _store,
    ("source", "kinesis"): _kinesis,
    ("source", "s3"): _s3,
    ("source", "cloudwatch"): _cloudwatch,
    ("sink", "sns"): _sns,
    ("sink", "sqs"): _sqs,
    ("sink", "eventbridge"): _eventbridge,
}
