"""The whole look: who asks, what is allowed, what is there, what the account allows at most. It only reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from watchband.adapters.aws.access import AwsAccess
from watchband.apps.aws_doctor.asking import Asking
from watchband.apps.aws_doctor.finding import Report
from watchband.apps.aws_doctor.identity import allowed, identify
from watchband.apps.aws_doctor.limits import look_at_limits
from watchband.apps.aws_doctor.needs import User
from watchband.apps.aws_doctor.things import look
from watchband.core.clock import Clock
from watchband.core.duration import SECOND

TIMEOUT_S = 10


def examine(parts: Sequence[User], here: AwsAccess, clock: Clock) -> Report:
    """Look at everything that a configuration asks of AWS.

    Parameters
    ----------
    parts : sequence of User
        Parts of the configuration; none: credentials and limits only.
    here : AwsAccess
        How the account is reached where no part says otherwise.
    clock : Clock
        This machine's.

    Returns
    -------
    Report
        Every finding; ``missing`` is what stops a start.

    Raises
    ------
    MissingExtraError
        boto3 is not installed.
    """
    report = Report()
    groups: dict[AwsAccess, list[User]] = {}
    for part in parts:
        groups.setdefault(_access(part.settings), []).append(part)
    for access, users in (groups or {_access(here): []}).items():
        with closing(Asking(access)) as asking:
            who = identify(asking, report, clock)
            if who is None:
                continue
            for user in users:
                for statement in user.statements(who.place):
                    allowed(asking, who, statement, user.about, report)
                with closing(Asking(_objects(access, user.settings))) as objects:
                    look(user, asking, objects, report)
            kinds = frozenset(str(getattr(user.settings, "kind", "")) for user in users)
            look_at_limits(asking, kinds, report)
    return report


def _access(settings: Any) -> AwsAccess:
    """How a part reaches its account, without the rest of its settings."""
    return AwsAccess(
        region=settings.region,
        profile=settings.profile,
        role_arn=settings.role_arn,
        external_id=settings.external_id,
        endpoint_url=settings.endpoint_url,
        timeout=min(settings.timeout, TIMEOUT_S * SECOND),
    )


def _objects(access: AwsAccess, settings: Any) -> AwsAccess:
    """How its bucket is reached: a store may say another address."""
    other = getattr(settings, "bucket_endpoint_url", None)
    return replace(access, endpoint_url=other) if other else access
