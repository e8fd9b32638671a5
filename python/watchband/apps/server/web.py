"""The web server: uvicorn in a thread of its own, on a socket that is bound before anything else begins."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from watchband.apps.server.protocol import protocol
from watchband.apps.server.settings import ServerSettings
from watchband.core.errors import ConfigError

START_S = 10.0
GRACE_S = 5
BACKLOG = 512
# Longer than senders pause: one that uses a connection as it is closed sees a reset, and sends all again.
KEEP_ALIVE_S = 75


class Web:
    """Serves an application until it is stopped.

    Parameters
    ----------
    app : FastAPI
        What is served.
    settings : ServerSettings
        Where, and within which limits.

    Raises
    ------
    ConfigError
        The address cannot be used.
    """

    def __init__(self, app: FastAPI, settings: ServerSettings) -> None:
        self.settings = settings
        self._socket = _bound(settings)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=protocol(settings.max_connections),
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            server_header=False,
            # Whom to believe about proxies is the configuration's: 'trusted_proxies'.
            proxy_headers=False,
            h11_max_incomplete_event_size=64 << 10,
            ssl_certfile=settings.tls_cert_file,
            ssl_keyfile=settings.tls_key_file,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens: host and port."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host, port = self._socket.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        scheme = "https" if self.settings.tls_cert_file else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def start(self) -> None:
        """Serve; returns when it does.

        Raises
        ------
        ConfigError
            It ended at once: a certificate that is none, for example.
        """
        self._thread.start()
        end = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise ConfigError(f"The web server on {self.address} did not start. Are certificate and key right?")
            time.sleep(0.01)

    def stop(self) -> None:
        """Answer what is being asked, then end."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(GRACE_S + 2)
        self._socket.close()


def _bound(settings: ServerSettings) -> socket.socket:
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by its number: only then are small answers sent at once (TCP_NODELAY) and not after 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == "::":
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise ConfigError(
            f"{settings.listen} cannot be listened on: {error.strerror or error}. Is another process there? Change "
            "'listen' of 'server'."
        ) from None
    return found
