"""Prediction: a sample in, a verdict out. The history that a verdict rests on is the service's own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.allowance import Allowance
from watchband.apps.server.answers import RETRY_AFTER_S, answered
from watchband.apps.server.bodies import inflated, read_body
from watchband.apps.server.problems import Problem
from watchband.apps.server.samples import Field, SampleError, Samples
from watchband.apps.service.inbox import InboxFullError
from watchband.apps.service.predicting import Judged, predict
from watchband.apps.service.service import PHASES, Service
from watchband.apps.service.status import instant
from watchband.apps.service.views.predictions import batch_document, health_document, model_document, sample_document
from watchband.core.errors import TransientError

SAMPLES_MAX = 1000
"""Samples of a batch: the engine folds nothing else while they are looked at."""
Keep = Annotated[bool, Query(description="Keep the readings: the next verdicts rest on them as well.")]


class Predict:
    """The endpoints.

    Parameters
    ----------
    service : Service
        Whose watches judge.
    allowance : Allowance
        Of pushed points, which kept samples are.

    Raises
    ------
    ConfigError
        ``server.predict`` gives one name to two fields.
    """

    def __init__(self, service: Service, allowance: Allowance) -> None:
        self.service, self.allowance = service, allowance
        self.samples = Samples(service.config.server.predict)

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded()
        send, view, anyone = [needs("send")], [needs("view")], [needs("open")]
        one, example = self.samples.schema(), self.samples.example()
        many = {
            "type": "object",
            "properties": {"samples": {"type": "array", "items": one, "minItems": 1, "maxItems": SAMPLES_MAX}},
            "required": ["samples"],
            "additionalProperties": False,
        }
        for path, handler, schema, shown in (
            ("/predict", self.predict, one, example),
            ("/batch_predict", self.batch, many, {"samples": [example]}),
        ):
            router.add_api_route(path, handler, methods=["POST"], dependencies=send, openapi_extra=_body(schema, shown))
        router.add_api_route("/model_info", self.model, methods=["GET"], dependencies=view)
        router.add_api_route("/health", self.health, methods=["GET"], dependencies=anyone)
        return router

    async def predict(self, request: Request, keep: Keep = True) -> JSONResponse:
        """Judge a sample: -1 is an anomaly, 1 is normal, null while too little is known of it.

        The readings are kept with the answer, so that the next verdicts rest on them; `keep=false` only looks.
        """
        document = await self._document(request, keep)
        try:
            fields = self.samples.read(document, self.service.clock.now())
        except SampleError as error:
            raise Problem(error.status, str(error)) from None
        (judged,) = await self._judged([fields], keep)
        problem = self._refusal(judged)
        if problem is not None:
            raise problem
        return JSONResponse(sample_document(self.service, judged))

    async def batch(self, request: Request, keep: Keep = True) -> JSONResponse:
        """Judge up to 1,000 samples, in order of time; one that is refused stops no other."""
        document = await self._document(request, keep)
        given = document.get("samples") if isinstance(document, dict) else None
        if not isinstance(given, list) or len(document) > 1 or not 1 <= len(given) <= SAMPLES_MAX:
            raise Problem(400, f'Expected {{"samples": […]}} with 1 to {SAMPLES_MAX:,} samples.')
        read = [self._read(sample) for sample in given]
        _check_repeats([r for r in read if not isinstance(r, SampleError)])
        judged = iter(await self._judged([r for r in read if not isinstance(r, SampleError)], keep))
        results = []
        for one in read:
            if isinstance(one, SampleError):
                results.append(_error(one.status, str(one)))
                continue
            named = next(judged)
            problem = self._refusal(named)
            results.append(
                sample_document(self.service, named) if problem is None else _error(problem.status, problem.detail)
            )
        return JSONResponse(batch_document(results))

    async def model(self) -> JSONResponse:
        """What judges: watches, parameters, and what was measured of them."""
        fields = {metric: field.aliases for metric, field in self.samples.fields.items()}
        return await answered(self.service, lambda: model_document(self.service, fields))

    async def health(self) -> JSONResponse:
        """Whether samples are judged; 503 with the reasons while they are not."""
        healthy, document = await run_in_threadpool(health_document, self.service)
        headers = {} if healthy else {"Retry-After": str(RETRY_AFTER_S)}
        return JSONResponse(document, 200 if healthy else 503, headers)

    def _read(self, sample: object) -> list[Field] | SampleError:
        try:
            return self.samples.read(sample, self.service.clock.now())
        except SampleError as error:
            return error

    async def _document(self, request: Request, keep: bool) -> Any:
        settings = self.service.config.server
        if self.service.phase != "running":
            why = PHASES[self.service.phase]
            raise Problem(503, f"Nothing is judged: {why}.", retry_after=RETRY_AFTER_S)
        if keep and self.service.inflow.first_of("push") is None:
            raise Problem(
                503,
                "No history can be kept: no source of kind 'push' is configured. Add 'sources: {push: {}}' and reload, "
                "or ask with keep=false.",
            )
        body = await read_body(request, settings.max_body)

        def load() -> Any:
            try:
                return json.loads(inflated(body, request.headers.get("content-encoding", "")))
            except RecursionError:
                raise Problem(400, "This JSON is nested too deeply.") from None
            except ValueError as error:
                raise Problem(400, f"This is not JSON: {str(error)[:200]}.") from None

        return await run_in_threadpool(load)

    async def _judged(self, samples: Sequence[Sequence[Field]], keep: bool) -> list[list[tuple[str, Judged]]]:
        readings = [field.reading for fields in samples for field in fields]
        if keep:
            self.allowance.spend(len(readings), self.service.config.server.max_points_per_second)
        source = self.service.inflow.first_of("push") if keep else None
        if not readings:
            return []
        try:
            found = iter(await run_in_threadpool(lambda: predict(self.service, readings, keep=source)))
        except InboxFullError as error:
            raise Problem(429, str(error), retry_after=error.retry_after) from None
        except TransientError as error:
            wait = getattr(error, "retry_after", None) or RETRY_AFTER_S
            raise Problem(503, f"{error} A repeat with the same timestamp changes nothing.", retry_after=wait) from None
        return [[(field.name, next(found)) for field in fields] for fields in samples]

    def _refusal(self, named: Sequence[tuple[str, Judged]]) -> Problem | None:
        """Why nothing can be said of a sample; None where something can of any of its fields."""
        if any(one.usable for _, one in named):
            return None
        late = [(name, one) for name, one in named if one.late is not None]
        if late:
            name, one = late[0]
            return Problem(
                422,
                f"{name!r} is of {instant(one.time)}, but {one.key} has a reading of {instant(one.late or 0)} already: "
                "it comes too late to be judged.",
            )
        stopped = next((watch for _, one in named for watch in one.stopped), None)
        key = str(named[0][1].key)[:200]
        if stopped:
            return Problem(503, f"The watch {stopped!r} of {key} stands still; the service's log says why.")
        return Problem(
            503, f"There is no model for {key}: no watch takes it, or there was no room. Add it to a watch's 'match'."
        )


def _check_repeats(samples: Sequence[Sequence[Field]]) -> None:
    """Two samples of a batch that are both of now would be one."""
    timeless = Counter(field.reading.key for fields in samples for field in fields if field.reading.time is None)
    for key, count in timeless.items():
        if count > 1:
            raise Problem(422, f"{count} samples of {key} have no 'timestamp': all but one would be lost. Give it.")


def _error(status: int, detail: str) -> dict[str, Any]:
    return {"prediction": None, "label": None, "error": {"status": status, "detail": detail}}


def _body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}
