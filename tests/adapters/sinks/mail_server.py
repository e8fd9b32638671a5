"""A mail server on the loopback with TLS and log-in, which keeps what it takes."""

from __future__ import annotations

import email
import socket
import ssl
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.adapters.certificate import a_certificate


class MailServer:
    """``letters`` are what was taken; ``says`` is what it answers to a recipient instead of taking it."""

    def __init__(
        self,
        folder: Path,
        *,
        user: str = "",
        password: str = "",
        tls: str = "starttls",
        refused: dict[str, str] | None = None,
    ) -> None:
        self.letters: list[EmailMessage] = []
        self.says = ""
        self.refused = refused or {}
        self.certificate, key = a_certificate(folder, "mail.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

        def may(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            assert isinstance(data, LoginPassword)
            fits = (data.login, data.password) == (user.encode(), password.encode())
            # Not handled: the server itself says that it was wrong.
            return AuthResult(success=fits, handled=fits)

        started: dict[str, Any] = {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}
        if user:
            started |= {"authenticator": may, "auth_required": True, "auth_require_tls": tls == "starttls"}
        outer = {"ssl_context": context} if tls == "tls" else {}
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **outer, **started)
        self.controller.start()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if said := self.says or self.refused.get(address, ""):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        assert max(map(len, envelope.content.split(b"\r\n"))) <= 998, "a line is longer than mail allows"
        letter = email.message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        letter["X-Peer"], letter["X-MailFrom"] = "127.0.0.1", str(envelope.mail_from)
        letter["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
        self.letters.append(letter)
        return "250 OK"

    def close(self) -> None:
        self.controller.stop()
