"""Questions to AWS that change nothing, with answers that say whether it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import DeniedError, failure
from watchband.core.errors import AdapterError

DENIED, ABSENT, FAILED = "denied", "absent", "failed"
_ABSENT = frozenset(
    {
        "ResourceNotFoundException", "NoSuchBucket", "404", "NotFound", "NotFoundException", "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue", "NoSuchEntity", "NoSuchPublicAccessBlockConfiguration",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came of a question.

    Parameters
    ----------
    found : dict, optional
        The answer; none where there is none.
    why : str
        ``denied``, ``absent`` or ``failed`` where there is none.
    says : str
        The same in words.
    """

    found: dict[str, Any] | None = None
    why: str = ""
    says: str = ""

    def get(self, key: str, default: Any = None) -> Any:
        """A part of the answer."""
        return (self.found or {}).get(key, default)

    def __bool__(self) -> bool:
        return self.found is not None


class Asking:
    """Calls by one access; each is made once.

    Parameters
    ----------
    access : AwsAccess
        How the account is reached.
    """

    def __init__(self, access: AwsAccess) -> None:
        self.access = access
        self._session = AwsSession(access, "'watchband aws doctor'")
        self.region = self._session.region

    def ask(self, service: str, operation: str, **given: Any) -> Answer:
        """One question.

        Parameters
        ----------
        service, operation : str
            As boto3 names them; an operation that only reads.
        given : object
            What is asked.
        """
        try:
            return Answer(dict(getattr(self._session.client(service), operation)(**given)))
        except Exception as error:
            told = failure(error, operation)
            if not isinstance(told, AdapterError):
                raise
            code = str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))
            # S3 answers a HEAD without words: only the status is known.
            denied = isinstance(told, DeniedError) or code in ("403", "AccessDenied")
            why = DENIED if denied else ABSENT if code in _ABSENT else FAILED
            return Answer(None, why, str(told))

    def method(self) -> str:
        """Where boto3 found the credentials, in its own word: ``env``, ``shared-credentials-file``, ``assume-role``."""
        return self._session.method

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()
