"""``watchband retrain``: challengers of a running service: start, list, promote, refuse, roll back, history."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from watchband.apps.cli.bench import examples
from watchband.apps.cli.calling import Caller, Configured, TokenFile, Url, caller
from watchband.apps.cli.store_flags import AsJson
from watchband.core.errors import ConfigError
from watchband.pipeline.rules import Budget, Contamination, Cutoff, Sigma, parse_rule

retrain = typer.Typer(
    name="retrain",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Models of a running service: a challenger judges in shadow, is promoted or refused, and rolled back.",
)
START_EXAMPLES = (
    "watchband retrain start payments",
    "watchband retrain start payments --detector auto --why 'too many alerts at night'",
    "watchband retrain start payments --cutoff --rule sigma:2.5",
)
LIST_EXAMPLES = ("watchband retrain list", "watchband retrain list payments --json")
PROMOTE_EXAMPLES = ("watchband retrain promote payments 1 --why 'looked at for a week'",)
REFUSE_EXAMPLES = ("watchband retrain refuse payments 1",)
ROLLBACK_EXAMPLES = ("watchband retrain rollback payments",)
HISTORY_EXAMPLES = ("watchband retrain history", "watchband retrain history payments --json")
CONFIG = Path("watchband.yaml")
LOOK_S = 0.3

WatchName = Annotated[str, typer.Argument(help="The watch.", metavar="WATCH", show_default=False)]
OneWatch = Annotated[str | None, typer.Argument(help="Only this watch.", metavar="WATCH", show_default=False)]
Number = Annotated[int, typer.Argument(help="As 'retrain list' says it.", metavar="MODEL", min=0, show_default=False)]
Why = Annotated[str, typer.Option("--why", help="Why; kept with the event.", metavar="TEXT")]


@retrain.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


@retrain.command("start", epilog=examples(START_EXAMPLES))
def start(
    watch: WatchName,
    detector: Annotated[
        str | None, typer.Option("--detector", help="Another detector: NAME or NAME:key=value,…", metavar="DETECTOR")
    ] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Another rule: 1/week, sigma:3, cutoff:4, …", metavar="RULE")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="A folder of 'watchband train', on the machine of the service.", metavar="DIR"),
    ] = None,
    cutoff: Annotated[bool, typer.Option("--cutoff", help="Learn only the cut-off anew; the detector stays.")] = False,
    why: Why = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it has learned.")] = True,
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a challenger learn from the log, then judge in shadow."""
    body: dict[str, Any] = {"watch": watch, "learned": "cutoff" if cutoff else "all", "why": why}
    body |= {"detector": detector} if detector else {}
    body |= {"model": model} if model else {}
    body |= rule_of(rule) if rule else {}
    service = caller(url, config, token_file)
    task = service.call("POST", "models/challengers", body)
    while wait and task["state"] in ("waiting", "running"):
        time.sleep(LOOK_S)
        task = service.get(f"tasks/{task['id']}")
    if wait and task["state"] != "done":
        raise ConfigError(f"It did not learn: {task['error'] or task['state']}")
    if as_json:
        typer.echo(json.dumps(task, indent=2))
    elif not wait:
        typer.echo(f"It learns: task {task['id']}. 'watchband retrain list' says when it stands in shadow.")
    else:
        (one,) = service.get("models/challengers", {"watch": watch})["data"]
        number = one["challenger"]["number"] if one["challenger"] else "?"
        typer.echo(f"Model {number} of {watch} judges in shadow. {one['promotion']}")


@retrain.command("list", epilog=examples(LIST_EXAMPLES))
def list_(
    watch: OneWatch = None,
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List the models of every watch, and how challengers do."""
    found = caller(url, config, token_file).get("models/challengers", {"watch": watch} if watch else {})
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(map(told, found["data"])) or "There is no watch.")


@retrain.command("promote", epilog=examples(PROMOTE_EXAMPLES))
def promote(
    watch: WatchName,
    model: Number,
    why: Why = "",
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Let the challenger judge from here on; the model before stays in shadow, to roll back to."""
    service = caller(url, config, token_file)
    done = service.call("POST", "models/promote", {"watch": watch, "model": model, "why": why})
    typer.echo(json.dumps(done, indent=2) if as_json else f"Model {done['model']} of {watch} judges from here on.")


@retrain.command("refuse", epilog=examples(REFUSE_EXAMPLES))
def refuse(
    watch: WatchName,
    model: Number,
    why: Why = "",
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a model in shadow go, challenger or former; what it learned is dropped."""
    service = caller(url, config, token_file)
    done = service.call("POST", "models/refuse", {"watch": watch, "model": model, "why": why})
    typer.echo(json.dumps(done, indent=2) if as_json else f"Model {model} of {watch} is gone.")


@retrain.command("rollback", epilog=examples(ROLLBACK_EXAMPLES))
def rollback(
    watch: WatchName,
    why: Why = "",
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Let the former model judge again, with what it learned meanwhile; the other stays in shadow."""
    service: Caller = caller(url, config, token_file)
    done = service.call("POST", "models/rollback", {"watch": watch, "why": why})
    typer.echo(json.dumps(done, indent=2) if as_json else f"Model {done['model']} of {watch} judges again.")


@retrain.command("history", epilog=examples(HISTORY_EXAMPLES))
def history(
    watch: OneWatch = None,
    url: Url = None,
    config: Configured = CONFIG,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """List what happened to models, the newest first."""
    asked: dict[str, Any] = {"limit": 1000, **({"watch": watch} if watch else {})}
    found = caller(url, config, token_file).get("models/events", asked)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for one in found["data"]:
        why = f": {one['why']}" if one["why"] else ""
        typer.echo(f"{one['time']}  {one['watch']}  model {one['model']} {one['event']} by {one['by']}{why}")
    if not found["data"]:
        typer.echo("Nothing has happened to models yet.")


def rule_of(text: str) -> dict[str, Any]:
    """A rule as the API takes it.

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> rule_of("2/day"), rule_of("sigma:2.5,train=100")
    ({'budget': '2/1d'}, {'sigma': '2.5,train=100'})
    """
    rule = parse_rule(text)
    if isinstance(rule, Budget):
        return {"budget": str(rule).partition(":")[2]}
    if isinstance(rule, Sigma):
        return {"sigma": str(rule).partition(":")[2]}
    if isinstance(rule, Contamination):
        return {"contamination": rule.f}
    assert isinstance(rule, Cutoff)
    return {"cutoff": rule.x}


def told(one: dict[str, Any]) -> str:
    """The models of a watch in a few lines."""
    champion, challenger, former = one["champion"], one["challenger"], one["former"]
    lines = [f"{one['watch']}: model {champion['number']} judges ({champion['detector']}, {champion['rule']})"]
    if challenger is not None:
        what = f"({challenger['detector']}, {challenger['rule']}) since {challenger['since']}"
        lines.append(f"  model {challenger['number']} challenges {what}")
        lines.append(f"    {challenger['failed'] or challenger.get('says', 'nothing is known of it yet')}")
    if former is not None:
        lines.append(f"  model {former['number']} judged before; it can be rolled back to until {former['until']}")
    if one["learning"]:
        lines.append(f"  a challenger learns: task {one['learning']}")
    return "\n".join(lines)
