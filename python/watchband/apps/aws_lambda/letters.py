"""Dead letters of functions: what cannot be read goes to a queue of SQS, and what is around it is folded."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import failure
from watchband.adapters.aws.pace import Pace
from watchband.adapters.sinks.aws.sqs import queue_region
from watchband.core.clock import Clock
from watchband.core.errors import TransientError

log = logging.getLogger("watchband.lambda")
CALL, CALL_BYTES = 10, 256 << 10
"""Of one SendMessageBatch."""
DATA_MAX = 128 << 10
"""Characters of a record that a letter keeps."""


class LetterQueue:
    """Sends letters; without an address they are only told in the log.

    Parameters
    ----------
    url : str
        Of the queue, or empty.
    clock : Clock
        Who waits between repeats.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self._session: AwsSession | None = None
        self._pace = Pace(clock, 100.0, seed=url)

    def send(self, letters: Sequence[dict[str, Any]]) -> None:
        """Send some; all are in the queue when it returns.

        Raises
        ------
        TransientError
            The queue did not take all of them: what they are of comes again.
        PermanentError
            There is no such queue, or it may not be written.
        """
        if letters:
            first = letters[0]
            log.warning("%d records cannot be read, the first: %s", len(letters), first.get("reason"))
        if not self.url:
            return
        bodies = [json.dumps(_cut(letter), ensure_ascii=True) for letter in letters]
        for some in _calls(bodies):
            self._pace.call(partial(self._once, some))

    def _once(self, bodies: Sequence[str]) -> None:
        if self._session is None:
            region = queue_region(self.url)
            self._session = AwsSession(AwsAccess(region=region or None), "WATCHBAND_DEAD_LETTERS")
        fifo = self.url.endswith(".fifo")
        entries = [
            {"Id": str(n), "MessageBody": body} | ({"MessageGroupId": "letters"} if fifo else {})
            for n, body in enumerate(bodies)
        ]
        try:
            answer = self._session.client("sqs").send_message_batch(QueueUrl=self.url, Entries=entries)
        except Exception as error:
            raise failure(error, "SendMessageBatch") from None
        if answer.get("Failed"):
            raise TransientError(f"The queue of dead letters did not take {len(answer['Failed'])} of {len(bodies)}.")


def _cut(letter: dict[str, Any]) -> dict[str, Any]:
    data = str(letter.get("data", ""))
    return letter if len(data) <= DATA_MAX else {**letter, "data": data[:DATA_MAX], "cut": True}


def _calls(bodies: Sequence[str]) -> list[list[str]]:
    calls: list[list[str]] = []
    size = 0
    for body in bodies:
        if not calls or len(calls[-1]) == CALL or size + len(body) > CALL_BYTES:
            calls.append([])
            size = 0
        calls[-1].append(body)
        size += len(body)
    return calls
