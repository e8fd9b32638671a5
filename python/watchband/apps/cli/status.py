"""``watchband status``: asks a running service how it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.calling import Configured, TokenFile, Url, caller
from watchband.core.errors import ConfigError, TransientError

EXAMPLES = (
    "watchband status",
    "watchband status --series 'cpu{host=\"web-1\"}'",
    "watchband status --url http://watchband:8470 --json",
)
PATIENCE_S = 15.0
BODY_MAX = 32 << 20

Series = Annotated[
    str | None,
    typer.Option("--series", help="One series, or a selector: why it did or did not alert.", metavar="SERIES"),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def status(
    url: Url = None,
    config: Configured = Path("watchband.yaml"),
    series: Series = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what a running service does, what is not ready and when it will be, and why something did not alert."""
    from watchband.apps.cli.status_view import show_series, show_status

    called = caller(url, config, token_file)
    base = called.base
    if series is None:
        found = ask(f"{base}/api/v1/status", {}, called.headers)
        ready = bool(found.get("ready"))
    else:
        found = ask(f"{base}/api/v1/status/series", {"match": series, "points": "30"}, called.headers)
        ready = True
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif series is None:
        show_status(found, base)
    else:
        show_series(found, series)
    if not ready:
        raise typer.Exit(1)


def ask(url: str, parameters: dict[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
    """What a service answers.

    Raises
    ------
    ConfigError
        It does not answer, or says that the question is wrong.
    """
    import httpx

    try:
        answer = httpx.get(url, params=parameters, headers=dict(headers), timeout=PATIENCE_S, trust_env=False)
        found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ConfigError(
            f"No service answers at {url}: {error}. Is 'watchband serve' running? Give its address with --url."
        ) from None
    if not isinstance(found, dict):
        raise ConfigError(f"{url} is not a service of Watchband.")
    if answer.status_code == 503 and "phase" not in found:
        raise TransientError(f"The service at {url} cannot say yet: {found.get('detail')}")
    if answer.status_code != 200:
        raise ConfigError(f"{found.get('detail', answer.status_code)}")
    return found


def address(config: Path) -> str:
    """Where the service of a configuration is reached from this machine."""
    from watchband.apps.config.config import read_server
    from watchband.apps.server.settings import PORT, ServerSettings

    settings = read_server(config) if config.exists() else ServerSettings()
    host, port = settings.address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    scheme = "https" if settings.tls_cert_file else "http"
    return f"{scheme}://[{host}]:{port or PORT}" if ":" in host else f"{scheme}://{host}:{port or PORT}"
