"""Where a request comes from: which address, through which proxy, from whose page."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fastapi import Request

from watchband.apps.server.settings import ServerSettings

OWN_NAMES = ("localhost", "127.0.0.1", "::1")
HOPS_MAX = 20
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def address_of(request: Request, settings: ServerSettings) -> str:
    """Whose limits a request counts for: the client's address, or that network of IPv6 which one client has."""
    address = request.client.host if request.client else ""
    if settings.trusted(address):
        # Each proxy adds whom it saw: the last that no proxy of ours is, is whom ours saw.
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")][-HOPS_MAX:]
        address = next((hop for hop in reversed(hops) if not settings.trusted(hop)), hops[0])
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def forwarded(request: Request) -> bool:
    """Whether a proxy says that somebody else asks."""
    return any(name in request.headers for name in _FORWARDED)


def secure(request: Request, settings: ServerSettings) -> bool:
    """Whether the browser speaks HTTPS, to this service or to a proxy before it."""
    address = request.client.host if request.client else ""
    if settings.trusted(address) and request.headers.get("x-forwarded-proto", "").lower() == "https":
        return True
    # A browser says so itself; who says it wrongly only keeps their own cookie from themselves.
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def own_page(request: Request) -> bool:
    """Whether a request comes from the dashboard itself, and not from a page of somebody else in the same browser.

    Only a script of the same origin may send the header, since no other gets leave to; and the address must be one of
    this machine's own, so that a name of somebody else that points here opens nothing.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin", "").partition("://")[2]
    return request.headers.get("x-watchband") == "1" and origin == host and _name(host) in OWN_NAMES


def same_origin(request: Request, settings: ServerSettings) -> bool:
    """Whether the page that a request comes from was served by this service.

    The browser says so (``Sec-Fetch-Site``), or its ``Origin`` is the address that was asked for, or the one that
    people use (``external_url``); and the page shows by a header of its own that it is no form of others.
    """
    if request.headers.get("x-watchband") != "1":
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    known = {request.headers.get("host", "")}
    if settings.external_url:
        known.add(urlsplit(settings.external_url).netloc)
    return bool(origin.netloc) and origin.netloc in known


def named_strangely(request: Request, settings: ServerSettings) -> bool:
    """Whether a browser may have been led here by a name of somebody else that points to this machine."""
    name = _name(request.headers.get("host", ""))
    # A name without a dot is one of this network: nobody else can have it.
    if "." not in name.replace(".localhost", "") or name in OWN_NAMES:
        return False
    if settings.external_url and name == urlsplit(settings.external_url).hostname:
        return False
    try:
        # An address is no name: nobody can point it elsewhere.
        ipaddress.ip_address(name)
    except ValueError:
        return True
    return False


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
