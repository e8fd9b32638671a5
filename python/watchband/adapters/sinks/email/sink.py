"""The sink: SMTP to a checked address, over TLS unless it is told otherwise."""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from watchband.adapters.addresses import check_host, permitted
from watchband.adapters.answers import excerpt
from watchband.adapters.sinks.email.letter import letter
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, ConfigError, PermanentError, TransientError
from watchband.core.kinds import Duration, FilePath, ListOf, SecretText
from watchband.core.params import REQUIRED, Choice, Flag, Integer, Maybe, Text, param
from watchband.core.ports import Notice
from watchband.core.secret import Secret

PORTS = {"starttls": 587, "tls": 465, "none": 25}
KNOWN_MAX = 10_000
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\[\]\\]+")
_SENDER = re.compile(rf"(?:[^<>\r\n\0]* )?<{_ADDRESS.pattern}>|{_ADDRESS.pattern}")


@dataclass(frozen=True, kw_only=True)
class EmailSettings:
    """Alerts by mail."""

    kind: ClassVar[str] = "email"

    host: str = param(REQUIRED, Text("a host name"), "The mail server.")
    port: int | None = param(None, Maybe(Integer(1, 65535)), "Omitted: 587 with starttls, 465 with tls, else 25.")
    tls: str = param("starttls", Choice(("starttls", "tls", "none")), "How the connection is encrypted.")
    username: str | None = param(None, Maybe(Text("text")), "To log in.")
    password: Secret | None = param(None, Maybe(SecretText()), "To log in.")
    sender: str = param(REQUIRED, Text("Name <watchband@example.com>"), "Whom it comes from.")
    to: tuple[str, ...] = param(REQUIRED, ListOf(Text("an address"), 1), "Whom it goes to.")
    prefix: str = param("[Watchband]", Text("text"), "How every subject begins.")
    chart: bool = param(True, Flag(), "The chart is in the mail.")
    timeout: int = param(20 * SECOND, Duration(SECOND // 10, 300 * SECOND), "For every step of the conversation.")
    per_minute: int = param(60, Integer(0), "Most notices in a minute; 0: any number.")
    allow_private: bool = param(False, Flag(), "The server may be at a private address or on this machine.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates to trust instead of the system's.")

    def __post_init__(self) -> None:
        params.check(self)
        check_host(self.host, allow_private=self.allow_private)
        for address in self.to:
            if not _ADDRESS.fullmatch(address):
                raise ConfigError(f"'to' has {address!r}, which is no address such as oncall@example.com.")
        if not _SENDER.fullmatch(self.sender):
            raise ConfigError(f"'sender' is an address, or Name <address>. Got {self.sender!r}.")
        if (self.username is None) != (self.password is None):
            raise ConfigError("'username' and 'password' belong together. Give both or none.")
        if self.password is not None and self.tls == "none":
            raise ConfigError("The password would travel in the clear. Use tls: starttls or tls: tls.")

    def open(self, name: str, *, clock: Clock) -> Email:
        """The sink."""
        return Email(name, self, clock)


class Email:
    """Sends a letter a notice, by a connection of its own.

    Repeats have the same Message-ID, by which many servers drop them. Whom a letter reached while the server refused
    others is not sent it again by this process.
    """

    def __init__(self, name: str, settings: EmailSettings, clock: Clock) -> None:
        self.name, self.per_minute = name, settings.per_minute
        self._settings, self._clock = settings, clock
        self._domain = settings.sender.rstrip(">").rpartition("@")[2]
        self._address = settings.sender.rstrip(">").rpartition("<")[2]
        self._reached: OrderedDict[str, set[str]] = OrderedDict()
        self._smtp: smtplib.SMTP | None = None

    def write(self, notice: Notice) -> None:
        """Send a letter; it is taken when the server has taken it for everyone."""
        settings = self._settings
        reached = self._reached.get(notice.id, set())
        rest = [address for address in settings.to if address not in reached]
        if not rest:
            return
        made = letter(
            notice,
            sender=settings.sender,
            to=settings.to,
            prefix=settings.prefix,
            domain=self._domain,
            now=self._clock.now(),
            chart=settings.chart,
        )
        with self._mapped(), self._connection() as smtp:
            refused: dict[str, tuple[int, bytes]] = {}
            try:
                refused = smtp.send_message(made, self._address, rest)
            except smtplib.SMTPRecipientsRefused as error:
                refused = error.recipients
        self._remember(notice.id, reached | (set(rest) - set(refused)))
        if refused:
            raise self._refused(refused)

    def _refused(self, refused: dict[str, tuple[int, bytes]]) -> AdapterError:
        who = ", ".join(sorted(refused))
        code, said = min(refused.values())
        text = f"The mail server does not take mail for {who} ({code}: {self._excerpt(said)})."
        return TransientError(text) if code < 500 else PermanentError(f"{text} Are the addresses right?")

    def _remember(self, notice: str, reached: set[str]) -> None:
        self._reached[notice] = reached
        if len(self._reached) > KNOWN_MAX:
            self._reached.popitem(last=False)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        port = settings.port or PORTS[settings.tls]
        addresses = permitted(settings.host, port, allow_private=settings.allow_private)
        trust = self._trust()
        made = _Tls if settings.tls == "tls" else _Plain
        with made(settings.host, port, addresses, settings.timeout / SECOND, trust) as smtp:
            self._smtp = smtp
            try:
                smtp.ehlo_or_helo_if_needed()
                if settings.tls == "starttls":
                    smtp.starttls(context=trust)
                    smtp.ehlo()
                if settings.password is not None:
                    smtp.login(settings.username or "", settings.password.reveal())
                yield smtp
            finally:
                self._smtp = None

    def _trust(self) -> ssl.SSLContext:
        if self._settings.ca_file is None:
            return ssl.create_default_context()
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file)
        except OSError:
            raise ConfigError(f"The certificates in {self._settings.ca_file} cannot be read.") from None

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """Errors of smtplib as ours: codes from 400 to 499 may pass, those from 500 on do not."""
        where = f"The mail server {self._settings.host}"
        try:
            yield
        except smtplib.SMTPNotSupportedError as error:
            raise PermanentError(f"{where} cannot do what it must ({error}). Is 'tls' or the port right?") from None
        except smtplib.SMTPResponseException as error:
            text = f"{where} answered {error.smtp_code}: {self._excerpt(error.smtp_error)}"
            if error.smtp_code >= 500:
                hint = " Are user name and password right?" if error.smtp_code in (530, 534, 535) else ""
                raise PermanentError(f"{text}.{hint}") from None
            raise TransientError(f"{text}.") from None
        except smtplib.SMTPServerDisconnected:
            raise TransientError(f"{where} broke off.") from None
        except ssl.SSLCertVerificationError as error:
            raise TransientError(f"{where} shows a certificate that is not trusted: {error.verify_message}.") from None
        except ssl.SSLError as error:
            raise TransientError(f"{where} does not speak TLS as expected: {error.reason or 'it broke off'}.") from None
        except TimeoutError:
            raise TransientError(f"{where} does not answer in time.") from None
        except OSError as error:
            raise TransientError(f"{where} does not answer: {error.strerror or type(error).__name__}.") from None
        except smtplib.SMTPException as error:
            raise TransientError(f"{where} failed: {type(error).__name__}.") from None

    def _excerpt(self, said: bytes | str) -> str:
        data = said if isinstance(said, bytes) else said.encode()
        secrets = []
        if self._settings.password is not None:
            text = self._settings.password.reveal()
            both = f"\0{self._settings.username}\0{text}"
            secrets = [text, *(base64.b64encode(t.encode()).decode() for t in (text, both))]
        return excerpt(data, secrets)

    def close(self) -> None:
        """End a ``write`` in flight."""
        smtp = self._smtp
        sock = smtp.sock if smtp is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Plain(smtplib.SMTP):
    """Connects to one of the checked addresses; TLS goes by the name."""

    def __init__(self, host: str, port: int, addresses: list[str], timeout: float, trust: ssl.SSLContext) -> None:
        self._addresses, self._trust, self._name = addresses, trust, host
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        failure: OSError | None = None
        for address in self._addresses:
            try:
                return socket.create_connection((address, port), timeout)
            except OSError as error:
                failure = error
        assert failure is not None
        raise failure


class _Tls(_Plain):
    """The same, encrypted from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        try:
            return self._trust.wrap_socket(plain, server_hostname=self._name)
        except BaseException:
            plain.close()
            raise
