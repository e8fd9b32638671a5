"""Keys as documents: everything that is kept of them but the digest."""

from __future__ import annotations

from typing import Any

from watchband.apps.service.keys import Keys
from watchband.apps.service.status import instant
from watchband.core.access_keys import AccessKey


def keys_document(keys: Keys) -> dict[str, Any]:
    """Every key, the newest first."""
    now = keys.clock.now()
    found = [key_document(key, now) for key in keys.all()]
    return {"data": found, "next": None, "total": len(found)}


def key_document(key: AccessKey, now: int) -> dict[str, Any]:
    """One key."""
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "state": "live" if key.lives(now) else "revoked" if key.revoked else "expired",
        "created": instant(key.created),
        "by": key.by,
        "expires": instant(key.expires),
        "revoked": instant(key.revoked),
        "used": instant(key.used),
    }
