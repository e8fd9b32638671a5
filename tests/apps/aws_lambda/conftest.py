"""Accounts for functions under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.apps.aws_lambda.account import Account
from tests.servers.dynamodb.server import DynamoServer


@pytest.fixture
def account(dynamodb_server: DynamoServer, tmp_path: Path) -> Iterator[Callable[..., Account]]:
    """``account(text=…, parts=…, topic=…)``: a new one, in whose environment the test goes on."""
    with ExitStack() as stack:

        def make(**given: Any) -> Account:
            return stack.enter_context(Account(dynamodb_server, tmp_path, **given).at_work())

        yield make
