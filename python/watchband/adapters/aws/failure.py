"""Errors of boto3 as ours: what passes, what a person has to mend, what asks for patience; without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchband.adapters.answers import seconds_of
from watchband.core.errors import AdapterError, PermanentError, TransientError

WORDS_MAX = 300
THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequestsException", "RequestLimitExceeded", "LimitExceeded", "SlowDown", "EC2ThrottledException",
        "ProvisionedThroughputExceededException", "BandwidthLimitExceeded", "PriorRequestNotComplete",
        "KMSThrottling", "KMSThrottlingException", "KmsThrottled",
    }
)  # fmt: skip
"""Codes by which AWS says that it was too much, as botocore's own retries know them."""
_DENIED = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnrecognizedClientException",
        "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "IncompleteSignature", "OptInRequired", "NotAuthorized",
        "AuthFailure", "AuthorizationError", "AuthorizationErrorException", "InvalidSecurity", "KMSAccessDenied",
        "KMSAccessDeniedException", "KmsAccessDenied", "ExpiredToken", "ExpiredTokenException", "RequestExpired",
    }
)  # fmt: skip


class ThrottledError(TransientError):
    """AWS asks for patience: the same question may be asked again, later."""


class DeniedError(PermanentError):
    """The credentials are none, or may not do this."""


class TokenError(TransientError):
    """The token of a page is worth nothing any more: begin at the first page."""


def failure(error: Exception, what: str) -> AdapterError:
    """What an exception of boto3 stands for.

    Parameters
    ----------
    error : Exception
        Of boto3 or what is beneath it.
    what : str
        The operation that failed: ``GetMetricData``.
    """
    from botocore import exceptions

    if isinstance(error, AdapterError):
        return error
    if isinstance(error, exceptions.ClientError):
        return _answered(error.response, what)
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return DeniedError(
            "There are no AWS credentials: boto3 looked into the environment, ~/.aws, and the role of this machine or "
            "container. Give it one of them, or name a 'profile'."
        )
    if isinstance(error, exceptions.NoRegionError):
        return PermanentError("No region is known. Write 'region', or set AWS_REGION.")
    if isinstance(error, exceptions.ProfileNotFound | exceptions.ConfigParseError):
        return PermanentError(f"boto3 cannot read its configuration: {error}")
    if isinstance(error, exceptions.TokenRetrievalError | exceptions.CredentialRetrievalError):
        return DeniedError(
            f"The credentials could not be fetched ({type(error).__name__}). Sign in again, or renew them."
        )
    if isinstance(error, exceptions.ParamValidationError):
        return PermanentError(f"{what} cannot be asked like that: {str(error)[:WORDS_MAX]}")
    if isinstance(error, exceptions.HTTPClientError | exceptions.BotoCoreError):
        # Connections, proxies, timeouts. Their texts name the endpoint, and nothing of what was sent.
        return TransientError(f"{what} got no answer: {type(error).__name__}: {str(error)[:WORDS_MAX]}")
    return TransientError(f"{what} got an answer that cannot be read ({type(error).__name__}).")


def _answered(response: Mapping[str, Any], what: str) -> AdapterError:
    said = response.get("Error", {})
    meta = response.get("ResponseMetadata", {})
    code, status = str(said.get("Code", "")), int(meta.get("HTTPStatusCode") or 0)
    known = not code.isdigit() and code
    # What is no answer of AWS may repeat the request with its headers: it is not quoted.
    words = f"{what} was refused ({status} {code}): {str(said.get('Message', ''))[:WORDS_MAX]}" if known else (
        f"{what} was answered with status {status} by something that is not AWS. Is there a proxy, and is "
        "'endpoint_url' right?"
    )  # fmt: skip
    wait = seconds_of(meta.get("HTTPHeaders", {}).get("retry-after"))
    if code in THROTTLED or status == 429:
        return ThrottledError(words, status=status, retry_after=wait)
    if code == "InvalidNextToken":
        return TokenError(words, status=status)
    if code in _DENIED or (not known and status in (401, 403)):
        return DeniedError(f"{words} See the policy on its page.", status=status)
    if status >= 500 or status == 408:
        return TransientError(words, status=status, retry_after=wait)
    return PermanentError(words, status=status)
