"""``watchband keys``: make, list and revoke keys, of a running service or in its store while none runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.calling import Caller, Configured, TokenFile, Url, caller
from watchband.apps.cli.store_flags import AsJson
from watchband.core.errors import ConfigError

if TYPE_CHECKING:
    from watchband.apps.service.keys import Keys

keys = typer.Typer(
    name="keys",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Make, list and revoke keys: by the running service, or in its store while none runs.",
)
CREATE_EXAMPLES = (
    "watchband keys create ann --role admin",
    "watchband keys create grafana --role viewer --expires 90d --json",
)
LIST_EXAMPLES = ("watchband keys list", "watchband keys list --json")
REVOKE_EXAMPLES = ("watchband keys revoke grafana", "watchband keys revoke 5f0c1d2e3a4b")
ROLES = ("viewer", "operator", "admin", "write")
FILE = Path("watchband.yaml")


@keys.callback()
def _group() -> None:
    pass


@keys.command("create", epilog=examples(CREATE_EXAMPLES))
def create(
    name: Annotated[str, typer.Argument(help="Who has it; the audit log says it.", metavar="NAME")],
    role: Annotated[str, typer.Option("--role", help=f"What it may do: {', '.join(ROLES)}.", metavar="ROLE")],
    expires: Annotated[
        str | None, typer.Option("--expires", help="After how long it expires; default: never.", metavar="DURATION")
    ] = None,
    config: Configured = FILE,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its secret is shown this once: only a digest is kept."""
    if role not in ROLES:
        raise ConfigError(f"A role is one of {', '.join(ROLES)}. Got {role[:40]!r}.")
    body = {"name": name, "role": role, "expires": expires}
    service = _running(url, config, token_file)
    found = service.call("POST", "keys", body) if service else _stored(config, lambda all_: _create(all_, body))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(found["secret"])
    until = f"until {found['key']['expires']}" if found["key"]["expires"] else "until it is revoked"
    typer.echo(f"{name} is {role} {until}. Keep the line above: it is not shown again.", err=True)


@keys.command("list", epilog=examples(LIST_EXAMPLES))
def list_(config: Configured = FILE, url: Url = None, token_file: TokenFile = None, as_json: AsJson = False) -> None:
    """List the keys, the newest first: what each may do, until when, when it was last used."""
    from watchband.apps.service.views.access import keys_document

    found = _all(_running(url, config, token_file), config, keys_document)
    if as_json:
        typer.echo(json.dumps({"keys": found}, indent=2))
    else:
        _table(found)


@keys.command("revoke", epilog=examples(REVOKE_EXAMPLES))
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, or the name of one that lives.", metavar="KEY")],
    config: Configured = FILE,
    url: Url = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Take a key back: it opens nothing from now on, and its sessions end."""
    from watchband.apps.service.views.access import keys_document

    service = _running(url, config, token_file)
    rows = _all(service, config, keys_document)
    chosen = [row for row in rows if row["id"] == key or (row["name"] == key and row["state"] == "live")]
    if not chosen:
        raise ConfigError(f"No key has the id or name {key[:80]!r}. See 'watchband keys list'.")
    number = chosen[0]["id"]
    found = service.call("DELETE", f"keys/{number}") if service else _stored(config, lambda all_: _revoke(all_, number))
    typer.echo(json.dumps(found, indent=2) if as_json else f"{found['name']} ({number}) opens nothing any more.")


def _running(url: str | None, config: Path, token_file: Path | None) -> Caller | None:
    """The service that is meant; None where none runs and no address was given."""
    found = caller(url, config, token_file)
    return found if url is not None or found.there else None


def _all(service: Caller | None, config: Path, document: Any) -> list[dict[str, Any]]:
    found = service.get("keys") if service else _stored(config, document)
    return list(found["data"])


def _create(found: Keys, body: dict[str, Any]) -> dict[str, Any]:
    from watchband.apps.service.views.access import key_document
    from watchband.core.duration import parse_duration

    lifetime = parse_duration(body["expires"]) if body["expires"] is not None else None
    key, secret = found.create(body["name"], body["role"], _user(), lifetime)
    return {"key": key_document(key, found.clock.now()), "secret": secret}


def _revoke(found: Keys, number: str) -> dict[str, Any]:
    from watchband.apps.service.views.access import key_document

    gone = found.revoke(number, _user())
    assert gone is not None
    return key_document(gone, found.clock.now())


def _user() -> str:
    """Who works on the store itself, as the audit log says it."""
    import getpass

    try:
        return f"{getpass.getuser()} (shell)"
    except (OSError, KeyError):
        return "shell"


def _stored(config: Path, work: Any) -> dict[str, Any]:
    """What some work on the keys of the store finds; no service may have it meanwhile."""
    from watchband.apps.config.config import read_config
    from watchband.apps.service.acting import Acting
    from watchband.apps.service.keys import Keys
    from watchband.core.clock import SystemClock

    found = read_config(config)
    clock = SystemClock()
    store = found.store.open(clock=clock)
    try:
        if not store.lead():
            raise ConfigError("Another process has the store. Ask the service that runs, by --url.")
        all_ = Keys(clock, lambda: found.server.tokens)
        all_.load(store, Acting(store))
        return dict(work(all_))
    finally:
        store.close()


def _table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from watchband.apps.cli.terminal import put

    if not found:
        typer.echo("There are no keys. 'watchband keys create NAME --role admin' makes the first.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("id", "name", "role", "state", "expires", "last used", "made by"):
        table.add_column(name, no_wrap=name != "made by")
    for row in found:
        state = Text(row["state"], style="" if row["state"] == "live" else "dim")
        times = [Text((row[name] or "–")[:16].replace("T", " ")) for name in ("expires", "used")]
        table.add_row(Text(row["id"]), Text(row["name"]), Text(row["role"]), state, *times, Text(row["by"]))
    console = Console(highlight=False)
    put([table, Text("Times are UTC.", style="dim")], console, console.width)
