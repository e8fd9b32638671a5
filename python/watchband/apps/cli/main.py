"""The ``watchband`` command."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from watchband import __version__
from watchband.apps.cli import detect, detectors, explain
from watchband.apps.cli.flags import DEBUG
from watchband.core.errors import WatchbandError

LATE = {
    "archive": "watchband.apps.cli.archive",
    "aws": "watchband.apps.cli.aws.group",
    "backtest": "watchband.apps.cli.backtest",
    "backup": "watchband.apps.cli.backup",
    "bench": "watchband.apps.cli.bench",
    "check": "watchband.apps.cli.check",
    "config": "watchband.apps.cli.config",
    "demo": "watchband.apps.cli.demo",
    "deploy": "watchband.apps.cli.window",
    "features": "watchband.apps.cli.features",
    "forecast": "watchband.apps.cli.forecast",
    "import": "watchband.apps.cli.import_",
    "init": "watchband.apps.cli.init",
    "inject": "watchband.apps.cli.inject",
    "outbox": "watchband.apps.cli.outbox",
    "serve": "watchband.apps.cli.serve",
    "keys": "watchband.apps.cli.keys",
    "log": "watchband.apps.cli.log",
    "model": "watchband.apps.cli.model",
    "profile": "watchband.apps.cli.profile",
    "query": "watchband.apps.cli.query",
    "recompute": "watchband.apps.cli.recompute",
    "replay": "watchband.apps.cli.replay",
    "report": "watchband.apps.cli.report",
    "restore": "watchband.apps.cli.restore",
    "retrain": "watchband.apps.cli.retrain",
    "risk": "watchband.apps.cli.risk",
    "score": "watchband.apps.cli.score",
    "simulate": "watchband.apps.cli.simulate",
    "status": "watchband.apps.cli.status",
    "state": "watchband.apps.cli.state",
    "train": "watchband.apps.cli.train",
    "tune": "watchband.apps.cli.tune",
    "window": "watchband.apps.cli.window",
}
"""Commands imported when asked for: the module, where the function has the command's name, beside its ``EXAMPLES``;
or where a group has it."""


class Commands(TyperGroup):
    """Turns every error Watchband raises on purpose into one line on stderr and exit code 2."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(dict.fromkeys([*super().list_commands(ctx), *LATE]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in LATE and cmd_name not in self.commands:
            module = import_module(LATE[cmd_name])
            # The word of a command may be one of the language.
            found = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")
            if not isinstance(found, typer.Typer):
                alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
                alone.command(cmd_name, epilog=_examples(module.EXAMPLES))(found)
                found = alone
            self.commands[cmd_name] = typer.main.get_command(found)
        return super().get_command(ctx, cmd_name)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().make_context(*args, **kwargs)
        except typer.TyperException as error:
            _refuse(error)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except WatchbandError as error:
            if ctx.find_root().ensure_object(dict).get("debug"):
                raise
            typer.echo(f"watchband: {error}", err=True)
            raise typer.Exit(2) from error
        except typer.TyperException as error:
            _refuse(error)
        except BrokenPipeError:
            # The reader of the output has gone (| head): not an error, and nothing can be written any more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(141) from None
        except OSError as error:
            # A folder that is not there, a full disk: whatever touches a file may meet it.
            if ctx.find_root().ensure_object(dict).get("debug") or error.filename is None or error.strerror is None:
                raise
            typer.echo(f"watchband: {error.filename}: {error.strerror}. Give a path that can be used.", err=True)
            raise typer.Exit(2) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def _names(ctx: Any) -> list[str]:
    return list(ctx.command.list_commands(ctx)) if ctx and isinstance(ctx.command, TyperGroup) else []


def _refuse(error: typer.TyperException) -> NoReturn:
    """A command that cannot be read ends like every other mistake: with one line and exit code 2."""
    said = getattr(error, "format_message", error.__str__)
    if not hasattr(error, "ctx"):
        raise error
    where = error.ctx.command_path if error.ctx else "watchband"
    message = " ".join(said().split()).rstrip(".")
    if not message:  # A group of commands without a command: its help was just shown.
        raise typer.Exit(2) from error
    mistyped = re.fullmatch(r"No such command '(.*)'", message)
    near = difflib.get_close_matches(mistyped[1], _names(error.ctx), 1) if mistyped else ()
    message += "" if message.endswith("?") else f". Did you mean '{near[0]}'?" if near else "."
    typer.echo(f"watchband: {message} See {where} --help.", err=True)
    raise typer.Exit(2) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find anomalies in metrics: the band of expected values, one alert per incident, and why.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"watchband {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, DEBUG] = False,
) -> None:
    pass


def _examples(lines: Sequence[str]) -> str:
    """The end of a command's help: one example a line."""
    return "Examples:\n\n" + "\n\n".join(f"$ {line}" for line in lines)


app.command("detect", epilog=_examples(detect.EXAMPLES))(detect.detect)
app.command("detectors", epilog=_examples(detectors.EXAMPLES))(detectors.detectors)
app.command("explain", epilog=_examples(explain.EXAMPLES))(explain.explain)


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="watchband")


if __name__ == "__main__":
    main()
