"""A receiver of notices that remembers every delivery, in order, with the life of the process it came in."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Delivery:
    """One request: its key, its body, and how many kills there had been."""

    key: str
    body: bytes
    kills: int


class Receiver:
    """Answers 200 to everything, once it has noted it."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.kills = 0
        self._lock = threading.Lock()
        noted = self.note

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    # Whoever sent it was killed in the midst of it: nobody can act on half a request.
                    self.close_connection = True
                    return
                noted(self.headers["Idempotency-Key"], body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Whoever was killed does not wait for the answer."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def note(self, key: str, body: bytes) -> None:
        """Remember a delivery."""
        with self._lock:
            self.deliveries.append(Delivery(key, body, self.kills))

    def killed(self) -> None:
        """The process was killed."""
        with self._lock:
            self.kills += 1

    def unique(self) -> dict[str, bytes]:
        """What a receiver that looks at the key sees."""
        found: dict[str, bytes] = {}
        for delivery in self.deliveries:
            found.setdefault(delivery.key, delivery.body)
        return found

    def repeats(self) -> list[Delivery]:
        """What a receiver that does not sees twice."""
        seen: set[str] = set()
        again = []
        for delivery in self.deliveries:
            if delivery.key in seen:
                again.append(delivery)
            seen.add(delivery.key)
        return again

    def check(self, *, held: bool = False) -> None:
        """Repeats are the same bytes, and at most one a kill.

        ``held``: processes were not only killed but also held, so that one may send late what its successor has sent.
        Then there are never more repeats than there were kills.

        Raises
        ------
        AssertionError
            They are not.
        """
        unique, again = self.unique(), self.repeats()
        story = [(d.key, d.kills) for d in self.deliveries if d.key in {one.key for one in again}]
        for count, delivery in enumerate(again, 1):
            assert delivery.body == unique[delivery.key], f"{delivery.key} came with another body"
            assert count <= delivery.kills, f"more repeats than kills: {story}"
        # Each kill leaves at most one delivery in flight: the one before a repeat was the last of its life.
        lives = Counter(self._before(delivery).kills for delivery in again)
        assert held or all(count == 1 for count in lives.values()), f"more than one repeat after a kill: {story}"

    def _before(self, repeat: Delivery) -> Delivery:
        """The delivery that a repeat repeats."""
        at = next(k for k, one in enumerate(self.deliveries) if one is repeat)
        return next(one for one in reversed(self.deliveries[:at]) if one.key == repeat.key)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
