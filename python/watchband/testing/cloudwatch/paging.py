"""Tokens of pages: they belong to one request, and to nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from watchband.testing.cloudwatch.refusal import Refusal


def token_of(request: Mapping[str, Any], **where: int) -> str:
    """A token that goes on with a request."""
    return base64.urlsafe_b64encode(json.dumps({"of": _digest(request), **where}).encode()).decode()


def read_token(request: Mapping[str, Any]) -> dict[str, int]:
    """Where a request goes on; empty at its beginning.

    Raises
    ------
    Refusal
        The token is none of this request (API: GetMetricData, InvalidNextToken).
    """
    token = request.get("NextToken")
    if not token:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        found = {}
    if not isinstance(found, dict) or found.pop("of", None) != _digest(request):
        raise Refusal("InvalidNextToken", "The next token specified is invalid.")
    return {str(key): int(value) for key, value in found.items()}


def _digest(request: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in request.items() if key != "NextToken"}
    return hashlib.blake2b(json.dumps(rest, sort_keys=True).encode(), digest_size=8).hexdigest()
