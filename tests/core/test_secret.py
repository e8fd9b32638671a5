"""Secrets: revealed on request only."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from watchband.core.errors import ConfigError
from watchband.core.secret import SECRET_BYTES_MAX, Secret


def test_nothing_shows_it() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret!r}", repr([secret])):
        assert "hunter2" not in shown
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError, match="not written anywhere"):
        copy.deepcopy(secret)
    assert not hasattr(secret, "__dict__")


def test_equal_are_those_that_are_the_same() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret(file="a") == Secret(file="a") != Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"


def test_a_file_is_read_at_every_use(tmp_path: Path) -> None:
    path = tmp_path / "token"
    secret = Secret(file=str(path))
    for text, expected in (("one", "one"), ("two\n", "two"), ("three\r\n", "three"), (" four \n\n", " four \n")):
        path.write_bytes(text.encode())
        assert secret.reveal() == expected
    assert str(path) in repr(secret)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "not UTF-8"), (b"x" * (SECRET_BYTES_MAX + 1), "too large")],
)
def test_a_file_that_holds_none(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        Secret(file=str(path)).reveal()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (str(tmp_path / "none"), str(tmp_path), "a\0b"):
        with pytest.raises(ConfigError, match=r"cannot be read: .* Check the path"):
            Secret(file=path).reveal()
    with pytest.raises(ConfigError, match="either a text or a file"):
        Secret()
    with pytest.raises(ConfigError, match="either a text or a file"):
        Secret("a", file="b")
