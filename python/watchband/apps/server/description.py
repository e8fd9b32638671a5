"""The description of the API as OpenAPI has it, with who may do what."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from watchband.apps.server.access import SECURITY_SCHEMES, guarded, needs

PATH = "/api/v1/openapi.json"


class Described(FastAPI):
    """An application whose description says how to be let in."""

    def openapi(self) -> dict[str, Any]:
        """The description; made once."""
        if self.openapi_schema is None:
            found = super().openapi()
            found.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        assert self.openapi_schema is not None
        return self.openapi_schema


def description_router(app: FastAPI) -> APIRouter:
    """Where the description is served."""
    router = guarded()

    async def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    router.add_api_route(PATH, description, methods=["GET"], include_in_schema=False, dependencies=[needs("view")])
    return router
