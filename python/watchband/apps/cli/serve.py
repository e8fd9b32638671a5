"""``watchband serve``: the process."""

from __future__ import annotations

import os
import queue
import signal
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from watchband.apps.cli.serve_view import View
    from watchband.apps.service.service import Service

EXAMPLES = (
    "watchband serve",
    "watchband serve /etc/watchband/ --log-format json",
    "kill -HUP $(pidof watchband)     # read the configuration again",
)
LOOK_S = 0.25
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
BY_SIGNAL = "SIGHUP"
"""Who reloaded, in the audit log: a signal does not say who sent it."""

Where = Annotated[Path, typer.Argument(help="A YAML file, or a directory of them.", metavar="CONFIG")]
LogFormat = Annotated[str, typer.Option("--log-format", help="text or json: one document a line.", metavar="FORM")]
LogLevel = Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.", metavar="LEVEL")]


def serve(config: Where = Path("watchband.yaml"), log_format: LogFormat = "text", log_level: LogLevel = "info") -> None:
    """Take metrics in, judge them, tell people: runs until it is told to end."""
    from watchband.apps.cli.serve_view import View
    from watchband.apps.config.config import read_config
    from watchband.apps.server.app import create_app
    from watchband.apps.server.web import Web
    from watchband.apps.service.logs import set_up
    from watchband.apps.service.service import Service

    form, level = _form(log_format), _level(log_level)
    found = read_config(config)
    set_up(form, level)
    service = Service(found, read=lambda: read_config(config))
    web = Web(create_app(service), found.server)
    view = View(service, web, form)
    inbox, ending = _listen()
    web.start()
    try:
        view.greet(found.warnings)
        service.start(lambda: bool(ending))
        if not ending:
            view.look()
            _run(service, view, inbox)
    finally:
        view.leave()
        drained = service.stop()
        web.stop()
    if not drained:
        raise typer.Exit(1)


def _run(service: Service, view: View, inbox: queue.SimpleQueue[int]) -> None:
    """Wait for signals, and show how things go."""
    while True:
        try:
            number = inbox.get(timeout=LOOK_S)
        except queue.Empty:
            view.look()
            continue
        if number != signal.SIGHUP:
            return
        # A new watch may fold for minutes; whoever wants the end meanwhile is heard.
        threading.Thread(target=_reload, args=(service,), name="reload", daemon=True).start()


def _reload(service: Service) -> None:
    """What goes wrong is logged, on the metrics and in the status; the old configuration runs on."""
    from watchband.apps.server.acts import reload_by

    with suppress(Exception):
        reload_by(service, BY_SIGNAL)


def _listen() -> tuple[queue.SimpleQueue[int], list[int]]:
    """A queue that signals arrive in, and those that ask to end; the second of these ends at once.

    Nothing is lost by that: what was acknowledged is in the log, and the log is all that a restart needs.
    """
    inbox: queue.SimpleQueue[int] = queue.SimpleQueue()
    ending: list[int] = []

    def take(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            if ending:
                os._exit(128 + number)
            ending.append(number)
        inbox.put(number)

    for number in SIGNALS:
        signal.signal(number, take)
    return inbox, ending


def _form(text: str) -> Literal["text", "json"]:
    if text == "json":
        return "json"
    if text == "text":
        return "text"
    raise typer.BadParameter(f"{text!r} is neither 'text' nor 'json'.", param_hint="--log-format")


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter(f"{text!r} is none of debug, info, warning, error.", param_hint="--log-level")
    return text
