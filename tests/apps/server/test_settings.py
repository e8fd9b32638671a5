"""The ``server`` section."""

from __future__ import annotations

import pytest

from watchband.apps.config.build import build
from watchband.apps.config.document import parse_document
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.errors import ConfigError


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [("127.0.0.1:1", True), ("localhost:80", True), ("[::1]:80", True), ("0.0.0.0:80", False), ("[::]:80", False)],
)
def test_loopback_is_told_from_the_rest(listen: str, loopback: bool) -> None:
    assert ServerSettings(listen=listen).loopback == loopback


@pytest.mark.parametrize("listen", ["8470", ":8470", "host:", "host:99999", "host:http"])
def test_an_address_has_host_and_port(listen: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        ServerSettings(listen=listen)


def test_a_token_comes_from_a_file_and_does_not_show() -> None:
    found = build(TokenSettings, parse_document("{token_file: /run/t, role: admin}", "w.yaml", {}), "token 'ci'")
    assert (found.token.file, found.role) == ("/run/t", "admin")
    with pytest.raises(ConfigError, match="needs 'token'"):
        build(TokenSettings, parse_document("{role: admin}", "w.yaml", {}), "token 'ci'")
