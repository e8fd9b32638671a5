"""Points that are pushed: answered when they are durable, refused so that the sender does the right thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchband.adapters.sources.push.arrow_points import decode_arrow
from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json, decode_json_lines
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.adapters.sources.push.remote_write import decode_remote_write, version_of
from watchband.apps.server.access import guarded, needs
from watchband.apps.server.allowance import Allowance
from watchband.apps.server.bodies import inflated, read_body
from watchband.apps.server.problems import Problem
from watchband.apps.service.inbox import InboxFullError
from watchband.apps.service.service import PHASES, Service
from watchband.core.errors import ConfigError, TransientError

ANSWER_S = 30.0
"""How long a sender waits for its points to be durable; then it is to send them again."""
WAIT_S = 5.0
INFLUX_PRECISIONS = {"n": "ns", "ns": "ns", "u": "us", "µ": "us", "us": "us", "ms": "ms", "s": "s"}


class Push:
    """The endpoints that take points.

    Parameters
    ----------
    service : Service
        Takes them.
    """

    def __init__(self, service: Service) -> None:
        self.service, self.allowance = service, Allowance()

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded(dependencies=[needs("send")])
        router.add_api_route("/api/v1/points", self.points, methods=["POST"])
        router.add_api_route("/api/v1/write", self.remote_write, methods=["POST"])
        for path in ("/write", "/api/v2/write"):
            router.add_api_route(path, self.influx, methods=["POST"])
        return router

    async def points(self, request: Request) -> JSONResponse:
        """JSON, JSON Lines, Arrow or line protocol, by ``Content-Type``."""
        media = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        decoders = self._decoders()
        if media not in decoders:
            raise Problem(415, f"The Content-Type {media[:60]!r} is not read. Send one of {', '.join(decoders)}.")
        decoded = await self._decoded(request, decoders[media])
        entry = await self.keep(decoded, "push", full=429)
        if decoded.refused_points and not decoded.points:
            raise Problem(400, _first(decoded), **_refusals(decoded))
        return JSONResponse({"accepted": decoded.points, "entry": entry, **_refusals(decoded)})

    async def influx(self, request: Request) -> Response:
        """What Telegraf and other clients of InfluxDB write; 204, or 400 with what was refused."""
        asked = request.query_params.get("precision", "ns")
        precision = INFLUX_PRECISIONS.get(asked)
        if precision is None:
            raise Problem(400, f"The precision {asked[:20]!r} is not read. Use ns, us, ms or s.", error="precision")
        now = self.service.clock.now()
        decoded = await self._decoded(request, partial(decode_influx, precision=precision, now=now))
        await self.keep(decoded, "push", full=503)
        if decoded.refused_points:
            # Clients of InfluxDB look for this word and drop what was refused.
            raise Problem(400, _first(decoded), error=f"partial write: {_first(decoded)}", **_refusals(decoded))
        return Response(status_code=204)

    async def remote_write(self, request: Request) -> Response:
        """Prometheus' remote write, versions 1 and 2.

        400 makes Prometheus drop what was sent, 503 makes it come again; 429 does so only if its user says so.
        """
        try:
            version = version_of(request.headers.get("content-type", "application/x-protobuf"))
        except PayloadError as error:
            raise Problem(415, str(error)) from None
        encoding = request.headers.get("content-encoding", "snappy").strip().lower()
        if encoding != "snappy":
            raise Problem(415, f"Expected Content-Encoding snappy. Got {encoding[:40]!r}.")
        decoded = await self._decoded(request, partial(decode_remote_write, version=version), encoded=True)
        await self.keep(decoded, "remote_write", full=503)
        written = {
            "X-Prometheus-Remote-Write-Samples-Written": str(decoded.points),
            "X-Prometheus-Remote-Write-Histograms-Written": "0",
            "X-Prometheus-Remote-Write-Exemplars-Written": "0",
        }
        if decoded.refused_points:
            raise Problem(400, _first(decoded), headers=written, **_refusals(decoded))
        return Response(status_code=204, headers=written)

    def _decoders(self) -> dict[str, Callable[[bytes], Decoded]]:
        line_protocol = partial(decode_influx, now=self.service.clock.now())
        return {
            "application/json": decode_json,
            "application/x-ndjson": decode_json_lines,
            "application/jsonl": decode_json_lines,
            "application/vnd.apache.arrow.stream": decode_arrow,
            "text/plain": line_protocol,
        }

    async def _decoded(self, request: Request, decode: Callable[[bytes], Decoded], *, encoded: bool = False) -> Decoded:
        settings = self.service.config.server
        if self.service.phase != "running":
            why = PHASES[self.service.phase]
            raise Problem(503, f"This process takes nothing: {why}. Send it again.", retry_after=WAIT_S)
        body = await read_body(request, settings.max_body)
        encoding = "" if encoded else request.headers.get("content-encoding", "")

        def work() -> Decoded:
            return decode(inflated(body, encoding))

        try:
            decoded = await run_in_threadpool(work)
        except PayloadError as error:
            raise Problem(400, str(error)) from None
        self.allowance.spend(decoded.points, settings.max_points_per_second)
        return decoded

    async def keep(self, decoded: Decoded, kind: str, *, full: int) -> int | None:
        """Number of the entry, once it is durable; None where nothing came."""
        try:
            source = self.service.inflow.source_for(kind)
        except ConfigError as error:
            raise Problem(404, str(error)) from None
        if not decoded.points:
            self.service.inflow.pushed[source].health.refused += decoded.refused_points
            return None
        try:
            answer = self.service.offer(source, decoded.readings, decoded.refused_points)
        except InboxFullError as error:
            raise Problem(full, str(error), retry_after=error.retry_after) from None
        except TransientError as error:
            raise Problem(503, str(error), retry_after=WAIT_S) from None
        return await _durable(answer)


async def _durable(answer: Future[int]) -> int:
    try:
        # The entry is kept also if its sender goes away meanwhile.
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(answer)), ANSWER_S)
    except TimeoutError:
        detail = f"The points are not durable after {ANSWER_S:g} s. Send them again: a repeat changes nothing."
    except asyncio.CancelledError:
        raise
    except Exception as error:
        detail = f"The points could not be kept: {error}"
    raise Problem(503, detail, retry_after=WAIT_S)


def _first(decoded: Decoded) -> str:
    first = decoded.refused[0] if decoded.refused else None
    said = f"; the first, {first.where}: {first.why}" if first else ""
    return f"{decoded.points} points were taken and {decoded.refused_points} refused{said}"


def _refusals(decoded: Decoded) -> dict[str, Any]:
    return {
        "refused": decoded.refused_points,
        "refusals": [{"where": r.where, "why": r.why} for r in decoded.refused],
    }
