"""Who asks: credentials, account, clock; never a key of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from watchband.adapters.aws.access import AwsAccess
from watchband.apps.aws_doctor.asking import ABSENT, Asking
from watchband.apps.aws_doctor.finding import ADVICE, MISSING, OK, UNKNOWN, Report, Statement
from watchband.apps.aws_doctor.needs import Place
from watchband.core.clock import Clock
from watchband.core.duration import SECOND

SKEW_S = 60.0
"""A signature is refused where the clocks differ by more than five minutes; a minute is worth a word."""
_ASSUMED = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+")
SIMULATE = "iam:SimulatePrincipalPolicy"


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Parameters
    ----------
    place : Place
        Account, region, partition.
    arn : str
        Of the caller.
    principal : str
        Whose policies count: of an assumed role, the role; empty: the root of the account, or not known.
    """

    place: Place
    arn: str
    principal: str


def identify(asking: Asking, report: Report, clock: Clock) -> Identity | None:
    """Find out who asks, or say why not; none where nothing more can be asked."""
    about = _about(asking.access)
    if not asking.region:
        report.add(MISSING, about, "No region is known.", "Set AWS_REGION, or write 'region' in the configuration.")
        return None
    answer = asking.ask("sts", "get_caller_identity")
    if not answer:
        # AWS answers this to whoever has valid keys: no policy is needed, and none can forbid it.
        fix = "Give boto3 credentials that are valid: a role of the machine, AWS_PROFILE, or `aws sso login`."
        if asking.access.role_arn:
            fix = f"Let these credentials assume {asking.access.role_arn}, and let it trust them; or renew them."
        statement = None
        if asking.access.role_arn:
            statement = Statement("AssumeRole", ("sts:AssumeRole",), (asking.access.role_arn,))
        report.add(MISSING, about, answer.says, fix, statement)
        return None
    arn, account = str(answer.get("Arn", "")), str(answer.get("Account", ""))
    partition = arn.split(":")[1] if arn.count(":") > 4 else "aws"
    report.who.append({"account": account, "arn": arn, "region": asking.region, "credentials": asking.method()})
    report.add(OK, about, f"{arn} in {asking.region}, credentials from {asking.method()}.")
    if arn.endswith(":root"):
        report.add(ADVICE, about, "These are the keys of the account's root user.", "Make a role, and use that.")
    _clock(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""), report, clock)
    return Identity(Place(account, asking.region, partition), arn, _principal(arn, asking))


def _about(access: AwsAccess) -> str:
    named = access.role_arn or access.profile
    return f"credentials ({named})" if named else "credentials"


def _clock(said: str, report: Report, clock: Clock) -> None:
    """Whether the clock here is that of AWS."""
    try:
        theirs = parsedate_to_datetime(said).timestamp()
    except (TypeError, ValueError):
        return
    apart = clock.now() / SECOND - theirs
    if abs(apart) > SKEW_S:
        level = MISSING if abs(apart) > 300 else ADVICE
        way = "ahead of" if apart > 0 else "behind"
        report.add(
            level,
            "clock",
            f"This machine's clock is {abs(apart):.0f} s {way} AWS's.",
            "Set it: chrony, systemd-timesyncd.",
        )


def _principal(arn: str, asking: Asking) -> str:
    """Whose policies are simulated."""
    match = _ASSUMED.fullmatch(arn)
    if match is None:
        return "" if arn.endswith(":root") else arn
    partition, account, name = match.groups()
    # The name of the session does not say the path of the role.
    role = asking.ask("iam", "get_role", RoleName=name)
    return str(role.get("Role", {}).get("Arn", "") or f"arn:{partition}:iam::{account}:role/{name}")


def allowed(asking: Asking, who: Identity, statement: Statement, about: str, report: Report) -> None:
    """Whether policies of the caller allow a statement, by IAM's own simulation, which does nothing."""
    if not who.principal:
        report.add(OK, about, f"{statement.sid}: the root user may do everything.")
        return
    given = {"PolicySourceArn": who.principal, "ActionNames": list(statement.actions), "MaxItems": 1000}
    if statement.resources != ("*",):
        given["ResourceArns"] = list(statement.resources)
    if statement.condition is not None:
        _, key, value = statement.condition
        given["ContextEntries"] = [{"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}]
    answer = asking.ask("iam", "simulate_principal_policy", **given)
    if not answer:
        _unknown(about, statement, who, answer.why == ABSENT, answer.says, report)
        return
    refused: dict[str, str] = {}
    for one in answer.get("EvaluationResults", []):
        action, decision = str(one.get("EvalActionName", "")), str(one.get("EvalDecision", ""))
        if decision != "allowed":
            refused[action] = decision
            if one.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
                refused[action] = "organization"
    if not refused:
        report.add(OK, about, f"{statement.sid}: {len(statement.actions)} actions are allowed.")
        return
    words = ", ".join(sorted(refused))
    why = set(refused.values())
    if "organization" in why:
        fix = "A policy of the organization forbids it: whoever administers the organization can allow it."
    elif "explicitDeny" in why:
        fix = "A statement with Effect Deny forbids it: find it in the policies of the caller, or its boundary."
    else:
        fix = f"Add the statement {statement.sid} to the policies of {who.principal}."
    report.add(MISSING, about, f"{statement.sid}: not allowed: {words}.", fix, statement.only(refused))


def _unknown(about: str, statement: Statement, who: Identity, gone: bool, says: str, report: Report) -> None:
    fix = f"To have it looked at, allow {SIMULATE} on {who.principal}. The statement that is needed is shown."
    if gone:
        fix = "IAM does not know this principal: is it a federated user? Compare the statement by hand."
    words = f"{statement.sid}: not known whether {len(statement.actions)} actions are allowed ({says[:120]})"
    report.add(UNKNOWN, about, words, fix, statement)
