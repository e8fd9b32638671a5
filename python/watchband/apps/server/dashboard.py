"""The dashboard's pages: files of the build, under a strict policy, at any path of a proxy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse, Response

from watchband.apps.server.access import guarded, needs
from watchband.apps.server.problems import Problem

STATIC = Path(__file__).with_name("static")
PAGES = ("", "now", "incident", "explore", "risk", "models", "budget", "windows", "alerts", "settings", "docs")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}


def built() -> bool:
    """Whether this installation has the pages."""
    return (STATIC / "index.html").is_file()


def dashboard_router() -> APIRouter:
    """The routes of pages and their files."""
    router = guarded(dependencies=[needs("open")], include_in_schema=False)

    async def page() -> Response:
        if not built():
            raise Problem(404, "This installation has no dashboard: it was built without. 'make web' builds it.")
        return _file(STATIC / "index.html", "no-cache")

    async def asset(name: str) -> Response:
        # Names of the build hold a hash of their content: they may be kept for ever.
        return _file(_found(STATIC / "assets", name), "public, max-age=31536000, immutable")

    def of(name: str) -> Callable[[], Awaitable[Response]]:
        async def other() -> Response:
            return _file(_found(STATIC, name), "no-cache")

        return other

    async def alert(alert: str) -> Response:
        # Where messages link to. Relative, so that it holds below any path of a proxy.
        return RedirectResponse(f"../incident?{urlencode({'id': alert})}", 307)

    router.add_api_route("/alerts/{alert}", alert, methods=["GET", "HEAD"])
    for name in PAGES:
        router.add_api_route(f"/{name}", page, methods=["GET", "HEAD"])
    router.add_api_route("/assets/{name}", asset, methods=["GET", "HEAD"])
    for name in ("theme.js", "icon-calm.svg", "icon-warning.svg", "icon-critical.svg"):
        router.add_api_route(f"/{name}", of(name), methods=["GET", "HEAD"])
    return router


def _found(folder: Path, name: str) -> Path:
    # Only what stands in the folder itself: a name is never a path.
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name == name and path.is_file():
            return path
    raise Problem(404, f"There is no file {name[:100]!r}.")


def _file(path: Path, cache: str) -> FileResponse:
    return FileResponse(path, media_type=_TYPES.get(path.suffix), headers={**HEADERS, "Cache-Control": cache})
