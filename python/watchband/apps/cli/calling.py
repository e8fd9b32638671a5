"""Calling a running service from the command line: its address, a token, an answer or the reason why there is none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.core.errors import ConfigError, TransientError

PATIENCE_S = 30.0
TOKEN = "WATCHBAND_TOKEN"
BUSY = (429, 503)

Url = Annotated[
    str | None, typer.Option("--url", help="Where the service is; default: as --config says.", metavar="URL")
]
Configured = Annotated[Path, typer.Option("--config", help="Its configuration, for the address.", metavar="CONFIG")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help=f"A file with a token, if it wants one; or ${TOKEN}.", metavar="FILE"),
]


@dataclass(frozen=True)
class Caller:
    """A service at an address, and who calls it.

    Parameters
    ----------
    base : str
        Its address, without a slash at the end.
    token : str
        Empty: none.
    """

    base: str
    token: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What shows the token."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def there(self) -> bool:
        """Whether anything listens there."""
        import httpx

        try:
            httpx.get(f"{self.base}/healthz", timeout=PATIENCE_S, trust_env=False)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return False
        except (httpx.HTTPError, httpx.InvalidURL):
            return True
        return True

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Ask for something."""
        return self.call("GET", path, query=query)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """What the service answers.

        Raises
        ------
        ConfigError
            It does not answer, or refuses.
        TransientError
            It cannot yet: the same again may go well.
        """
        import httpx

        url = f"{self.base}/api/v1/{path}"
        try:
            answer = httpx.request(
                method, url, params=query, json=body, headers=self.headers, timeout=PATIENCE_S, trust_env=False
            )
            found = answer.json() if answer.content else {}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ConfigError(
                f"No service answers at {url}: {error}. Is 'watchband serve' running? Give its address with --url."
            ) from None
        if answer.is_success and isinstance(found, dict):
            return found
        said = found.get("detail", answer.status_code) if isinstance(found, dict) else answer.status_code
        if answer.status_code in BUSY:
            raise TransientError(f"The service at {self.base} cannot yet: {said}")
        if answer.status_code in (401, 403):
            raise ConfigError(f"{said} Give a token by --token-file or ${TOKEN}.")
        raise ConfigError(f"{said}")


def caller(url: str | None, config: Path, token_file: Path | None = None) -> Caller:
    """The service that is meant.

    Raises
    ------
    ConfigError
        The configuration or the file of the token cannot be read.
    """
    from watchband.apps.cli.status import address

    base = (url or address(config)).rstrip("/")
    base = base if "://" in base else f"http://{base}"
    token = token_file.read_text().strip() if token_file is not None else os.environ.get(TOKEN, "").strip()
    if token and not (token.isascii() and token.isprintable()):
        raise ConfigError("A token is one line of letters, digits and signs.")
    return Caller(base, token)
