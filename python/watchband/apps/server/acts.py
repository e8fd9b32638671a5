"""What people do: acknowledge, snooze, note, deliver again. Every change is written down with who made it."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from watchband.apps.server.access import Admin, Operator, guarded, needs
from watchband.apps.server.answers import answered, listed
from watchband.apps.server.problems import Problem
from watchband.apps.service.reload import Reloaded
from watchband.apps.service.service import Service
from watchband.apps.service.status import instant
from watchband.apps.service.views.deliveries import chosen_letters, retry_deliveries
from watchband.apps.service.views.incidents import incident_document, incidents
from watchband.apps.service.views.page import Page, page_of
from watchband.apps.service.views.windows import plan_words
from watchband.core.acts import TEXT_MAX, Act, Deed
from watchband.core.duration import MINUTE
from watchband.core.errors import WatchbandError
from watchband.core.plans import DEEDS

log = logging.getLogger("watchband.server")
SNOOZE_MAX = 7 * 24 * 60
Target = Annotated[str, Path(max_length=64)]


class Nothing(BaseModel):
    """A body that may be empty."""

    model_config = ConfigDict(extra="forbid")


class Snooze(BaseModel):
    """How long."""

    model_config = ConfigDict(extra="forbid")
    minutes: int = Field(60, ge=1, le=SNOOZE_MAX)


class NoteText(BaseModel):
    """What is to be remembered."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=TEXT_MAX)


class Again(BaseModel):
    """Which dead letters: those with these ids, of this sink; all of them where neither is given."""

    model_config = ConfigDict(extra="forbid")
    ids: list[Annotated[str, Field(max_length=200)]] | None = Field(None, min_length=1, max_length=1000)
    sink: str | None = Field(None, max_length=200)


class Acts:
    """Endpoints that change what people did about incidents, and the audit log of all of it.

    Parameters
    ----------
    service : Service
        Whose incidents.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def router(self) -> APIRouter:
        """The routes."""
        router = guarded("/api/v1")
        router.add_api_route("/incidents/{incident}/acknowledge", self.acknowledge, methods=["POST"])
        router.add_api_route("/incidents/{incident}/unacknowledge", self.unacknowledge, methods=["POST"])
        router.add_api_route("/incidents/{incident}/snooze", self.snooze, methods=["POST"])
        router.add_api_route("/incidents/{incident}/notes", self.note, methods=["POST"])
        router.add_api_route("/deliveries/retry", self.retry, methods=["POST"])
        router.add_api_route("/audit", self.audit, methods=["GET"], dependencies=[needs("view")])
        return router

    async def acknowledge(self, who: Operator, incident: Target, body: Nothing | None = None) -> JSONResponse:
        """Take an incident on."""
        return await self._do(who.name, incident, "acknowledge")

    async def unacknowledge(self, who: Operator, incident: Target, body: Nothing | None = None) -> JSONResponse:
        """Give an incident back."""
        return await self._do(who.name, incident, "unacknowledge")

    async def snooze(self, who: Operator, incident: Target, body: Snooze) -> JSONResponse:
        """Put an incident off; it stands below the others until then."""
        until = self.service.clock.now() + body.minutes * MINUTE
        return await self._do(who.name, incident, "snooze", until=until)

    async def note(self, who: Operator, incident: Target, body: NoteText) -> JSONResponse:
        """Add a note to an incident."""
        return await self._do(who.name, incident, "note", text=body.text)

    async def retry(self, who: Admin, body: Again) -> JSONResponse:
        """Put dead letters back into the outbox: they are tried again at once."""

        def done() -> dict[str, Any]:
            chosen = chosen_letters(self.service, body.ids, body.sink)
            if not chosen:
                raise Problem(404, "No such notice was given up. It may have been tried again meanwhile.")
            ids, sinks = sorted({n.id for n in chosen}), sorted({n.sink for n in chosen})
            text = f"{len(chosen)} of {', '.join(sinks)}: {', '.join(ids)}"
            # First that somebody wants it, then what follows: nothing happens that is not written down.
            target = ids[0] if len(ids) == 1 else ""
            self.service.acting.do(Act(self.service.clock.now(), who.name, "retry", target, text[:TEXT_MAX]))
            retry_deliveries(self.service, chosen)
            self.service.changes.note("alerts")
            return {"retried": len(chosen)}

        return await answered(self.service, done)

    async def audit(
        self,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: Annotated[str | None, Query(max_length=4096)] = None,
    ) -> JSONResponse:
        """Every change that somebody made, the newest first."""

        def found() -> Page[dict[str, Any]]:
            page = page_of(self.service.acting.recent(), lambda act: (-act.number,), limit, cursor)
            return Page([_document(act) for act in page.items], page.next, page.total)

        return await listed(self.service, found)

    async def _do(self, by: str, incident: str, deed: Deed, *, text: str = "", until: int = 0) -> JSONResponse:
        def done() -> dict[str, Any]:
            found = next((i for i in incidents(self.service) if any(a.id == incident for a in i.alerts)), None)
            if found is None:
                raise Problem(404, f"No incident has the id {incident!r}; it may have gone with the history.")
            act = Act(self.service.clock.now(), by, deed, found.id, text, until)
            self.service.acting.do(act)
            self.service.changes.note("alerts")
            return incident_document(self.service, found)

        return await answered(self.service, done)


def reload_by(service: Service, by: str) -> Reloaded:
    """Reload, and write down who wanted it and what came of it.

    Raises
    ------
    WatchbandError
        As of a reload.
    """
    try:
        found = service.reloader.reload()
    except WatchbandError as error:
        _write_down(service, by, f"refused: {error}")
        raise
    parts = [f"{section}: {', '.join(names)}" for section, names in found.changed.items()]
    parts += [f"waits for a restart: {', '.join(found.restart_needed)}"] if found.restart_needed else []
    _write_down(service, by, "; ".join(parts) or "nothing is other than it was")
    return found


def _write_down(service: Service, by: str, text: str) -> None:
    if service.phase != "running":
        return
    try:
        service.acting.do(Act(service.clock.now(), by, "reload", text=text[:TEXT_MAX]))
    except WatchbandError as error:
        # The reload has happened, or not, whatever the store can keep of it.
        log.warning("a reload could not be written down: %s", error, extra={"by": by})


def _document(act: Act) -> dict[str, Any]:
    return {
        "number": act.number,
        "at": instant(act.time),
        "by": act.by,
        "deed": act.deed,
        "target": act.target or None,
        "text": (plan_words(act) if act.deed in DEEDS else act.text) or None,
        "until": instant(act.until),
    }
