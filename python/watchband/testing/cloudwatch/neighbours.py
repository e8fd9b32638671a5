"""What clients of CloudWatch ask its neighbours: a role to assume, and resources by their tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from watchband.core.clock import SystemClock
from watchband.core.duration import HOUR
from watchband.core.timestamp import format_rfc3339
from watchband.testing.cloudwatch.account import Cloud
from watchband.testing.cloudwatch.paging import read_token, token_of
from watchband.testing.outside import Answer

_XML = {"Content-Type": "text/xml"}
_NS = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'


def sts(roles: set[str], keys: dict[str, str], body: bytes) -> Answer:
    """Security Token Service, API: AssumeRole. A role that may be assumed gets a key of its own, for an hour.

    An hour of the system's clock: botocore knows no other.
    """
    form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
    role = form.get("RoleArn", "")
    if form.get("Action") != "AssumeRole" or role not in roles:
        words = f"User is not authorized to perform: sts:AssumeRole on resource: {role}"
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(words)}</Message></Error>"
        return Answer(f"<ErrorResponse {_NS}>{error}</ErrorResponse>".encode(), 403, _XML)
    key = f"ASIA{len(keys):012d}"
    keys[key] = role
    credentials = (
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>of-the-role</SecretAccessKey>"
        f"<SessionToken>session</SessionToken><Expiration>{format_rfc3339(SystemClock().now() + HOUR)}</Expiration>"
    )
    user = f"<Arn>{escape(role)}/{escape(form.get('RoleSessionName', ''))}</Arn><AssumedRoleId>A:B</AssumedRoleId>"
    result = f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    text = f"<AssumeRoleResponse {_NS}><AssumeRoleResult>{result}</AssumeRoleResult></AssumeRoleResponse>"
    return Answer(text.encode(), 200, _XML)


def get_resources(cloud: Cloud, request: Mapping[str, Any]) -> dict[str, Any]:
    """Resource Groups Tagging API, GetResources: those that have every tag, with one of its values; 100 a page."""
    wanted = [(f["Key"], set(f.get("Values") or ())) for f in request.get("TagFilters") or ()]
    found = [
        (arn, tags)
        for arn, tags in sorted(cloud.resources.items())
        if all(key in tags and (not values or tags[key] in values) for key, values in wanted)
    ]
    per_page = int(request.get("ResourcesPerPage", 100))
    asked = {key: value for key, value in request.items() if key != "PaginationToken"}
    at = read_token(asked | {"NextToken": request.get("PaginationToken")}).get("at", 0)
    page = [
        {"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
        for arn, tags in found[at : at + per_page]
    ]
    more = at + per_page < len(found)
    return {
        "ResourceTagMappingList": page,
        "PaginationToken": token_of(asked, at=at + per_page) if more else "",
    }
