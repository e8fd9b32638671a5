"""The Runtime API of Lambda on loopback, for the official client: one event after the other, and what was answered.

docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

PATIENCE_S = 120.0
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:watchband"


class RuntimeApi:
    """Hands events to a client, in order.

    Attributes
    ----------
    answers : Queue
        Of each event what was answered, or the error.
    """

    def __init__(self) -> None:
        self.events: Queue[Any] = Queue()
        self.answers: Queue[tuple[str, Any]] = Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                number, event = api.events.get()
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{number}")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + PATIENCE_S) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
                api.answers.put(("error" if self.path.endswith("error") else "response", said))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; a client that waits for its next event is not answered any more."""
        self.server.shutdown()
        self.server.server_close()


def invoked(
    handler: str, events: Sequence[Any], environment: Mapping[str, str], path: Sequence[Path], cwd: Path
) -> list[tuple[str, Any]]:
    """What the official client answers for a handler, in a process of its own that has nothing but ``path``."""
    api = RuntimeApi()
    for number, event in enumerate(events):
        api.events.put((number, event))
    command = [sys.executable, "-S", "-E", "-c", PROGRAM, handler, *map(str, path)]
    # Not inherited: a process of Lambda has what its function is given.
    given = {"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "PATH": "/usr/bin:/bin"}
    client = subprocess.Popen(command, cwd=cwd, env={**given, **environment}, stderr=subprocess.PIPE, text=True)
    try:
        return [api.answers.get(timeout=PATIENCE_S) for _ in events]
    finally:
        client.terminate()
        client.wait(20)
        assert client.stderr is not None
        client.stderr.close()
        api.close()


PROGRAM = """
import sys
handler, *path = sys.argv[1:]
sys.argv = ["bootstrap", handler]
sys.path[:0] = path
from awslambdaric.__main__ import main
main(["bootstrap", handler])
"""
