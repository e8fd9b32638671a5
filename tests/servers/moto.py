"""Moto's server for a test: SNS, SQS, EventBridge and S3 on a free port of the loopback, stopped by its number.

    with Moto() as there:
        sqs = there.client("sqs")

It takes any credentials and never throttles: a listener before it (``tests/adapters/listener.py``) does.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from typing import Any

REGION = "eu-west-1"
ACCOUNT = "123456789012"
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-t0k3n-value",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""The environment of whoever speaks to it."""
_PROGRAM = """
import json, sys, threading
from werkzeug.serving import WSGIRequestHandler, make_server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

application = DomainDispatcherApplication(create_backend_app)

def answer(environ, start_response):
    if environ["PATH_INFO"] != "/texts":
        return application(environ, start_response)
    from moto.sns.models import sns_backends
    sent = [list(text) for regions in sns_backends.values() for one in regions.values()
            for text in one.sms_messages.values()]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(sent).encode()]

class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    def log(self, *_):
        pass

server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=Quiet)
print(server.server_port, flush=True)
# Whoever started it has ended, however that came about.
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
"""


class Moto:
    """A server with an account that is empty when it starts.

    Attributes
    ----------
    url : str
        Its address, for ``endpoint_url``.
    """

    def __init__(self) -> None:
        needed = "This test needs moto's server: pip install 'moto[events,s3,sns,sqs]' flask flask-cors"
        assert all(importlib.util.find_spec(name) for name in ("moto", "flask", "flask_cors")), needed
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **KEYS},
            text=True,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            self._process.wait(30)
            self._log.seek(0)
            said = self._log.read().decode(errors="replace")
            self.close()
            raise AssertionError(f"moto's server did not start: {said}")
        self.url = f"http://127.0.0.1:{port}"

    def client(self, service: str) -> Any:
        """boto3's client of a service there."""
        import boto3

        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def texts(self) -> list[tuple[str, str]]:
        """Every text message that went to a number, with the number, in order."""
        with urllib.request.urlopen(f"{self.url}/texts", timeout=30) as answer:
            return [(number, text) for number, text in json.load(answer)]

    def reset(self) -> None:
        """Empty the account."""
        urllib.request.urlopen(f"{self.url}/moto-api/reset", data=b"", timeout=30).close()

    def close(self) -> None:
        """Stop it, by its number."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.wait(30)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._log.close()

    def __enter__(self) -> Moto:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@functools.cache
def shared() -> Moto:
    """One server for all tests of a process that name what they make apart: ``fresh``; it ends with the process."""
    found = Moto()
    atexit.register(found.close)
    return found


def fresh(what: str = "test") -> str:
    """A name that nobody used before."""
    return f"{what}-{next(_NAMES)}"


_NAMES = itertools.count(1)
