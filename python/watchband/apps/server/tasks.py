"""Tasks over HTTP: start long work, see how far it is, take what it found, cancel it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from watchband.apps.server.access import Operator, Who, guarded, needs
from watchband.apps.server.answers import answered
from watchband.apps.server.given import time_of
from watchband.apps.server.problems import Problem
from watchband.apps.service.jobs.budget import budget_job
from watchband.apps.service.jobs.copying import backup_job
from watchband.apps.service.jobs.export import export_job
from watchband.apps.service.jobs.replay import replay_job
from watchband.apps.service.service import SHARD, Service
from watchband.apps.service.status import instant
from watchband.apps.service.tasks import OVER, NoTaskError, Task, TasksFullError, Work
from watchband.apps.service.views.watches import Asked
from watchband.core.acts import TEXT_MAX, Act
from watchband.core.duration import parse_duration
from watchband.core.errors import ConfigError, TransientError
from watchband.pipeline.rules import Budget, parse_rule

Id = Annotated[str, Path(max_length=64, pattern=r"^t[0-9a-f]{8}$")]


class NewTask(BaseModel):
    """What is to be done: ``budget`` (a preview over every series), ``export``, ``backup`` or ``replay``."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["budget", "export", "backup", "replay"]
    watch: str | None = Field(None, max_length=200)
    budget: str | None = Field(None, max_length=40)
    period: str = Field("30d", max_length=20)
    consecutive: int | None = Field(None, ge=1, le=1000)
    close_after: int | None = Field(None, ge=1, le=10_000)
    cool_down: int | None = Field(None, ge=0, le=10_000)
    series: str = Field("*", min_length=1, max_length=4096)
    start: str | None = Field(None, alias="from", max_length=64)
    end: str | None = Field(None, alias="to", max_length=64)


class TaskEndpoints:
    """Endpoints of tasks.

    Parameters
    ----------
    service : Service
        Whose.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> Any:
        """The routes."""
        router = guarded("/api/v1/tasks")
        view = [needs("view")]
        router.add_api_route("", self.tasks, methods=["GET"], dependencies=view)
        router.add_api_route("", self.start, methods=["POST"])
        router.add_api_route("/{task}", self.task, methods=["GET"], dependencies=view)
        router.add_api_route("/{task}", self.drop, methods=["DELETE"])
        router.add_api_route("/{task}/result", self.result, methods=["GET"], dependencies=view, response_model=None)
        return router

    async def tasks(
        self,
        state: Annotated[list[Literal["waiting", "running", "done", "failed", "cancelled"]] | None, Query()] = None,
    ) -> JSONResponse:
        """Every task that this process knows, the newest first; a restart forgets them."""

        def found() -> dict[str, Any]:
            data = [task_document(t) for t in self.service.tasks.all() if not state or t.state in state]
            return {"data": data, "next": None, "total": len(data), "since": instant(self.service.began)}

        return await answered(self.service, found)

    async def task(self, task: Id) -> JSONResponse:
        """How far a task is."""
        return await answered(self.service, lambda: task_document(self._of(task)))

    async def start(self, who: Operator, body: NewTask) -> JSONResponse:
        """Start long work; it goes on when this answers."""
        if body.kind == "backup" and not who.may("admin"):
            raise Problem(403, "A backup holds everything: 'admin' is needed.", role="admin")

        def done() -> dict[str, Any]:
            title, work = self._work(body)
            service = self.service
            try:
                task = service.tasks.start(body.kind, title, who.name, work, _about(body))
            except TasksFullError as error:
                raise Problem(429, str(error), retry_after=error.retry_after) from None
            try:
                service.acting.do(Act(service.clock.now(), who.name, "task", task.id, title[:TEXT_MAX]))
            except TransientError:
                # What nobody can be told of later does not happen.
                service.tasks.drop(task.id)
                raise
            return task_document(task)

        return await answered(self.service, done)

    async def drop(self, who: Operator, task: Id) -> JSONResponse:
        """Cancel a task that is not over; forget one that is, with what it found."""

        def done() -> dict[str, Any]:
            self._mine(self._of(task), who)
            return task_document(self.service.tasks.drop(task))

        return await answered(self.service, done)

    async def result(self, task: Id) -> Response:
        """What a task found: a document, or a file."""

        def look() -> Task:
            return self._of(task)

        found = await run_in_threadpool(look)
        if found.found is None:
            raise Problem(
                409, f"The task is {found.state}, so it has found nothing{' yet' if found.state not in OVER else ''}."
            )
        if found.found.file is not None:
            return FileResponse(found.found.file, media_type=found.found.media, filename=found.found.name)
        return await answered(self.service, lambda: dict(found.found.document or {}) if found.found else {})

    def _of(self, task: str) -> Task:
        try:
            return self.service.tasks.of(task)
        except NoTaskError as error:
            raise Problem(404, str(error)) from None

    @staticmethod
    def _mine(task: Task, who: Who) -> None:
        if task.by != who.name and not who.may("admin"):
            raise Problem(403, f"{task.by!r} started this task: they end it, or an 'admin'.", role="admin")

    def _work(self, body: NewTask) -> tuple[str, Work]:
        service = self.service
        if body.kind == "backup":
            return "backup of the store", backup_job(service)
        if body.kind == "export":
            now = service.clock.now()
            start, end = time_of("from", body.start, 0), time_of("to", body.end, now + 1)
            if start >= end:
                raise Problem(400, "'to': a range ends after it began.")
            return f"points of {body.series} as CSV", export_job(service, body.series, body.watch, start, end)
        if body.watch is None:
            raise Problem(400, f"'watch': a task of the kind {body.kind!r} needs the name of a watch.")
        if body.kind == "replay":
            return f"{body.watch} against its log", replay_job(service, body.watch, SHARD)
        return f"budget of {body.watch} over {body.period}", budget_job(service, body.watch, _asked(body))


def _about(body: NewTask) -> dict[str, str]:
    names = ("watch", "budget", "period", "consecutive") if body.kind == "budget" else ()
    return {name: str(value) for name in names if (value := getattr(body, name)) is not None}


def _asked(body: NewTask) -> Asked:
    rule = parse_rule(body.budget) if body.budget is not None else None
    if rule is not None and not isinstance(rule, Budget):
        raise ConfigError(f"A budget is written 2/day. Got {body.budget!r}.")
    given = {name: getattr(body, name) for name in ("consecutive", "close_after", "cool_down")}
    return Asked(rule, {k: v for k, v in given.items() if v is not None}, parse_duration(body.period))


def task_document(task: Task) -> dict[str, Any]:
    """A task and how far it is."""
    eta = task.eta_s
    found = task.found
    return {
        "id": task.id,
        "kind": task.kind,
        "title": task.title,
        "by": task.by,
        "state": task.state,
        "cancelling": task.cancelling,
        "phase": task.phase or None,
        "percent": round(100 * task.share, 1),
        "eta_seconds": None if eta is None else round(eta, 1),
        "made": instant(task.made),
        "started": instant(task.started),
        "finished": instant(task.finished),
        "about": dict(task.about),
        "error": task.error or None,
        "result": f"/api/v1/tasks/{task.id}/result" if found else None,
        "file": found.name if found and found.file else None,
        "summary": dict(found.document) if found and found.document and (found.file or task.kind != "budget") else None,
    }
