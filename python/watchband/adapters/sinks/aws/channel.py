"""How sinks speak to AWS: one call, one try; who calls again is the courier."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import DeniedError, failure
from watchband.core.errors import AdapterError, PermanentError, WatchbandError

_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:(?P<region>[a-z0-9-]*):(?P<account>\d{12}|):(?P<rest>.+)")


class Channel:
    """Calls of one service.

    Parameters
    ----------
    access : AwsAccess
        Region, role and address.
    service, sink : str
        As boto3 calls it; the kind of the sink, for messages.
    needs : mapping of str to str
        What the policy must allow, by the name of the operation.
    hints : mapping of str to str
        What to do, by AWS's code of an error.
    """

    def __init__(
        self,
        access: AwsAccess,
        service: str,
        sink: str,
        needs: Mapping[str, str],
        hints: Mapping[str, str],
    ) -> None:
        self._access, self._service, self._sink = access, service, sink
        self._needs, self._hints = needs, hints
        self._session: AwsSession | None = None
        self._lock = threading.Lock()

    def call(self, operation: str, **given: Any) -> Any:
        """The answer of an operation, named as boto3 does: ``publish``.

        Raises
        ------
        TransientError
            It may succeed later; ``retry_after`` as AWS said.
        PermanentError
            It will not, and what to mend.
        """
        try:
            return getattr(self._client(), operation)(**given)
        except WatchbandError:
            raise
        except Exception as error:
            raise self._said(error, operation) from None

    def region(self) -> str:
        """The region that is spoken to."""
        self._client()
        assert self._session is not None
        return self._session.region or ""

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            if self._session is not None:
                self._session.close()

    def _client(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = AwsSession(self._access, f"The sink {self._sink!r}")
            return self._session.client(self._service)

    def _said(self, error: Exception, operation: str) -> AdapterError:
        name = "".join(word.capitalize() for word in operation.split("_"))
        found = failure(error, name)
        response = getattr(error, "response", None)
        code = str(response.get("Error", {}).get("Code", "")) if isinstance(response, Mapping) else ""
        return hinted(found, code, self._hints, self._needs.get(operation, ""))


def hinted(found: AdapterError, code: str, hints: Mapping[str, str], needed: str = "") -> AdapterError:
    """An error with what to do about it, where it is for good."""
    if not isinstance(found, PermanentError):
        return found
    hint = next((words for known, words in hints.items() if known in code or known in str(found)), "")
    if not hint and isinstance(found, DeniedError) and needed:
        hint = f"Allow {needed} to the role that this runs as."
    return type(found)(f"{found} {hint}".strip(), status=found.status)


def arn_parts(arn: str) -> tuple[str, str, str]:
    """Region, account and name of an ARN; empty where it is none.

    Examples
    --------
    >>> arn_parts("arn:aws:sns:eu-west-1:111122223333:alerts.fifo"), arn_parts("alerts")
    (('eu-west-1', '111122223333', 'alerts.fifo'), ('', '', ''))
    """
    found = _ARN.fullmatch(arn)
    return (found["region"], found["account"], found["rest"]) if found else ("", "", "")
