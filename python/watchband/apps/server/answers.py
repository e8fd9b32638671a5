"""Answers of the API: work off the event loop, while the service runs, in one shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.page import Page
from watchband.core.errors import ConfigError

RETRY_AFTER_S = 5


def running(service: Service) -> None:
    """Nothing, where the service runs.

    Raises
    ------
    Problem
        503 where it does not.
    """
    if service.phase not in ("running", "draining"):
        raise Problem(503, f"The service is {service.phase}.", retry_after=RETRY_AFTER_S)


async def answered(service: Service, work: Callable[[], Any]) -> JSONResponse:
    """What some work finds, as JSON.

    Raises
    ------
    Problem
        503 where the service does not run; 400 where the work refuses what it was given.
    """
    running(service)
    try:
        return JSONResponse(await run_in_threadpool(work))
    except ConfigError as error:
        raise Problem(400, str(error)) from None


async def listed(service: Service, work: Callable[[], Page[dict[str, Any]]]) -> JSONResponse:
    """A page of a list, as JSON."""

    def found() -> dict[str, Any]:
        page = work()
        return {"data": list(page.items), "next": page.next, "total": page.total}

    return await answered(service, found)
