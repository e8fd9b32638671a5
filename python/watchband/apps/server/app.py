"""The HTTP application: push, metrics, health, reload and a small API to ask with."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from watchband import __version__
from watchband.apps.server.access import Admin, guarded, needs
from watchband.apps.server.acts import Acts, reload_by
from watchband.apps.server.api import Api
from watchband.apps.server.asked import Asked
from watchband.apps.server.dashboard import dashboard_router
from watchband.apps.server.description import Described, description_router
from watchband.apps.server.door import Door
from watchband.apps.server.firehose import Firehose
from watchband.apps.server.forecasts import Forecasts
from watchband.apps.server.identity import Access
from watchband.apps.server.key_routes import KeyRoutes
from watchband.apps.server.metrics import Metrics
from watchband.apps.server.models import Models
from watchband.apps.server.predict import Predict
from watchband.apps.server.problems import Problem, answer
from watchband.apps.server.push import Push
from watchband.apps.server.retraining import RetrainEndpoints
from watchband.apps.server.risk import RiskPage
from watchband.apps.server.stream import Stream
from watchband.apps.server.table import table_router
from watchband.apps.server.tasks import TaskEndpoints
from watchband.apps.server.windows import Windows
from watchband.apps.service.service import Service
from watchband.core.errors import ConfigError, WatchbandError

log = logging.getLogger("watchband.server")
READY_AGAIN_S = 5


def create_app(service: Service) -> FastAPI:
    """The application of a service; works in every phase of its life.

    Parameters
    ----------
    service : Service
        Whose.
    """
    app = Described(title="Watchband", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    access = app.state.access = Access(lambda: service.config.server, service.keys)
    keys = KeyRoutes(service, access)
    service.tending.append(keys.tell_refused)
    requests: Counter[tuple[str, int]] = Counter()
    push = Push(service)
    app.include_router(push.router())
    app.include_router(Firehose(push).router())
    app.include_router(Predict(service, push.allowance).router())
    app.include_router(Asked(service).router())
    app.include_router(Api(service).router())
    app.include_router(table_router(service))
    app.include_router(Forecasts(service).router())
    app.include_router(Acts(service).router())
    app.include_router(Models(service).router())
    app.include_router(RetrainEndpoints(service).router())
    app.include_router(Windows(service).router())
    app.include_router(keys.router())
    app.include_router(RiskPage(service).router())
    app.include_router(Stream(service.changes, access).router())
    app.include_router(TaskEndpoints(service).router())
    app.include_router(dashboard_router())
    app.include_router(description_router(app))
    app.include_router(_operations(service, access, Metrics(service, requests)))
    app.add_exception_handler(Problem, answer)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)

    app.add_middleware(Door, requests=requests, body_max=lambda: service.config.server.max_body)
    return app


def _operations(service: Service, access: Access, metrics: Metrics) -> Any:
    router = guarded()

    async def metrics_page(request: Request) -> Response:
        """Numbers about the service itself, as Prometheus scrapes them; OpenMetrics for whoever asks for it."""
        body, media = await run_in_threadpool(metrics.page, request.headers.get("accept", ""))
        return Response(body, media_type=None, headers={"Content-Type": media})

    async def healthz() -> PlainTextResponse:
        """Whether the process does what it should; 500 once its engine has ended: restart it."""
        alive = service.phase != "running" or service.engine.alive
        return PlainTextResponse("ok\n" if alive else "the engine has ended\n", 200 if alive else 500)

    async def readyz(request: Request) -> JSONResponse:
        """Whether it judges what comes; 503 with the reasons while it does not."""
        reasons = service.unready
        headers = {"Retry-After": str(READY_AGAIN_S)} if reasons else {}
        # They name sources: not for everybody who can reach this.
        shown = reasons if reasons and access.may_view(request) else [service.phase][: len(reasons)]
        return JSONResponse({"ready": not reasons, "reasons": shown}, 503 if reasons else 200, headers)

    async def reload(who: Admin) -> JSONResponse:
        """Read the configuration again and go over to it; one that cannot be run changes nothing."""
        try:
            found = await run_in_threadpool(reload_by, service, who.name)
        except ConfigError as error:
            raise Problem(400, f"The old configuration runs on. {error}") from None
        except WatchbandError as error:
            raise Problem(503, f"The old configuration runs on. {error}", retry_after=READY_AGAIN_S) from None
        return JSONResponse({"hash": found.hash, "changed": found.changed, "restart_needed": found.restart_needed})

    router.add_api_route("/metrics", metrics_page, methods=["GET"], dependencies=[needs("view")])
    router.add_api_route("/healthz", healthz, methods=["GET"], dependencies=[needs("open")])
    router.add_api_route("/readyz", readyz, methods=["GET"], dependencies=[needs("open")])
    router.add_api_route("/-/reload", reload, methods=["POST"])
    # As Prometheus has it; described once.
    router.add_api_route("/-/reload", reload, methods=["PUT"], include_in_schema=False)
    return router


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What the router itself says: no such path, not with this method."""
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, str(error.detail), headers=error.headers or {}).response(request.url.path)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()[:5])
    return Problem(400, f"This request cannot be read: {said}").response(request.url.path)
