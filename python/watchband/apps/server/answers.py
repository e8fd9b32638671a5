"""Answers of the API: work off the event loop, while the service runs, in one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
from fastapi.responses import JSONResponse

from watchband.apps.server.problems import Problem
from watchband.apps.service.service import Service
from watchband.apps.service.views.page import Page
from watchband.core.errors import ConfigError, NotThereError, TransientError

RETRY_AFTER_S = 5
ANSWER_S = 60.0
"""No answer takes longer: there are so many threads, and each may be waited for by others."""


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
        503 where the service does not run, or something it needs fails for now; 404 where what was named is not there;
        400 where the work refuses what it was given.
    """
    running(service)
    try:
        async with asyncio.timeout(ANSWER_S):
            # Work that takes too long is left to itself: nobody waits for it any more.
            return JSONResponse(await anyio.to_thread.run_sync(work, abandon_on_cancel=True))
    except TimeoutError:
        detail = f"This takes longer than {ANSWER_S:g} s. Ask for less at a time; a change may have happened."
        raise Problem(503, detail, retry_after=RETRY_AFTER_S) from None
    except NotThereError as error:
        raise Problem(404, str(error)) from None
    except ConfigError as error:
        raise Problem(400, str(error)) from None
    except TransientError as error:
        raise Problem(503, f"It could not be done: {error}", retry_after=RETRY_AFTER_S) from None


async def listed(service: Service, work: Callable[[], Page[dict[str, Any]]]) -> JSONResponse:
    """A page of a list, as JSON."""

    def found() -> dict[str, Any]:
        page = work()
        return {"data": list(page.items), "next": page.next, "total": page.total}

    return await answered(service, found)
