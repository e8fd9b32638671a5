"""A queue of SQS: messages, hidden while they are worked on, removed once what they brought is durable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from watchband.adapters.aws.access import AwsAccess, AwsSession
from watchband.adapters.aws.failure import failure
from watchband.adapters.aws.pace import Pace
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError

T = TypeVar("T")
WAIT_S = 2
"""How long a call waits for messages: as long as ``close`` may wait for it."""
MESSAGES = 10
CALLS_PER_SECOND = 50.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its body, and what it is removed by."""

    body: str
    receipt: str


class Queue:
    """Messages of one queue.

    Parameters
    ----------
    url : str
        Of the queue.
    access : AwsAccess
        How the account is reached.
    visibility : int
        How long messages are hidden, ns.
    clock : Clock
        Says when it is time to hide them for longer.
    """

    def __init__(self, url: str, access: AwsAccess, visibility: int, clock: Clock) -> None:
        self._url, self._visibility, self._clock = url, visibility, clock
        self._session = AwsSession(access, "The source 's3'")
        self._pace = Pace(clock, CALLS_PER_SECOND, seed=url)
        self._hidden_at = 0

    def receive(self) -> list[Message]:
        """The next few messages, after at most two seconds; perhaps none."""
        self._hidden_at = self._clock.now()
        answer = self._call(
            "ReceiveMessage",
            lambda sqs: sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=MESSAGES,
                WaitTimeSeconds=WAIT_S,
                VisibilityTimeout=self._visibility // SECOND,
            ),
        )
        return [Message(one["Body"], one["ReceiptHandle"]) for one in answer.get("Messages", ())]

    def keep(self, messages: list[Message]) -> None:
        """Hide messages for longer, once a third of their time is over."""
        now = self._clock.now()
        if now - self._hidden_at < self._visibility // 3 or not messages:
            return
        self._hidden_at = now
        entries = [
            {"Id": str(n), "ReceiptHandle": one.receipt, "VisibilityTimeout": self._visibility // SECOND}
            for n, one in enumerate(messages)
        ]
        # One that is removed or seen again meanwhile is told in the answer: it is read again then, which is harmless.
        self._call(
            "ChangeMessageVisibilityBatch",
            lambda sqs: sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries),
        )

    def remove(self, message: Message) -> None:
        """A message is done."""
        self._call("DeleteMessage", lambda sqs: sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt))

    def close(self) -> None:
        """End waits."""
        self._pace.close()

    def _call(self, operation: str, work: Callable[[Any], T]) -> T:
        def once() -> T:
            try:
                return work(self._session.client("sqs"))
            except AdapterError:
                raise
            except Exception as error:
                raise failure(error, f"{operation} of {self._url}") from None

        return self._pace.call(once)
