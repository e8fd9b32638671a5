"""Secrets that are planted everywhere are found nowhere: not in logs, answers, errors, the store, or a backup."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.apps.server.test_sign_in import bearer, new_key, page, signed_in
from tests.apps.server.world import World
from watchband.adapters.stores.sqlite.backup import backup
from watchband.adapters.stores.sqlite.settings import SqliteSettings
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.secret import Secret

TOKEN = "a-token-that-nobody-guesses-0001"
SERVER = ServerSettings(listen="0.0.0.0:0", tokens={"boss": TokenSettings(Secret(TOKEN), "admin")})


def test_no_secret_is_written_or_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # What the test's own client says of its requests.
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.WARNING, logger=name)
    directory = tmp_path / "data"
    with World(server=replace(SERVER), store=SqliteSettings(path=str(directory))) as world:
        number, key = new_key(world, "ann", "admin")
        client = signed_in(world, key)
        (cookie,) = dict(client.cookies).values()
        assert cookie is not None
        planted = [TOKEN, key, key.rpartition("_")[2], key[16:], cookie, cookie[17:]]
        answers = []
        paths = world.client.get("/api/v1/openapi.json", headers=bearer(TOKEN)).json()["paths"]
        for path, operations in paths.items():
            if path.endswith("/stream"):
                continue
            where = path.replace("{name}", "all").replace("{", "").replace("}", "")
            for method in operations:
                if where.endswith(("/session", "/reload", "/keys/key")) and method == "delete":
                    continue
                # What is wrong about them is said without repeating them.
                body = {"name": key, "key": key, "text": 7, "path": TOKEN}
                answers += [
                    client.request(method, where, headers=page(world)),
                    client.request(method, where, headers=page(world), json=body),
                    world.client.request(method, where, headers=bearer(TOKEN)),
                    world.client.request(method, where, headers=bearer(key + "x"), content=b"{" + key.encode()),
                    world.client.request(method, where, headers={"authorization": f"Basic {key}"}),
                ]
        said = "".join(f"{a.status_code} {a.headers} {a.text}" for a in answers if "set-cookie" not in a.headers)
        said += repr(world.service.config.server) + repr(world.service.keys.all()) + repr(world.service.keys.__dict__)
        for one in world.service.tending:
            one()
        world.client.delete(f"/api/v1/keys/{number}", headers=bearer(TOKEN))
        backup(directory, tmp_path / "backup")
        acts = repr(list(world.service.store.acts()))
    records = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(answers) > 250
    for secret in planted:
        assert secret not in said, said[max(0, said.index(secret) - 300) : said.index(secret) + 60]
        assert secret not in records
        assert secret not in acts
        assert secret.encode() not in files
