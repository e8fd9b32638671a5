"""Retraining over HTTP: start a challenger, see how it does, promote it, refuse it, roll back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from watchband.apps.server.access import Admin, Operator, guarded, needs
from watchband.apps.server.answers import answered, listed
from watchband.apps.server.problems import Problem
from watchband.apps.server.tasks import task_document
from watchband.apps.service.service import Service
from watchband.apps.service.tasks import TasksFullError
from watchband.apps.service.views.retraining import challenger_documents, event_page

Name = Annotated[str, Field(min_length=1, max_length=200)]
Setting = Annotated[str | None, Field(max_length=1000)]
Why = Annotated[str, Field(max_length=1000)]
Asked = Annotated[str | None, Query(max_length=200)]


class Challenged(BaseModel):
    """Of which watch, and what it is to have otherwise; nothing: the same settings, learned anew."""

    model_config = ConfigDict(extra="forbid")
    watch: Name
    detector: Setting = None
    model: Setting = Field(None, description="A folder of watchband train, on the machine of the service.")
    budget: Setting = None
    sigma: Setting = None
    cutoff: float | None = Field(None, gt=0, le=1e12)
    contamination: float | None = Field(None, gt=0, lt=0.5)
    width: float | None = Field(None, gt=0, le=1e12)
    learned: Literal["all", "cutoff"] = "all"
    why: Why = ""


class Chosen(BaseModel):
    """Which model of which watch, and why."""

    model_config = ConfigDict(extra="forbid")
    watch: Name
    model: int = Field(ge=0, le=2**31)
    why: Why = ""


class RolledBack(BaseModel):
    """Of which watch the former model is to judge again, and why."""

    model_config = ConfigDict(extra="forbid")
    watch: Name
    why: Why = ""


class RetrainEndpoints:
    """Endpoints of challengers and of what happened to models.

    Parameters
    ----------
    service : Service
        Whose.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> Any:
        """The routes."""
        router = guarded("/api/v1/models")
        view = [needs("view")]
        router.add_api_route("/challengers", self.challengers, methods=["GET"], dependencies=view)
        router.add_api_route("/events", self.events, methods=["GET"], dependencies=view)
        router.add_api_route("/challengers", self.challenge, methods=["POST"])
        router.add_api_route("/promote", self.promote, methods=["POST"])
        router.add_api_route("/refuse", self.refuse, methods=["POST"])
        router.add_api_route("/rollback", self.roll_back, methods=["POST"])
        return router

    async def challengers(self, watch: Asked = None) -> JSONResponse:
        """Every watch with its models, and how its challenger does beside the one that judges."""
        return await answered(self.service, lambda: {"data": challenger_documents(self.service, watch), "next": None})

    async def events(
        self,
        watch: Asked = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[str | None, Query(max_length=4096)] = None,
    ) -> JSONResponse:
        """What happened to models: challengers, promotions, refusals and rollbacks, the newest first."""
        return await listed(self.service, lambda: event_page(self.service, watch, limit, cursor))

    async def challenge(self, who: Operator, body: Challenged) -> JSONResponse:
        """Let a challenger learn from the log, then judge in shadow; a task that goes on when this answers."""

        if not who.may("admin") and (body.model or "model=" in (body.detector or "")):
            raise Problem(403, "A model file of the service's machine: 'admin' is needed.", role="admin")

        def done() -> dict[str, Any]:
            changes = body.model_dump(exclude={"watch", "learned", "why"}, exclude_none=True)
            try:
                task = self.service.retraining.challenge(body.watch, changes, body.learned, who.name, body.why)
            except TasksFullError as error:
                raise Problem(429, str(error), retry_after=error.retry_after) from None
            return task_document(task)

        return await answered(self.service, done)

    async def promote(self, who: Admin, body: Chosen) -> JSONResponse:
        """Let the challenger judge from here on; the model before stays in shadow, to roll back to."""
        retraining = self.service.retraining
        return await answered(self.service, lambda: retraining.promote(body.watch, body.model, who.name, body.why))

    async def refuse(self, who: Operator, body: Chosen) -> JSONResponse:
        """Let a model in shadow go, challenger or former."""
        retraining = self.service.retraining
        return await answered(self.service, lambda: retraining.end(body.watch, body.model, who.name, body.why))

    async def roll_back(self, who: Admin, body: RolledBack) -> JSONResponse:
        """Let the former model judge again, from the state that it would have had it judged all the time."""
        return await answered(self.service, lambda: self.service.retraining.roll_back(body.watch, who.name, body.why))
