"""Every curl of docs/access.md, run by a shell against a service that others could reach."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from tests.apps.server.test_sign_in import LONG, SHUT
from tests.apps.server.world import World

PAGE = Path(__file__).parents[3] / "docs" / "access.md"


def test_the_commands_of_the_page_do_what_they_say() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    commands = [c for c in "".join(blocks).replace("\\\n", " ").splitlines() if c.startswith("curl ")]
    assert len(commands) == 5
    given = {"KEY": LONG, "ID": ""}
    with World(server=SHUT) as world:
        for command in commands:
            command = command.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)
            done = subprocess.run(
                ["/bin/sh", "-c", command.replace("http://127.0.0.1:8470", world.web.url)],
                capture_output=True,
                text=True,
                timeout=60,
                env={**os.environ, **given, "no_proxy": "*"},
                check=False,
            )
            assert done.returncode == 0, done
            if not given["ID"]:
                made = json.loads(done.stdout)
                given["ID"] = made["key"]["id"]
                assert made["secret"].startswith("wb_")
        assert json.loads(done.stdout) == {"user": "boss", "role": "admin", "signed_in": False}
        assert [key.revoked for key in world.service.keys.all()] == [world.clock.now()]
