"""``watchband window``: windows of a running service: plan, list, end, delete. And ``watchband deploy``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.calling import Caller, Configured, TokenFile, Url, caller
from watchband.apps.cli.store_flags import AsJson
from watchband.core.errors import ConfigError
from watchband.core.plans import WEEKDAYS

window = typer.Typer(
    name="window",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Windows of a running service: series that are muted, not learned from, or expected to change by a factor.",
)
ADD_EXAMPLES = (
    "watchband window add 'kernel upgrade' --series '{host=\"web-1\"}' --for 1h",
    "watchband window add 'load test' --no-learn --for 30m --preview",
    "watchband window add backup --at 2026-03-01T02:00:00Z --for 45m --days mon-fri --zone Europe/Dublin",
    "watchband window add sale --expect 3 --series requests --at 2026-11-27T00:00:00Z --for 1d",
)
LIST_EXAMPLES = ("watchband window list", "watchband window list --state active --json")
END_EXAMPLES = ("watchband window end w1f3a9c02",)
DELETE_EXAMPLES = ("watchband window delete w1f3a9c02",)
DEPLOY_EXAMPLES = (
    "watchband deploy 'checkout 4.2' --series '{service=\"checkout\"}' --label commit=1f3a9c",
    "watchband deploy v2 --no-learn 10m --token-file /run/secrets/watchband",
)
EXAMPLES = DEPLOY_EXAMPLES
CONFIG = Path("watchband.yaml")
LISTED = 1000

Name = Annotated[str, typer.Argument(help="What people call it.", metavar="NAME", show_default=False)]
Id = Annotated[str, typer.Argument(help="As 'window list' says it.", metavar="ID", show_default=False)]
Series = Annotated[str, typer.Option("--series", help="Which, by a selector.", metavar="SELECTOR")]
Text = Annotated[str, typer.Option("--text", help="Why.", metavar="TEXT")]


@window.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


@window.command("add", epilog=examples(ADD_EXAMPLES))
def add(
    name: Name,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.", metavar="DURATION")] = "1h",
    series: Series = "*",
    no_learn: Annotated[bool, typer.Option("--no-learn", help="Instead of muting: judge, learn nothing.")] = False,
    expect: Annotated[
        float | None, typer.Option("--expect", help="Instead: so many times the usual is no news.", metavar="FACTOR")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it begins, RFC 3339; default now.", metavar="TIME")
    ] = None,
    days: Annotated[str, typer.Option("--days", help="Again on these: mon-fri, sat,sun, daily.", metavar="DAYS")] = "",
    zone: Annotated[str, typer.Option("--zone", help="By whose clock it comes again.", metavar="ZONE")] = "UTC",
    until: Annotated[
        str | None, typer.Option("--until", help="Nothing begins from then on, RFC 3339.", metavar="TIME")
    ] = None,
    text: Text = "",
    preview: Annotated[bool, typer.Option("--preview", help="Count what it would hold back; plan nothing.")] = False,
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Plan a window: mute series, now or later, once or on days of the week."""
    if no_learn and expect is not None:
        raise ConfigError("--no-learn and --expect exclude each other: a window does one thing.")
    action = "no_learn" if no_learn else "expect" if expect is not None else "mute"
    asked: dict[str, Any] = {"action": action, "series": series, "duration": for_}
    asked |= {"start": at} if at else {}
    asked |= {"factor": expect} if expect is not None else {}
    asked |= {"days": list(chosen_days(days)), "zone": zone} if days else {}
    service = caller(url, config, token_file)
    if preview:
        found = service.get("windows/preview", asked)
        typer.echo(json.dumps(found, indent=2) if as_json else previewed(found, series))
        return
    made = service.call("POST", "windows", {"name": name, "text": text, **asked, **({"until": until} if until else {})})
    typer.echo(json.dumps(made, indent=2) if as_json else f"Planned {made['id']}: {line(made)}.")


@window.command("list", epilog=examples(LIST_EXAMPLES))
def list_(
    state: Annotated[str | None, typer.Option("--state", help="active, coming or past only.", metavar="STATE")] = None,
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List windows: what is active first, then what comes, then what is over."""
    asked = {"limit": LISTED, **({"state": state} if state else {})}
    found = caller(url, config, token_file).get("windows", asked)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for one in found["data"]:
        typer.echo(f"{one['state']:<7} {one['id']:<10} {line(one)}")
    if not found["data"]:
        typer.echo("No window is planned, and none was.")


@window.command("end", epilog=examples(END_EXAMPLES))
def end(
    id_: Id, url: Url = None, config: Configured = CONFIG, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """End a window that is active; one that comes again does so the next time."""
    found = _service(id_, url, config, token_file).call("POST", f"windows/{id_}/end")
    typer.echo(json.dumps(found, indent=2) if as_json else f"Ended {id_}: {line(found)}.")


@window.command("delete", epilog=examples(DELETE_EXAMPLES))
def delete(
    id_: Id, url: Url = None, config: Configured = CONFIG, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """Take back a window that is to come, for good; one that is active ends."""
    found = _service(id_, url, config, token_file).call("DELETE", f"windows/{id_}")
    typer.echo(json.dumps(found, indent=2) if as_json else f"Deleted {id_}.")


def deploy(
    name: Name,
    series: Series = "*",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="What else is known (repeatable).", metavar="KEY=VALUE")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="When it was, RFC 3339; default now.", metavar="TIME")] = None,
    mute: Annotated[
        str | None, typer.Option("--mute", help="Also mute its series so long.", metavar="DURATION")
    ] = None,
    no_learn: Annotated[
        str | None, typer.Option("--no-learn", help="Also learn nothing of them so long.", metavar="DURATION")
    ] = None,
    text: Text = "",
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell a running service of a deploy: it stands on charts, and beside the incident that follows."""
    pairs = [one.partition("=") for one in label or []]
    for key, sign, _ in pairs:
        if not (key and sign):
            raise ConfigError(f"--label is written KEY=VALUE, such as commit=1f3a9c. Got {key + sign!r}.")
    body: dict[str, Any] = {"name": name, "series": series, "text": text, "labels": {key: v for key, _, v in pairs}}
    body |= {key: value for key, value in (("time", at), ("mute", mute), ("no_learn", no_learn)) if value}
    found = caller(url, config, token_file).call("POST", "deploys", body)
    windows = f" Windows: {', '.join(found['windows'])}." if found["windows"] else ""
    typer.echo(json.dumps(found, indent=2) if as_json else f"Noted {found['id']}: {name} at {found['time']}.{windows}")


def _service(id_: str, url: str | None, config: Path, token_file: Path | None) -> Caller:
    if not id_.isalnum():
        raise ConfigError(f"An id is written like w1f3a9c02. Got {id_!r}. See 'watchband window list'.")
    return caller(url, config, token_file)


def chosen_days(text: str) -> Sequence[str]:
    """Days of the week as people write them.

    Raises
    ------
    ConfigError
        They are none.

    Examples
    --------
    >>> chosen_days("mon-wed,sat"), chosen_days("sat-mon"), len(chosen_days("daily"))
    (('mon', 'tue', 'wed', 'sat'), ('mon', 'sat', 'sun'), 7)
    """
    if text.strip().lower() == "daily":
        return WEEKDAYS
    found: set[str] = set()
    for part in text.lower().split(","):
        first, sign, last = (word.strip()[:3] for word in part.partition("-"))
        ends = (first, last if sign else first)
        if not all(day in WEEKDAYS for day in ends):
            raise ConfigError(f"Days are written mon-fri, sat,sun or daily. Got {text!r}.")
        at, to = map(WEEKDAYS.index, ends)
        found |= {WEEKDAYS[k % 7] for k in range(at, to + 1 if to >= at else to + 8)}
    return tuple(day for day in WEEKDAYS if day in found)


def line(one: dict[str, Any]) -> str:
    """A window in one line."""
    factor = f" x{one['factor']:g}" if one["factor"] is not None else ""
    repeat, origin = one["repeat"], one["origin"]
    again = f", {' '.join(repeat['days'])} at {repeat['at']} {repeat['zone']}" if repeat else ""
    who = origin["place"] or origin["by"] or ""
    times = f"{_short(one['start'])} to {_short(one['end'])}"
    return f"{one['action']}{factor} {one['name']!r} {one['series']}, {times}{again}{f' ({who})' if who else ''}"


def previewed(found: dict[str, Any], series: str) -> str:
    """What a window would hold back, in sentences."""
    n, looked = found["alerts"], [span for span in found["spans"] if span["points"]]
    said = [
        f"{found['series']:,} series now; {n:,} alert{'' if n == 1 else 's'} of {series} opened at these times in the"
    ]
    said[0] += " last four weeks."
    if looked:
        points, outside = sum(s["points"] for s in looked), sum(s["outside"] for s in looked)
        then = "" if found["action"] != "expect" else f", {sum(s['outside_then'] for s in looked):,} with the factor"
        said.append(f"{outside:,} of {points:,} points were outside their band{then}.")
    if found["open"]:
        said.append(f"{found['open']:,} of their alerts are open now.")
    said += [f"  {_short(alert['opened'])}  {alert['reason']}" for alert in found["held"][-5:]]
    return "\n".join([*said, "Nothing was planned."])


def _short(time: str) -> str:
    return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%MZ")
