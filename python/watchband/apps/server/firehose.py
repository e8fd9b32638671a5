"""Where Firehose delivers CloudWatch metric streams: its requests, its answers, its key."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchband.adapters.sources.push.metric_stream import Delivery, decode_metric_stream, read_delivery
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.apps.server.access import guarded, needs
from watchband.apps.server.bodies import inflated, read_body
from watchband.apps.server.problems import Problem
from watchband.apps.server.push import Push
from watchband.apps.service.service import PHASES

PATH = "/api/v1/firehose"
KIND = "metric_stream"
WAIT_S = 5.0
ID_MAX = 200


class Firehose:
    """The endpoint.

    Parameters
    ----------
    push : Push
        Keeps what came.
    """

    def __init__(self, push: Push) -> None:
        self.push, self.service = push, push.service

    def router(self) -> APIRouter:
        """The route."""
        router = guarded(dependencies=[needs("send")])
        router.add_api_route(PATH, self.deliver, methods=["POST"])
        return router

    async def deliver(self, request: Request) -> JSONResponse:
        """Take a delivery of a CloudWatch metric stream: JSON, OpenTelemetry 1.0.0 or 0.7.0, plain or by gzip.

        200 with the request's id and the time once all of it is durable. Any other status makes Firehose come again,
        with the same id; what is kept already changes nothing then.
        """
        given = request.headers.get("x-amz-firehose-request-id", "")[:ID_MAX]
        try:
            delivery, decoded = await self._decoded(request)
            if given and given != delivery.request_id:
                raise Problem(400, "The request id of the header is not the one in the body.")
            await self.push.keep(decoded, KIND, full=503)
            if decoded.refused_points and not decoded.points:
                first = decoded.refused[0]
                raise Problem(400, f"No record could be read; the first, {first.where}: {first.why}")
        except Problem as problem:
            # Firehose shows people this word of an answer, and wants its id back.
            raise Problem(
                problem.status,
                problem.detail,
                headers=problem.headers,
                **{**problem.more, "requestId": given, "timestamp": self._now(), "errorMessage": problem.detail},
            ) from None
        return JSONResponse({"requestId": delivery.request_id, "timestamp": self._now()})

    async def _decoded(self, request: Request) -> tuple[Delivery, Decoded]:
        service = self.service
        if service.phase != "running":
            raise Problem(503, f"This process takes nothing: {PHASES[service.phase]}.", retry_after=WAIT_S)
        body = await read_body(request, service.config.server.max_body)
        encoding = request.headers.get("content-encoding", "")
        name = service.inflow.first_of(KIND)
        settings = service.config.sources[name].settings if name is not None else None
        decode = partial(
            decode_metric_stream,
            statistics=getattr(settings, "statistics", ("Average",)),
            with_account=getattr(settings, "with_account", False),
        )

        def work() -> tuple[Delivery, Decoded]:
            delivery = read_delivery(inflated(body, encoding))
            return delivery, decode(delivery.records)

        try:
            delivery, decoded = await run_in_threadpool(work)
        except PayloadError as error:
            raise Problem(400, str(error)) from None
        self.push.allowance.spend(decoded.points, service.config.server.max_points_per_second)
        return delivery, decoded

    def _now(self) -> int:
        return self.service.clock.now() // 1_000_000
