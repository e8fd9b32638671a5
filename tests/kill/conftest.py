"""What the tests of kills share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kill.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who is told."""
    found = Receiver()
    yield found
    found.close()
